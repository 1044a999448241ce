"""harness.boards.agent.echo: what the agent passed on, compared with the request."""

from dataclasses import replace

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.echo import SETTINGS, echo_differences, planned_echo
from harness.boards.agent.protocol import Answer, RunRequest
from harness.model import ClientApi, Stage

BLOBS = {
    "ca": b"CA",
    "ca2": b"CA 2",
    "cert": b"certificate",
    "key": b"key",
    "suites": b"TLS-A,TLS-B",
    "psk": b"\x01\x02",
}
FULL = RunRequest(
    host="192.0.2.1",
    port=4433,
    name="tls.test",
    verify=2,
    ca=("ca", "ca2"),
    cert="cert",
    key="key",
    suites="suites",
    psk_identity="me",
    psk_key="psk",
    text="Hallo",
    send=9,
    recv=15,
    read_to_end=True,
    timeout_ms=5000,
    api=ClientApi.ASYNCIO,
)


def summed(data: bytes) -> str:
    """The part of the checksum that the agent notes."""
    return check_sum(data, kind="c")[3:7]


PLANNED = (
    "v2",
    f"s{summed(b'TLS-A,TLS-B')}",
    f"c{summed(b'certificate')}",
    f"k{summed(b'key')}",
    f"a{summed(b'CA')}",
    f"a{summed(b'CA 2')}",
    f"i{summed(b'me')}",
    f"p{summed(bytes([1, 2]))}",
    "y1",
    f"n{summed(b'tls.test')}",
    f"h{summed(b'192.0.2.1')}",
    "o4433",
    "t5000",
    f"w{summed(b'Hallo')}",
    "z9",
    "r15",
    "e1",
)


def test_everything_in_the_order_of_the_agent():
    """One word per setting; each CA certificate has its own."""
    assert planned_echo(FULL, BLOBS, kind="c") == PLANNED
    assert "".join(dict.fromkeys(item[0] for item in PLANNED)) == "".join(SETTINGS).replace("x", "")


def test_what_is_left_out():
    """A 0 is not noted, nor is what is left to the agent's defaults, and a client that closes first neither writes nor reads."""
    request, where = RunRequest(host="h", text="Hallo", recv=0, name=None), f"h{summed(b'h')}"
    assert planned_echo(request, {}, kind="c") == (where, f"w{summed(b'Hallo')}")
    assert planned_echo(replace(request, close_first=True), {}, kind="c") == (where, "x1")
    assert planned_echo(RunRequest(host="h"), {}, kind="c") == (f"n{summed(b'tls.test')}", where)


def test_an_answer_that_agrees():
    """No difference if all was passed on."""
    assert echo_differences(Answer(kind="result", passed=PLANNED), PLANNED) == {}


@pytest.mark.parametrize("dropped", range(len(PLANNED)))
def test_each_missing_setting(dropped: int):
    """A session in which a setting was not passed on differs in that setting only."""
    passed = PLANNED[:dropped] + PLANNED[dropped + 1 :]
    found = echo_differences(Answer(kind="result", passed=passed), PLANNED)
    assert list(found) == [PLANNED[dropped][0]]


def test_sentences():
    """Each names the setting, what was passed and what was expected; an unknown one is shown."""
    passed = ("v0", "t5000", "q7")
    found = echo_differences(Answer(kind="result", passed=passed), ("v2", "n01020304", "t5000"))
    assert found == {
        "v": "verify_mode: passed 0, expected 2",
        "n": "server_hostname: passed nothing, expected 01020304",
        "?": "unknown settings 'q7'",
    }


@pytest.mark.parametrize(
    ("stage", "reached"),
    [(Stage.CONNECT, "o"), (Stage.HANDSHAKE, "t"), (Stage.WRITE, "z"), (Stage.READ, "e"), (Stage.CLOSE, "e")],
)
def test_an_attempt_that_failed(stage: Stage, reached: str):
    """It has passed on what comes before its stage: enough agrees, less does not."""
    count = next(place for place, item in enumerate(PLANNED) if item[0] == reached) + 1
    answer = Answer(kind="exception", stage=stage, passed=PLANNED[:count])
    assert echo_differences(answer, PLANNED) == {}
    assert list(echo_differences(replace(answer, passed=PLANNED[: count - 1]), PLANNED)) == [reached]


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 6, 7, 8, 9])
def test_settings_that_were_refused(count: int):
    """A call of the API that raised may have been any of them, so all before the last one must have been passed on."""
    answer = Answer(kind="exception", stage=Stage.CONFIG, passed=PLANNED[:count])
    assert echo_differences(answer, PLANNED) == {}
    if count > 1:
        assert list(echo_differences(replace(answer, passed=PLANNED[1:count]), PLANNED)) == ["v"]


def test_certificate_and_key_are_passed_on_together():
    """One call takes both, so a refused certificate without its key is another call than the plan's."""
    answer = Answer(kind="exception", stage=Stage.CONFIG, passed=PLANNED[:3])
    assert list(echo_differences(answer, PLANNED)) == ["k"]


def test_settings_that_were_refused_behind_the_connection():
    """The old API checks its settings when the socket is wrapped: all of them were passed on by then."""
    answer = Answer(kind="exception", stage=Stage.CONFIG, connect_ms=1.0, passed=("v2", "t5000"))
    assert list(echo_differences(answer, ("v2", "n01020304", "t5000"))) == ["n"]
    answer = replace(answer, passed=("v2", "n01020304"))
    assert list(echo_differences(answer, ("v2", "n01020304", "t5000"))) == ["t"]


def test_an_agent_that_says_nothing():
    """An answer without any note has passed nothing on."""
    assert list(echo_differences(Answer(kind="result"), ("v2", "t5000"))) == ["v", "t"]


def test_more_than_the_stage_needs_must_agree_too():
    """What was passed on beyond the stage's need is compared: the beginning of the plan, or a difference."""
    answer = Answer(kind="exception", stage=Stage.HANDSHAKE, passed=("t5000", "z9"))
    assert echo_differences(answer, ("t5000", "z9", "r14")) == {}
    assert list(echo_differences(answer, ("t5000", "z8", "r14"))) == ["z"]
