"""Servers without TLS, as a plain probe found them: exactly one rule matches, and it gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import Outcome, Side
from harness.wire.plain_protocols import PlainPeer, PlainProtocol
from harness.wire.reading import WireReading


def peer(result, protocol, said="x", **words):
    """Return the evidence with what the probe found."""
    return dataclasses.replace(result, plain=PlainPeer(protocol=protocol, said=said, **words))


def test_no_tls(made, stored):
    """A plain broker: its TLS port, and the lines that let each server speak TLS."""
    reset = made("OSError", 104, by=Side.SERVER)
    said = "CONNACK, return code 0 (accepted)"
    stored("plain-peer/no-tls", peer(reset, PlainProtocol.MQTT, said, asked="an MQTT CONNECT"))


def test_starttls(made, stored):
    """A mail server: the dialogue in plain text stands before wrap_socket."""
    wire = WireReading(server_plain=b"220 mail.example ESMTP\r\n")
    result = made("OSError", -29184, wire=wire)
    stored("plain-peer/starttls", peer(result, PlainProtocol.SMTP, "220 mail.example ESMTP", offers_tls=True))


@pytest.mark.parametrize(
    ("protocol", "line", "port"),
    [
        (PlainProtocol.SMTP, 'sock.write(b"STARTTLS\\r\\n")', 465),
        (PlainProtocol.IMAP, 'sock.write(b"a1 STARTTLS\\r\\n")', 993),
        (PlainProtocol.POP3, 'sock.write(b"STLS\\r\\n")', 995),
        (PlainProtocol.FTP, 'sock.write(b"AUTH TLS\\r\\n")', 990),
    ],
)
def test_each_protocol_has_its_own_dialogue(made, protocol, line, port):
    """The request is sent, its answer read, and then TLS begins; both this way and the TLS port can be tried."""
    result = made("OSError", -29184, wire=WireReading(server_plain=b"x"))
    (said,) = candidates(peer(result, protocol, offers_tls=True))
    lines = said.fixes[1].client_lines
    assert lines[-3] == line
    assert lines[-2].endswith("  # now it expects TLS")
    assert [fix.change.route for fix in said.fixes] == [{"port": port}, {"starttls": protocol}]
    assert lines[-1].startswith("stream = context.wrap_socket(sock")


@pytest.mark.parametrize(
    ("protocol", "offered", "title", "fixes"),
    [
        (
            PlainProtocol.HTTP,
            None,
            "this port speaks plain HTTP, not TLS",
            ["connect to the server's TLS port: usually 443 for HTTP", "let the server speak TLS"],
        ),
        (
            PlainProtocol.SMTP,
            False,
            "this port speaks plain SMTP, and the server does not offer to start TLS",
            ["connect to the server's TLS port: usually 465 for SMTP", "let the server speak TLS"],
        ),
        (
            PlainProtocol.SSH,
            None,
            "this port speaks plain SSH, not TLS",
            ["connect to another port: SSH has an encryption of its own, and a TLS client cannot use it"],
        ),
        (
            None,
            None,
            "this port speaks a protocol that is not TLS",
            ["connect to the server's TLS port", "let the server speak TLS"],
        ),
    ],
)
def test_what_is_said_of_each(made, protocol, offered, title, fixes):
    """The title names the protocol, and the fixes fit it."""
    for result in (
        made("OSError", 104, by=Side.SERVER),
        made("OSError", -29312, by=Side.SERVER),
        made("OSError", 110, outcome=Outcome.HUNG, by=None),
        made("OSError", -29184, wire=WireReading(server_plain=b"x")),
    ):
        (said,) = candidates(peer(result, protocol, offers_tls=offered))
        assert (said.rule, said.title, [fix.title for fix in said.fixes]) == ("plain-peer/no-tls", title, fixes)


def test_a_session_is_not_explained(made):
    """A connection that was made is not explained, whatever a probe had found."""
    assert candidates(peer(made(outcome=Outcome.CONNECTED, by=None), PlainProtocol.MQTT)) == ()
