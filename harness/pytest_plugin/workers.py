"""Which process uses which board, and until when: workers, waiting, releasing, and the cases of a crashed worker.

Knows the hooks of pytest and pytest-xdist by name only; opens boards through the lab of the process.
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

LEFT = pytest.StashKey[dict[str, set[pytest.Item]]]()
CRASHED = "the worker process that had this board crashed"
LOST = "a worker process crashed and was not replaced"


# ----------------------------------------------------------------------------------------------- workers


def auto_workers(config: pytest.Config) -> int | None:
    """Return the number of workers for `-n auto`: one per board with `--board`; otherwise None, so pytest-xdist decides.

    Raises:
        UsageError: a value of `--board` or `--boards` is invalid.
    """
    if not config.getoption("board") or os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS"):
        return None
    return len({spec.name for spec in options_of(config).boards})


def scheduler(config: pytest.Config) -> BoardScheduling | None:
    """Return the scheduler for a run with `--board`; any other run keeps that of pytest-xdist."""
    if not config.getoption("board") or config.getoption("dist") != "load":
        return None
    from harness.pytest_plugin.scheduler import BoardScheduling

    return BoardScheduling(config, node_ids(config))


def check_dist(config: pytest.Config) -> None:
    """Refuse other values of `--dist` together with `--board`: two workers would use one board.

    Without workers the option has no effect: a pytest.ini may have it for runs with `-n`.

    Raises:
        UsageError: naming the value and what to do.
    """
    how = config.getoption("dist", "no")
    workers = config.getoption("tx", None) or config.getoption("px", None)
    if config.getoption("board") and workers and how not in ("no", "load") and not hasattr(config, "workerinput"):
        raise UsageError(
            f"--dist {how}: not possible with --board, because each board belongs to one worker; "
            "leave --dist out, or give --dist load if pytest.ini sets another value"
        )


# ----------------------------------------------------------------------------------------------- using a board


def wait_for_board(item: pytest.Item) -> None:
    """Open the board of a test before the test begins. If that fails, the lab keeps the error and the test shows it."""
    spec = _spec_of(item)
    if spec is not None and item.get_closest_marker("skip") is None:
        lab_of(item.config).open(spec)


def release_board(item: pytest.Item) -> None:
    """Close a board after its last test in this process, so that others may use it; tests may run in another order than they were found."""
    spec = _spec_of(item)
    if spec is None or LAB not in item.config.stash:
        return
    left = item.session.stash.get(LEFT, None)
    if left is None:
        left = item.session.stash[LEFT] = {}
        for test in item.session.items:
            if (other := _spec_of(test)) is not None:
                left.setdefault(other.label, set()).add(test)
    own = left.get(spec.label, set())
    own.discard(item)
    if not own:
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


def _column_of(item: pytest.Item | None) -> tuple[Any, ...] | None:
    """Return the board, the server, the client API and the network of a test that runs a case."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    names = ("tls_board_spec", "server_python", "tls_client", "tls_link")
    return tuple(map(params.get, names)) if "tls_case" in params else None


def _spec_of(item: pytest.Item) -> BoardSpec | None:
    """Return the board that a test is parametrised with."""
    spec: BoardSpec | None = getattr(getattr(item, "callspec", None), "params", {}).get("tls_board_spec")
    return spec


# ----------------------------------------------------------------------------------------------- crashes


def crash_result(nodeid: str, config: pytest.Config, *, reason: str) -> dict[str, Any] | None:
    """Return what the report of a case carries that a crashed worker did not finish: `error`. None if the test is not a case."""
    from harness.model import CaseResult, ClientApi, Verdict, VerdictWord
    from harness.reports.record.cells import evidence
    from harness.reports.record.run_record import result_entry

    found = node_ids(config).find(nodeid)
    if found is None or not found[0].case:
        return None
    cell, repeat = found
    result = CaseResult(
        board=cell.board,
        server=cell.server,
        client=ClientApi(cell.client),
        link=cell.link,
        case=cell.case,
        repeat=repeat,
        attempt=1,
        verdict=Verdict(word=VerdictWord.ERROR, reason=reason),
        expected=None,
        observation=None,
    )
    entry = result_entry(result)
    return {"result": entry.as_json(), "line": evidence(entry)}


class Crashes:
    """Records in the controller which workers crashed, and reports the cases that no worker ran because of that.

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
        """Record which tests there are."""
        self._all = self._all or tuple(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> None:
        """Record which tests have been reported."""
        self._done.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Record a crash; a worker may also crash between two tests and before its first."""
        self._crashed = self._crashed or error is not None

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem: str, report: Any) -> None:
        """Make a result of the case in which a worker crashed, so that the run record has it."""
        reason = f"{CRASHED} in this case"
        data = crash_result(crashitem, self.config, reason=reason)
        if data is not None:
            _complete(report, data, reason)

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Any:
        """After a crash, report each test that no worker ran as `error`, unless the run was stopped."""
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
