"""Tests of harness/wire/last_word.py: real sessions of two ssl ends, and orders of records that do not occur there."""

from __future__ import annotations

import ssl

import pytest

from harness.model import Negotiated, Side, WireChunk
from harness.wire.last_word import LastWord, client_finished, last_word
from harness.wire.reading import WireMessage, WireReading, read_wire

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
# 53 bytes: a Finished with SHA-256; 19: an alert; 25: a Certificate message without a certificate.
FINISHED, ALERT, NO_CERTIFICATE, TICKET = 53, 19, 25, 250


def reading(*records: tuple[Side, int], version: str = "TLSv1.3") -> WireReading:
    """Return a session in which these encrypted records follow the server's flight."""
    flight = [(Side.SERVER, 30), (Side.SERVER, 600), (Side.SERVER, FINISHED)]
    messages = [
        WireMessage(sender=sender, at_ms=1.0, name="ApplicationData", length=length)
        for sender, length in (*flight, *records)
    ]
    return WireReading(negotiated=Negotiated(version=version), messages=tuple(messages))


def requiring(context: ssl.SSLContext) -> None:
    """Let the server require a client certificate from a CA that does not exist."""
    context.verify_mode = ssl.CERT_REQUIRED


def test_a_server_that_continues(tls_session) -> None:
    """Tickets after the client's Finished mean that the server continues."""
    wire = read_wire(tls_session(TLS13).chunks)
    assert (client_finished(wire), last_word(wire)) == (True, LastWord.MORE)


def test_a_server_that_refuses(tls_session) -> None:
    """OpenSSL's certificate_required has the length of an alert, and no longer record follows."""
    session = tls_session(TLS13, server_setup=requiring)
    assert session.server_error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    assert last_word(read_wire(session.chunks)) is LastWord.ALERT


def test_cut_anywhere(tls_session) -> None:
    """Byte by byte the result is the same as at once, and never `alert` or `more` before the server sent something."""
    chunks = tls_session(TLS13, server_setup=requiring).chunks
    single = [
        WireChunk(sender=chunk.sender, at_ms=chunk.at_ms, data=chunk.data[at : at + 1])
        for chunk in chunks
        for at in range(len(chunk.data))
    ]
    words = [last_word(read_wire(single[:count])) for count in range(0, len(single) + 1, 7)]
    assert last_word(read_wire(single)) is LastWord.ALERT
    assert [word for at, word in enumerate(words) if at == 0 or word is not words[at - 1]][:2] == [
        None,
        LastWord.NOTHING,
    ]


def test_tls12_is_plaintext(tls_session) -> None:
    """In TLS 1.2 the server's Finished is the last message."""
    wire = read_wire(tls_session(TLS12).chunks)
    assert (client_finished(wire), last_word(wire)) == (False, None)


@pytest.mark.parametrize(
    ("records", "word"),
    [
        ((), None),
        (((Side.CLIENT, FINISHED),), LastWord.NOTHING),
        (((Side.CLIENT, NO_CERTIFICATE), (Side.CLIENT, FINISHED), (Side.SERVER, ALERT)), LastWord.ALERT),
        # The server verifies the certificate before the Finished has arrived.
        (((Side.CLIENT, NO_CERTIFICATE), (Side.SERVER, ALERT), (Side.CLIENT, FINISHED)), LastWord.ALERT),
        (((Side.CLIENT, FINISHED), (Side.SERVER, 11)), LastWord.ALERT),
        (((Side.CLIENT, FINISHED), (Side.SERVER, TICKET), (Side.SERVER, ALERT)), LastWord.MORE),
        # A padded alert.
        (((Side.CLIENT, FINISHED), (Side.SERVER, 64)), LastWord.MORE),
        # The client refuses the server, or closes first: what follows is an answer.
        (((Side.CLIENT, ALERT), (Side.SERVER, ALERT)), None),
        (((Side.CLIENT, FINISHED), (Side.CLIENT, ALERT), (Side.SERVER, ALERT)), None),
        (((Side.CLIENT, FINISHED), (Side.SERVER, ALERT), (Side.CLIENT, ALERT)), LastWord.ALERT),
    ],
)
def test_orders(records, word) -> None:
    """The result depends on who sent what after whose Finished."""
    assert last_word(reading(*records)) is word


def test_other_versions() -> None:
    """In other versions lengths have other meanings."""
    assert last_word(reading((Side.CLIENT, FINISHED), (Side.SERVER, ALERT), version="TLSv1.2")) is None
