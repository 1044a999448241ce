"""A certificate and where it is. Reads nothing, so importing it costs no cryptography."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Origin(StrEnum):
    """Where a certificate comes from: sent in the handshake, trusted by the verifier, or neither but within reach."""

    SENT = "sent"
    TRUSTED = "trusted"
    NEARBY = "nearby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A certificate and its place.

    `file` is the name to show, None if it is known from the wire only; `source` is its absolute path, for commands. `number` is that in the
    file or in what was sent, of `count`. `form` is `pem` or `der`. `unused`: it is in a file of trusted certificates, of which the
    verifier reads only the first.
    """

    der: bytes
    origin: Origin
    file: str | None = None
    source: str | None = None
    number: int = 1
    count: int = 1
    form: str = "pem"
    unused: bool = False


def placed(
    chain: Sequence[bytes], *, origin: Origin, file: Path | None = None, form: str = "pem"
) -> tuple[Placed, ...]:
    """Return the certificates of one file, or of one message, with their numbers."""
    name, source = (str(file), str(file.absolute())) if file is not None else (None, None)
    return tuple(
        Placed(der=der, origin=origin, file=name, source=source, number=at, count=len(chain), form=form)
        for at, der in enumerate(chain, start=1)
    )
