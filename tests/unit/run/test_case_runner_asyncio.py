"""CaseRunner through asyncio, on the virtual board: what a hang and a fault leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cases import find_case, select
from harness.errors import BoardError
from harness.model import Case, ClientApi, ClientPlan, Outcome, ServerProfile, StepResult, Tier, VerdictWord
from harness.system.deadline import Deadline

PAGE = Path(__file__).parents[3] / "docs" / "asyncio.md"
REASONS = {
    "name": "asyncio.open_connection() always sends a server name",
    "close": "asyncio has no handshake without a write or read",
}


@pytest.fixture
def runner(new_lab, spec):
    """A runner that connects through asyncio."""
    return new_lab().runner(spec, "in-process", client=ClientApi.ASYNCIO)


def test_a_fault_in_the_event_loop(runner):
    """A board that hangs in asyncio is interrupted like any other, and the next case runs through asyncio again."""
    silent = ServerProfile(behaviour={"name": "not-tls.silent"})
    with pytest.raises(BoardError) as caught:
        runner.handshakes.attempt(silent, ClientPlan(timeout_s=60.0), api=ClientApi.ASYNCIO, within=Deadline(1.0))
    runner.server.cancel()
    steps = runner.board.recover(because=str(caught.value))
    assert steps[-1].result == StepResult.HELPED, steps
    result = runner.run(find_case("seed/ecdsa-key-connects"))
    assert (result.verdict.word, result.client) == (VerdictWord.PASS, ClientApi.ASYNCIO)
    assert runner.last is not None
    assert runner.last.answer is not None
    assert "y1" in runner.last.answer.passed


@pytest.mark.parametrize("name", ["timing/silent-server", "timing/no-answer"])
def test_a_hang_is_expected_as_asyncio_raises_it(runner, name):
    """In the handshake and after it, with and without a TLS server: hung like through a socket, by the time-out of asyncio."""
    result = runner.run(find_case(name))
    assert (result.verdict.word, result.verdict.mismatches) == (VerdictWord.PASS, ())
    assert result.observation is not None
    assert result.observation.outcome is Outcome.HUNG
    assert result.observation.client is not None
    assert result.observation.client.type == "TimeoutError"


def untried(case: Case) -> str | None:
    """Why asyncio cannot run a case, whatever the board."""
    if case.client.close_first:
        return REASONS["close"]
    return REASONS["name"] if case.client.server_hostname is None else None


def test_the_page_lists_what_asyncio_cannot_run(runner):
    """docs/asyncio.md has each case and its reason, and the board says the same of each."""
    expected = {case.id: reason for case in select(Tier.FULL) if (reason := untried(case)) is not None}
    _text, _head, table = PAGE.read_text(encoding="utf-8").partition("| case | reason |\n|---|---|\n")
    rows = dict(line.strip("| ").split(" | ") for line in table.splitlines() if line)
    assert {name.strip("`"): reason for name, reason in rows.items()} == expected
    for name, reason in expected.items():
        verdict = runner.run(find_case(name)).verdict
        assert (name, verdict.word, verdict.reason) == (name, VerdictWord.UNSUPPORTED, reason)


def test_nearly_every_case_runs():
    """Fewer than one case in fifty of the core set is left out."""
    cases = select(Tier.CORE)
    assert sum(untried(case) is not None for case in cases) * 50 < len(cases)
