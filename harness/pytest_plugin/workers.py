"""Which process has which board, and until when: workers, waiting, giving back, and what a crashed worker leaves behind.

Knows pytest's and pytest-xdist's hooks by their names only; opens boards through the lab of the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.case_report import RESULT
from harness.pytest_plugin.run import LAB, lab_of, node_ids, options_of

if TYPE_CHECKING:
    from harness.model import BoardSpec
    from harness.pytest_plugin.scheduler import BoardScheduling

LAST = pytest.StashKey[dict[str, pytest.Item]]()
CRASHED = "the worker process that had this board crashed"
LOST = "a worker process crashed, and none took its place"


# ----------------------------------------------------------------------------------------------- workers


def auto_workers(config: pytest.Config) -> int | None:
    """How many workers `-n auto` means: as many as boards, if boards were asked for; else pytest-xdist decides.

    Raises:
        UsageError: the boards are not what they must be.
    """
    if not config.getoption("board") or os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return len(options_of(config).boards)


def scheduler(config: pytest.Config) -> BoardScheduling | None:
    """The scheduler of a run in which boards were asked for; the others keep that of pytest-xdist."""
    if not config.getoption("board") or config.getoption("dist") != "load":
        return None
    from harness.pytest_plugin.scheduler import BoardScheduling

    return BoardScheduling(config, node_ids(config))


def check_dist(config: pytest.Config) -> None:
    """Refuse another way to distribute tests where boards were asked for: two workers would want one board.

    Without workers the option says nothing: many a pytest.ini has it for those who give `-n`.

    Raises:
        UsageError: naming the way and what to do.
    """
    how = config.getoption("dist", "no")
    workers = config.getoption("tx", None) or config.getoption("px", None)
    if config.getoption("board") and workers and how not in ("no", "load") and not hasattr(config, "workerinput"):
        raise UsageError(
            f"--dist {how}: with --board each board has one worker, whatever the tests' files and groups; "
            "leave --dist out, or give --dist load where pytest.ini says otherwise"
        )


# ----------------------------------------------------------------------------------------------- having a board


def wait_for_board(item: pytest.Item) -> None:
    """Open the board of a test before the test begins; what goes wrong is remembered and shown by the test."""
    spec = _spec_of(item)
    if spec is not None and item.get_closest_marker("skip") is None:
        lab_of(item.config).open(spec)


def release_board(item: pytest.Item) -> None:
    """After a board's last test in this process: others may have it from now on."""
    spec = _spec_of(item)
    if spec is None or LAB not in item.config.stash:
        return
    last = item.session.stash.get(LAST, None)
    if last is None:
        last = item.session.stash[LAST] = {
            other.label: test for test in item.session.items if (other := _spec_of(test)) is not None
        }
    if last.get(spec.label) is item:
        lab_of(item.config).release(spec)


def check_board(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After a board's last case in this process, check that it still completes the baseline handshake.

    Raises:
        BoardError: it does not, so the results of the last cases are in doubt.
    """
    board = getattr(item, "funcargs", {}).get("board")
    if RESULT not in item.stash or board is None or _column_of(item) == _column_of(nextitem):
        return
    runner = board.tried_runner()
    if runner is not None:
        runner.health.check_healthy("at the end of the run")


def _column_of(item: pytest.Item | None) -> tuple[Any, Any] | None:
    """The board and the server of a test."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return (params.get("tls_board_spec"), params.get("server_python")) if "tls_case" in params else None


def _spec_of(item: pytest.Item) -> BoardSpec | None:
    """The board that a test is parametrised with."""
    spec: BoardSpec | None = getattr(getattr(item, "callspec", None), "params", {}).get("tls_board_spec")
    return spec


# ----------------------------------------------------------------------------------------------- crashes


def crash_result(nodeid: str, config: pytest.Config, *, reason: str) -> dict[str, Any] | None:
    """What a report carries of a case that a crashed worker did not finish: `error`, never nothing."""
    from harness.model import CaseResult, Verdict, VerdictWord
    from harness.reports.record.run_record import result_json
    from harness.reports.text.failure_text import short_evidence

    found = node_ids(config).find(nodeid)
    if found is None or not found[0].case:
        return None
    cell, repeat = found
    result = CaseResult(
        board=cell.board,
        server=cell.server,
        case=cell.case,
        repeat=repeat,
        attempt=1,
        verdict=Verdict(word=VerdictWord.ERROR, reason=reason),
        expected=None,
        observation=None,
    )
    return {"result": result_json(result), "line": short_evidence(result)}


class Crashes:
    """The controller's record of workers that crashed, and of what nobody ran because of them.

    Args:
        config: of the run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self._all: tuple[str, ...] = ()
        self._done: set[str] = set()
        self._crashed = False

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: Iterable[str]) -> None:
        """Know which tests there are."""
        self._all = self._all or tuple(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Know which tests have said something."""
        self._done.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """A worker may crash between two tests, too, and before its first."""
        self._crashed = self._crashed or error is not None

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """The test in which a worker crashed is a result, too: the run file must have it."""
        reason = f"{CRASHED} in this case"
        data = crash_result(crashitem, self.config, reason=reason)
        if data is not None:
            _complete(report, data, reason)

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Any:
        """At the end: what nobody ran because a worker crashed is `error`, unless somebody stopped the run."""
        result = yield
        if self._crashed and not session.shouldstop:
            for nodeid in self._all:
                if nodeid not in self._done:
                    self._report_lost(nodeid)
        return result

    def _report_lost(self, nodeid: str) -> None:
        path = nodeid.partition("::")[0]
        report: Any = pytest.TestReport(
            nodeid=nodeid, location=(path, None, path), keywords={}, outcome="failed", longrepr="", when="call"
        )
        _complete(report, crash_result(nodeid, self.config, reason=LOST), LOST)
        self.config.hook.pytest_runtest_logreport(report=report)


def _complete(report: Any, data: dict[str, Any] | None, reason: str) -> None:
    report.tls = data
    report.when = "call"
    report.longrepr = f"error: {reason}"
