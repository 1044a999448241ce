"""Handshake messages: records' payload -> messages -> ClientHello, ServerHello, Certificate, ServerKeyExchange, Alert.

Knows the messages that cross in the clear (RFC 5246 section 7.4, RFC 8446 section 4) and how they may be cut over
records or share one; knows nothing of who sent them when (`harness/wire/reading.py`) and decrypts nothing. Every
parser takes a whole message and gives a record or raises ValueError; `MessageJoiner` and `read_client_hello` also
know "incomplete".
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import HelloFacts
from harness.wire.extensions import Extension
from harness.wire.fields import FieldReader
from harness.wire.records import HANDSHAKE, RecordSplitter
from harness.wire.suites import suite_info
from harness.wire.versions import TLS12, TLS13

CLIENT_HELLO = 1
SERVER_HELLO = 2
CERTIFICATE = 11
SERVER_KEY_EXCHANGE = 12

_NAMES: dict[int, str] = {
    0: "HelloRequest",
    CLIENT_HELLO: "ClientHello",
    SERVER_HELLO: "ServerHello",
    3: "HelloVerifyRequest",
    4: "NewSessionTicket",
    5: "EndOfEarlyData",
    8: "EncryptedExtensions",
    CERTIFICATE: "Certificate",
    SERVER_KEY_EXCHANGE: "ServerKeyExchange",
    13: "CertificateRequest",
    14: "ServerHelloDone",
    15: "CertificateVerify",
    16: "ClientKeyExchange",
    20: "Finished",
    21: "CertificateURL",
    22: "CertificateStatus",
    24: "KeyUpdate",
    25: "CompressedCertificate",
}
_HEADER_BYTES = 4

# RFC 8446 section 4.1.3: a ServerHello with this random (SHA-256 of "HelloRetryRequest") is a HelloRetryRequest.
_RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeMessage:
    """One handshake message without its header."""

    message_type: int
    body: bytes

    @property
    def name(self) -> str:
        """The message's name as the RFCs spell it; a HelloRetryRequest is recognised by its random."""
        if self.message_type == SERVER_HELLO and self.body[2:34] == _RETRY_RANDOM:
            return "HelloRetryRequest"
        return _NAMES.get(self.message_type, f"handshake_{self.message_type}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerHello:
    """What the server chose; codes as on the wire. `retry` marks a HelloRetryRequest, whose `group` is a request."""

    version: int
    suite: int
    random: str
    extensions: tuple[int, ...]
    group: int | None = None
    alpn: str | None = None
    retry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKeyExchange:
    """The server's ephemeral key of TLS 1.2: a named group, or the size of a DHE prime. Signatures are not checked."""

    group: int | None = None
    dh_bits: int | None = None
    signature_algorithm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WireAlert:
    """One alert in the clear, as two numbers."""

    level: int
    code: int


class MessageJoiner:
    """Join the payloads of one direction's handshake records into messages.

    A message may be cut over several records, and a record may hold several messages (RFC 8446 section 5.1).
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the rest of their message."""
        return len(self._buffer)

    def begun(self, rest: bytes = b"") -> str | None:
        """Return the name of the message that waits for its rest, or None.

        Args:
            rest: the beginning of the next record's payload, as far as it came.
        """
        first = bytes(self._buffer[:1]) or rest[:1]
        return _NAMES.get(first[0]) if first else None

    def feed(self, payload: bytes) -> None:
        """Add one handshake record's payload."""
        self._buffer += payload

    def next_message(self) -> HandshakeMessage | None:
        """Take the next message; None if more records are needed.

        Raises:
            ValueError: for a message type that no RFC names, because what follows is not a handshake either.
        """
        if not self._buffer:
            return None
        if self._buffer[0] not in _NAMES:
            raise ValueError(f"unknown handshake message type {self._buffer[0]}")
        if len(self._buffer) < _HEADER_BYTES:
            return None
        end = _HEADER_BYTES + int.from_bytes(self._buffer[1:4], "big")
        if len(self._buffer) < end:
            return None
        message = HandshakeMessage(message_type=self._buffer[0], body=bytes(self._buffer[_HEADER_BYTES:end]))
        del self._buffer[:end]
        return message


def read_client_hello(data: bytes) -> HelloFacts | None:
    """Read the ClientHello that a client's byte stream begins with.

    Returns:
        The facts (fingerprint left None), or None if the bytes end before the message does.

    Raises:
        ValueError: if the stream does not begin with a well-formed ClientHello.
    """
    splitter, joiner = RecordSplitter(), MessageJoiner()
    splitter.feed(data)
    first_version: str | None = None
    while (record := splitter.next_record()) is not None:
        if record.content_type != HANDSHAKE:
            raise ValueError(f"record type {record.content_type} before the ClientHello")
        first_version = first_version or record.version
        joiner.feed(record.payload)
        message = joiner.next_message()
        if message is not None:
            if message.message_type != CLIENT_HELLO:
                raise ValueError(f"{message.name} instead of a ClientHello")
            return parse_client_hello(message.body, record_version=first_version)
    return None


def parse_client_hello(body: bytes, *, record_version: str) -> HelloFacts:
    """Read a ClientHello (RFC 8446 section 4.1.2).

    Args:
        body: the message without its four-byte header.
        record_version: version in the header of the record it began in, as hex.

    Returns:
        The facts. `versions` is the supported_versions extension; without it the legacy_version alone, which is then
        the client's *highest*: it may accept older ones too.

    Raises:
        ValueError: if the message or an extension that is read here is malformed.
    """
    reader = FieldReader(body, what="ClientHello")
    legacy_version = reader.number(2)
    random = reader.take(32)
    if len(reader.vector(1)) > 32:
        raise ValueError("ClientHello has a session id longer than 32 bytes")
    suites = reader.numbers(2, length_size=2)
    reader.vector(1)  # compression methods
    extensions = _extensions(reader, what="ClientHello")
    found = {code: data for code, data in reversed(extensions)}
    versions = _number_list(found, code=Extension.SUPPORTED_VERSIONS, length_size=1) or (legacy_version,)
    return HelloFacts(
        record_version=record_version,
        versions=_hex(versions),
        suites=_hex(suites),
        groups=_hex(_number_list(found, code=Extension.SUPPORTED_GROUPS)),
        signature_algorithms=_hex(_number_list(found, code=Extension.SIGNATURE_ALGORITHMS)),
        extensions=tuple(code for code, _data in extensions),
        sni=_server_name(found.get(Extension.SERVER_NAME, b"")),
        alpn=_alpn(found.get(Extension.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b"")),
        key_share_groups=_hex(_key_share_groups(found.get(Extension.KEY_SHARE, b""))),
        random=random.hex(),
    )


def parse_server_hello(body: bytes) -> ServerHello:
    """Read a ServerHello or HelloRetryRequest (RFC 8446 sections 4.1.3 and 4.1.4).

    Raises:
        ValueError: if the message or an extension that is read here is malformed.
    """
    reader = FieldReader(body, what="ServerHello")
    version = reader.number(2)
    random = reader.take(32)
    if len(reader.vector(1)) > 32:
        raise ValueError("ServerHello has a session id longer than 32 bytes")
    suite = reader.number(2)
    reader.number(1)  # compression method
    extensions = _extensions(reader, what="ServerHello")
    found = dict(extensions)
    if Extension.SUPPORTED_VERSIONS in found:
        version = FieldReader(found[Extension.SUPPORTED_VERSIONS], what="supported_versions").number(2)
    group: int | None = None
    if Extension.KEY_SHARE in found:
        group = FieldReader(found[Extension.KEY_SHARE], what="key_share").number(2)
    names = _alpn(found.get(Extension.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, b""))
    return ServerHello(
        version=version,
        suite=suite,
        random=random.hex(),
        extensions=tuple(code for code, _data in extensions),
        group=group,
        alpn=names[0] if names else None,
        retry=random == _RETRY_RANDOM,
    )


def parse_certificate(body: bytes, *, version: int = TLS12) -> tuple[bytes, ...]:
    """Read a Certificate message: the DER of each certificate, leaf first; empty if the sender has none.

    Args:
        body: the message without its header. The DER itself is not looked at.
        version: TLS 1.3 puts a context before the list and extensions after each entry (RFC 8446 section 4.4.2).

    Raises:
        ValueError: if the lengths do not fit.
    """
    reader = FieldReader(body, what="Certificate")
    if version >= TLS13:
        reader.vector(1)
    entries = FieldReader(reader.vector(3), what="certificate_list")
    reader.end()
    found: list[bytes] = []
    while entries.left:
        found.append(entries.vector(3))
        if version >= TLS13:
            entries.vector(2)
    return tuple(found)


def parse_server_key_exchange(body: bytes, *, suite: int, version: int = TLS12) -> ServerKeyExchange:
    """Read a ServerKeyExchange of an ECDHE or DHE suite (RFC 8422 section 5.4, RFC 5246 section 7.4.3).

    Args:
        body: the message without its header.
        suite: the negotiated suite; the message cannot be read without it.
        version: the negotiated version; only TLS 1.2 names the signature algorithm.

    Returns:
        All None for a suite whose message holds no group (PSK hint, SRP, ...).

    Raises:
        ValueError: if the message is malformed.
    """
    info = suite_info(suite)
    if info is None:
        raise ValueError(f"no ServerKeyExchange can be read for suite 0x{suite:04X}")
    reader = FieldReader(body, what="ServerKeyExchange")
    group: int | None = None
    dh_bits: int | None = None
    if info.needs_psk:
        reader.vector(2)  # identity hint (RFC 4279 section 2)
    if info.key_exchange.startswith("ECDHE"):
        # RFC 8422 section 5.4: curve type 3 is named_curve; the explicit ones are forbidden since.
        if reader.number(1) == 3:
            group = reader.number(2)
            reader.vector(1)
        else:
            return ServerKeyExchange()
    elif info.key_exchange.startswith("DHE"):
        dh_bits = int.from_bytes(reader.vector(2), "big").bit_length()
        reader.vector(2)
        reader.vector(2)
    else:
        return ServerKeyExchange()
    signed = info.authentication in {"RSA", "ECDSA", "DSS"} and version >= TLS12
    algorithm = reader.number(2) if signed else None
    return ServerKeyExchange(group=group, dh_bits=dh_bits, signature_algorithm=algorithm)


def parse_alerts(payload: bytes) -> tuple[WireAlert, ...]:
    """Read the alerts of a record in the clear (RFC 5246 section 7.2 lets one record hold several).

    Raises:
        ValueError: if the payload is empty or not pairs of level and code.
    """
    if not payload or len(payload) % 2:
        raise ValueError(f"an alert record of {len(payload)} bytes")
    return tuple(WireAlert(level=payload[at], code=payload[at + 1]) for at in range(0, len(payload), 2))


def _extensions(reader: FieldReader, *, what: str) -> tuple[tuple[int, bytes], ...]:
    """Read the extensions at the end of a hello; a hello of before RFC 3546 has none at all."""
    if not reader.left:
        return ()
    block = FieldReader(reader.vector(2), what=f"{what} extensions")
    reader.end()
    found: list[tuple[int, bytes]] = []
    while block.left:
        code = block.number(2)
        found.append((code, block.vector(2)))
    return tuple(found)


def _number_list(found: dict[int, bytes], *, code: int, length_size: int = 2) -> tuple[int, ...]:
    """Read an extension that is one list of two-byte codes; an absent one is an empty list."""
    if code not in found:
        return ()
    reader = FieldReader(found[code], what=f"extension {code}")
    values = reader.numbers(2, length_size=length_size)
    reader.end()
    return values


def _server_name(data: bytes) -> str | None:
    """Read the host name of a server_name extension (RFC 6066 section 3)."""
    if not data:
        return None
    names = FieldReader(FieldReader(data, what="server_name").vector(2), what="server_name list")
    while names.left:
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            # The name is untrusted: whatever is not ASCII is shown, not decoded.
            return name.decode("ascii", "backslashreplace")
    return None


def _alpn(data: bytes) -> tuple[str, ...]:
    """Read the protocol names of an ALPN extension (RFC 7301 section 3.1)."""
    if not data:
        return ()
    names = FieldReader(FieldReader(data, what="ALPN").vector(2), what="ALPN list")
    found: list[str] = []
    while names.left:
        found.append(names.vector(1).decode("ascii", "backslashreplace"))
    return tuple(found)


def _key_share_groups(data: bytes) -> tuple[int, ...]:
    """Read the groups of a ClientHello's key_share extension (RFC 8446 section 4.2.8)."""
    if not data:
        return ()
    shares = FieldReader(FieldReader(data, what="key_share").vector(2), what="key_share list")
    found: list[int] = []
    while shares.left:
        found.append(shares.number(2))
        shares.vector(2)
    return tuple(found)


def _hex(codes: tuple[int, ...]) -> tuple[str, ...]:
    """Write two-byte codes as the reports do: four lower-case digits, no prefix."""
    return tuple(f"{code:04x}" for code in codes)
