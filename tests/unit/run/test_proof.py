"""harness.run.proof: a handshake that says nothing about this board and this plan."""

from dataclasses import replace

import pytest

from harness.boards.agent.echo import planned_echo
from harness.boards.agent.protocol import Answer, AnswerKind, RunRequest, own_text
from harness.errors import FaultKind
from harness.model import (
    Alert,
    ClientFailure,
    HelloFacts,
    ServerReport,
    Side,
    Stage,
    TcpEnd,
    TcpEndKind,
    WireChunk,
)
from harness.run.proof import Asked, Doubt, doubt, has_number, is_taken

OWN = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02c", "c030", "c02b", "009d", "00ff"),
    groups=("0017", "0018"),
    signature_algorithms=("0603", "0403"),
    extensions=(0, 10, 13, 11),
    sni="tls.test",
)
SUITES = b"TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256,TLS-RSA-WITH-AES-256-GCM-SHA384"
NUMBER = 123456789
ASKED = Asked(
    request=RunRequest(host="h", port=4, name="tls.test", verify=2, ca=("ca",), recv=14),
    blobs={"ca": b"CA", "suites": SUITES, "psk": b"\x01"},
    unrestricted=OWN,
    numbered=True,
    peers=("192.0.2.9",),
)
FEWER = replace(ASKED, request=replace(ASKED.request, suites="suites"))
RESTRICTED = replace(OWN, suites=("c02b", "009d", "00ff"))
REPORT = ServerReport(
    facts=None, failure=None, accepted=True, handshake_done=True, exchanged=True, received_text=own_text(NUMBER), local_port=4,
    peer="192.0.2.9", peer_port=50123,
)  # fmt: skip


def answered(kind="result", *, asked=ASKED, **more) -> Answer:
    """The answer of an agent that did as it was asked to."""
    planned = planned_echo(asked.request, asked.blobs, kind="c")
    return Answer(**{"kind": AnswerKind(kind), "number": NUMBER, "text": "Hallo, Client!", "passed": planned, **more})


def failed(stage: Stage, **more) -> Answer:
    """The answer of an agent whose attempt ended in this stage."""
    return answered("exception", **{"stage": stage, "type": "OSError", "text": None, **more})


@pytest.mark.parametrize("off_s", [-6, 6, 3600])
def test_a_clock_that_was_not_as_requested(off_s):
    """A clock that was set, and then was more than the tolerance from where it should be, proves nothing about its time."""
    found = doubt(answered(clock_off_s=off_s), REPORT, OWN, asked=ASKED)
    text = f"the board's clock was {off_s:+d} s from the requested time after the attempt"
    assert found == Doubt(kind=FaultKind.PLAN, text=text)


@pytest.mark.parametrize("off_s", [None, 0, 5, -5])
def test_a_clock_as_requested(off_s):
    """A clock within the tolerance, or none that was set."""
    assert doubt(answered(clock_off_s=off_s), REPORT, OWN, asked=ASKED) is None


@pytest.mark.parametrize(
    ("free", "limit", "text"),
    [
        (40001, 40000, "40001 bytes of heap were free before the handshake, at most 40000 were requested"),
        (40000, 40000, None),
        (40001, None, None),
        (None, 40000, None),
    ],
)
def test_the_free_heap(free, limit, text):
    """More free heap than requested is not the plan; a board that does not report it never got to its handshake."""
    asked = replace(ASKED, request=replace(ASKED.request, heap_bytes=limit))
    found = doubt(answered(asked=asked, free_before=free), REPORT, OWN, asked=asked)
    assert found == (None if text is None else Doubt(kind=FaultKind.PLAN, text=text))


def test_a_handshake_as_it_should_be():
    """Nothing is doubted, with restricted suites neither; a board that was not asked or lacks the API says nothing."""
    assert doubt(answered(), REPORT, OWN, asked=ASKED) is None
    assert doubt(answered(asked=FEWER), REPORT, RESTRICTED, asked=FEWER) is None
    assert doubt(None, REPORT, None, asked=ASKED) is None
    assert doubt(Answer(kind=AnswerKind.ERROR, missing="x"), REPORT, None, asked=ASKED) is None


@pytest.mark.parametrize("stage", [Stage.HANDSHAKE, Stage.WRITE, Stage.READ, Stage.CLOSE])
def test_a_failure_is_data(stage):
    """A board that fails behind its connection to the server is judged."""
    assert doubt(failed(stage), replace(REPORT, received_text=None), OWN, asked=ASKED) is None


# ----------------------------------------------------------------------------------------------- other clients

TAKEN = (
    "the board {}, but the server at h:4 accepted a connection from 192.0.2.9:50123: another program at that address connected in "
    "the board's place"
)


@pytest.mark.parametrize(
    ("stage", "connect_ms", "accepted", "text"),
    [
        (Stage.CONNECT, None, True, TAKEN.format("could not connect")),
        (Stage.CONFIG, None, True, TAKEN.format("refused its own settings before it connected")),
        # The API up to 1.21 refuses settings only when it wraps the socket.
        (Stage.CONFIG, 1.0, True, None),
        (Stage.CONNECT, None, False, None),
        (Stage.CONFIG, None, False, None),
    ],
)
def test_a_connection_that_the_board_did_not_make(stage, connect_ms, accepted, text):
    """The server accepted one although the board's own stage is not past `connect`: it is another client's, who is named."""
    answer = failed(stage, connect_ms=connect_ms)
    report = replace(REPORT, accepted=accepted, received_text=None)
    assert is_taken(answer, report, None) is (text is not None)
    assert doubt(answer, report, None, asked=ASKED) == (Doubt(kind=FaultKind.PEER, text=text) if text else None)


RESET = ClientFailure(
    type="OSError", args=(104,), number=104, flags=None, name="ECONNRESET", stage=Stage.HANDSHAKE
)  # fmt: skip
LEFT, ENDED = (TcpEnd(sender=side, at_ms=1.0, how=TcpEndKind.FIN) for side in (Side.CLIENT, Side.SERVER))


@pytest.mark.parametrize(
    ("report", "failure", "taken"),
    [
        ({"timed_out": True}, {}, True),
        ({"timed_out": True, "tcp_ends": (ENDED,)}, {}, True),
        ({"tcp_ends": (LEFT, ENDED)}, {}, True),
        # A server that ends the connection itself, as some behaviours do, may have served the board.
        ({"tcp_ends": (ENDED, LEFT)}, {}, False),
        ({}, {}, False),
        ({"tcp_ends": (LEFT,), "accepted": False}, {}, False),
        # The board spoke.
        ({"tcp_ends": (LEFT,), "wire": (WireChunk(sender=Side.CLIENT, at_ms=1.0, data=b"\x16"),)}, {}, False),
        ({"tcp_ends": (LEFT,), "wire": (WireChunk(sender=Side.SERVER, at_ms=1.0, data=b"\x15"),)}, {}, True),
        # The board gave up before it spoke: too little memory, a time-out.
        ({"tcp_ends": (LEFT,)}, {"name": "MBEDTLS_ERR_SSL_ALLOC_FAILED", "number": -0x7F00}, False),
        ({"timed_out": True}, {"name": "ETIMEDOUT", "number": 110}, False),
        ({"tcp_ends": (LEFT,)}, {"stage": Stage.READ}, False),
    ],
)
def test_a_connection_that_waited_behind_another(report, failure, taken):
    """The board was reset in its handshake before the server received anything and ended anything: the recorded client is another."""
    failure = replace(RESET, **failure)
    report = replace(REPORT, **{"received_text": None, "handshake_done": False, "exchanged": False, **report})
    answer = failed(failure.stage, args=failure.args)
    assert is_taken(answer, report, failure) is taken
    text = TAKEN.replace(": another", " that sent nothing: another").format(
        "lost its connection before the server received anything"
    )
    expected = Doubt(kind=FaultKind.PEER, text=text) if taken else None
    if report.accepted:
        assert doubt(answer, report, None, asked=ASKED, failure=failure) == expected


OTHER = "Hallo, Server! 123456788"


@pytest.mark.parametrize(
    ("kind", "received", "expected"),
    [
        ("result", own_text(NUMBER), None),
        ("result", own_text(NUMBER) + "xxx", None),
        # Less than all of it says nothing of the number.
        ("exception", own_text(NUMBER)[:-1], None),
        ("exception", None, None),
        ("result", OTHER, OTHER),
        ("result", own_text(NUMBER)[:-1] + "x", own_text(NUMBER)[:-1] + "x"),
        ("exception", OTHER, OTHER),
        ("exception", "GET / HTTP/1.0" + "x" * 60, "GET / HTTP/1.0" + "x" * 46),
    ],
)
def test_a_text_without_the_number_of_this_exec(kind, received, expected):
    """A session whose text does not have this exec's number is not this board's, whatever the board says; the peer is named."""
    answer = answered() if kind == "result" else failed(Stage.READ)
    report = replace(REPORT, received_text=received)
    text = (
        f"the server at h:4 received {expected!r} from 192.0.2.9:50123, without the number of this exec, 123456789: another board or "
        "program at that address connected in the board's place"
    )
    assert doubt(answer, report, OWN, asked=ASKED) == (Doubt(kind=FaultKind.PEER, text=text) if expected else None)
    assert has_number(answer, report, replace(ASKED, numbered=False)) is None  # a test's own text has no number


def test_more_than_one_connection():
    """Where the number does not tell whose the answered one is, nobody knows."""
    contested = replace(REPORT, contested=2)
    assert doubt(answered(), contested, OWN, asked=ASKED) is None
    found = doubt(failed(Stage.HANDSHAKE), replace(contested, received_text=None), OWN, asked=ASKED)
    assert found == Doubt(
        kind=FaultKind.PEER,
        text="the server at h:4 served 192.0.2.9:50123, and 2 more connected from that address at the same time: "
        "it is unknown which of them is the board's",
    )
    # The board may have talked to one of the others, so its agent is not blamed for the answer.
    unfinished = replace(contested, received_text=None, handshake_done=False)
    assert doubt(answered(), unfinished, OWN, asked=ASKED) == found


def test_a_hello_of_another_client():
    """It follows neither from the plan nor from the board's unrestricted hello."""
    for asked, answer in ((ASKED, answered()), (FEWER, answered(asked=FEWER))):
        found = doubt(answer, REPORT, replace(OWN, suites=("1301", "c02b"), groups=("001d",)), asked=asked)
        assert found is not None
        assert found.kind is FaultKind.PEER
        assert found.text.startswith("the ClientHello from 192.0.2.9:50123 is not this board's: offered ")
        assert found.text.endswith(
            "; offered groups x25519, expected secp256r1 secp384r1: another program connected in the board's place, or something "
            "in between changes it"
        )


def test_a_hello_of_another_client_beside_a_difference_that_no_hello_shows():
    """A setting that leaves no trace does not explain a hello of other suites: it is not the board's."""
    passed = tuple(item for item in answered().passed if item[0] != "v")
    found = doubt(answered(passed=passed), REPORT, replace(OWN, suites=("1301",)), asked=ASKED)
    assert found is not None
    assert found.kind is FaultKind.PEER


# ----------------------------------------------------------------------------------------------- contradictions


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (answered(), "reports an exchange"),
        (failed(Stage.HANDSHAKE), "connected to a server"),
        (failed(Stage.READ), "connected to a server"),
    ],
)
def test_a_connection_that_never_came(answer, said):
    """The board got further than its connection, and the server had none."""
    nothing = replace(REPORT, accepted=False, handshake_done=False, received_text=None)
    start = f"the board {said}, but no connection reached the server at h:4: "
    assert doubt(answer, nothing, None, asked=ASKED) == Doubt(
        kind=FaultKind.CONTRADICTION,
        text=start + "another server answers at that address, or the agent on the board is not ours",
    )
    dropped = replace(nothing, strangers=1, stranger_addresses=("192.0.2.77",))
    assert doubt(answer, dropped, None, asked=ASKED) == Doubt(
        kind=FaultKind.CONTRADICTION,
        text=start + "it dropped one from 192.0.2.77, because only 192.0.2.9 may connect",
    )


@pytest.mark.parametrize(
    ("text", "done", "doubted"), [("Hallo", False, True), ("Hallo", True, False), ("", False, False)]
)
def test_an_exchange_without_a_handshake(text, done, doubted):
    """Read data proves a handshake, which the server must have completed; a session without data is left to the judge."""
    report = replace(REPORT, handshake_done=done, received_text=None)
    found = doubt(answered(text=text), report, OWN, asked=ASKED)
    expected = Doubt(
        kind=FaultKind.CONTRADICTION,
        text="the board reports an exchange, but the server completed no handshake with it: the agent on the board is not ours, or it "
        "answered for another connection",
    )
    assert found == (expected if doubted else None)


# ----------------------------------------------------------------------------------------------- the plan


def plan_doubt(text: str) -> Doubt:
    """A doubt about the plan."""
    return Doubt(kind=FaultKind.PLAN, text=text)


def test_ignored_suites():
    """The hello is the board's unrestricted one, whatever the agent says that it passed on."""
    expected = plan_doubt("offered 4 suites, expected 2: the board ignored set_ciphers")
    assert doubt(answered(asked=FEWER), REPORT, OWN, asked=FEWER) == expected
    assert doubt(answered(), REPORT, OWN, asked=FEWER) == expected


def test_other_suites_than_asked():
    """The agent says that it passed on another list: it is the board, and it did not follow the plan."""
    others = tuple(f"s{'0' * 8}" if item[0] == "s" else item for item in answered(asked=FEWER).passed)
    found = doubt(answered(passed=others), REPORT, replace(OWN, suites=("c02c",)), asked=FEWER)
    assert found == plan_doubt("offered 1 suites, expected 2: the board ignored set_ciphers")


@pytest.mark.parametrize(("sni", "shown"), [(None, "none"), ("other.test", "'other.test'")])
def test_an_ignored_server_name(sni, shown):
    """A name that was not sent, or another one, with and without the agent's word for it."""
    text = f"sent server name {shown}, expected 'tls.test': the board ignored server_hostname"
    for passed in (answered().passed, tuple(item for item in answered().passed if item[0] != "n")):
        assert doubt(answered(passed=passed), REPORT, replace(OWN, sni=sni), asked=ASKED) == plan_doubt(text)


def test_another_server_name_beside_restricted_suites():
    """The agent says that it passed another name, so the hello is the board's, although it is not its unrestricted one."""
    passed = tuple(item for item in answered(asked=FEWER).passed if item[0] != "n")
    other = replace(RESTRICTED, sni=None)
    text = "sent server name none, expected 'tls.test': the board ignored server_hostname"
    assert doubt(answered(asked=FEWER, passed=passed), REPORT, other, asked=FEWER) == plan_doubt(text)
    found = doubt(answered(asked=FEWER), REPORT, other, asked=FEWER)
    assert found is not None
    assert found.kind is FaultKind.PEER


def test_an_ignored_key():
    """The board offers its usual suites although it was given a pre-shared key."""
    asked = replace(ASKED, request=replace(ASKED.request, psk_identity="me", psk_key="psk"))
    found = doubt(answered(asked=asked), REPORT, OWN, asked=asked)
    assert found == plan_doubt(
        "did not offer suites for the pre-shared key in addition to its own suites: the board ignored psk_key"
    )


def test_what_leaves_no_trace():
    """Settings that the hello does not show: the agent's word counts, and each difference is named."""
    passed = tuple(item for item in answered().passed if item[0] not in "va")
    assert doubt(answered(passed=passed), REPORT, OWN, asked=ASKED) == plan_doubt(
        "the board used settings other than those requested: verify_mode: passed nothing, expected 2; a CA certificate: passed "
        "nothing, expected 9b56"
    )


def test_settings_count_without_a_hello():
    """A connection that never began TLS is compared, too."""
    found = doubt(
        failed(Stage.CONFIG, connect_ms=1.0, passed=("t10000",)), replace(REPORT, received_text=None), None, asked=ASKED
    )
    assert found is not None
    assert found.kind is FaultKind.PLAN


def test_both_at_once():
    """What the hello shows is not said twice."""
    passed = tuple(item for item in answered().passed if item[0] not in "vs")
    assert doubt(answered(passed=passed), REPORT, OWN, asked=FEWER) == plan_doubt(
        "offered 4 suites, expected 2: the board ignored set_ciphers; the board used settings other than those requested: "
        "verify_mode: passed nothing, expected 2"
    )


def test_before_the_unrestricted_hello_is_known():
    """The baseline handshake has nothing to be compared with but its own plan."""
    first = replace(ASKED, unrestricted=None)
    assert doubt(answered(), REPORT, replace(OWN, suites=("1301",)), asked=first) is None
    found = doubt(answered(), REPORT, replace(OWN, sni="x"), asked=first)
    assert found == plan_doubt("sent server name 'x', expected 'tls.test': the board ignored server_hostname")


ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
# RFC 8446 section 4.1.3: this value of random makes it one. Without an extension it names no version.
RETRY = bytes.fromhex(
    "160303002a 02000026 0303 cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c 00 1301 00"
)


@pytest.mark.parametrize(
    ("wire", "number", "injected"),
    [
        (b"", -30592, True),
        (b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00", -30592, True),
        (ALERT, -30592, False),
        (ALERT[:6], -30592, False),
        (b"", -29312, False),
        # What is no TLS may look like an alert to the client.
        (b"\xff\xff", -30592, False),
        # What follows it is encrypted.
        (RETRY, -30592, False),
    ],
)
def test_an_alert_that_the_server_did_not_send(wire, number, injected):
    """The board was sent a fatal alert, the record of the server has none: someone else sent it."""
    chunks = (WireChunk(sender=Side.SERVER, at_ms=1.0, data=wire),) if wire else ()
    report = replace(REPORT, wire=chunks, handshake_done=False, exchanged=False, received_text=None)
    answer = failed(Stage.HANDSHAKE, args=(number, "x"))
    found = doubt(answer, report, OWN, asked=ASKED)
    text = "the board received a fatal alert, but the server at h:4 sent none: something between them injects alerts"
    assert found == (Doubt(kind=FaultKind.PEER, text=text) if injected else None)


def test_an_alert_that_only_the_server_saw():
    """One that TLS 1.3 encrypted, and that the message callback shows, was sent."""
    alert = Alert(sender=Side.SERVER, level="fatal", code=40, name="handshake_failure", encrypted=True)
    report = replace(REPORT, message_alerts=(alert,), handshake_done=False, exchanged=False, received_text=None)
    assert doubt(failed(Stage.READ, args=(-30592,)), report, OWN, asked=ASKED) is None
