"""Combine two reports and the wire into one observation."""

import pytest

from harness.model import (
    Alert,
    ClientFailure,
    ClientPlan,
    ClientReport,
    Exchange,
    HelloFacts,
    Negotiated,
    Outcome,
    ServerFailure,
    ServerReport,
    Side,
    Stage,
)
from harness.run.observe import observe
from harness.wire.reading import WireMessage, WireReading

FATAL = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure")
UNKNOWN_CA = Alert(sender=Side.CLIENT, level="fatal", code=48, name="unknown_ca")
DECODE_ERROR = Alert(sender=Side.SERVER, level="fatal", code=50, name="decode_error")
CLOSE = Alert(sender=Side.SERVER, level="warning", code=0, name="close_notify")
# A server's errors: type, reason and stage.
NO_CIPHER = ("SSLError", "NO_SHARED_CIPHER", "handshake")
OWN = ("SSLError", "WRONG_VERSION_NUMBER", "handshake")
GONE = ("SSLEOFError", "UNEXPECTED_EOF_WHILE_READING", "read")
EMPTY: dict[str, tuple] = dict.fromkeys(("suites", "versions", "groups", "signature_algorithms", "extensions"), ())
HELLO = HelloFacts(record_version="0301", sni=None, **EMPTY)


def server(failure=None, **more):
    """Return a server's report; `failure` is (type, reason, stage)."""
    made = ServerFailure(type=failure[0], reason=failure[1], stage=Stage(failure[2])) if failure else None
    return ServerReport(facts=None, failure=made, **more)


def client(failure=None, *, done=False, **more):
    """Return a board's report; `failure` is (type, number, stage)."""
    made = (
        ClientFailure(type=failure[0], args=(), number=failure[1], flags=None, name=None, stage=Stage(failure[2]))
        if failure
        else None
    )
    return ClientReport(done=done, failure=made, **more)


def ending(server_report, client_report, *alerts):
    """Return outcome, ender and stage as words."""
    seen = observe(server_report, client_report, WireReading(alerts=alerts))
    return tuple(value and str(value) for value in (seen.outcome, seen.ended_by, seen.stage))


def test_connected():
    """Both sides must have completed their exchange."""
    both = server(accepted=True, handshake_done=True, exchanged=True)
    assert ending(both, client(done=True)) == ("connected", None, None)
    assert observe(both, client(done=True), WireReading(), plan=ClientPlan()).outcome is Outcome.CONNECTED
    assert ending(both, None) == ("not-run", None, None)


def test_a_lying_client_is_not_connected():
    """If the board reports success but the server saw no exchange, it has not connected: the server's record decides."""
    nothing = server()
    handshake_only = server(accepted=True, handshake_done=True)
    broken = server(NO_CIPHER, accepted=True)
    for report in (nothing, handshake_only, broken):
        assert ending(report, client(done=True, received_text="Hallo, Client!"))[0] != "connected"


def test_an_exchange_the_client_did_not_finish():
    """The server's record alone is not enough either."""
    both = server(accepted=True, handshake_done=True, exchanged=True)
    assert ending(both, client(("OSError", 104, "read"))) == ("refused", "client", "read")
    half, alerted = server(accepted=True, handshake_done=True), client(("OSError", -30592, "read"))
    assert observe(half, alerted, WireReading(), plan=ClientPlan(any_answer=True)).ended_by is Side.CLIENT


@pytest.mark.parametrize(
    ("server_report", "client_report", "alerts", "wanted"),
    [
        # A foreign server ended TLS 1.3 after the client's handshake: at once, or seen at the client's first read.
        (server(ended_first=True, accepted=True), client(done=True), (), ("refused", "server", "handshake")),
        (server(ended_first=True, accepted=True), client(("OSError", -30592, "read")), (), ("refused", "server", "handshake")),
        # The relay's connection was refused; whatever the errno, no client disconnected.
        (server(("ConnectionRefusedError", "ECONNREFUSED", "connect")), None, (), ("refused", "server", "connect")),
        (server(("ConnectionAbortedError", "ECONNABORTED", "connect")), None, (), ("refused", "server", "connect")),
        # A side refused its own settings.
        (server(("SSLError", "EE_KEY_TOO_SMALL", "config")), None, (), ("refused", "server", "config")),
        (server(), client(("ValueError", None, "config")), (), ("refused", "client", "config")),
        (server(), client(("OSError", 111, "connect")), (), ("refused", "client", "connect")),
        # The first fatal alert decides who ended it.
        (server(NO_CIPHER), client(("OSError", -30592, "handshake")), (FATAL,), ("refused", "server", "handshake")),
        (
            server(("SSLError", "TLSV1_ALERT_UNKNOWN_CA", "handshake")),
            client(("ValueError", None, "handshake")),
            (UNKNOWN_CA,),
            ("refused", "client", "handshake"),
        ),
        # Without one: the side whose error is not about the other side disconnecting.
        (server(OWN), client(("OSError", 104, "handshake")), (), ("refused", "server", "handshake")),
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
        # Neither side has an error of its own: one of them waited.
        (server(timed_out=True), client(("OSError", 110, "handshake")), (), ("hung", None, "handshake")),
        (server(accepted=True), client(("OSError", 116, "read")), (), ("hung", None, "read")),
        (server(timed_out=True), None, (), ("hung", None, "handshake")),
        # asyncio.wait_for has an exception of its own, without a number.
        (server(accepted=True), client(("TimeoutError", None, "handshake")), (), ("hung", None, "handshake")),
        (server(accepted=True), client(("TimeoutError", None, "read")), (), ("hung", None, "read")),
        # Debian's 1.25 and 1.26 raise the negated errno of a timeout in read and write; in a handshake -110 and
        # -60 are mbedTLS's own numbers.
        (server(accepted=True), client(("OSError", -110, "read")), (), ("hung", None, "read")),
        (server(accepted=True), client(("OSError", -116, "write")), (), ("hung", None, "write")),
        (server(accepted=True), client(("OSError", -110, "handshake")), (), ("refused", "client", "handshake")),
        (server(accepted=True), client(("OSError", -60, "handshake")), (), ("refused", "client", "handshake")),
        # A timeout after an alert is a refusal.
        (server(NO_CIPHER, timed_out=True), client(("OSError", 110, "handshake")), (FATAL,), ("refused", "server", "handshake")),
        # Every port has its own number for a timeout; after the exchange one that only the client reported does not count.
        (server(accepted=True), client(("OSError", 60, "read")), (), ("hung", None, "read")),
        (server(accepted=True), client(("OSError", -60, "write")), (), ("hung", None, "write")),
        (server(accepted=True), client(("OSError", 111, "read")), (), ("refused", "client", "read")),
        (server(accepted=True, exchanged=True), client(("OSError", 110, "read")), (), ("refused", "client", "read")),
        (server(timed_out=True, exchanged=True), client(("OSError", 1, "read")), (), ("hung", None, "read")),
        # A warning is not a refusal; a timeout takes precedence over the order in which the sides ended.
        (server(timed_out=True), client(("OSError", 110, "handshake")), (CLOSE,), ("hung", None, "handshake")),
        (server(timed_out=True, ended_first=True), client(("OSError", 1, "read")), (), ("hung", None, "read")),
        # Of several alerts the first fatal one decides who ended it; the stage is that side's own, or else the other's.
        (
            server(("SSLError", "X", "handshake")),
            client(("OSError", -1, "read")),
            (CLOSE, UNKNOWN_CA, FATAL),
            ("refused", "client", "read"),
        ),
        (
            server(("SSLError", "X", "handshake")),
            client(("OSError", -1, "read")),
            (FATAL, UNKNOWN_CA),
            ("refused", "server", "handshake"),
        ),
        (server(), client(("OSError", -1, "read")), (FATAL,), ("refused", "server", "read")),
        (server(("SSLError", "X", "write")), None, (UNKNOWN_CA,), ("refused", "client", "write")),
        (server(), None, (FATAL,), ("refused", "server", None)),
        (server(), None, (UNKNOWN_CA,), ("refused", "client", None)),
        # OpenSSL names the alerts that it receives by version.
        *(
            (
                server(("SSLError", f"{prefix}_ALERT_BAD_CERTIFICATE", "handshake")),
                client(("OSError", -1, "read")),
                (),
                ("refused", "client", "read"),
            )
            for prefix in ("SSLV3", "TLSV1", "TLSV13")
        ),
        # Nothing at all.
        (server(), client(), (), ("not-run", None, None)),
    ],
)  # fmt: skip
def test_endings(server_report, client_report, alerts, wanted):
    """The observation says who ended it, and at which stage."""
    assert ending(server_report, client_report, *alerts) == wanted


@pytest.mark.parametrize(
    ("stage", "accepted", "hello", "believed"),
    [
        ("connect", False, False, True),
        ("connect", True, False, False),
        ("connect", True, True, False),
        ("config", False, False, True),
        ("config", True, False, True),  # wrap_socket up to 1.21 checks its settings after the connection
        ("config", True, True, False),
    ],
)
def test_the_wire_overrides_the_boards_report(stage, accepted, hello, believed):
    """A connection that the server accepted counts, and a ClientHello comes after all settings: the refusal is the server's."""
    record = server(NO_CIPHER, accepted=accepted)
    sent = HELLO if hello else None
    seen = observe(record, client(("OSError", -30592, stage)), WireReading(alerts=(FATAL,), client_hello=sent))
    assert (seen.ended_by, seen.stage) == (Side.CLIENT if believed else Side.SERVER, Stage(stage))


@pytest.mark.parametrize("reason", ["UNEXPECTED_EOF_WHILE_READING", "ECONNRESET", "EPIPE"])
def test_a_client_that_closes_after_the_exchange(reason):
    """MicroPython closes without close_notify: after an exchange that is success, and OpenSSL's answer to it says nothing."""
    report = server(("SSLError", reason, "close"), handshake_done=True, exchanged=True, message_alerts=(DECODE_ERROR,))
    seen = observe(report, client(done=True), WireReading(alerts=(DECODE_ERROR,)))
    assert (seen.outcome, seen.server, seen.alerts) == (Outcome.CONNECTED, None, ())


def test_alerts_of_both_sources():
    """Alerts from the wire and from the message callback (TLS 1.3) each count once; close_notify ends a session and is not a refusal."""
    report = server(handshake_done=True, exchanged=True, message_alerts=(FATAL, UNKNOWN_CA, CLOSE))
    seen = observe(report, client(done=True), WireReading(alerts=(FATAL,)))
    assert seen.alerts == (FATAL, UNKNOWN_CA)


def test_numbers_and_addresses_go_through():
    """Measurements and addresses are copied unchanged."""
    report = server(local="127.0.0.1", local_port=4433, peer="fe80::1", peer_port=9, handshake_ms=7.0, strangers=2)
    seen = observe(
        report, client(handshake_ms=6.1, free_before=3, free_low=1, free_after=2, held=1), WireReading(), case_ms=9.8
    )
    assert (seen.server_address, seen.board_address, seen.strangers) == ("127.0.0.1:4433", "[fe80::1]:9", 2)
    assert (seen.handshake_board_ms, seen.handshake_server_ms, seen.case_ms) == (6.1, 7.0, 9.8)
    assert (seen.free_before, seen.free_low, seen.free_after, seen.held) == (3, 1, 2, 1)


def test_no_connection():
    """Without a complete connection there is no address of the board."""
    for report in (server(), server(local="127.0.0.1", peer="127.0.0.1"), server(local_port=1, peer_port=1)):
        seen = observe(report, None, WireReading())
        assert (seen.server_address, seen.board_address) == (None, None)


@pytest.mark.parametrize(
    ("failure", "exchanged", "client_report", "hello", "kept"),
    [
        (OWN, False, client(("OSError", -30592, "handshake")), True, True),
        (OWN, True, client(done=True), True, False),
        (OWN, True, client(("OSError", 104, "read")), True, True),
        (GONE, True, client(("OSError", 104, "read")), True, False),
        (GONE, False, client(("OSError", 104, "read")), True, True),
        (GONE, False, client(("ValueError", None, "config")), False, False),
        (GONE, False, client(("ValueError", None, "config")), True, True),
        (GONE, False, client(("ValueError", None, "handshake")), False, True),
        (GONE, False, client(), False, True),
        (GONE, False, None, False, True),
        (GONE, True, None, False, False),
    ],
)
def test_which_error_of_the_server_is_kept(failure, exchanged, client_report, hello, kept):
    """None is kept for a session, for a client that closed after the exchange, or if the client refused its own settings."""
    sent = HELLO if hello else None
    report = server(failure, accepted=True, exchanged=exchanged)
    seen = observe(report, client_report, WireReading(client_hello=sent))
    assert seen.server == (report.failure if kept else None)
    assert seen.client == (client_report.failure if client_report else None)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        *(("SSLError", reason) for reason in ("UNEXPECTED_EOF_WHILE_READING", "ECONNRESET", "EPIPE", "ECONNABORTED")),
        ("SSLError", "TLSV1_ALERT_NO_ERROR"),
        *((kind, None) for kind in ("SSLEOFError", "SSLZeroReturnError", "SSLSyscallError")),
        *((kind, None) for kind in ("ConnectionResetError", "BrokenPipeError")),
    ],
)
def test_how_a_server_sees_that_the_client_closed(kind, reason):
    """After the exchange it is not an error; before it, the client ended it."""
    left = (kind, reason, "read")
    assert observe(server(left, exchanged=True), None, WireReading()).server is None
    assert ending(server(left, accepted=True), client(("OSError", -1, "read"))) == ("refused", "client", "read")


def test_which_alerts_are_omitted():
    """The server's decode_error after the exchange or an EOF, and the close_notify of a finished handshake are omitted."""
    client_s = Alert(sender=Side.CLIENT, level="fatal", code=50, name="decode_error")
    both = WireReading(alerts=(DECODE_ERROR, client_s, CLOSE))
    assert observe(server(exchanged=True), None, both).alerts == (client_s, CLOSE)
    assert observe(server(GONE), None, both).alerts == (client_s, CLOSE)
    assert observe(server(OWN), None, both).alerts == (DECODE_ERROR, client_s, CLOSE)
    assert observe(server(), None, both).alerts == (DECODE_ERROR, client_s, CLOSE)
    assert observe(server(handshake_done=True), None, both).alerts == (DECODE_ERROR, client_s)


def test_the_same_alert_of_both_sides_is_two():
    """Only the same sender's alert in both records is one alert; those of the wire come first."""
    echoed = Alert(sender=Side.SERVER, level="fatal", code=48, name="unknown_ca")
    report = server(message_alerts=(echoed, UNKNOWN_CA, FATAL))
    assert observe(report, None, WireReading(alerts=(UNKNOWN_CA,))).alerts == (UNKNOWN_CA, echoed, FATAL)


WIRE = Negotiated(version="TLSv1.2", suite="WIRE", group="G")


@pytest.mark.parametrize(
    ("report", "wire", "agreed"),
    [
        ({}, Negotiated(), Negotiated()),
        ({"negotiated_version": "TLSv1.3", "negotiated_suite": "OWN"}, Negotiated(), Negotiated()),
        ({}, WIRE, WIRE),
        ({"handshake_done": True, "negotiated_version": "TLSv1.3", "negotiated_suite": "OWN"}, WIRE,
         Negotiated(version="TLSv1.3", suite="WIRE", group="G")),
        ({"handshake_done": True, "negotiated_version": "TLSv1.3", "negotiated_suite": "OWN"}, Negotiated(),
         Negotiated(version="TLSv1.3", suite="OWN")),
        ({"handshake_done": True}, WIRE, WIRE),
    ],
)  # fmt: skip
def test_what_was_negotiated(report, wire, agreed):
    """The version is the server's, the suite the wire's, each replaced by the other if missing; nothing before the ServerHello."""
    assert observe(server(**report), None, WireReading(negotiated=wire)).negotiated == agreed


def test_a_server_with_another_error_did_not_abort():
    """Its error counts at its own stage, although the client saw only the end; an alert takes precedence over both."""
    gone = ClientFailure(type="OSError", args=(), number=-1, flags=None, name="ECONNRESET", stage=Stage.READ)
    report = ClientReport(done=False, failure=gone)
    assert ending(server(OWN), report) == ("refused", "server", "handshake")
    assert ending(server(), report) == ("refused", "server", "read")
    assert ending(server(), report, CLOSE) == ("refused", "server", "read")
    assert ending(server(), report, UNKNOWN_CA) == ("refused", "client", "read")


@pytest.mark.parametrize(
    "name",
    [
        *("MBEDTLS_ERR_SSL_CONN_EOF", "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY", "CONN_LOST", "ECONNRESET", "EPIPE"),
        "ECONNRESET|MBEDTLS_ERR_ASN1_INVALID_DATA",
    ],
)
@pytest.mark.parametrize("failure", [None, GONE])
def test_a_server_that_aborts(name, failure):
    """If the client saw only the end, and the server has no other error, the server ended it."""
    gone = ClientFailure(type="OSError", args=(), number=-1, flags=None, name=name, stage=Stage.HANDSHAKE)
    seen = observe(server(failure, accepted=True), ClientReport(done=False, failure=gone), WireReading())
    assert (seen.outcome, seen.ended_by, seen.stage) == (Outcome.REFUSED, Side.SERVER, Stage.HANDSHAKE)


def test_received_values_are_kept():
    """Texts, counts and completion of the handshake come from each side's own record."""
    seen = observe(
        server(received_text="a", received_bytes=1, handshake_done=True),
        client(received_text="bc", received_bytes=2),
        WireReading(),
    )
    assert (seen.received_by_server, seen.server_received_bytes) == ("a", 1)
    assert (seen.received_by_client, seen.client_received_bytes) == ("bc", 2)
    assert seen.handshake_done


@pytest.mark.parametrize(
    ("client_report", "said", "wanted"),
    [
        (client(done=True, received_bytes=1, received_text="H"), "ApplicationData", ("connected", None, None)),
        # The server's handshake messages are not an answer, nor is a record that the client did not receive.
        (client(done=True, received_bytes=1, received_text="H"), "Finished", ("refused", "server", "read")),
        (client(done=True, received_bytes=0), "ApplicationData", ("refused", "server", "read")),
        (None, "ApplicationData", ("refused", "server", "read")),
        # Its stream ended without a byte.
        (client(done=True, received_bytes=0), None, ("refused", "server", "read")),
        (client(("OSError", -30592, "read")), None, ("refused", "server", "read")),
        (client(("OSError", -30592, "write")), None, ("refused", "server", "write")),
        # An error that is the client's own.
        (client(("OSError", -1, "read")), None, ("refused", "client", "read")),
        (client(("OSError", 110, "read")), None, ("hung", None, "read")),
        # A board that reports an answer that was never on the wire.
        (client(done=True, received_bytes=1, received_text="H"), None, ("refused", "server", "read")),
    ],
)
def test_the_answer_of_a_foreign_server(client_report, said, wanted):
    """The handshake alone is not a session if the board had to send text: an answer must have arrived."""
    messages = [WireMessage(sender=Side.CLIENT, at_ms=1.0, name="ApplicationData", length=30)]
    messages += [WireMessage(sender=Side.SERVER, at_ms=2.0, name=said, length=30)] if said else []
    report = server(accepted=True, handshake_done=True, exchanged=True)
    plan = ClientPlan(text="hello", any_answer=True, receive_bytes=1)
    seen = observe(report, client_report, WireReading(messages=tuple(messages)), plan=plan)
    assert tuple(value and str(value) for value in (seen.outcome, seen.ended_by, seen.stage)) == wanted
    assert seen.exchange == Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None)
