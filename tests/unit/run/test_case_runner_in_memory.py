"""The case runner with invented handshakes, rulings and faults: what is retried, asked, explained and remembered."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.boards.agent.protocol import Answer, AnswerKind
from harness.errors import BoardError, ServerError
from harness.expectations.builders import connected, refused
from harness.model import (
    BoardInfo,
    Case,
    ClientApi,
    ClientFailure,
    ClientPlan,
    Explanation,
    HelloFacts,
    Observation,
    Outcome,
    ServerProfile,
    ServerReport,
    Stage,
    Tier,
    Verdict,
    VerdictWord,
)
from harness.oracle.earned import Ruling
from harness.run import case_runner
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake

MEMORY = ClientFailure(
    type="OSError", args=(12,), number=12, flags=None, name="MBEDTLS_ERR_SSL_ALLOC_FAILED", stage=Stage.HANDSHAKE
)
SESSION, REFUSAL = connected(), refused(by="client", client=-1, alert=48)


def case(**changes):
    """A case of which only the name and the expectation matter."""
    words = {"title": "", "description": "", "tier": Tier.SMOKE, "server": ServerProfile(), "client": ClientPlan()}
    return Case(**{"id": "own/case", "expect": SESSION, **words, **changes})


def handshake(outcome=Outcome.CONNECTED, *, client=None, stage=None, free=50_000):
    """A handshake with this outcome."""
    seen = Observation(outcome=outcome, stage=stage, ended_by=None, server=None, client=client, free_before=free)
    answer = Answer(kind=AnswerKind.EXCEPTION if client else AnswerKind.RESULT, stage=stage)
    report = ServerReport(facts=None, failure=None, accepted=stage is not Stage.CONNECT)
    return Handshake(observation=seen, report=report, answer=answer)


class Bench:
    """A runner that is given its handshakes in turn; an error is raised. `log` lists what was done."""

    def __init__(self, monkeypatch, *turns, ruling=VerdictWord.PASS, expected=SESSION, retries=0):
        self.log, self.turns = [], list(turns)
        self.board = SimpleNamespace(
            quarantine_reason=None, spec=SimpleNamespace(label="b"), info=BoardInfo(), info_in_use=BoardInfo,
            begin_case=lambda: self.log.append("begin"), transcript=lambda: "of the case", notes=[],
            memory=lambda: self.log.append("memory"),
        )  # fmt: skip
        server = SimpleNamespace(cancel=lambda: None, describe=dict)
        self.runner = CaseRunner(
            self.board, server, server_label="s", certificates=None, addresses=None, link_retries=retries
        )
        self.runner.health = SimpleNamespace(
            begin=lambda _case: None, end=lambda _faults: None, recover=self.recover, recovery=[], transcript="of the fault",
            check_healthy=lambda _when: None, was_healthy=None,
        )  # fmt: skip
        monkeypatch.setattr(self.runner.handshakes, "attempt", self.attempt)
        monkeypatch.setattr(case_runner, "memory_text", lambda _memory: "some")
        monkeypatch.setattr(case_runner, "explain", lambda *_words, **_more: Explanation(rule="a/b", title="why"))
        found = Ruling(expected=expected, verdict=Verdict(word=ruling))
        monkeypatch.setattr(case_runner, "rule", lambda *_words, **_more: found)

    def attempt(self, _profile, plan, *, api=None, within=None):
        """Give the next handshake."""
        self.log.append(plan.server_hostname)
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def recover(self, fault):
        """A board that stops answering after the second fault."""
        self.log.append("recover")
        if "for good" in fault.message:
            self.board.quarantine_reason = "quarantined"


def test_a_quarantined_board_is_not_tried_again(monkeypatch):
    """However many retries there are."""
    bench = Bench(monkeypatch, BoardError("gone"), BoardError("gone for good"), handshake(), retries=5)
    result = bench.runner.run(case())
    assert (result.verdict.word, result.verdict.reason, result.attempt) == (VerdictWord.ERROR, "gone for good", 2)


def test_each_attempt_begins_its_own_case(monkeypatch):
    """The transcript and the measurements of a second attempt are its own; a fault of the server recovers no board."""
    bench = Bench(monkeypatch, ServerError("no port"), BoardError("gone"), handshake(), retries=2)
    result = bench.runner.run(case())
    assert (result.attempt, result.link_errors) == (3, ("no port", "gone"))
    assert bench.log == ["begin", "tls.test", "begin", "tls.test", "recover", "begin", "tls.test"]
    assert result.transcript == "of the case"


def test_an_error_has_the_transcript_of_its_fault(monkeypatch):
    """Only an error: the serial line of a result is the case's own."""
    assert Bench(monkeypatch, BoardError("gone")).runner.run(case()).transcript == "of the fault"


def test_a_case_that_must_not_reach_the_server(monkeypatch):
    """No connection is what it expects, so it is judged; of any other case it is a fault of the network."""
    lost = handshake(Outcome.REFUSED, stage=Stage.CONNECT, client=MEMORY)
    expected = refused(by="client", stage="connect", client=12)
    assert Bench(monkeypatch, lost).runner.run(case(expect=expected)).verdict.word is VerdictWord.PASS
    monkeypatch.setattr(case_runner, "unreachable_text", lambda *_words, **_more: "cannot reach")
    assert Bench(monkeypatch, lost).runner.run(case()).verdict.reason == "cannot reach"


CONTROL = case(id="own/control", client=ClientPlan(server_hostname="control"))


@pytest.mark.parametrize(
    ("ruling", "expected", "asked"),
    [
        (VerdictWord.PASS, REFUSAL, True),
        (VerdictWord.PASS, refused(by="client", stage="config", client_type="ValueError"), False),
        (VerdictWord.PASS, SESSION, False),
        (VerdictWord.FAIL, REFUSAL, False),
        (VerdictWord.INSECURE, REFUSAL, False),
    ],
)
def test_when_a_control_is_asked(monkeypatch, ruling, expected, asked):
    """Only for a refusal in the handshake that is as expected: nothing else could be a lack of memory taken for a verdict."""
    monkeypatch.setattr(case_runner, "find_case", {CONTROL.id: CONTROL}.__getitem__)
    bench = Bench(monkeypatch, handshake(Outcome.REFUSED), handshake(), ruling=ruling, expected=expected)
    bench.runner.run(case(expect=expected, positive_control=CONTROL.id))
    assert ("control" in bench.log) is asked


@pytest.mark.parametrize(("ruling", "asked"), [(VerdictWord.PASS, False), (VerdictWord.FAIL, True)])
def test_only_a_session_as_expected_is_a_control(monkeypatch, ruling, asked):
    """A session that was not as expected vouches for no other case."""
    monkeypatch.setattr(case_runner, "find_case", {CONTROL.id: CONTROL}.__getitem__)
    bench = Bench(monkeypatch, handshake(), ruling=ruling)
    bench.runner.run(CONTROL)
    bench.turns, bench.log = [handshake(Outcome.REFUSED), handshake()], []
    found = Ruling(expected=REFUSAL, verdict=Verdict(word=VerdictWord.PASS))
    monkeypatch.setattr(case_runner, "rule", lambda *_words, **_more: found)
    bench.runner.run(case(expect=REFUSAL, positive_control=CONTROL.id))
    assert ("control" in bench.log) is asked


@pytest.mark.parametrize(
    ("ruling", "word"), [(VerdictWord.FAIL, VerdictWord.UNSUPPORTED), (VerdictWord.PASS, VerdictWord.PASS)]
)
def test_a_lack_of_memory(monkeypatch, ruling, word):
    """It excuses a failure, and leaves a result that is as expected alone."""
    bench = Bench(monkeypatch, handshake(Outcome.REFUSED, client=MEMORY), ruling=ruling, expected=REFUSAL)
    result = bench.runner.run(case(expect=REFUSAL))
    assert (result.verdict.word, "memory" in bench.log) == (word, word is VerdictWord.UNSUPPORTED)


@pytest.mark.parametrize(
    ("outcome", "ruling", "explained"),
    [
        (Outcome.CONNECTED, VerdictWord.PASS, False),
        (Outcome.CONNECTED, VerdictWord.FAIL, False),
        (Outcome.CONNECTED, VerdictWord.INSECURE, True),
        (Outcome.REFUSED, VerdictWord.PASS, True),
    ],
)
def test_what_is_explained(monkeypatch, outcome, ruling, explained):
    """Each refusal, and a session that must not have been."""
    result = Bench(monkeypatch, handshake(outcome), ruling=ruling).runner.run(case())
    assert (result.explanation is not None) is explained


def test_the_reason_of_an_error_is_the_fault_that_ended_it(monkeypatch):
    """Not an earlier fault that a retry got over."""
    bench = Bench(monkeypatch, BoardError("first"), handshake(Outcome.HUNG), retries=1)

    def sick(_when):
        raise BoardError("second for good")

    bench.runner.health.check_healthy = sick
    result = bench.runner.run(case())
    assert (result.verdict.word, result.attempt) == (VerdictWord.ERROR, 2)
    assert result.verdict.reason == "the baseline handshake after the case failed: second for good"


@pytest.mark.parametrize("outcome", [Outcome.CONNECTED, Outcome.REFUSED])
def test_the_baseline_handshake_tells_whether_a_board_is_healthy(monkeypatch, outcome):
    """A board that does not complete it at first has a note, and is not asked again after each case."""
    bench = Bench(monkeypatch, handshake(outcome))
    bench.runner.baseline_handshake()
    assert bench.runner.health.was_healthy is (outcome is Outcome.CONNECTED)
    assert len(bench.board.notes) == (outcome is not Outcome.CONNECTED)


def test_the_board_is_asked_before_the_ruling(monkeypatch):
    """What the expectation depends on is learned first; a fault of the board there is an error of the case."""
    bench = Bench(monkeypatch, handshake(), handshake())
    ruled = case_runner.rule
    monkeypatch.setattr(case_runner, "learn_what_decides", lambda *_words: bench.log.append("asked"))
    monkeypatch.setattr(case_runner, "rule", lambda *words, **more: bench.log.append("ruled") or ruled(*words, **more))
    assert bench.runner.run(case()).verdict.word is VerdictWord.PASS
    assert bench.log == ["begin", "tls.test", "asked", "ruled"]

    def gone(*_words):
        raise BoardError("gone")

    monkeypatch.setattr(case_runner, "learn_what_decides", gone)
    result = bench.runner.run(case())
    step = "the handshake that shows how this firmware refuses"
    assert (result.verdict.word, result.verdict.reason) == (VerdictWord.ERROR, f"{step} failed: gone")


@pytest.mark.parametrize(("offered", "name"), [("c02b", "tls.test"), ("003d", "rsa")])
def test_the_board_decides_the_form(monkeypatch, offered, name):
    """Firmware that offers ECDHE_ECDSA gets the case itself; other firmware its form with an RSA key, under the same id."""
    bench = Bench(monkeypatch, handshake())
    bench.board.info = BoardInfo(
        hello=HelloFacts(
            record_version="0303", versions=("0303",), suites=(offered,), groups=(), signature_algorithms=(), extensions=(), sni=None
        )
    )  # fmt: skip
    result = bench.runner.run(case(without_ecdsa=case(client=ClientPlan(server_hostname="rsa"))))
    assert (bench.log, result.case) == (["begin", name], "own/case")


def test_a_program_is_not_run_through_an_api_of_ours(monkeypatch):
    """A program has a client of its own, so that `--client asyncio` says nothing about it; with the default it is run."""
    program = case()
    program = replace(program, client=replace(program.client, program="requests"))
    bench = Bench(monkeypatch, handshake())
    bench.runner.client = ClientApi.ASYNCIO
    result = bench.runner.run(program)
    assert (result.verdict.word, result.verdict.reason) == (
        VerdictWord.UNSUPPORTED, "requests chooses its own API",
    )  # fmt: skip
    assert result.client is ClientApi.ASYNCIO
    assert bench.turns
    bench.runner.client = ClientApi.SOCKET
    assert bench.runner.run(program).observation is not None
