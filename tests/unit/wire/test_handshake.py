"""Tests of harness/wire/handshake.py: real hellos, tlslite-ng as the second opinion, cuts and mutations."""

from __future__ import annotations

import json
import random
import ssl
from pathlib import Path

import pytest
from tlslite.constants import ContentType, ExtensionType
from tlslite.errors import TLSDecodeError
from tlslite.messages import ClientHello, RecordHeader3
from tlslite.utils.codec import DecodeError, Parser

from harness.model import HelloFacts
from harness.wire.handshake import (
    HandshakeMessage,
    MessageJoiner,
    ServerKeyExchange,
    WireAlert,
    parse_alerts,
    parse_certificate,
    parse_client_hello,
    parse_server_hello,
    parse_server_key_exchange,
    read_client_hello,
)

HELLO_DONE = bytes.fromhex("0e000000")


def _cpython_hello(*, minimum: ssl.TLSVersion, maximum: ssl.TLSVersion) -> bytes:
    """Return the first flight of this Python's own ssl client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.maximum_version = minimum, maximum
    context.set_alpn_protocols(["h2", "http/1.1"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname="example.test").do_handshake()
    return outgoing.read()


def _second_opinion(data: bytes) -> ClientHello:
    """Parse the record with tlslite-ng, whose parser begins after the message type."""
    header = RecordHeader3().parse(Parser(bytearray(data[:5])))
    assert ContentType.handshake == header.type
    parser = Parser(bytearray(data[5:]))
    parser.get(1)
    return ClientHello().parse(parser)


def _agree(facts: HelloFacts, other: ClientHello, *, data: bytes) -> None:
    """Compare every field that tlslite-ng also provides."""

    def hexes(codes: object) -> tuple[str, ...]:
        return tuple(f"{code:04x}" for code in codes)  # type: ignore[attr-defined]

    def extension(kind: int, attribute: str) -> object:
        found = other.getExtension(kind)
        return getattr(found, attribute) if found is not None else ()

    assert data[1:3].hex() == facts.record_version
    assert hexes(other.cipher_suites) == facts.suites
    assert bytes(other.random).hex() == facts.random
    assert tuple(found.extType for found in other.extensions or ()) == facts.extensions
    assert (bytes(other.server_name).decode() or None) == facts.sni
    assert hexes(extension(ExtensionType.supported_groups, "groups")) == facts.groups
    pairs = extension(ExtensionType.signature_algorithms, "sigalgs")
    assert tuple(f"{first:02x}{second:02x}" for first, second in pairs) == facts.signature_algorithms  # type: ignore[attr-defined]
    versions = extension(ExtensionType.supported_versions, "versions") or (other.client_version,)
    assert tuple(f"{major:02x}{minor:02x}" for major, minor in versions) == facts.versions  # type: ignore[attr-defined]
    shares = extension(ExtensionType.key_share, "client_shares")
    assert tuple(f"{share.group:04x}" for share in shares) == facts.key_share_groups  # type: ignore[attr-defined]
    protocols = extension(ExtensionType.alpn, "protocol_names")
    assert tuple(bytes(name).decode() for name in protocols) == facts.alpn  # type: ignore[attr-defined]


def test_stored_hellos_agree_with_tlslite(stored_hello) -> None:
    """Every recorded MicroPython hello reads as tlslite-ng reads it."""
    facts = read_client_hello(stored_hello.data)
    assert facts is not None
    _agree(facts, _second_opinion(stored_hello.data), data=stored_hello.data)


@pytest.mark.parametrize(
    ("minimum", "maximum"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
        (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
    ],
    ids=["1.2", "1.2-1.3", "1.3"],
)
def test_cpython_hello_agrees_with_tlslite(minimum: ssl.TLSVersion, maximum: ssl.TLSVersion) -> None:
    """CPython's own hellos, with ALPN, key shares and every extension OpenSSL sends, read as tlslite-ng reads them."""
    data = _cpython_hello(minimum=minimum, maximum=maximum)
    facts = read_client_hello(data)
    assert facts is not None
    assert (facts.sni, facts.alpn) == ("example.test", ("h2", "http/1.1"))
    _agree(facts, _second_opinion(data), data=data)


def test_original_hello() -> None:
    """The hello of the original question's firmware has the documented values."""
    stored = json.loads((Path(__file__).parents[2] / "data" / "client_hellos.json").read_text(encoding="utf-8"))
    facts = read_client_hello(bytes.fromhex(stored["hellos"]["1.20.0-stm32"]["hex"]))
    assert facts is not None
    assert facts.suites == ("c024", "c00a", "c023", "c009", "003d", "0035", "003c", "002f", "00ff")
    assert (facts.record_version, facts.versions, facts.sni) == ("0301", ("0303",), "localhost")
    assert facts.extensions == (0, 13, 10, 11)
    assert facts.fingerprint is None


def test_every_cut_is_incomplete(stored_hello) -> None:
    """A hello cut anywhere is None: more bytes are needed, nothing is wrong."""
    for cut in range(len(stored_hello.data)):
        assert read_client_hello(stored_hello.data[:cut]) is None


def test_fragmented_hello(stored_hello) -> None:
    """A hello over one record per byte reads the same; the version is the first record's."""
    whole = read_client_hello(stored_hello.data)
    header = stored_hello.data[:3] + b"\x00\x01"
    pieces = b"".join(header + bytes([byte]) for byte in stored_hello.data[5:])
    assert whole == read_client_hello(pieces)


def test_mutated_hellos_give_three_results(stored_hello) -> None:
    """Mutated hellos give facts, None or ValueError; where both parsers accept one, they agree on the suites."""
    chance = random.Random(stored_hello.build)
    results = {"facts": 0, "incomplete": 0, "wrong": 0}
    for _round in range(300):
        data = bytearray(stored_hello.data)
        for _mutation in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            facts = read_client_hello(bytes(data))
        except ValueError:
            results["wrong"] += 1
            continue
        results["incomplete" if facts is None else "facts"] += 1
        if facts is not None and facts.suites:
            try:
                other = _second_opinion(bytes(data))
            except (DecodeError, TLSDecodeError, ValueError, AssertionError):
                continue
            assert tuple(f"{code:04x}" for code in other.cipher_suites) == facts.suites
    assert all(results.values()), results


def test_other_first_record() -> None:
    """A stream that begins with an alert or another message has no ClientHello: wrong, not incomplete."""
    with pytest.raises(ValueError, match="record type 21 before the ClientHello"):
        read_client_hello(bytes.fromhex("15030300020228"))
    with pytest.raises(ValueError, match="ServerHelloDone instead of a ClientHello"):
        read_client_hello(bytes.fromhex("1603030004") + HELLO_DONE)


def test_hello_without_extensions() -> None:
    """A hello from before extensions has none, and its legacy version is its highest."""
    body = bytes.fromhex("0301") + bytes(32) + b"\x00" + bytes.fromhex("0002002f") + b"\x01\x00"
    facts = parse_client_hello(body, record_version="0300")
    assert (facts.versions, facts.suites, facts.extensions, facts.sni) == (("0301",), ("002f",), (), None)


def test_server_name_is_never_decoded_blindly() -> None:
    """Bytes that are not ASCII in a server name are shown as escapes."""
    name = b"caf\xe9"
    sni = b"\x00" + len(name).to_bytes(2, "big") + name
    extension = bytes(2) + (len(sni) + 2).to_bytes(2, "big") + len(sni).to_bytes(2, "big") + sni
    head = bytes.fromhex("0303") + bytes(32) + b"\x00" + bytes.fromhex("0002002f") + b"\x01\x00"
    facts = parse_client_hello(head + len(extension).to_bytes(2, "big") + extension, record_version="0303")
    assert facts.sni == "caf\\xe9"


def test_joiner_cut_at_every_index() -> None:
    """Messages are complete wherever records split them."""
    stream = HELLO_DONE + bytes.fromhex("14000003616263")
    expected = [HandshakeMessage(message_type=14, body=b""), HandshakeMessage(message_type=20, body=b"abc")]
    for cut in range(len(stream) + 1):
        joiner, found = MessageJoiner(), []
        for part in (stream[:cut], stream[cut:]):
            joiner.feed(part)
            while (message := joiner.next_message()) is not None:
                found.append(message)
        assert expected == found
        assert joiner.pending_bytes == 0


def test_joiner_refuses_unknown_types() -> None:
    """A type that no RFC defines is an error: this is not a handshake."""
    joiner = MessageJoiner()
    joiner.feed(b"\x63")
    with pytest.raises(ValueError, match="unknown handshake message type 99"):
        joiner.next_message()


def test_certificate_list() -> None:
    """Both layouts of the Certificate message give the DER, leaf first; an empty list is an empty tuple."""
    tls12 = bytes.fromhex("00000b 000002 6161 000003 626262".replace(" ", ""))
    tls13 = bytes.fromhex("00 000007 000002 6161 0000".replace(" ", ""))
    assert parse_certificate(tls12) == (b"aa", b"bbb")
    assert parse_certificate(tls13, version=0x0304) == (b"aa",)
    assert parse_certificate(bytes(3)) == ()
    with pytest.raises(ValueError, match="certificate_list ends 1 bytes too early"):
        parse_certificate(bytes.fromhex("000004 000002 61".replace(" ", "")))


@pytest.mark.parametrize(
    ("suite", "version", "body", "expected"),
    [
        (0xC02B, 0x0303, "03001703aabbcc 0403 0000", ServerKeyExchange(group=0x17, signature_algorithm=0x0403)),
        (0xC009, 0x0302, "03001703aabbcc 0000", ServerKeyExchange(group=0x17)),
        (0xC035, 0x0303, "0000 03001803aabbcc", ServerKeyExchange(group=0x18)),
        (
            0x009E,
            0x0303,
            "0002 8001 0001 02 0001 05 0804 0000",
            ServerKeyExchange(dh_bits=16, signature_algorithm=0x0804),
        ),
        (0x008C, 0x0303, "0003 616263", ServerKeyExchange()),
        (0xC02B, 0x0303, "01 00", ServerKeyExchange()),
    ],
    ids=["ecdhe-1.2", "ecdhe-1.1", "ecdhe-psk", "dhe", "psk-hint", "explicit-curve"],
)
def test_server_key_exchange(suite: int, version: int, body: str, expected: ServerKeyExchange) -> None:
    """The message's layout follows the suite and the version."""
    assert expected == parse_server_key_exchange(bytes.fromhex(body.replace(" ", "")), suite=suite, version=version)


def test_server_key_exchange_needs_its_suite() -> None:
    """Without a known suite the message cannot be read."""
    with pytest.raises(ValueError, match="no ServerKeyExchange can be read for suite 0x00FF"):
        parse_server_key_exchange(b"", suite=0x00FF)


def test_server_hello_version() -> None:
    """A ServerHello's version is its supported_versions extension, else the field."""
    body = bytes.fromhex("0303") + bytes(32) + b"\x00" + bytes.fromhex("c02b00")
    extensions = bytes.fromhex("002b00020304 003300040017 0000".replace(" ", ""))
    assert (parse_server_hello(body).version, parse_server_hello(body).group) == (0x0303, None)
    with_extensions = parse_server_hello(body + len(extensions).to_bytes(2, "big") + extensions)
    assert (with_extensions.version, with_extensions.group, with_extensions.extensions) == (0x0304, 0x17, (43, 51))


def test_alerts() -> None:
    """A record may hold several alerts; half an alert is wrong."""
    assert (WireAlert(level=1, code=90), WireAlert(level=1, code=0)) == parse_alerts(bytes.fromhex("015a0100"))
    for payload in (b"", b"\x02", b"\x02\x28\x02"):
        with pytest.raises(ValueError, match=f"an alert record of {len(payload)} bytes"):
            parse_alerts(payload)


@pytest.mark.parametrize("seed", range(4))
def test_random_bodies_raise_only_value_error(seed: int) -> None:
    """Random bytes given to any parser give an object or ValueError."""
    chance = random.Random(seed)
    outcomes = set()
    for _round in range(200):
        body = chance.randbytes(chance.randint(0, 120))
        for parse in (
            lambda data: parse_client_hello(data, record_version="0303"),
            parse_server_hello,
            parse_certificate,
            lambda data: parse_certificate(data, version=0x0304),
            lambda data: parse_server_key_exchange(data, suite=chance.choice((0xC02B, 0x009E, 0xC035, 0x1301))),
            parse_alerts,
            read_client_hello,
        ):
            try:
                parse(body)
                outcomes.add("object")
            except ValueError:
                outcomes.add("ValueError")
    assert {"object", "ValueError"} == outcomes
