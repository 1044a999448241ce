"""What pytest's report of a test carries: the case's result as JSON, and a failure as text instead of a traceback.

Reports of tests without a board pass through here too, so everything that costs time is imported where it is used.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardError, HarnessError, ServerError
from harness.pytest_plugin.rerun import rerun_command
from harness.pytest_plugin.run import CONNECTIONS, LAB, artifacts_folder, connections_of, lab_of, options_of

if TYPE_CHECKING:
    from harness.model import CaseResult

RESULT = pytest.StashKey["CaseResult"]()
UNUSABLE = pytest.StashKey[bool]()
NOT_RUN = pytest.StashKey[bool]()
REPORTED = pytest.StashKey[set[str]]()
# The boards that cannot be used, with the reason: a test of this process has failed because of it.
BLAMED = pytest.StashKey[set[tuple[str, str | None]]]()
SHOWN_TRANSCRIPT = 4000
OWN_TEST = "A test of your own suite."
# Code that is not the user's own: this package, and what is installed in an environment inside the user's folder.
PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED = {"site-packages", "dist-packages"}


def complete_report(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Attach the case's result to the report as JSON, which travels to the xdist controller, and make failures readable."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, HarnessError) and report.failed:
        from harness.reports.record.plain import plain

        board = _failed_before(item, error)
        if board is not None:
            _leave_out(report, item, board)
            return
        is_fault = isinstance(error, BoardError | ServerError)
        report.tls_fault = is_fault  # type: ignore[attr-defined] # as `tls` below; the exit code depends on it
        report.longrepr = plain(f"error: {error}" if is_fault else f"{_place(item, call)}{error}")
        if isinstance(error, BoardError) and error.transcript:
            report.sections.append(("serial transcript", plain(error.transcript[-SHOWN_TRANSCRIPT:])))
    if CONNECTIONS in item.config.stash and (rows := _own(item, call, report)):
        report.tls_own = rows  # type: ignore[attr-defined] # as `tls` below
    result = item.stash.get(RESULT, None)
    if call.when != "call" or result is None:
        return
    from harness.pytest_plugin.attachments import attach
    from harness.reports.record.cells import evidence
    from harness.reports.record.host import utc
    from harness.reports.record.plain import plain
    from harness.reports.record.run_record import result_entry
    from harness.reports.text.failure_text import failure_block, headline, unusable_block

    attach(item.config, result, folder=artifacts_folder(item.config))
    rerun = rerun_command(item, boards=len(options_of(item.config).boards))
    entry = result_entry(result, at=utc(time.time()), rerun=rerun)
    unusable, not_run = item.stash.get(UNUSABLE, False), item.stash.get(NOT_RUN, False)
    report.tls_not_run = not_run  # type: ignore[attr-defined] # as `tls`
    report.tls = {  # type: ignore[attr-defined] # a plain attribute is what pytest-xdist carries over
        "result": entry.as_json(),
        "line": evidence(entry),
        "unusable": unusable,
        "not_run": not_run,
        **_described(item, result),
    }
    if report.skipped and not hasattr(report, "wasxfail"):
        # pytest would name a line of this package; the reader needs the case. pytest counts those that have the same text.
        text = str(error) if not_run else f"{result.case}: {headline(result, limit=200)}"
        report.longrepr = (str(item.path), item.location[1] or 0, text)
    if report.failed and isinstance(error, pytest.fail.Exception):
        report.longrepr = unusable_block(result) if unusable else failure_block(result, rerun=rerun)
        if result.transcript:
            report.sections.append(("serial transcript", plain(result.transcript[-SHOWN_TRANSCRIPT:])))


def forget(item: pytest.Item) -> None:
    """Drop a finished test's result: its report has had it, and pytest keeps every test until the end of the run."""
    if RESULT in item.stash:
        del item.stash[RESULT]


def shown_part(data: dict[str, Any]) -> dict[str, Any]:
    """Return what pytest's summary shows of `report.tls`: pytest keeps every report until the end of the run, the record has the rest."""
    result = {name: data["result"][name] for name in ("case", "verdict", "reason")}
    return {"result": result, "line": data["line"], "not_run": data.get("not_run", False)}


def _own(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> list[dict[str, Any]]:
    """Return the results of the connections that the test made in this phase, as JSON, each with its case."""
    from harness.pytest_plugin.attachments import attach
    from harness.pytest_plugin.connections import own_results
    from harness.reports.record.cells import evidence
    from harness.reports.record.host import utc
    from harness.reports.record.plain import one_line
    from harness.reports.record.run_record import case_entry, result_entry

    made = connections_of(item.config).take()
    if not made:
        return []
    failed = one_line(str(call.excinfo.value)) if report.failed and call.excinfo is not None else None
    runner = made[0].runner
    own = (runner.board.spec.label, runner.server_label, runner.client, runner.link_name)
    found = own_results(
        made,
        test=own_name(item.nodeid, without=own),
        description=inspect.getdoc(getattr(item, "obj", None)) or OWN_TEST,
        failed=failed,
        folder=artifacts_folder(item.config),
        keep_wire=item.config.getoption("keep_wire"),
    )
    rerun = rerun_command(item, boards=len(options_of(item.config).boards))
    rows = []
    for case, result in found:
        attach(item.config, result, folder=artifacts_folder(item.config))
        entry = result_entry(result, at=utc(time.time()), rerun=rerun)
        described = _described(item, result)
        rows.append(
            {"result": entry.as_json(), "case": case_entry(case).as_json(), "line": evidence(entry), **described}
        )
    return rows


def own_name(nodeid: str, *, without: Collection[str]) -> str:
    """Return a test's id without its board and other axes: `test_mine.py::test_it[unix-ec]` -> `test_mine.py::test_it[ec]`.

    Args:
        nodeid: of the test.
        without: the names of board, server, client API and network, which the result has anyway.
    """
    name, bracket, rest = nodeid.partition("[")
    inside = f"-{rest.removesuffix(']')}-"
    for word in filter(None, without):
        inside = inside.replace(f"-{word}-", "-", 1)
    inside = inside.strip("-")
    return f"{name}[{inside}]" if bracket and inside else name


def _place(item: pytest.Item, call: pytest.CallInfo[Any]) -> str:
    """Return the file and the line of the user's own code that made the mistake, as `test_mine.py:12: `; nothing if it is none of it."""
    root = item.config.rootpath
    own = [
        entry
        for entry in (call.excinfo.traceback if call.excinfo is not None else ())
        if Path(entry.path).is_relative_to(root)
        and not Path(entry.path).is_relative_to(PACKAGE)
        and not set(Path(entry.path).relative_to(root).parts) & INSTALLED
    ]
    return f"{Path(own[-1].path).relative_to(root).as_posix()}:{own[-1].lineno + 1}: " if own else ""


def not_run_text(board: str) -> str:
    """Return why a test did not run, if another one has failed because its board cannot be used."""
    from harness.reports.text.terminal import unusable_text

    return f"not run: {unusable_text(board)}"


def _failed_before(item: pytest.Item, error: HarnessError) -> str | None:
    """Return the board that cannot be used because of this error, if another test has failed for it: that is one failure, not many."""
    lab = item.config.stash.get(LAB, None)
    if lab is None:
        return None
    blamed = item.config.stash.setdefault(BLAMED, set())
    board = lab.unusable_because(error)
    if (board, str(error)) in blamed:
        return board
    # This failure shows why a board cannot be used, also if it is quarantined from now on.
    quarantined = ((entry.spec.label, entry.session.quarantine_reason) for entry in lab.boards() if entry.session)
    blamed.update((label, reason) for label, reason in ((board, str(error)), *quarantined) if label and reason)
    return None


def _leave_out(report: pytest.TestReport, item: pytest.Item, board: str) -> None:
    """Make the report of a failed test one of a test that was skipped."""
    report.outcome = "skipped"
    report.longrepr = (str(item.path), item.location[1] or 0, not_run_text(board))
    report.tls_not_run = True  # type: ignore[attr-defined] # as `tls`


def _described(item: pytest.Item, result: CaseResult) -> dict[str, Any]:
    """Say who the board is; describe it and the server if this process has not done so yet, and the board again for new notes."""
    from harness.boards.agent.same_board import identity_of
    from harness.reports.record.run_record import board_entry

    lab, reported = lab_of(item.config), item.config.stash.setdefault(REPORTED, set())
    found: dict[str, Any] = {}
    board = next((entry for entry in lab.boards() if entry.spec.label == result.board), None)
    if board is not None:
        found["identity"] = identity_of(board.info) if board.info else None
        notes = board.session.notes if board.session else ()
        mention = f"board {result.board} {len(notes)}"
        if mention not in reported:
            reported.add(mention)
            error = str(board.error) if board.error else None
            found["board"] = board_entry(board.spec, board.info, error=error, notes=notes).as_json()
    if f"server {result.server}" not in reported and result.observation is not None:
        reported.add(f"server {result.server}")
        found["server"] = lab.describe_server(result.server)
    return found
