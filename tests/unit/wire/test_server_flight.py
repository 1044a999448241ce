"""The reader of a server's first flight, against OpenSSL's server and against altered bytes of it."""

from __future__ import annotations

import ssl

import pytest

from harness.firmware.table import firmware
from harness.wire.alerts import AlertCode
from harness.wire.hello_replay import ReplayedHello
from harness.wire.server_flight import MAX_BYTES, MAX_RECORDS, Flight, FlightReader

TLS10, TLS12 = 0x0301, 0x0303
# Of a record with a ServerHello of TLS 1.2 without a session id (OpenSSL sends an empty one without tickets).
VERSION_AT, SESSION_ID_AT = 9, 43


def hello_of(port: str, version: str, name: str = "tls.test") -> ReplayedHello:
    """Return the hello of an entry of the table."""
    found = firmware(version, port=port)
    assert found is not None
    return ReplayedHello(found.hello.data, name=name)


@pytest.fixture
def context(certificates):
    """Return a function that makes a server's context: `context("server-p256", curve=..., asks=True)`."""

    def make(profile: str, *, curve: str | None = None, asks: bool = False, ciphers: str | None = None):
        made = certificates.make(profile)
        found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        found.load_cert_chain(made.chain_file, made.key_file)
        if curve:
            found.set_ecdh_curve(curve)
        if ciphers:
            found.set_ciphers(ciphers)
        if asks:
            found.verify_mode = ssl.CERT_REQUIRED
            found.load_verify_locations(cadata=made.root_pem.decode())
        return found

    return make


def answer(context: ssl.SSLContext, hello: ReplayedHello, *, oldest: int = TLS12, pieces: int = 1 << 14) -> Flight:
    """Let a server answer, in pieces of so many bytes."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    reader, sending = FlightReader(hello, oldest=oldest), hello.record
    while sending:
        incoming.write(sending)
        try:
            server.do_handshake()
        except ssl.SSLError:
            pass
        data, sending = outgoing.read(), b""
        for at in range(0, len(data), pieces):
            sending += reader.feed(data[at : at + pieces])
    return reader.flight


def flight_bytes(context: ssl.SSLContext, hello: ReplayedHello) -> bytearray:
    """Return a server's first flight."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello.record)
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return bytearray(outgoing.read())


def read(data: bytes, hello: ReplayedHello, *, oldest: int = TLS12) -> Flight:
    """Read bytes as the answer to a hello."""
    reader = FlightReader(hello, oldest=oldest)
    reader.feed(bytes(data))
    reader.end()
    return reader.flight


@pytest.mark.parametrize("pieces", [1, 7, 1 << 14])
def test_tls12(context, certificates, pieces: int) -> None:
    """A flight of TLS 1.2 up to ServerHelloDone, in pieces of any size."""
    found = answer(context("server-p256"), hello_of("stm32", "1.20.0"), pieces=pieces)
    assert (found.complete, found.version, found.suite, found.group) == (True, TLS12, 0xC024, 0x17)
    assert found.certificates == certificates.make("server-p256").chain_der
    assert (found.signature_algorithm, found.asks_certificate, found.retry) == (0x0403, False, False)


@pytest.mark.parametrize("pieces", [1, 1 << 14])
def test_tls13(context, certificates, pieces: int) -> None:
    """A flight of TLS 1.3, decrypted up to a Finished that fits."""
    found = answer(context("server-rsa2048", asks=True), hello_of("debian", "1.25.0"), pieces=pieces)
    assert (found.complete, found.version, found.suite, found.group) == (True, 0x0304, 0x1302, 0x1D)
    # The root is in the server's store for clients, so OpenSSL sends it as well.
    assert found.certificates[0] == certificates.make("server-rsa2048").certificate_der
    assert (found.signature_algorithm, found.asks_certificate) == (0x0804, True)


@pytest.mark.parametrize(("curve", "group"), [("secp384r1", 0x18), ("secp521r1", 0x19), ("prime256v1", 0x17)])
def test_hello_retry_request(context, curve: str, group: int) -> None:
    """A request for another group is answered, and the transcript of both hellos fits."""
    found = answer(context("server-p256", curve=curve), hello_of("debian", "1.26.1"))
    assert (found.complete, found.retry, found.group) == (True, True, group)


def test_static_rsa(context) -> None:
    """Without forward secrecy no ServerKeyExchange is expected."""
    found = answer(context("server-rsa2048", ciphers="AES256-SHA256"), hello_of("esp8266", "1.28.0"))
    assert (found.complete, found.suite, found.group, found.signed) == (True, 0x003D, None, None)


def test_refusal(context) -> None:
    """The server's alert ends the reading."""
    found = answer(context("server-p256"), hello_of("esp8266", "1.28.0"))
    assert (found.alert, found.complete, found.violation) == (AlertCode.HANDSHAKE_FAILURE, False, None)


def test_certificate_request(context) -> None:
    """A server that asks for a certificate is noticed in TLS 1.2, too."""
    assert answer(context("server-p256", asks=True), hello_of("rp2", "1.28.0")).asks_certificate


@pytest.mark.parametrize(
    ("at", "value", "alert", "what"),
    [
        (VERSION_AT, b"\x03\x04", AlertCode.PROTOCOL_VERSION, "version 0x0304, which was not offered"),
        (VERSION_AT, b"\x03\x02", AlertCode.PROTOCOL_VERSION, "version 0x0302, which was not offered"),
        (
            SESSION_ID_AT + 1,
            b"\xc0\x2b",
            AlertCode.ILLEGAL_PARAMETER,
            "suite 0xC02B, which was not offered for this version",
        ),
        (
            SESSION_ID_AT + 1,
            b"\x13\x01",
            AlertCode.ILLEGAL_PARAMETER,
            "suite 0x1301, which was not offered for this version",
        ),
        (SESSION_ID_AT + 3, b"\x01", AlertCode.ILLEGAL_PARAMETER, "a compression method, which was not offered"),
    ],
)
def test_altered_server_hello(context, at: int, value: bytes, alert: AlertCode, what: str) -> None:
    """A choice that was not offered is refused as a client refuses it."""
    hello = hello_of("stm32", "1.23.0")
    server = context("server-p256")
    server.options |= ssl.OP_NO_TICKET
    data = flight_bytes(server, hello)
    at += data[SESSION_ID_AT] if at > SESSION_ID_AT else 0
    data[at : at + len(value)] = value
    found = read(data, hello)
    assert found.violation is not None
    assert (found.violation.alert, found.violation.what) == (alert, what)


def test_old_client_accepts_older_versions(context) -> None:
    """mbedTLS 2 accepts a ServerHello of TLS 1.1; the bytes after it then do not fit, because they are of TLS 1.2."""
    hello = hello_of("stm32", "1.20.0")
    data = flight_bytes(context("server-p256"), hello)
    data[VERSION_AT : VERSION_AT + 2] = b"\x03\x02"
    assert read(data, hello, oldest=TLS10).version == 0x0302


def records(data: bytes) -> list[bytes]:
    """Cut a flight into its records."""
    found, at = [], 0
    while at < len(data):
        end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
        found.append(bytes(data[at:end]))
        at = end
    return found


def test_message_out_of_order(context) -> None:
    """A flight without its Certificate message is not accepted."""
    hello = hello_of("stm32", "1.23.0")
    data = records(flight_bytes(context("server-p256"), hello))
    found = read(b"".join([data[0], *data[2:]]), hello)
    assert found.violation is not None
    assert found.violation.what == "ServerKeyExchange out of order"


def test_group_that_was_not_offered(context) -> None:
    """The curve of the ServerKeyExchange must be one of the client's."""
    hello = hello_of("stm32", "1.23.0")
    data = records(flight_bytes(context("server-p256"), hello))
    data[2] = data[2][:10] + b"\x00\x1d" + data[2][12:]
    found = read(b"".join(data), hello)
    assert found.violation is not None
    assert found.violation.what == "group 0x001D, which was not offered"


def test_encrypted_part_altered(context) -> None:
    """A changed byte of the encrypted flight is noticed."""
    hello = hello_of("debian", "1.25.0")
    data = flight_bytes(context("server-p256"), hello)
    data[-1] ^= 1
    found = read(data, hello)
    assert found.violation is not None
    assert (found.violation.alert, found.complete) == (AlertCode.BAD_RECORD_MAC, False)


def test_flight_of_another_connection(context) -> None:
    """A recorded flight does not decrypt for another hello."""
    server = context("server-p256")
    data = flight_bytes(server, hello_of("debian", "1.25.0"))
    found = read(data, hello_of("debian", "1.25.0"))
    assert found.violation is not None
    assert found.violation.what == "another session id than in the ClientHello"


def test_message_over_records(context) -> None:
    """A message in several records is read, and the flight says so."""
    hello = hello_of("stm32", "1.23.0")
    data = records(flight_bytes(context("server-p256"), hello))
    body = data[1][5:]
    parts = [b"\x16\x03\x03" + len(part).to_bytes(2, "big") + part for part in (body[:50], body[50:])]
    found = read(b"".join([data[0], *parts, *data[2:]]), hello)
    assert (found.complete, found.spans_records) == (True, True)
    assert read(b"".join(data), hello).spans_records is False


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x16\x03\x03\x40\x00" + b"\x02" + (1 << 23).to_bytes(3, "big") + bytes(0x4000 - 4), "bytes"),
        (b"\x15\x03\x03\x00\x02\x01\x70", "records"),
    ],
)
def test_endless_server(data: bytes, what: str) -> None:
    """A server that sends a message of 8 MB, or warnings without end, is left at the limit."""
    reader = FlightReader(hello_of("stm32", "1.23.0"), oldest=TLS12)
    count = 0
    while not reader.done:
        reader.feed(data if not count or what == "records" else b"\x16\x03\x03\x40\x00" + bytes(0x4000))
        count += 1
        assert count < 40_000
    found = reader.flight.violation
    assert found is not None
    limit = MAX_BYTES if what == "bytes" else MAX_RECORDS
    assert found.what == f"more than {limit} {what} in the first flight"


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "plain", b"HTTP/1.1 400 Bad Request\r\n"),
        (b"", "ended", True),
        (b"\x15\x03\x01\x00\x02\x02\x46", "alert", 0x46),
        (b"\x15\x03\x01\x00\x02\x01\x00", "alert", 0),
        (b"\x15\x03\x01\x00\x02\x01\x70", "warnings", [0x70]),
    ],
)
def test_other_answers(data: bytes, field: str, value: object) -> None:
    """Another protocol, nothing at all, alerts and warnings are distinguished."""
    assert getattr(read(data, hello_of("rp2", "1.28.0")), field) == value


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x03\x00\x05\x02\x00\x00\x01\x00", b"\x16\x03\x03\x00\x01\xfe", b"\x15\x03\x03\x00\x01\x02"]
)
def test_malformed(data: bytes) -> None:
    """What cannot be read ends the flight with decode_error."""
    found = read(data, hello_of("rp2", "1.28.0"))
    assert found.violation is not None
    assert found.violation.alert is AlertCode.DECODE_ERROR


def retry_bytes(context, hello: ReplayedHello) -> bytes:
    """Return a server's HelloRetryRequest for P-384."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(hello.record)
    with pytest.raises(ssl.SSLWantReadError):
        context("server-p256", curve="secp384r1").wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    return records(outgoing.read())[0]


def test_endless_retries(context) -> None:
    """A second HelloRetryRequest is not answered."""
    hello = hello_of("debian", "1.25.0")
    data, reader = retry_bytes(context, hello), FlightReader(hello, oldest=TLS12)
    assert reader.feed(data) == hello.record
    assert reader.feed(data) == b""
    assert reader.flight.violation is not None
    assert reader.flight.violation.what == "a second HelloRetryRequest"


@pytest.mark.parametrize(
    ("group", "violation", "unread"),
    [
        (b"\x00\x1d", "a HelloRetryRequest for a group that was not offered or has a share", None),
        (b"\x11\xec", "a HelloRetryRequest for a group that was not offered or has a share", None),
        (b"\x01\x00", None, "the server wants a key share of group 0x0100, which cannot be made here"),
    ],
)
def test_retry_for_another_group(context, group: bytes, violation: str | None, unread: str | None) -> None:
    """The requested group must have been offered without a share; one that cannot be shared from here is reported."""
    hello = hello_of("debian", "1.25.0")
    found = read(retry_bytes(context, hello).replace(b"\x00\x33\x00\x02\x00\x18", b"\x00\x33\x00\x02" + group), hello)
    assert (found.violation.what if found.violation else None, found.unread) == (violation, unread)
