"""Tests of harness/run/handshake.py: the meaning of an answer before the verdict."""

from types import SimpleNamespace

import pytest

from harness.boards.agent.protocol import Answer, AnswerKind, RunRequest
from harness.certificates import Certificates
from harness.errors import BoardError, ServerError
from harness.model import BoardInfo, ClientPlan, HelloFacts, Observation, Outcome, ServerProfile, ServerReport, Stage
from harness.run.addresses import Addresses
from harness.run.handshake import Handshake, Handshakes, client_report
from harness.system.deadline import Deadline

INFO = BoardInfo(tls_library="mbedTLS", tls_version="Mbed TLS 3.6.0", platform="linux")


def handshake(kind, *, accepted, stage=None, text=None, done=False, missing=""):
    """Return a handshake with this answer of the board."""
    seen = Observation(outcome=Outcome.NOT_RUN, stage=stage, ended_by=None, server=None, client=None)
    report = ServerReport(facts=None, failure=None, accepted=accepted, handshake_done=done, local_port=4)
    answer = Answer(kind=AnswerKind(kind), stage=stage, text=text, missing=missing) if kind else None
    return Handshake(observation=seen, report=report, answer=answer)


@pytest.mark.parametrize(
    ("stage", "accepted", "expected"),
    [(Stage.CONNECT, False, True), (Stage.CONNECT, True, False), (Stage.HANDSHAKE, False, False)],
)
def test_is_unreachable(stage, accepted, expected):
    """The server is unreachable if the board could not connect and the server accepted nothing."""
    assert handshake("exception", accepted=accepted, stage=stage).is_unreachable is expected
    assert not handshake(None, accepted=accepted, stage=stage).is_unreachable  # the board was not tried


@pytest.mark.parametrize("error", [BoardError, ServerError])
def test_a_server_that_waits_for_a_lost_board_is_ended(monkeypatch, error):
    """After a fault of the board the server must not wait for it; a fault of the server has ended it already."""
    ended = []
    server = SimpleNamespace(cancel=lambda: ended.append(True))
    made = Handshakes(SimpleNamespace(), server, certificates=None, addresses=None)

    def fails(**_words):
        raise error("gone")

    monkeypatch.setattr(made, "baseline", fails)
    with pytest.raises(error, match=r"^gone$"):
        made.completes_baseline(None)
    assert ended == [True] * (error is BoardError)


@pytest.mark.parametrize(
    ("answer", "ended", "waited"),
    [
        ({"kind": "result"}, False, True),
        ({"kind": "exception", "stage": Stage.HANDSHAKE}, False, True),
        ({"kind": "exception", "stage": Stage.CONFIG}, True, False),
        ({"kind": "exception", "stage": Stage.CONNECT}, True, False),
        ({"kind": "error", "missing": "set_ciphers"}, True, False),
        ({"kind": "exception", "stage": Stage.CONNECT, "text": "served meanwhile"}, True, True),
    ],
)
@pytest.mark.parametrize("left_s", [None, 3])
def test_how_long_both_sides_are_waited_for(answer, ended, waited, left_s):
    """A server that the board never reached is ended at once, unless it has served by then; a given deadline limits the board."""
    limits, done, given = [], [], Answer(**{**answer, "kind": AnswerKind(answer["kind"])})
    report = ServerReport(facts=None, failure=None)

    def connect(_request, _blobs, *, deadline):
        limits.append(deadline.timeout_s)
        return given

    board = SimpleNamespace(
        refuse_if_quarantined=lambda: None, scaled=lambda seconds: seconds, info=INFO, connect=connect, check_kind="c",
        prepare=lambda _plan, _certificates: (RunRequest(host="", port=0), {}),
    )  # fmt: skip
    server = SimpleNamespace(
        open=lambda _profile, _serving: SimpleNamespace(failure=None, port=4),
        cancel=lambda: done.append("cancel") or (None if given.text else report),
        finish=lambda _deadline: done.append("finish") or report,
    )
    addresses = Addresses(bind="127.0.0.1", advertise="127.0.0.1", peers=("127.0.0.1",))
    made = Handshakes(board, server, certificates=Certificates(), addresses=addresses)
    made.attempt(ServerProfile(), ClientPlan(), within=left_s and Deadline(left_s, clock=lambda: 0.0))
    assert done == ["cancel"] * ended + ["finish"] * waited
    assert limits == [left_s or 45]


def test_missing_api():
    """A firmware without the API that a plan needs is described with the name that the agent gave."""
    made = handshake("error", accepted=False, missing="tls.SSLContext.set_ciphers")
    assert made.missing_api == "this firmware's TLS module has no tls.SSLContext.set_ciphers"
    assert handshake("result", accepted=True).missing_api is None
    assert handshake(None, accepted=False).missing_api is None


def test_a_result():
    """The report of a finished session has the text and the measured values."""
    report = client_report(
        Answer(kind=AnswerKind.RESULT, text="Hallo, Client!", free_before=9, held=4), INFO, hello_sent=True
    )
    assert (report.done, report.failure, report.received_text) == (True, None, "Hallo, Client!")
    assert (report.free_before, report.held) == (9, 4)


def test_an_error():
    """The report of a failed session has the name of the error and its stage."""
    answer = Answer(kind=AnswerKind.EXCEPTION, stage=Stage.HANDSHAKE, type="OSError", args=(-30592,))
    report = client_report(answer, INFO, hello_sent=True)
    assert report.done is False
    assert (report.failure.name, report.failure.stage) == ("MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", Stage.HANDSHAKE)


def test_a_missing_api_is_no_failure():
    """If the firmware lacks the API, the session is not done and has no failure either."""
    report = client_report(Answer(kind=AnswerKind.ERROR, missing="set_ciphers"), INFO, hello_sent=False)
    assert (report.done, report.failure) == (False, None)


@pytest.mark.parametrize(
    ("record_version", "name"),
    [
        ("0301", "MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE"),
        ("0303", "MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE|MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET"),
    ],
)
def test_numbers_of_mbedtls_2_have_its_names_only(record_version, name):
    """Firmware without a version text whose hello shows an mbedTLS 2: 3.x gave the number to another error."""
    hello = HelloFacts(
        record_version=record_version,
        versions=("0303",),
        suites=(),
        groups=(),
        signature_algorithms=(),
        extensions=(),
        sni=None,
    )
    info = BoardInfo(tls_library="mbedTLS", hello=hello)
    answer = Answer(kind=AnswerKind.EXCEPTION, stage=Stage.HANDSHAKE, type="OSError", args=(-0x7B00,))
    assert client_report(answer, info, hello_sent=True).failure.name == name


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("set_ciphers", "this firmware's TLS module has no set_ciphers"),
        ("asyncio", "this firmware has no asyncio"),
        ("asyncio.open_connection(ssl)", "this firmware has no asyncio.open_connection(ssl)"),
        ("asyncio.Stream.do_handshake", "asyncio has no handshake without a write or read"),
        ("asyncio.open_connection(server_hostname=None)", "asyncio.open_connection() always sends a server name"),
        ("asyncio for axTLS", "asyncio never notices that a server has closed the connection, on firmware with axTLS"),
        ("memory for asyncio", "too little memory: the asyncio client of the harness cannot be loaded"),
    ],
)
def test_what_is_missing_is_a_sentence(missing, text):
    """The reason of an unsupported case names what is missing and where, or what an API cannot do."""
    assert handshake("error", accepted=False, missing=missing).missing_api == text
