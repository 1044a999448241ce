"""Tests of harness/wire/message_rows.py: the important parts of each message; whole sessions are listed in test_packet_list.py."""

import time
from dataclasses import replace

import pytest

from harness.model import Alert, HelloFacts, Negotiated, Side, WireChunk
from harness.wire.message_rows import CUT_SHORT, NO_TLS, WRONG, Row, hello_text, message_rows
from harness.wire.reading import WireMessage, WireReading, read_wire

HELLO = HelloFacts(
    record_version="0301",
    versions=("0303",),
    suites=("c02b", "c02f", "00ff"),
    groups=("0017", "0018", "0019", "001d", "001a"),
    signature_algorithms=("0403",),
    extensions=(0, 10),
    sni="tls.test",
)


def message(sender, name, at_ms=1.0, length=10):
    """Return a message of a reading."""
    return WireMessage(sender=sender, at_ms=at_ms, name=name, length=length)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "TLSv1.2, 2 suites, groups secp256r1, secp384r1, secp521r1, x25519 and 1 more, SNI tls.test"),
        (
            {"versions": ("0304", "0303"), "suites": ("1301",), "groups": (), "sni": None},
            "TLSv1.3/TLSv1.2, 1 suite, groups none, no SNI",
        ),
    ],
)
def test_a_hello_in_one_line(changes, text):
    """The line has versions, suites without signalling values, some groups, and the name."""
    assert hello_text(replace(HELLO, **changes)) == text


def test_runs_and_hidden_alerts():
    """Equal messages of one side are one row with their sum; an encrypted alert is named from the secrets, in the row of its record."""
    wire = WireReading(
        client_hello=HELLO,
        client_certificates=(),
        messages=(
            message(Side.CLIENT, "ClientHello"),
            message(Side.SERVER, "ApplicationData", 2.0),
            message(Side.SERVER, "ApplicationData", 3.0, length=30),
            message(Side.CLIENT, "ApplicationData", 4.0, length=53),
            message(Side.SERVER, "ApplicationData", 5.0, length=19),
            message(Side.CLIENT, "ApplicationData", 6.0, length=19),
        ),
    )
    hidden = Alert(sender=Side.SERVER, level="fatal", code=116, name="certificate_required", encrypted=True)
    rows = message_rows([], wire, alerts=[hidden])
    server, client = Side.SERVER, Side.CLIENT
    assert rows == [
        Row(sender=client, at_ms=1.0, length=10, name="ClientHello", detail=hello_text(HELLO)),
        Row(
            sender=server,
            at_ms=2.0,
            length=40,
            name="ApplicationData",
            detail="rest of the server's handshake, encrypted",
            repeated=2,
        ),
        Row(sender=client, at_ms=4.0, length=53, name="ApplicationData"),
        Row(
            sender=server,
            at_ms=5.0,
            length=19,
            name="Alert(certificate_required)",
            detail="encrypted",
            level="fatal",
        ),
        Row(sender=client, at_ms=6.0, length=19, name="ApplicationData", detail="the length of an encrypted alert"),
    ]


def test_choices():
    """The server's choices are shown with the message that contains them."""
    wire = WireReading(
        dh_bits=2048,
        signature_algorithm="rsa_pkcs1_sha256",
        negotiated=Negotiated(version="TLSv1.2", suite="TLS_X"),
        messages=(message(Side.SERVER, "ServerHello"), message(Side.SERVER, "ServerKeyExchange")),
    )
    assert [row.detail for row in message_rows([], wire)] == ["malformed", "DH 2048 bits, rsa_pkcs1_sha256"]


def test_data_that_is_not_tls():
    """Plain text is shown with its beginning; invalid bytes and a truncated record are reported."""
    hello = bytes.fromhex("16030100040100000000")

    def names(*sent):
        chunks = [WireChunk(sender=side, at_ms=float(at), data=data) for at, (side, data) in enumerate(sent)]
        return [(row.name, row.detail) for row in message_rows(chunks, read_wire(chunks))]

    assert names((Side.SERVER, b"220 mail.example ESMTP")) == [
        (NO_TLS, "SMTP or FTP greeting b'220 mail.example ESMTP'")
    ]
    assert [name for name, _detail in names((Side.CLIENT, hello[:9] + b"GET / HTTP/1.0"))] == ["ClientHello", WRONG]
    assert names((Side.CLIENT, hello[:7])) == [(CUT_SHORT, "the rest of this record or message did not arrive")]


def test_naming_is_linear():
    """Every message costs the same, however many there are: 16 times as many take less than 60 times as long."""

    def seconds(count):
        alerts = tuple(
            Alert(sender=Side.SERVER, level="warning", code=code % 256, name=str(code), at_ms=0.0)
            for code in range(count)
        )
        messages = tuple(
            WireMessage(sender=Side.SERVER, at_ms=0.0, name=f"Alert({item.name})", length=2) for item in alerts
        )
        wire = WireReading(alerts=alerts, messages=messages)
        started = time.thread_time()
        assert len(message_rows((), wire)) == count
        return time.thread_time() - started

    assert min(seconds(8000) for _ in range(3)) < 60 * min(seconds(500) for _ in range(3))
