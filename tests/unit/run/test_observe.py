"""Two reports and the wire to one observation."""

import pytest

from harness.model import (
    Alert,
    ClientFailure,
    ClientPlan,
    ClientReport,
    Exchange,
    HelloFacts,
    Outcome,
    ServerFailure,
    ServerReport,
    Side,
    Stage,
)
from harness.run.observe import observe, planned_exchange
from harness.wire.reading import WireMessage, WireReading

FATAL = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure")
UNKNOWN_CA = Alert(sender=Side.CLIENT, level="fatal", code=48, name="unknown_ca")
DECODE_ERROR = Alert(sender=Side.SERVER, level="fatal", code=50, name="decode_error")
CLOSE = Alert(sender=Side.SERVER, level="warning", code=0, name="close_notify")


def server(failure=None, **more):
    """A server's report; `failure` as (type, reason, stage)."""
    made = ServerFailure(type=failure[0], reason=failure[1], stage=Stage(failure[2])) if failure else None
    return ServerReport(facts=None, failure=made, **more)


def client(failure=None, *, done=False, **more):
    """A board's report; `failure` as (type, number, stage)."""
    made = (
        ClientFailure(type=failure[0], args=(), number=failure[1], flags=None, name=None, stage=Stage(failure[2]))
        if failure
        else None
    )
    return ClientReport(done=done, failure=made, **more)


def ending(server_report, client_report, *alerts):
    """Outcome, ender and stage as words."""
    seen = observe(server_report, client_report, WireReading(alerts=alerts))
    return tuple(value and str(value) for value in (seen.outcome, seen.ended_by, seen.stage))


def test_connected():
    """Both sides must have had their exchange."""
    both = server(accepted=True, handshake_done=True, exchanged=True)
    assert ending(both, client(done=True)) == ("connected", None, None)


def test_a_lying_client_is_not_connected():
    """A board that says it is done where the server saw no exchange has not connected: the server's record decides."""
    nothing = server()
    handshake_only = server(accepted=True, handshake_done=True)
    broken = server(("SSLError", "NO_SHARED_CIPHER", "handshake"), accepted=True)
    for report in (nothing, handshake_only, broken):
        assert ending(report, client(done=True, received_text="Hallo, Client!"))[0] != "connected"


def test_an_exchange_the_client_did_not_finish():
    """The server alone is not enough either."""
    both = server(accepted=True, handshake_done=True, exchanged=True)
    assert ending(both, client(("OSError", 104, "read"))) == ("refused", "client", "read")


@pytest.mark.parametrize(
    ("server_report", "client_report", "alerts", "wanted"),
    [
        # A server that is not ours ended TLS 1.3 when the client was through: at once, or seen at the client's first read.
        (server(ended_first=True, accepted=True), client(done=True), (), ("refused", "server", "handshake")),
        (
            server(ended_first=True, accepted=True),
            client(("OSError", -30592, "read")),
            (),
            ("refused", "server", "handshake"),
        ),
        # Nobody took the relay's connection; whatever the errno, it is no client that left.
        (server(("ConnectionRefusedError", "ECONNREFUSED", "connect")), None, (), ("refused", "server", "connect")),
        (server(("ConnectionAbortedError", "ECONNABORTED", "connect")), None, (), ("refused", "server", "connect")),
        # A side refused its own settings.
        (server(("SSLError", "EE_KEY_TOO_SMALL", "config")), None, (), ("refused", "server", "config")),
        (server(), client(("ValueError", None, "config")), (), ("refused", "client", "config")),
        (server(), client(("OSError", 111, "connect")), (), ("refused", "client", "connect")),
        # The first fatal alert says who ended it.
        (
            server(("SSLError", "NO_SHARED_CIPHER", "handshake")),
            client(("OSError", -30592, "handshake")),
            (FATAL,),
            ("refused", "server", "handshake"),
        ),
        (
            server(("SSLError", "TLSV1_ALERT_UNKNOWN_CA", "handshake")),
            client(("ValueError", None, "handshake")),
            (UNKNOWN_CA,),
            ("refused", "client", "handshake"),
        ),
        # Without one: the side whose error is not about the other being gone.
        (
            server(("SSLError", "WRONG_VERSION_NUMBER", "handshake")),
            client(("OSError", 104, "handshake")),
            (),
            ("refused", "server", "handshake"),
        ),
        (
            server(("SSLEOFError", "UNEXPECTED_EOF_WHILE_READING", "handshake")),
            client(("OSError", -9984, "handshake")),
            (),
            ("refused", "client", "handshake"),
        ),
        (
            server(("ConnectionResetError", "ECONNRESET", "read"), handshake_done=True),
            client(("MemoryError", None, "read")),
            (),
            ("refused", "client", "read"),
        ),
        (
            server(("SSLError", "TLSV1_ALERT_INTERNAL_ERROR", "handshake")),
            client(("OSError", -1, "handshake")),
            (),
            ("refused", "client", "handshake"),
        ),
        # Nobody said anything: one of them waited.
        (server(timed_out=True), client(("OSError", 110, "handshake")), (), ("hung", None, "handshake")),
        (server(accepted=True), client(("OSError", 116, "read")), (), ("hung", None, "read")),
        (server(timed_out=True), None, (), ("hung", None, "handshake")),
        # Debian's 1.25 and 1.26 raise the errno of a time-out negated when they read or write; in a handshake -110 and
        # -60 are mbedTLS's own numbers.
        (server(accepted=True), client(("OSError", -110, "read")), (), ("hung", None, "read")),
        (server(accepted=True), client(("OSError", -116, "write")), (), ("hung", None, "write")),
        (server(accepted=True), client(("OSError", -110, "handshake")), (), ("refused", "client", "handshake")),
        (server(accepted=True), client(("OSError", -60, "handshake")), (), ("refused", "client", "handshake")),
        # A time-out after an alert is a refusal.
        (
            server(("SSLError", "NO_SHARED_CIPHER", "handshake"), timed_out=True),
            client(("OSError", 110, "handshake")),
            (FATAL,),
            ("refused", "server", "handshake"),
        ),
        # Nothing at all.
        (server(), client(), (), ("not-run", None, None)),
    ],
)
def test_endings(server_report, client_report, alerts, wanted):
    """Who ended it, and where."""
    assert ending(server_report, client_report, *alerts) == wanted


@pytest.mark.parametrize(
    ("stage", "accepted", "hello", "believed"),
    [
        ("connect", False, False, True),
        ("connect", True, False, False),
        ("connect", True, True, False),
        ("config", False, False, True),
        ("config", True, False, True),  # wrap_socket up to 1.21 looks at its settings after the connection
        ("config", True, True, False),
    ],
)
def test_the_wire_stands_above_the_boards_word(stage, accepted, hello, believed):
    """Who was accepted did connect, and a ClientHello comes after all settings: then the server's refusal stays the server's."""
    record = server(("SSLError", "NO_SHARED_CIPHER", "handshake"), accepted=accepted)
    empty: dict[str, tuple] = dict.fromkeys(("suites", "versions", "groups", "signature_algorithms", "extensions"), ())
    sent = HelloFacts(record_version="0301", sni=None, **empty) if hello else None
    seen = observe(record, client(("OSError", -30592, stage)), WireReading(alerts=(FATAL,), client_hello=sent))
    assert (seen.ended_by, seen.stage) == (Side.CLIENT if believed else Side.SERVER, Stage(stage))


@pytest.mark.parametrize("reason", ["UNEXPECTED_EOF_WHILE_READING", "ECONNRESET", "EPIPE"])
def test_a_client_that_just_leaves_after_the_exchange(reason):
    """MicroPython closes without close_notify: after an exchange that is success, and OpenSSL's answer to it says nothing."""
    report = server(("SSLError", reason, "close"), handshake_done=True, exchanged=True, message_alerts=(DECODE_ERROR,))
    seen = observe(report, client(done=True), WireReading(alerts=(DECODE_ERROR,)))
    assert (seen.outcome, seen.server, seen.alerts) == (Outcome.CONNECTED, None, ())


def test_decode_error_counts_before_an_exchange():
    """The same alert in a handshake is the refusal itself."""
    seen = observe(
        server(("SSLError", "X", "handshake")),
        client(("OSError", -30592, "handshake")),
        WireReading(alerts=(DECODE_ERROR,)),
    )
    assert seen.alerts == (DECODE_ERROR,)
    assert seen.ended_by is Side.SERVER


def test_alerts_of_both_sources():
    """What the wire shows and what only the message callback sees (TLS 1.3), each once; close_notify ends a session, no refusal."""
    report = server(handshake_done=True, exchanged=True, message_alerts=(FATAL, UNKNOWN_CA, CLOSE))
    seen = observe(report, client(done=True), WireReading(alerts=(FATAL,)))
    assert seen.alerts == (FATAL, UNKNOWN_CA)


def test_numbers_and_addresses_go_through():
    """What was measured and where is carried over as it is."""
    report = server(local="127.0.0.1", local_port=4433, peer="fe80::1", peer_port=9, handshake_ms=7.0, strangers=2)
    seen = observe(
        report, client(handshake_ms=6.1, free_before=3, free_low=1, free_after=2, held=1), WireReading(), case_ms=9.8
    )
    assert (seen.server_address, seen.board_address, seen.strangers) == ("127.0.0.1:4433", "[fe80::1]:9", 2)
    assert (seen.handshake_board_ms, seen.handshake_server_ms, seen.case_ms) == (6.1, 7.0, 9.8)
    assert (seen.free_before, seen.free_low, seen.free_after, seen.held) == (3, 1, 2, 1)


def test_nobody_came():
    """Without a connection there is no address of a board."""
    seen = observe(server(), None, WireReading())
    assert (seen.server_address, seen.board_address) == (None, None)


@pytest.mark.parametrize("name", ["MBEDTLS_ERR_SSL_CONN_EOF", "ECONNRESET", "EPIPE"])
@pytest.mark.parametrize("failure", [None, ("SSLEOFError", "UNEXPECTED_EOF_WHILE_READING", "read")])
def test_a_server_that_breaks_off(name, failure):
    """Where the client saw nothing but the end, and the server complains of nothing else, the server ended it."""
    gone = ClientFailure(type="OSError", args=(), number=-1, flags=None, name=name, stage=Stage.HANDSHAKE)
    seen = observe(server(failure, accepted=True), ClientReport(done=False, failure=gone), WireReading())
    assert (seen.outcome, seen.ended_by, seen.stage) == (Outcome.REFUSED, Side.SERVER, Stage.HANDSHAKE)


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        (ClientPlan(), Exchange()),
        (ClientPlan(text="M\n\u00fc"), Exchange(sent_text="M\\n\u00fc", sent_bytes=4)),
        (ClientPlan(text="Hallo", send_bytes=4097), Exchange(sent_text="Hallo" + "x" * 251, sent_bytes=4097)),
        (ClientPlan(text="Hallo", send_bytes=3), Exchange(sent_text="Hallo", sent_bytes=5)),
        (ClientPlan(text=""), Exchange(sent_text=None, sent_bytes=0)),
        (ClientPlan(receive_bytes=3), Exchange(answer_text="012", answer_bytes=3)),
        (ClientPlan(receive_bytes=65536), Exchange(answer_text="0123456789abcdef" * 4, answer_bytes=65536)),
        (ClientPlan(receive_bytes=0), Exchange(answer_text="", answer_bytes=0)),
        (
            ClientPlan(close_first=True),
            Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None),
        ),
    ],
)
def test_what_was_to_be_said(plan, wanted):
    """The texts as the other side's record shows them, and how many bytes they are."""
    assert planned_exchange(plan) == wanted
    assert observe(server(), None, WireReading(), plan=plan).exchange == wanted


def test_what_arrived_goes_through():
    """Texts, counts and whether the handshake was done come from the records, not from what the other side claims."""
    seen = observe(
        server(received_text="a", received_bytes=1, handshake_done=True),
        client(received_text="bc", received_bytes=2),
        WireReading(),
    )
    assert (seen.received_by_server, seen.server_received_bytes) == ("a", 1)
    assert (seen.received_by_client, seen.client_received_bytes) == ("bc", 2)
    assert seen.handshake_done


ALERTED = ClientFailure(
    type="OSError",
    args=(-30592,),
    number=-30592,
    flags=None,
    name="MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE",
    stage=Stage.READ,
)


@pytest.mark.parametrize(
    ("client_report", "said", "wanted"),
    [
        (client(done=True, received_bytes=1, received_text="H"), True, ("connected", None, None)),
        # Its stream ended without a byte.
        (client(done=True, received_bytes=0), False, ("refused", "server", "read")),
        (ClientReport(done=False, failure=ALERTED), False, ("refused", "server", "read")),
        (client(("OSError", 110, "read")), False, ("hung", None, "read")),
        # A board that claims an answer which never crossed the wire.
        (client(done=True, received_bytes=1, received_text="H"), False, ("refused", "server", "read")),
    ],
)
def test_a_server_that_is_not_ours_and_its_answer(client_report, said, wanted):
    """The handshake alone is no session where the board was told to speak: something must have come back."""
    messages = [WireMessage(sender=Side.CLIENT, at_ms=1.0, name="ApplicationData", length=30)]
    messages += [WireMessage(sender=Side.SERVER, at_ms=2.0, name="ApplicationData", length=30)] if said else []
    report = server(accepted=True, handshake_done=True, exchanged=True)
    plan = ClientPlan(text="hello", any_answer=True, receive_bytes=1)
    seen = observe(report, client_report, WireReading(messages=tuple(messages)), plan=plan)
    assert tuple(value and str(value) for value in (seen.outcome, seen.ended_by, seen.stage)) == wanted
    assert seen.exchange == Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None)
