"""What was seen on the wire: alerts, bytes, TCP ends, packets, the ClientHello."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model.words import Side, TcpEndKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A TLS alert seen on the wire (RFC 8446 section 6). `encrypted` marks one that was decrypted with the session's secrets."""

    sender: Side
    level: str
    code: int
    name: str
    at_ms: float | None = None
    encrypted: bool = False

    @property
    def is_fatal(self) -> bool:
        """Whether the alert ends the connection; a `close_notify` is a warning."""
        return self.level == "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireChunk:
    """Bytes that the server's socket sent or received at `at_ms` after accept; `sender` sent them."""

    sender: Side
    at_ms: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpEnd:
    """How one side ended its half of the TCP connection, as the server's socket saw it."""

    sender: Side
    at_ms: float
    how: TcpEndKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One row of the packet list: a TLS message or a TCP event. `at_ms` is after accept; `length` is in bytes, 0 for TCP events."""

    number: int
    at_ms: float
    sender: Side
    length: int
    info: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What both sides agreed on; None if the handshake ended before."""

    version: str | None = None
    suite: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloFacts:
    """The ClientHello as reports show it: hex strings, in the order of the wire."""

    record_version: str
    versions: tuple[str, ...]
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    signature_algorithms: tuple[str, ...]
    extensions: tuple[int, ...]
    sni: str | None
    alpn: tuple[str, ...] = ()
    key_share_groups: tuple[str, ...] = ()
    random: str = ""
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireStep:
    """One message on the wire in readable form: its sender, its time (ms after accept), its name and its main content."""

    sender: Side
    at_ms: float
    name: str
    detail: str = ""
