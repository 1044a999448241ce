"""The recording of one connection -> what both sides said in the clear: hellos, choice, certificates, alerts, messages.

Knows the order of a TLS 1.2 and a TLS 1.3 handshake just far enough to tell clear text from encrypted; judges nothing
and never fails: whatever a peer sent that is not TLS, cut short or malformed is a field of the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.model import Alert, HelloFacts, Negotiated, Side, WireChunk
from harness.wire.alerts import alert_level, alert_name
from harness.wire.groups import group_name
from harness.wire.handshake import (
    CERTIFICATE,
    CLIENT_HELLO,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    HandshakeMessage,
    MessageJoiner,
    ServerHello,
    ServerKeyExchange,
    parse_alerts,
    parse_certificate,
    parse_client_hello,
    parse_server_hello,
    parse_server_key_exchange,
)
from harness.wire.records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    NotTlsError,
    Record,
    RecordSplitter,
)
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import suite_name
from harness.wire.versions import TLS12, TLS13, version_name

# A peer may send endless records of two bytes. A handshake has about ten messages; no case here has 10,000 records of data.
MAX_MESSAGES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage:
    """One line of the packet list; `length` is the handshake message with its header, else the record's payload.

    `name` is an RFC's message name, `Alert(handshake_failure)`, `ChangeCipherSpec`, `ApplicationData` (in TLS 1.3 also
    every encrypted handshake message: the type is inside), `EncryptedHandshake` or `EncryptedAlert` (TLS 1.2).
    """

    sender: Side
    at_ms: float
    name: str
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedAlert:
    """An encrypted alert record of TLS 1.2: only its existence is visible."""

    sender: Side
    at_ms: float
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WireReading:
    """Everything a recording says without its secrets.

    `client_hello` is the first one, `retried_hello` the one after a HelloRetryRequest. `negotiated` is filled by the
    ServerHello only: with `retry` and no ServerHello it is empty, `retry_group` names what the server asked for, and `retry_suite`
    is the suite that it chose all the same.
    `group` comes from key_share in TLS 1.3, from ServerKeyExchange in TLS 1.2, and is None for static RSA and for DHE
    (`dh_bits` then). `certificates` are DER, leaf first, TLS 1.2 only; `client_certificates` is None unless the client
    sent the message, and empty if it sent one without a certificate. `alerts` holds those in the clear only.

    `*_plain` holds the first bytes of a side that never spoke TLS, `*_wrong` the first thing in which a side left the
    protocol, `*_truncated` says that a side's bytes end inside a record or message, `*_pending_bytes` how many of it came,
    `*_bytes` how many the side sent. `server_begun` is the name of a handshake message in the clear of which only the beginning came.
    """

    client_hello: HelloFacts | None = None
    retried_hello: HelloFacts | None = None
    retry: bool = False
    retry_group: str | None = None
    retry_suite: int | None = None
    server_hello: ServerHello | None = None
    negotiated: Negotiated = field(default_factory=Negotiated)
    dh_bits: int | None = None
    signature_algorithm: str | None = None
    alpn: str | None = None
    certificates: tuple[bytes, ...] = ()
    client_certificates: tuple[bytes, ...] | None = None
    alerts: tuple[Alert, ...] = ()
    encrypted_alerts: tuple[EncryptedAlert, ...] = ()
    messages: tuple[WireMessage, ...] = ()
    client_plain: bytes | None = None
    server_plain: bytes | None = None
    client_wrong: str | None = None
    server_wrong: str | None = None
    client_truncated: bool = False
    server_truncated: bool = False
    client_pending_bytes: int = 0
    server_pending_bytes: int = 0
    client_bytes: int = 0
    server_bytes: int = 0
    server_begun: str | None = None


def read_wire(chunks: Sequence[WireChunk]) -> WireReading:
    """Read the recording of one connection.

    Args:
        chunks: the bytes of both directions in the order in which they crossed the server's socket; the cuts are free.

    Returns:
        What could be read, up to `MAX_MESSAGES` messages. Never raises for what the bytes hold. Nothing is verified: no signature, no
        certificate.
    """
    reader = WireReader()
    for chunk in chunks:
        reader.take(chunk)
    return reader.result()


class _Direction:
    """What one side has sent so far."""

    __slots__ = ("byte_count", "complaint", "encrypted", "joiner", "lost", "splitter")

    def __init__(self) -> None:
        self.splitter = RecordSplitter()
        self.joiner = MessageJoiner()
        self.encrypted = False
        self.complaint: str | None = None
        self.lost: NotTlsError | None = None
        self.byte_count = 0

    def complain(self, what: str) -> None:
        """Record the first error; later ones follow from it."""
        if self.complaint is None:
            self.complaint = what

    @property
    def wrong(self) -> str | None:
        """The first error; an invalid record comes last, because nothing is read after it."""
        if self.complaint is not None or self.lost is None:
            return self.complaint
        return f"{self.lost.reason} (byte {self.lost.offset})"

    @property
    def truncated(self) -> bool:
        """Whether this side stopped inside a record or a message."""
        return self.pending_bytes > 0

    @property
    def pending_bytes(self) -> int:
        """The number of bytes of an incomplete record and message."""
        return 0 if self.lost is not None else self.splitter.pending_bytes + self.joiner.pending_bytes

    @property
    def plain(self) -> bytes | None:
        """The first bytes of a side that never spoke TLS."""
        return self.lost.data if self.lost is not None and self.lost.offset == 0 else None


class WireReader:
    """Both directions of one connection, fed in order; only the ServerHello couples them.

    `read_wire` reads a whole recording. This is for one that is still growing: each byte is read once.
    """

    def __init__(self) -> None:
        self._sides = {Side.CLIENT: _Direction(), Side.SERVER: _Direction()}
        self._hellos: list[HelloFacts] = []
        self._retry: ServerHello | None = None
        self._server_hello: ServerHello | None = None
        self._key_exchange = ServerKeyExchange()
        self._certificates: dict[Side, tuple[bytes, ...]] = {}
        self._alerts: list[Alert] = []
        self._encrypted_alerts: list[EncryptedAlert] = []
        self._messages: list[WireMessage] = []

    def take(self, chunk: WireChunk) -> None:
        """Read one chunk as far as it goes."""
        side = self._sides[chunk.sender]
        side.byte_count += len(chunk.data)
        side.splitter.feed(chunk.data if len(self._messages) < MAX_MESSAGES else chunk.data[:1])
        try:
            while len(self._messages) < MAX_MESSAGES and (record := side.splitter.next_record()) is not None:
                self._take_record(record, sender=chunk.sender, at_ms=chunk.at_ms)
        except NotTlsError as error:
            side.lost = error
        if len(self._messages) >= MAX_MESSAGES and side.splitter.pending_bytes:
            side.complain(f"more than {MAX_MESSAGES} messages")

    @property
    def message_count(self) -> int:
        """How many messages have been read: `result` is new only when this grows, or when a side leaves the protocol."""
        return len(self._messages)

    def has_left_tls(self, side: Side) -> bool:
        """Return whether this side sent something that is not a TLS record: nothing after it is read."""
        return self._sides[side].lost is not None

    def _take_record(self, record: Record, *, sender: Side, at_ms: float) -> None:
        """Sort one record by its type, and by whether its sender encrypts yet."""
        side = self._sides[sender]
        length = len(record.payload)
        if record.content_type == HANDSHAKE and not side.encrypted:
            side.joiner.feed(record.payload)
            self._take_messages(record, sender=sender, at_ms=at_ms)
        elif record.content_type == HANDSHAKE:
            self._note(sender, at_ms=at_ms, name="EncryptedHandshake", length=length)
        elif record.content_type == ALERT:
            self._take_alert(record, sender=sender, at_ms=at_ms)
        elif record.content_type == CHANGE_CIPHER_SPEC:
            # In TLS 1.3 this record is a dummy for middleboxes and changes nothing (RFC 8446 appendix D.4); it may
            # come before the ServerHello too (after a HelloRetryRequest), where no TLS 1.2 peer can send it.
            side.encrypted = side.encrypted or (self._version is not None and self._version < TLS13)
            self._note(sender, at_ms=at_ms, name="ChangeCipherSpec", length=length)
        else:
            name = "ApplicationData" if record.content_type == APPLICATION_DATA else "Heartbeat"
            self._note(sender, at_ms=at_ms, name=name, length=length)

    def _take_alert(self, record: Record, *, sender: Side, at_ms: float) -> None:
        """Read an alert record in the clear, or note that an encrypted one came."""
        side = self._sides[sender]
        # No cipher makes two bytes of two bytes (there is always a MAC or tag): two bytes are in the clear.
        if side.encrypted and len(record.payload) != 2:
            self._encrypted_alerts.append(EncryptedAlert(sender=sender, at_ms=at_ms, length=len(record.payload)))
            self._note(sender, at_ms=at_ms, name="EncryptedAlert", length=len(record.payload))
            return
        try:
            found = parse_alerts(record.payload)
        except ValueError as error:
            side.complain(str(error))
            self._note(sender, at_ms=at_ms, name="Alert(malformed)", length=len(record.payload))
            return
        for alert in found:
            name = alert_name(alert.code)
            level = alert_level(alert.level)
            self._alerts.append(Alert(sender=sender, level=level, code=alert.code, name=name, at_ms=at_ms))
            self._note(sender, at_ms=at_ms, name=f"Alert({name})", length=2)

    def _take_messages(self, record: Record, *, sender: Side, at_ms: float) -> None:
        """Read the handshake messages that this record completes."""
        side = self._sides[sender]
        if not record.payload:
            side.complain("an empty handshake record")
        try:
            while (message := side.joiner.next_message()) is not None:
                self._note(sender, at_ms=at_ms, name=message.name, length=len(message.body) + 4)
                try:
                    self._take_message(message, sender=sender, record=record)
                except ValueError as error:
                    # The message's length still holds: what comes after it can be read.
                    side.complain(str(error))
        except ValueError as error:
            side.complain(str(error))
            side.joiner = MessageJoiner()

    def _take_message(self, message: HandshakeMessage, *, sender: Side, record: Record) -> None:
        """Keep what one message says."""
        if sender is Side.CLIENT and message.message_type == CLIENT_HELLO:
            self._hellos.append(parse_client_hello(message.body, record_version=record.version))
        elif sender is Side.SERVER and message.message_type == SERVER_HELLO:
            hello = parse_server_hello(message.body)
            if hello.retry:
                self._retry = self._retry or hello
            else:
                self._server_hello = self._server_hello or hello
        elif message.message_type == CERTIFICATE:
            found = parse_certificate(message.body, version=self._version or TLS12)
            self._certificates.setdefault(sender, found)
        elif sender is Side.SERVER and message.message_type == SERVER_KEY_EXCHANGE and self._server_hello is not None:
            self._key_exchange = parse_server_key_exchange(
                message.body, suite=self._server_hello.suite, version=self._server_hello.version
            )

    def _note(self, sender: Side, *, at_ms: float, name: str, length: int) -> None:
        """Add a line to the packet list."""
        self._messages.append(WireMessage(sender=sender, at_ms=at_ms, name=name, length=length))

    @property
    def _version(self) -> int | None:
        """The version the server chose; a HelloRetryRequest has chosen it already."""
        hello = self._server_hello or self._retry
        return hello.version if hello is not None else None

    def result(self) -> WireReading:
        """Return the reading."""
        client, server = self._sides[Side.CLIENT], self._sides[Side.SERVER]
        chosen, retry, exchange = self._server_hello, self._retry, self._key_exchange
        signed_with = exchange.signature_algorithm
        return WireReading(
            client_hello=self._hellos[0] if self._hellos else None,
            retried_hello=self._hellos[1] if len(self._hellos) > 1 else None,
            retry=retry is not None,
            retry_group=group_name(retry.group) if retry is not None and retry.group is not None else None,
            retry_suite=retry.suite if retry is not None else None,
            server_hello=chosen,
            negotiated=_negotiated(chosen, exchange=exchange),
            dh_bits=exchange.dh_bits,
            signature_algorithm=signature_name(signed_with) if signed_with is not None else None,
            alpn=chosen.alpn if chosen is not None else None,
            certificates=self._certificates.get(Side.SERVER, ()),
            client_certificates=self._certificates.get(Side.CLIENT),
            alerts=tuple(self._alerts),
            encrypted_alerts=tuple(self._encrypted_alerts),
            messages=tuple(self._messages),
            client_plain=client.plain,
            server_plain=server.plain,
            client_wrong=client.wrong,
            server_wrong=server.wrong,
            client_truncated=client.truncated,
            server_truncated=server.truncated,
            client_pending_bytes=client.pending_bytes,
            server_pending_bytes=server.pending_bytes,
            client_bytes=client.byte_count,
            server_bytes=server.byte_count,
            server_begun=None if server.encrypted else server.joiner.begun(server.splitter.pending_handshake),
        )


def _negotiated(chosen: ServerHello | None, *, exchange: ServerKeyExchange) -> Negotiated:
    """Name what the ServerHello (and in TLS 1.2 the ServerKeyExchange) chose."""
    if chosen is None:
        return Negotiated()
    group = chosen.group if chosen.group is not None else exchange.group
    return Negotiated(
        version=version_name(chosen.version),
        suite=suite_name(chosen.suite),
        group=group_name(group) if group is not None else None,
    )
