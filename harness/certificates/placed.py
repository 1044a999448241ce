"""A certificate and where it is. Reads nothing, so importing it costs no cryptography."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Where a certificate comes from: sent in the handshake, trusted by the verifier, or neither but within reach."""

    SENT = "sent"
    TRUSTED = "trusted"
    NEARBY = "nearby"


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A certificate and its place.

    `file` is None if it is known from the wire only. `number` is that in the file or in what was sent, of `count`. `form` is `pem` or
    `der`. `unused`: it is in a file of trusted certificates, of which the verifier reads only the first.
    """

    der: bytes
    origin: Origin
    file: str | None = None
    number: int = 1
    count: int = 1
    form: str = "pem"
    unused: bool = False


def placed(chain: Sequence[bytes], *, origin: Origin, file: str | None = None, form: str = "pem") -> tuple[Placed, ...]:
    """Return the certificates of one file, or of one message, with their numbers."""
    return tuple(
        Placed(der=der, origin=origin, file=file, number=at, count=len(chain), form=form)
        for at, der in enumerate(chain, start=1)
    )
