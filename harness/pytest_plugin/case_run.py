"""One case as a test: what the fixture `run_case` does. Its result is attached to the report by case_report.py."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.errors import BoardError, FaultKind, HarnessError
from harness.explain.faults import explain_error, explain_fault
from harness.model import CaseResult, Verdict, VerdictWord
from harness.oracle.known import apply_known
from harness.pytest_plugin.case_report import BLAMED, NOT_RUN, RESULT, UNUSABLE, not_run_text
from harness.pytest_plugin.run import known_of, options_of
from harness.reports.text.failure_text import headline
from harness.reports.text.junit import junit_properties
from harness.run.board_facts import NO_TLS
from harness.system.shortages import shortage_text

if TYPE_CHECKING:
    from harness.model import Case
    from harness.pytest_plugin.fixtures import Board, RunCase

STOPPED = "stopped from outside before the harness's own time limits expired: {}"


def case_function(request: pytest.FixtureRequest) -> RunCase:
    """Return what the fixture `run_case` gives: run a case, keep its result for the report, end the test as the verdict says."""
    item: pytest.Item = request.node
    repeat: int = request.getfixturevalue("tls_repeat")
    if RESULT in item.stash:
        del item.stash[RESULT]  # of the first try, where another plugin runs a failed test again

    def run_case(board: Board, case: Case) -> CaseResult:
        __tracebackhide__ = True
        result = _result(item, board, case, repeat=repeat)
        item.stash[RESULT] = result
        item.user_properties += junit_properties(result, firmware=board.firmware)
        word = result.verdict.word
        if word is VerdictWord.UNSUPPORTED:
            pytest.skip(f"unsupported: {result.verdict.reason}")
        if word is VerdictWord.KNOWN:
            pytest.xfail(headline(result))
        if _is_repeated(item, board, result):
            pytest.skip(not_run_text(board.label))
        if word is not VerdictWord.PASS:
            pytest.fail(headline(result), pytrace=False)
        return result

    return run_case


def _is_repeated(item: pytest.Item, board: Board, result: CaseResult) -> bool:
    """Whether a test of this process has failed because of this board for this reason: that is one failure, not one per case."""
    reported = item.config.stash.setdefault(BLAMED, set())
    item.stash[NOT_RUN] = item.stash.get(UNUSABLE, False) and (board.label, result.verdict.reason) in reported
    if item.stash.get(UNUSABLE, False):
        reported.add((board.label, result.verdict.reason))
    elif result.verdict.word is VerdictWord.ERROR and (reason := board.quarantine_reason) is not None:
        reported.add((board.label, reason))  # this failure shows why the board is quarantined
    return item.stash[NOT_RUN]


def _result(item: pytest.Item, board: Board, case: Case, *, repeat: int) -> CaseResult:
    """Run the case. A machine that is out of resources and a test that pytest-timeout ends give a result too, not a traceback."""
    try:
        result = _tried(item, board, case, repeat=repeat)
    except OSError as error:
        reason = shortage_text(error)
        if reason is None:
            raise
        result = _interrupted(board, case, reason, kind=FaultKind.SERVER, repeat=repeat)
    except pytest.fail.Exception as error:
        result = _interrupted(board, case, STOPPED.format(error), kind=FaultKind.STOPPED, repeat=repeat)
    return replace(result, strangers=board.take_unexpected_peers())


def _interrupted(board: Board, case: Case, reason: str, *, kind: FaultKind, repeat: int) -> CaseResult:
    """Return the result of a case that did not finish, after recovering the board for the next one."""
    failed = _without_run(board, case, VerdictWord.ERROR, reason)
    failed = replace(failed, explanation=explain_fault(kind, reason), repeat=repeat)
    health = board.abandon(reason)
    if health is not None:
        failed = replace(failed, recovery=tuple(health.recovery), transcript=health.transcript or "")
        with contextlib.suppress(OSError):  # what ran out may be what evidence needs, and is the reason already
            return board.keep_evidence(case, failed)
    return failed


def _tried(item: pytest.Item, board: Board, case: Case, *, repeat: int) -> CaseResult:
    try:
        runner = board.runner()
    except HarnessError as error:
        item.stash[UNUSABLE] = True
        failed = _without_run(board, case, VerdictWord.ERROR, str(error))
        return replace(failed, explanation=explain_error(error), repeat=repeat)
    if not runner.board.info.has_tls:
        return replace(_without_run(board, case, VerdictWord.UNSUPPORTED, NO_TLS), repeat=repeat)
    item.stash[UNUSABLE] = runner.board.quarantine_reason is not None
    result = replace(apply_known(runner.run(case), runner.board.info, known_of(item.config)), repeat=repeat)
    if options_of(item.config).repeat > 1 and result.observation is not None:
        result = _with_memory(board, result)
    return board.keep_evidence(case, result)


def _with_memory(board: Board, result: CaseResult) -> CaseResult:
    """Add what is free on the board after the session; a line that fails here is the next case's matter."""
    with contextlib.suppress(BoardError):
        memory = board.runner().board.memory()
        largest = memory.largest if memory.idf_largest is None else memory.idf_largest
        return replace(result, largest_after=largest, idf_after=memory.idf_free)
    return result


def _without_run(board: Board, case: Case, word: VerdictWord, reason: str) -> CaseResult:
    return CaseResult(
        board=board.label,
        server=board.server_name,
        client=board.client,
        link=board.link,
        case=case.id,
        attempt=1,
        verdict=Verdict(word=word, reason=reason),
        expected=None,
        observation=None,
    )
