"""How far a handshake came, by the evidence on the wire and the server's record."""

import pytest

from harness.model import (
    Alert,
    ClientFailure,
    ClientReport,
    HelloFacts,
    ServerFailure,
    ServerReport,
    Side,
    Stage,
    TcpEnd,
    TcpEndKind,
)
from harness.run.reached import reached
from harness.wire.handshake import ServerHello
from harness.wire.reading import WireMessage, WireReading

EMPTY: dict[str, tuple] = dict.fromkeys(("suites", "versions", "groups", "signature_algorithms", "extensions"), ())
HELLO = HelloFacts(record_version="0301", sni=None, **EMPTY)
CHOSEN = ServerHello(version=0x0303, suite=0xC02B, random="", extensions=())
FIN = (TcpEnd(sender=Side.CLIENT, at_ms=1.0, how=TcpEndKind.FIN),)
FLIGHT = ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone")


def wire(*messages, hello=HELLO, chosen=CHOSEN, **more):
    """A reading with these messages, `<` for the client's."""
    made = tuple(
        WireMessage(
            sender=Side.CLIENT if name.startswith("<") else Side.SERVER, at_ms=0.0, name=name.strip("<"), length=1
        )
        for name in messages
    )
    return WireReading(client_hello=hello, server_hello=chosen, messages=made, **more)


def server(failure=None, **more):
    """A server's record; `failure` as (reason, stage)."""
    made = ServerFailure(type="SSLError", reason=failure[0], stage=Stage(failure[1])) if failure else None
    return ServerReport(facts=None, failure=made, **more)


def client(stage=None):
    """A board's report of a failure at this stage."""
    failure = (
        ClientFailure(type="OSError", args=(), number=-1, flags=None, name=None, stage=Stage(stage)) if stage else None
    )
    return ClientReport(done=failure is None, failure=failure)


def last(*evidence):
    """The farthest point."""
    return reached(*evidence)[-1].value


def test_own_settings():
    """Nothing but the settings was tried where no ClientHello came."""
    assert reached(server(("EE_KEY_TOO_SMALL", "config")), None, WireReading()) == ("config",)


def test_a_hello_without_an_answer():
    """A server that is not TLS, or a client that left: the negotiation did not begin."""
    unanswered = wire("<ClientHello", chosen=None)
    assert last(server(), client("handshake"), unanswered) == "hello"
    assert last(server(("UNEXPECTED_EOF_WHILE_READING", "handshake")), None, unanswered) == "hello"
    assert last(server(("NO_SHARED_CIPHER", "config")), None, unanswered) == "hello"


def test_a_refusal_is_an_answer():
    """A server that refuses the ClientHello has negotiated; a client's alert in its place is not the server's refusal."""
    refused = wire("<ClientHello", chosen=None)
    assert last(server(("NO_SHARED_CIPHER", "handshake")), client("handshake"), refused) == "negotiation"
    alert = Alert(sender=Side.CLIENT, level="fatal", code=80, name="internal_error")
    by_client = wire("<ClientHello", chosen=None, alerts=(alert,))
    assert last(server(("TLSV1_ALERT_INTERNAL_ERROR", "handshake")), client("handshake"), by_client) == "hello"


@pytest.mark.parametrize("more", [{"chosen": CHOSEN}, {"chosen": None, "retry": True}])
def test_a_server_hello_is_an_answer(more):
    """So is a HelloRetryRequest."""
    assert last(server(), client(), wire("<ClientHello", "ServerHello", **more)) == "negotiation"


@pytest.mark.parametrize(
    ("messages", "board", "point"),
    [
        (("<ClientHello", *FLIGHT), client(), "negotiation"),
        (("<ClientHello", *FLIGHT), None, "negotiation"),
        (("<ClientHello", *FLIGHT), client("handshake"), "server-certificate"),
        (("<ClientHello", *FLIGHT), client("read"), "negotiation"),
        (("<ClientHello", *FLIGHT, "<Alert(unknown_ca)"), client(), "server-certificate"),
        (("<ClientHello", "ServerHello", "ServerKeyExchange", "<ClientKeyExchange"), client(), "negotiation"),
    ],
)
def test_server_certificate(messages, board, point):
    """The server has sent it, and the client reacted: otherwise nobody knows whether it arrived."""
    assert last(server(), board, wire(*messages)) == point


def test_the_beginning_of_a_certificate():
    """A certificate that is cut off or too large for the client counts by its beginning."""
    cut = wire("<ClientHello", "ServerHello", server_begun="Certificate")
    assert last(server(), client("handshake"), cut) == "server-certificate"
    assert last(server(), client(), cut) == "negotiation"
    other = wire("<ClientHello", "ServerHello", server_begun="ServerKeyExchange")
    assert last(server(), client("handshake"), other) == "negotiation"


def test_what_the_client_sent_before_is_no_reaction():
    """A message of the client counts only after the server's certificate began."""
    early = wire("<ClientHello", "ServerHello", "<Alert(x)", server_begun="Certificate")
    assert last(server(), client(), early) == "server-certificate"
    late = wire("<ClientHello", "<Alert(x)", "ServerHello", server_begun="Certificate")
    assert last(server(), client(), late) == "negotiation"


def test_client_certificate():
    """It must have been requested, and sent or failed to be sent."""
    requesting = ("<ClientHello", "ServerHello", "Certificate", "CertificateRequest", "ServerHelloDone")
    assert last(server(), client(), wire(*requesting, "<Certificate")) == "client-certificate"
    assert last(server(), client("handshake"), wire(*requesting)) == "client-certificate"
    assert last(server(), client(), wire(*requesting, "<ClientKeyExchange")) == "server-certificate"
    assert last(server(), client(), wire("<ClientHello", *FLIGHT, "<Certificate")) == "server-certificate"


def test_finished():
    """The server's record, or the client's Finished behind its ChangeCipherSpec."""
    flight = ("<ClientHello", *FLIGHT, "<ClientKeyExchange", "<ChangeCipherSpec")
    assert last(server(), client(), wire(*flight)) == "server-certificate"
    assert last(server(), client(), wire(*flight, "<EncryptedHandshake")) == "finished"
    assert last(server(), client(), wire(*flight, "EncryptedHandshake")) == "server-certificate"
    assert last(server(handshake_done=True), client(), wire(*flight)) == "finished"


def test_data_and_close():
    """The client's text as the server has it; then the end of the connection after a complete handshake."""
    done = wire("<ClientHello", *FLIGHT)
    assert last(server(handshake_done=True, received_bytes=1), client(), done) == "data"
    assert last(server(handshake_done=True, exchanged=True), client(), done) == "data"
    assert last(server(handshake_done=True, received_bytes=0), client(), done) == "finished"
    assert last(server(handshake_done=True, tcp_ends=FIN), client(), done) == "close"
    assert last(server(tcp_ends=FIN), client(), done) == "negotiation"


def test_a_board_shows_nothing_by_its_word():
    """An answer that claims success, without a byte on the wire, reaches nothing."""
    assert reached(server(), client(), WireReading()) == ("config",)
