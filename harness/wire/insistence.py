"""What a server insists on in a ClientHello, beyond what a board sends. Only the record."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Addition(StrEnum):
    """Something that can be added to a ClientHello."""

    SERVER_NAME = "a server name (SNI)"
    ALPN = "application protocols (ALPN)"
    GROUPS = "more groups"
    SIGNATURES = "more signature algorithms"
    EXTENDED_MASTER_SECRET = "the extended master secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insistence:
    """Without any of these additions a server refuses a ClientHello, with all of them it goes on.

    `name` is the server name that was added. `alpn`, `group` and `signature` are what the server then chose; None where it shows none.
    """

    additions: tuple[Addition, ...]
    name: str | None = None
    alpn: str | None = None
    group: str | None = None
    signature: str | None = None
