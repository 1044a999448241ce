"""Tests of harness/wire/reading.py: real sessions between two ssl ends, cut and damaged in every way."""

from __future__ import annotations

import base64
import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model import Alert, Negotiated, Side, WireChunk
from harness.wire.reading import MAX_MESSAGES, EncryptedAlert, WireMessage, WireReading, read_wire
from harness.wire.suites import suite_name

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
# RFC 2409 section 6.2: the smallest published prime that OpenSSL loads, so that no test has to search one.
OAKLEY_1024 = bytes.fromhex(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd"
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed"
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff"
)


def _chunks(*parts: tuple[Side, bytes]) -> list[WireChunk]:
    return [WireChunk(sender=sender, at_ms=float(index), data=data) for index, (sender, data) in enumerate(parts)]


def _timeless(reading: WireReading) -> WireReading:
    """Return the reading without its times, which depend on how the bytes were split."""
    return replace(
        reading,
        alerts=tuple(replace(alert, at_ms=None) for alert in reading.alerts),
        encrypted_alerts=tuple(replace(alert, at_ms=0.0) for alert in reading.encrypted_alerts),
        messages=tuple(replace(message, at_ms=0.0) for message in reading.messages),
    )


def _byte_by_byte(chunks: Sequence[WireChunk]) -> list[WireChunk]:
    return [replace(chunk, data=chunk.data[at : at + 1]) for chunk in chunks for at in range(len(chunk.data))]


def _names(reading: WireReading) -> list[tuple[str, str]]:
    return [(message.sender.value, message.name) for message in reading.messages]


def test_tls12_session_is_read(tls_session, identity) -> None:
    """A TLS 1.2 ECDHE session shows version, suite, group, signature scheme, certificate and every message."""
    session = tls_session(TLS12, server_setup=lambda context: context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384"))
    reading = read_wire(session.chunks)
    expected = Negotiated(version="TLSv1.2", suite="TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", group="x25519")
    assert expected == reading.negotiated
    assert reading.signature_algorithm == "ecdsa_secp256r1_sha256"
    assert (identity("EC").der,) == reading.certificates
    assert reading.client_certificates is None
    assert reading.client_hello is not None
    assert (reading.client_hello.sni, reading.client_hello.versions) == ("tls.test", ("0303",))
    assert _names(reading) == [
        ("client", "ClientHello"),
        ("server", "ServerHello"),
        ("server", "Certificate"),
        ("server", "ServerKeyExchange"),
        ("server", "ServerHelloDone"),
        ("client", "ClientKeyExchange"),
        ("client", "ChangeCipherSpec"),
        ("client", "EncryptedHandshake"),
        ("server", "NewSessionTicket"),
        ("server", "ChangeCipherSpec"),
        ("server", "EncryptedHandshake"),
        ("client", "ApplicationData"),
        ("server", "ApplicationData"),
        ("client", "EncryptedAlert"),
        ("server", "EncryptedAlert"),
    ]


def test_tls12_alert_after_change_cipher_spec_is_not_decoded(tls_session) -> None:
    """close_notify after ChangeCipherSpec is a seen, unreadable alert: never decoded from cipher text."""
    reading = read_wire(tls_session(TLS12).chunks)
    assert reading.alerts == ()
    assert [alert.sender for alert in reading.encrypted_alerts] == [Side.CLIENT, Side.SERVER]
    last = reading.encrypted_alerts[-1]
    assert last == EncryptedAlert(sender=Side.SERVER, at_ms=reading.messages[-1].at_ms, length=last.length)
    assert last.length > 2


def test_tls13_session_is_read(tls_session) -> None:
    """A TLS 1.3 session gives version, suite and the key_share's group; the dummy ChangeCipherSpec changes nothing."""
    reading = read_wire(tls_session(TLS13).chunks)
    assert Negotiated(version="TLSv1.3", suite="TLS_AES_256_GCM_SHA384", group="x25519") == reading.negotiated
    assert (reading.certificates, reading.alerts, reading.encrypted_alerts) == ((), (), ())
    assert ("client", "ChangeCipherSpec") in _names(reading)
    assert not reading.retry
    assert {"ClientHello", "ServerHello", "ChangeCipherSpec", "ApplicationData"} == {
        message.name for message in reading.messages
    }
    assert (reading.client_wrong, reading.server_wrong) == (None, None)


def test_hello_retry_request(tls_session) -> None:
    """A server that wants another group answers with a HelloRetryRequest; both hellos and the final choice are kept."""
    reading = read_wire(tls_session(TLS13, server_setup=lambda context: context.set_ecdh_curve("secp384r1")).chunks)
    assert reading.retry
    assert (reading.retry_group, reading.negotiated.group) == ("secp384r1", "secp384r1")
    assert reading.client_hello is not None
    assert reading.retried_hello is not None
    assert reading.client_hello.key_share_groups == ("001d",)
    assert reading.retried_hello.key_share_groups == ("0018",)
    assert [pair for pair in _names(reading) if pair[1] != "ChangeCipherSpec"][:2] == [
        ("client", "ClientHello"),
        ("server", "HelloRetryRequest"),
    ]


def test_retry_without_server_hello_negotiated_nothing(tls_session) -> None:
    """A HelloRetryRequest alone is a request, not a result: negotiated stays empty."""
    session = tls_session(TLS13, server_setup=lambda context: context.set_ecdh_curve("secp384r1"))
    reading = read_wire(session.chunks[:2])
    assert (True, "secp384r1", Negotiated()) == (reading.retry, reading.retry_group, reading.negotiated)
    assert suite_name(reading.retry_suite).startswith("TLS_AES_")


def test_static_rsa_has_no_group(tls_session) -> None:
    """A suite without an ephemeral key has no group and no ServerKeyExchange."""
    session = tls_session(
        TLS12,
        key_type="RSA",
        server_setup=lambda context: context.set_ciphers("AES256-SHA256"),
        client_setup=lambda context: context.set_ciphers("ALL"),
    )
    reading = read_wire(session.chunks)
    assert Negotiated(version="TLSv1.2", suite="TLS_RSA_WITH_AES_256_CBC_SHA256", group=None) == reading.negotiated
    assert ("server", "ServerKeyExchange") not in _names(reading)


def test_finite_field_exchange_shows_its_size(tls_session, tmp_path: Path) -> None:
    """A DHE suite names no group in TLS 1.2: the wire shows the prime's size."""
    parameters = tmp_path / "dh.pem"
    # PKCS #3: a sequence of the prime (with its sign byte) and the generator 2.
    der = b"\x30\x81\x87" + b"\x02\x81\x81\x00" + OAKLEY_1024 + b"\x02\x01\x02"
    lines = base64.encodebytes(der).decode()
    parameters.write_text(f"-----BEGIN DH PARAMETERS-----\n{lines}-----END DH PARAMETERS-----\n", encoding="ascii")

    def serve(context: ssl.SSLContext) -> None:
        context.set_ciphers("DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0")
        context.load_dh_params(str(parameters))

    def allow(context: ssl.SSLContext) -> None:
        context.set_ciphers("ALL:@SECLEVEL=0")

    reading = read_wire(tls_session(TLS12, key_type="RSA", server_setup=serve, client_setup=allow).chunks)
    assert reading.negotiated.suite == "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"
    assert (reading.negotiated.group, reading.dh_bits) == (None, 1024)
    assert reading.signature_algorithm == "rsa_pss_rsae_sha256"


def test_plain_alert_names_sender_level_and_code(tls_session) -> None:
    """The refusal of the seed case: no shared cipher, a plaintext fatal handshake_failure (40) from the server."""
    session = tls_session(
        TLS12, key_type="RSA", client_setup=lambda context: context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    )
    assert session.server_error is not None
    assert session.server_error.reason == "NO_SHARED_CIPHER"
    reading = read_wire(session.chunks)
    expected = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure", at_ms=1.0)
    assert (expected,) == reading.alerts
    assert WireMessage(sender=Side.SERVER, at_ms=1.0, name="Alert(handshake_failure)", length=2) == reading.messages[-1]
    assert Negotiated() == reading.negotiated


def test_client_alert_before_its_change_cipher_spec_is_plain(tls_session) -> None:
    """A TLS 1.2 client that does not trust the certificate sends a plaintext unknown_ca (48)."""

    def verify(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED

    reading = read_wire(tls_session(TLS12, client_setup=verify).chunks)
    assert [(alert.sender, alert.level, alert.code, alert.name) for alert in reading.alerts] == [
        (Side.CLIENT, "fatal", 48, "unknown_ca")
    ]


def test_client_certificate_message(tls_session, identity) -> None:
    """With mutual TLS the client's certificate is recorded separately from the server's, and is empty if it has none."""
    files = identity("EC")

    def ask(context: ssl.SSLContext) -> None:
        context.load_verify_locations(files.certificate)
        context.verify_mode = ssl.CERT_OPTIONAL

    def present(context: ssl.SSLContext) -> None:
        context.load_cert_chain(files.certificate, files.key)

    with_one = read_wire(tls_session(TLS12, server_setup=ask, client_setup=present).chunks)
    without = read_wire(tls_session(TLS12, server_setup=ask).chunks)
    assert ((files.der,), (files.der,)) == (with_one.certificates, with_one.client_certificates)
    assert without.client_certificates == ()


def test_alpn_choice(tls_session) -> None:
    """The protocol that a TLS 1.2 server chose is in its ServerHello."""
    both = {
        "server_setup": lambda c: c.set_alpn_protocols(["mqtt"]),
        "client_setup": lambda c: c.set_alpn_protocols(["h2", "mqtt"]),
    }
    reading = read_wire(tls_session(TLS12, **both).chunks)
    assert reading.client_hello is not None
    assert (reading.client_hello.alpn, reading.alpn) == (("h2", "mqtt"), "mqtt")


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["tls12", "tls13"])
def test_byte_by_byte_gives_the_same(tls_session, version: ssl.TLSVersion) -> None:
    """However the stream is split, the reading is the same."""
    chunks = tls_session(version).chunks
    assert _timeless(read_wire(chunks)) == _timeless(read_wire(_byte_by_byte(chunks)))


def test_cut_at_every_index(tls_session) -> None:
    """A recording that stops anywhere is read up to there: never wrong, not truncated between chunks."""
    chunks = tls_session(TLS12).chunks
    whole = read_wire(chunks)
    for number, chunk in enumerate(chunks):
        for at in range(len(chunk.data)):
            reading = read_wire([*chunks[:number], replace(chunk, data=chunk.data[:at])])
            assert (reading.client_wrong, reading.server_wrong) == (None, None)
            assert reading.messages == whole.messages[: len(reading.messages)]
            if at == 0:
                assert not reading.client_truncated
                assert not reading.server_truncated


def test_truncated_side_is_marked() -> None:
    """A side whose bytes end inside a record, or between the records of one message, is marked."""
    hello = bytes.fromhex("160301000801000010")
    part = read_wire(_chunks((Side.CLIENT, hello)))
    assert (part.client_truncated, part.server_truncated) == (True, False)
    half_message = bytes.fromhex("1603030004020000500015030300020228")
    assert read_wire(_chunks((Side.SERVER, half_message[:9]))).server_truncated


def _fragmented(chunk: WireChunk, *, size: int) -> WireChunk:
    """The same handshake record as many records of at most `size` bytes."""
    header, payload = chunk.data[:3], chunk.data[5:]
    parts = [payload[at : at + size] for at in range(0, len(payload), size)]
    return replace(chunk, data=b"".join(header + len(part).to_bytes(2, "big") + part for part in parts))


def test_messages_cut_over_records(tls_session) -> None:
    """Handshake messages split over many small records give the same reading as whole ones."""
    chunks = list(tls_session(TLS12).chunks)
    whole = _timeless(read_wire(chunks))
    chunks[0] = _fragmented(chunks[0], size=7)
    assert whole == replace(_timeless(read_wire(chunks)), client_bytes=whole.client_bytes)


def test_messages_sharing_one_record(tls_session) -> None:
    """Several handshake messages in one record give the same reading as one record each."""
    chunks = list(tls_session(TLS12).chunks)
    whole = _timeless(read_wire(chunks))
    flight, payloads = chunks[1].data, b""
    while flight:
        end = 5 + int.from_bytes(flight[3:5], "big")
        assert flight[0] == 22
        payloads, flight = payloads + flight[5:end], flight[end:]
    chunks[1] = replace(chunks[1], data=b"\x16\x03\x03" + len(payloads).to_bytes(2, "big") + payloads)
    assert whole == replace(_timeless(read_wire(chunks)), server_bytes=whole.server_bytes)


def test_server_that_speaks_http(stored_hello) -> None:
    """A plain-text server's data is kept and named; the ClientHello is still read."""
    answer = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    reading = read_wire(_byte_by_byte(_chunks((Side.CLIENT, stored_hello.data), (Side.SERVER, answer))))
    assert answer == reading.server_plain
    assert reading.server_wrong == "not a TLS record but HTTP response (byte 0)"
    assert reading.client_hello is not None
    assert (reading.client_plain, reading.server_truncated) == (None, False)


@pytest.mark.parametrize("cut", [list, _byte_by_byte], ids=["whole", "byte-by-byte"])
def test_garbage_after_tls_is_wrong_but_not_plain(stored_hello, cut) -> None:
    """A side that sent TLS and then something else is wrong at that byte, but is not a plain-text peer."""
    reading = read_wire(cut(_chunks((Side.CLIENT, stored_hello.data + b"GET / HTTP/1.0"))))
    assert reading.client_plain is None
    assert reading.client_wrong == f"not a TLS record but HTTP request (byte {len(stored_hello.data)})"
    assert reading.client_hello is not None


def test_malformed_hello_is_noted(stored_hello) -> None:
    """A ClientHello with wrong inner lengths gives a note and no facts; the server's alert is still read."""
    broken = bytearray(stored_hello.data)
    broken[43] = 33  # the length of the session id, after two headers, version and random
    reading = read_wire(_chunks((Side.CLIENT, bytes(broken)), (Side.SERVER, bytes.fromhex("15030300020232"))))
    assert reading.client_hello is None
    assert reading.client_wrong == "ClientHello has a session id longer than 32 bytes"
    assert [alert.name for alert in reading.alerts] == ["decode_error"]


def test_change_cipher_spec_before_server_hello_hides_nothing() -> None:
    """Without a ServerHello there are no keys: a ChangeCipherSpec before it must not make the next alert unreadable."""
    data = bytes.fromhex("140303000101") + bytes.fromhex("15030300020246")
    assert [alert.name for alert in read_wire(_chunks((Side.CLIENT, data))).alerts] == ["protocol_version"]


def test_malformed_alert_is_noted() -> None:
    """An alert record of one byte is neither an alert nor a crash."""
    reading = read_wire(_chunks((Side.SERVER, bytes.fromhex("150303000102"))))
    assert (reading.alerts, reading.server_wrong) == ((), "an alert record of 1 bytes")


def test_nothing_recorded() -> None:
    """No bytes, no reading: everything is absent, nothing is wrong."""
    assert WireReading() == read_wire([])


@pytest.mark.parametrize("seed", range(8))
def test_mutated_sessions_never_raise(tls_session: Callable[..., object], seed: int) -> None:
    """Flipped, inserted, removed and swapped bytes never make the reader raise."""
    chance = random.Random(seed)
    originals = [tls_session(version).chunks for version in (TLS12, TLS13)]
    for _round in range(60):
        chunks = list(chance.choice(originals))
        for _mutation in range(chance.randint(1, 6)):
            at = chance.randrange(len(chunks))
            data = bytearray(chunks[at].data)
            position = chance.randrange(len(data) + 1)
            match chance.randrange(4):
                case 0:
                    data[position : position + 1] = bytes([chance.randrange(256)])
                case 1:
                    data[position:position] = chance.randbytes(chance.randint(1, 9))
                case 2:
                    del data[position : position + chance.randint(1, 40)]
                case _:
                    chance.shuffle(chunks)
                    continue
            chunks[at] = replace(chunks[at], data=bytes(data))
        assert isinstance(read_wire(chunks), WireReading)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_endless_records_are_read_to_a_limit(size: int) -> None:
    """Records of two bytes without end: so many are named, the rest only counted, whatever the pieces."""
    data = b"\x15\x03\x03\x00\x02\x01\x5a" * (MAX_MESSAGES + 1000)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    reading = read_wire([WireChunk(sender=Side.SERVER, at_ms=0.0, data=piece) for piece in pieces])
    assert len(reading.messages) == len(reading.alerts) == MAX_MESSAGES
    assert (reading.server_wrong, reading.server_bytes) == (f"more than {MAX_MESSAGES} messages", len(data))


def test_exactly_the_limit_is_complete() -> None:
    """Nothing is said of a recording that ends with the last message that is read."""
    data = b"\x15\x03\x03\x00\x02\x01\x5a" * MAX_MESSAGES
    reading = read_wire([WireChunk(sender=Side.SERVER, at_ms=0.0, data=data)])
    assert (len(reading.messages), reading.server_wrong, reading.server_pending_bytes) == (MAX_MESSAGES, None, 0)
