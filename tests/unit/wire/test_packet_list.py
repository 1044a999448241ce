"""Tests of harness/wire/packet_list.py: real sessions as rows, and data that is not TLS."""

from __future__ import annotations

import ssl

import pytest

from harness.model import Alert, Packet, Side, TcpEnd, TcpEndKind, WireChunk
from harness.wire.packet_list import PACKETS_LIMIT, packet_list, shortened
from harness.wire.reading import read_wire

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


def rows(chunks, **more) -> list[tuple[str, str]]:
    """Return who sent what; check that numbers and times are in order."""
    found = packet_list(chunks, read_wire(chunks), **more)
    assert [packet.number for packet in found] == list(range(1, len(found) + 1))
    assert sorted(packet.at_ms for packet in found) == [packet.at_ms for packet in found]
    return [(packet.sender.value, packet.info) for packet in found]


def test_tls12_session(tls_session) -> None:
    """The list has every message of a TLS 1.2 session with its important parts, in order of time."""
    session = tls_session(
        TLS12,
        key_type="RSA",
        server_setup=lambda context: context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384"),
        client_setup=lambda context: context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"),
    )
    ends = [
        TcpEnd(sender=Side.CLIENT, at_ms=90.0, how=TcpEndKind.FIN),
        TcpEnd(sender=Side.SERVER, at_ms=91.0, how=TcpEndKind.RST),
    ]
    found = packet_list(session.chunks, read_wire(session.chunks), ends=ends)
    listed = [(packet.sender.value, packet.info) for packet in found]
    assert listed[0] == ("client", "TCP connection, accepted by the server")
    assert listed[1][1].startswith("Client Hello (TLSv1.2, 2 suites, groups x25519, ")
    assert listed[2] == ("server", "Server Hello (TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)")
    assert listed[3][1].startswith("Certificate (RSA 2048, 1 certificate, ")
    assert listed[4] == ("server", "Server Key Exchange (x25519, rsa_pss_rsae_sha256)")
    assert listed[5:] == [
        ("server", "Server Hello Done"),
        ("client", "Client Key Exchange"),
        ("client", "Change Cipher Spec"),
        ("client", "Encrypted Handshake Message"),
        ("server", "New Session Ticket"),
        ("server", "Change Cipher Spec"),
        ("server", "Encrypted Handshake Message"),
        ("client", "Application Data"),
        ("server", "Application Data"),
        ("client", "Alert (encrypted)"),
        ("server", "Alert (encrypted)"),
        ("client", "TCP FIN"),
        ("server", "TCP RST"),
    ]
    assert (found[1].at_ms, found[1].length) == (session.chunks[0].at_ms, len(session.chunks[0].data) - 5)
    assert [(packet.at_ms, packet.length) for packet in found[-2:]] == [(90.0, 0), (91.0, 0)]


def test_tls13_session(tls_session) -> None:
    """The server's records before the client's Finished are the rest of the handshake; consecutive ones of one kind are one row."""
    listed = rows(tls_session(TLS13).chunks)
    assert listed[2][1].startswith("Server Hello (TLSv1.3 TLS_AES_256_GCM_SHA384 x25519")
    rest = [info for sender, info in listed if "rest of the server's handshake" in info]
    assert rest == ["Application Data (rest of the server's handshake, encrypted), 4 records"]
    assert listed[-1][1].startswith("Application Data")


def test_hello_retry_request(tls_session) -> None:
    """A HelloRetryRequest says which group it asks for, and both hellos are read."""
    session = tls_session(TLS13, server_setup=lambda context: context.set_ecdh_curve("secp384r1"))
    listed = [row for row in rows(session.chunks) if "Hello" in row[1]]
    assert [info.partition(" (")[0] for _sender, info in listed] == [
        "Client Hello",
        "Hello Retry Request",
        "Client Hello",
        "Server Hello",
    ]
    assert listed[1] == ("server", "Hello Retry Request (asks for secp384r1)")
    assert listed[2][1].startswith("Client Hello (TLSv1.3, 3 suites, groups x25519, ")


def test_plaintext_alert(tls_session) -> None:
    """A refusal is an alert with its level and name."""
    session = tls_session(TLS12, key_type="RSA", client_setup=lambda context: context.set_ciphers("ECDHE+ECDSA"))
    assert rows(session.chunks)[2:] == [("server", "Alert (fatal, handshake_failure)")]


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["tls12", "tls13"])
def test_hidden_alerts(tls_session, version) -> None:
    """An alert known only from the secrets is shown in the row of its record; without secrets the row shows only the wire."""
    chunks = tls_session(version).chunks
    closing = [
        Alert(sender=side, level="warning", code=0, name="close_notify", encrypted=True)
        for side in (Side.CLIENT, Side.SERVER)
    ]
    listed = rows(chunks, alerts=closing)
    assert listed[-2:] == [
        ("client", "Alert (warning, close_notify), encrypted"),
        ("server", "Alert (warning, close_notify), encrypted"),
    ]
    assert len(listed) >= len(rows(chunks))
    assert not any("close_notify" in info for _sender, info in rows(chunks))


def test_hidden_alert_without_a_record_of_its_size(tls_session) -> None:
    """An alert that matches no record of the list has its own row, at its time."""
    chunks = tls_session(TLS13).chunks[:2]
    alert = Alert(sender=Side.CLIENT, level="fatal", code=48, name="unknown_ca", at_ms=0.5, encrypted=True)
    assert ("client", "Alert (fatal, unknown_ca), inside an encrypted record") in rows(chunks, alerts=[alert])


def test_no_connection() -> None:
    """Without a recording there is no list; a connection without bytes has its beginning and end."""
    assert rows([]) == []
    assert rows([], ends=[TcpEnd(sender=Side.CLIENT, at_ms=3.0, how=TcpEndKind.FIN)]) == [
        ("client", "TCP connection, accepted by the server"),
        ("client", "TCP FIN"),
    ]


def chunk(sender: Side, data: bytes) -> WireChunk:
    """Return some bytes of one side."""
    return WireChunk(sender=sender, at_ms=1.0, data=data)


def test_what_is_not_tls(stored_hello) -> None:
    """Plain text, invalid bytes and truncated data are reported, with their sizes."""
    hello = chunk(Side.CLIENT, stored_hello.data)
    plain = packet_list(
        [hello, chunk(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\n\r\n")],
        read_wire([hello, chunk(Side.SERVER, b"HTTP/1.1 400 Bad Request\r\n\r\n")]),
    )
    assert (plain[-1].length, plain[-1].info) == (
        28,
        "not TLS: HTTP response b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n'",
    )
    assert rows([hello, chunk(Side.CLIENT, b"GET / HTTP/1.0\r\n")])[-1][1].startswith("wrong: not a TLS record but ")
    cut = packet_list(
        [chunk(Side.CLIENT, stored_hello.data[:-1])], read_wire([chunk(Side.CLIENT, stored_hello.data[:-1])])
    )
    assert (cut[-1].length, cut[-1].info) == (
        len(stored_hello.data) - 1,
        "cut short: the rest of this record or message did not arrive",
    )


def test_unreadable_messages() -> None:
    """A hello without content and an invalid certificate are named, not read."""
    assert rows([chunk(Side.CLIENT, bytes.fromhex("160301000401000000"))])[1][1] == "Client Hello (malformed)"
    certificate = bytes.fromhex("16030300 0d 0b000009 000006 000003 aabbcc".replace(" ", ""))
    assert rows([chunk(Side.SERVER, certificate)])[1][1] == "Certificate (key unreadable, 1 certificate, 3 bytes)"
    nothing = bytes.fromhex("16030300 07 0b000003 000000".replace(" ", ""))
    assert rows([chunk(Side.CLIENT, nothing)])[1][1] == "Certificate (none)"


def test_the_list_is_bounded() -> None:
    """A peer that sends thousands of messages does not fill the report; beginning and end are kept, and the numbers show the gap."""
    alerts = [chunk(side, bytes.fromhex("1503030002015a")) for _ in range(500) for side in Side]
    found = packet_list(alerts, read_wire(alerts))
    assert len(found) == PACKETS_LIMIT
    assert (found[0].number, found[-1].number) == (1, 1001)
    few = tuple(Packet(number=number, at_ms=0.0, sender=Side.CLIENT, length=0, info="") for number in range(1, 10))
    assert [packet.number for packet in shortened(few, limit=6)] == [1, 2, 3, 4, 8, 9]
    assert shortened(few, limit=9) == few
