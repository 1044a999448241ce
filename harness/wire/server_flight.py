"""A client that reads a server's first flight: up to ServerHelloDone, or in TLS 1.3 the server's Finished. It never completes a session.

Sans I/O: bytes in, bytes to send out. Checks what a client of the firmware's library checks in order to continue: what the server chose was
offered, the messages are in order, in TLS 1.3 the Finished fits the transcript. The first violation ends the reading, with the alert that a
client sends. The work is linear in the bytes, whose number is limited: a peer may send anything.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from harness.wire.alerts import AlertCode
from harness.wire.extensions import Extension
from harness.wire.fields import FieldReader
from harness.wire.handshake import (
    CERTIFICATE,
    SERVER_HELLO,
    SERVER_KEY_EXCHANGE,
    HandshakeMessage,
    MessageJoiner,
    ServerHello,
    parse_alerts,
    parse_certificate,
    parse_server_hello,
    parse_server_key_exchange,
    read_client_hello,
)
from harness.wire.hello_replay import ReplayedHello
from harness.wire.key_shares import can_share
from harness.wire.records import (
    ALERT,
    APPLICATION_DATA,
    CHANGE_CIPHER_SPEC,
    HANDSHAKE,
    NotTlsError,
    Record,
    RecordSplitter,
)
from harness.wire.suites import suite_info
from harness.wire.tls13_keys import TLS13_SUITES, RecordOpener, finished, hash_name, server_secret
from harness.wire.versions import TLS12, TLS13

# A flight has a chain of certificates and little else; more is an attack. Records may be tiny, but not without end.
MAX_BYTES, MAX_RECORDS = 1 << 18, 1 << 14
_ENCRYPTED_EXTENSIONS, _CERTIFICATE_REQUEST, _HELLO_DONE, _CERTIFICATE_VERIFY, _FINISHED = 8, 13, 14, 15, 20
_SIGNED_PREFIX = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"
_FATAL, _CLOSE_NOTIFY = 2, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Why a client would give up: the alert that it sends, and what is wrong in a few words."""

    alert: AlertCode
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What the server signed with its certificate's key, still unchecked."""

    scheme: int | None
    content: bytes
    signature: bytes


@dataclass(slots=True, kw_only=True)
class Flight:
    """What a server answered. `complete` is true at its end; without it one of the other fields says why it is not.

    `alert` is the server's fatal one, by code. `plain` holds the first bytes of a peer that does not speak TLS. `unread` says what of a
    TLS 1.3 flight could not be read from here, and why. `spans_records` and `largest_record` are what a small client must bear.
    """

    version: int | None = None
    suite: int | None = None
    group: int | None = None
    retry: bool = False
    certificates: tuple[bytes, ...] = ()
    asks_certificate: bool = False
    signed: Signed | None = None
    signature_algorithm: int | None = None
    dh_bits: int | None = None
    alert: int | None = None
    violation: Violation | None = None
    plain: bytes | None = None
    unread: str | None = None
    complete: bool = False
    ended: bool = False
    spans_records: bool = False
    largest_record: int = 0
    warnings: list[int] = field(default_factory=list)


class _Stop(Exception):
    """The client gives up."""

    def __init__(self, alert: AlertCode, what: str) -> None:
        super().__init__(what)
        self.violation = Violation(alert=alert, what=what)


class FlightReader:
    """Read one server's answer to one hello.

    Args:
        hello: what was sent. A HelloRetryRequest changes it.
        oldest: the oldest version that this client accepts.
    """

    def __init__(self, hello: ReplayedHello, *, oldest: int) -> None:
        self.flight = Flight()
        self._hello = hello
        offer = read_client_hello(hello.record)
        assert offer is not None
        self._suites = {int(code, 16) for code in offer.suites}
        self._groups = [int(code, 16) for code in offer.groups]
        self._versions = [int(code, 16) for code in offer.versions]
        self._oldest = oldest
        self._splitter, self._joiner = RecordSplitter(), MessageJoiner()
        self._opener: RecordOpener | None = None
        self._secret = b""
        self._expected: tuple[int, ...] = (SERVER_HELLO,)
        self._first_suite: int | None = None
        self._session: ServerHello | None = None
        self._transcript = bytearray(hello.message)
        self._bytes = self._records = 0
        self._answer = b""

    @property
    def done(self) -> bool:
        """Whether nothing more is read."""
        found = self.flight
        ended = found.complete or found.ended or found.alert is not None
        return ended or found.violation is not None or found.plain is not None or found.unread is not None

    def feed(self, data: bytes) -> bytes:
        """Read bytes of the server, in pieces of any size.

        Returns:
            What has to be sent: the second hello after a HelloRetryRequest, else nothing.
        """
        self._bytes += len(data)
        self._splitter.feed(data)
        try:
            if self._bytes > MAX_BYTES:
                raise _Stop(AlertCode.RECORD_OVERFLOW, f"more than {MAX_BYTES} bytes in the first flight")
            while not self.done and (record := self._splitter.next_record()) is not None:
                self._take(record)
        except NotTlsError as error:
            if error.offset == 0:
                self.flight.plain = error.data
            else:
                self._give_up(AlertCode.UNEXPECTED_MESSAGE, error.reason)
        except _Stop as stop:
            self.flight.violation = stop.violation
        except ValueError as error:
            self._give_up(
                AlertCode.DECODE_ERROR, f"a malformed message: {error.args[0] if error.args else 'no detail'}"
            )
        answer, self._answer = self._answer, b""
        return answer

    def end(self) -> None:
        """The server closed the connection, or its time is over."""
        if not self.done:
            self.flight.ended = True

    def _give_up(self, alert: AlertCode, what: str) -> None:
        self.flight.violation = Violation(alert=alert, what=what)

    # ------------------------------------------------------------------ records

    def _take(self, record: Record) -> None:
        self._records += 1
        if self._records > MAX_RECORDS:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, f"more than {MAX_RECORDS} records in the first flight")
        self.flight.largest_record = max(self.flight.largest_record, len(record.payload))
        kind, payload = record.content_type, record.payload
        if kind == CHANGE_CIPHER_SPEC and self._version == TLS13:
            return  # for middleboxes (RFC 8446 appendix D.4)
        if kind == APPLICATION_DATA and self._opener is not None:
            plain = self._opener.open(record)
            if plain is None:
                raise _Stop(AlertCode.BAD_RECORD_MAC, "a record that does not decrypt")
            kind, payload = plain[-1], plain[:-1]
        elif self._opener is not None and kind == HANDSHAKE:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, "a handshake message in the clear after the ServerHello")
        if kind == ALERT:
            self._alert(payload)
        elif kind == HANDSHAKE and payload:
            self._handshake(payload)
        else:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, f"a record of type {kind} in the handshake")

    def _alert(self, payload: bytes) -> None:
        for alert in parse_alerts(payload):
            if alert.level == _FATAL or alert.code == _CLOSE_NOTIFY:
                self.flight.alert = alert.code
                return
            self.flight.warnings.append(alert.code)

    def _handshake(self, payload: bytes) -> None:
        pending = self._joiner.pending_bytes > 0
        self._joiner.feed(payload)
        self.flight.spans_records |= pending
        while not self.done and (message := self._joiner.next_message()) is not None:
            self._message(message)

    # ------------------------------------------------------------------ messages

    @property
    def _version(self) -> int | None:
        return self.flight.version

    def _message(self, message: HandshakeMessage) -> None:
        if message.message_type not in self._expected:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, f"{message.name} out of order")
        before = bytes(self._transcript) if message.message_type in (_CERTIFICATE_VERIFY, _FINISHED) else b""
        self._transcript += _whole(message)
        if message.message_type == SERVER_HELLO:
            self._server_hello(message)
        elif message.message_type == CERTIFICATE:
            self._certificate(message)
        elif message.message_type == SERVER_KEY_EXCHANGE:
            self._key_exchange(message)
        elif message.message_type == _CERTIFICATE_REQUEST:
            self.flight.asks_certificate = True
            self._expected = (CERTIFICATE,) if self._version == TLS13 else (_HELLO_DONE,)
        elif message.message_type == _ENCRYPTED_EXTENSIONS:
            self._expected = (_CERTIFICATE_REQUEST, CERTIFICATE)
        elif message.message_type == _HELLO_DONE:
            self.flight.complete = True
        elif message.message_type == _CERTIFICATE_VERIFY:
            self._certificate_verify(message, before)
        else:
            self._finished(message, before)

    def _server_hello(self, message: HandshakeMessage) -> None:
        hello = parse_server_hello(message.body)
        extra = _HelloParts(message.body)
        self._check(hello, extra)
        self.flight.version, self.flight.suite = hello.version, hello.suite
        self._session = hello
        if hello.retry:
            self._retry(hello, extra)
        elif hello.version == TLS13:
            self._switch_keys(hello, extra)
        else:
            self._expected = (CERTIFICATE,)

    def _check(self, hello: ServerHello, extra: _HelloParts) -> None:
        """Check that everything the server chose was offered (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3)."""
        newest = max(self._versions)
        offered = hello.version in self._versions or (hello.version < TLS13 and hello.version <= newest)
        if not offered or hello.version < self._oldest:
            raise _Stop(AlertCode.PROTOCOL_VERSION, f"version 0x{hello.version:04X}, which was not offered")
        info = suite_info(hello.suite)
        unknown = info is None or info.tls13 is not (hello.version == TLS13)
        if unknown or hello.suite not in self._suites or (hello.version == TLS13 and hello.suite not in TLS13_SUITES):
            raise _Stop(
                AlertCode.ILLEGAL_PARAMETER, f"suite 0x{hello.suite:04X}, which was not offered for this version"
            )
        if extra.compression:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "a compression method, which was not offered")
        if self._first_suite not in (None, hello.suite):
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "another suite than in the HelloRetryRequest")
        if hello.version == TLS13 and extra.session_id != self._hello.session_id:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "another session id than in the ClientHello")

    def _retry(self, hello: ServerHello, extra: _HelloParts) -> None:
        """Answer a HelloRetryRequest (RFC 8446 section 4.1.4) with a second hello."""
        if self.flight.retry or hello.version != TLS13:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, "a second HelloRetryRequest")
        self.flight.retry, self._first_suite, self.flight.group = True, hello.suite, hello.group
        group = hello.group
        if group is None or group not in self._groups or group in self._hello.shares:
            raise _Stop(
                AlertCode.ILLEGAL_PARAMETER, "a HelloRetryRequest for a group that was not offered or has a share"
            )
        if not can_share(group):
            self.flight.unread = f"the server wants a key share of group 0x{group:04X}, which cannot be made here"
            return
        # RFC 8446 section 4.4.1: the first hello counts as a message that holds its hash.
        first, rest = self._hello.message, bytes(self._transcript[len(self._hello.message) :])
        digest = hashlib.new(hash_name(hello.suite), first).digest()
        self._hello.retry(group, cookie=extra.extensions.get(Extension.COOKIE))
        self._transcript = bytearray(b"\xfe\0\0" + bytes([len(digest)]) + digest + rest + self._hello.message)
        self._answer = self._hello.record
        self._expected = (SERVER_HELLO,)

    def _switch_keys(self, hello: ServerHello, extra: _HelloParts) -> None:
        """Compute the keys of the encrypted part."""
        share = self._hello.shares.get(hello.group or 0)
        if share is None:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "a key share of a group that was not offered")
        if self._joiner.pending_bytes:
            raise _Stop(AlertCode.UNEXPECTED_MESSAGE, "a message in the clear after the ServerHello")
        self.flight.group = hello.group
        try:
            shared = share.secret(extra.key_share)
        except ValueError as error:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "a key share that is not a point of its group") from error
        self._secret = server_secret(shared, transcript=self._hash(), suite=hello.suite)
        self._opener = RecordOpener(self._secret, suite=hello.suite)
        self._expected = (_ENCRYPTED_EXTENSIONS,)

    def _certificate(self, message: HandshakeMessage) -> None:
        self.flight.certificates = parse_certificate(message.body, version=self._version or TLS12)
        if not self.flight.certificates:
            raise _Stop(AlertCode.DECODE_ERROR, "an empty list of certificates")
        info = suite_info(self.flight.suite or 0)
        if self._version == TLS13:
            self._expected = (_CERTIFICATE_VERIFY,)
        elif info is not None and info.forward_secret:
            self._expected = (SERVER_KEY_EXCHANGE,)
        else:
            self._expected = (_CERTIFICATE_REQUEST, _HELLO_DONE)

    def _key_exchange(self, message: HandshakeMessage) -> None:
        assert self._session is not None
        found = parse_server_key_exchange(message.body, suite=self._session.suite, version=self._session.version)
        if found.group is None and found.dh_bits is None:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, "a key exchange without a named group")
        if found.group is not None and found.group not in self._groups:
            raise _Stop(AlertCode.ILLEGAL_PARAMETER, f"group 0x{found.group:04X}, which was not offered")
        self.flight.group, self.flight.dh_bits = found.group, found.dh_bits
        self.flight.signature_algorithm = found.signature_algorithm
        self.flight.signed = self._signed_parameters(message.body, elliptic=found.group is not None)
        self._expected = (_CERTIFICATE_REQUEST, _HELLO_DONE)

    def _signed_parameters(self, body: bytes, *, elliptic: bool) -> Signed:
        """Return what the server signed up to TLS 1.2: both randoms and the parameters (RFC 8422 section 5.4)."""
        assert self._session is not None
        reader = FieldReader(body, what="ServerKeyExchange")
        if elliptic:
            reader.take(3)
            reader.vector(1)
        else:
            for _field in range(3):
                reader.vector(2)
        parameters = body[: len(body) - reader.left]
        scheme = reader.number(2) if self._session.version >= TLS12 else None
        signature = reader.vector(2)
        reader.end()
        content = self._hello.random + bytes.fromhex(self._session.random) + parameters
        return Signed(scheme=scheme, content=content, signature=signature)

    def _certificate_verify(self, message: HandshakeMessage, before: bytes) -> None:
        reader = FieldReader(message.body, what="CertificateVerify")
        scheme, signature = reader.number(2), reader.vector(2)
        reader.end()
        digest = hashlib.new(hash_name(self.flight.suite or 0), before).digest()
        self.flight.signature_algorithm = scheme
        self.flight.signed = Signed(scheme=scheme, content=_SIGNED_PREFIX + digest, signature=signature)
        self._expected = (_FINISHED,)

    def _finished(self, message: HandshakeMessage, before: bytes) -> None:
        suite = self.flight.suite or 0
        digest = hashlib.new(hash_name(suite), before).digest()
        if not hmac.compare_digest(message.body, finished(self._secret, transcript=digest, suite=suite)):
            raise _Stop(AlertCode.DECRYPT_ERROR, "a Finished that does not fit the handshake")
        self.flight.complete = True

    def _hash(self) -> bytes:
        return hashlib.new(hash_name(self.flight.suite or 0), self._transcript).digest()


class _HelloParts:
    """What a client needs of a ServerHello besides the choice: session id, compression, and the content of the extensions."""

    def __init__(self, body: bytes) -> None:
        reader = FieldReader(body, what="ServerHello")
        reader.take(34)
        self.session_id = reader.vector(1)
        reader.take(2)
        self.compression = reader.number(1)
        self.extensions: dict[int, bytes] = {}
        inner = FieldReader(reader.vector(2) if reader.left else b"", what="ServerHello extensions")
        while inner.left:
            code = inner.number(2)
            self.extensions[code] = inner.vector(2)

    @property
    def key_share(self) -> bytes:
        """The server's share, without its group."""
        reader = FieldReader(self.extensions.get(Extension.KEY_SHARE, b""), what="key_share")
        reader.take(2)
        return reader.vector(2)


def _whole(message: HandshakeMessage) -> bytes:
    return bytes([message.message_type]) + len(message.body).to_bytes(3, "big") + message.body
