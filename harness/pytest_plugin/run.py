"""What the plugin's hooks do: one lab per process, tests multiplied by boards and cases, results onto reports.

Knows pytest's public API and the stages; holds its state in `config.stash`. Whatever opens or needs a board, a server or a key is
imported by the function that uses it: a suite that asks for nothing pays nothing.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import BoardError, FaultKind, HarnessError, ServerError
from harness.pytest_plugin.interrupts import end_on_signals
from harness.pytest_plugin.options import (
    any_given,
    check_amount,
    check_distinct,
    check_outputs,
    check_set,
    run_options,
    server_names,
)
from harness.pytest_plugin.rerun import rerun_command

if TYPE_CHECKING:
    from harness.model import BoardSpec, Case, CaseResult
    from harness.oracle.known import Deviation
    from harness.pytest_plugin.fixtures import Board, RunCase
    from harness.pytest_plugin.node_ids import NodeIds
    from harness.run.board_facts import NO_TLS
    from harness.run.lab import Lab
from harness.run.options import RunOptions

RUN = pytest.StashKey["RunOptions"]()
LAB = pytest.StashKey["Lab"]()
RESULT = pytest.StashKey["CaseResult"]()
UNUSABLE = pytest.StashKey[bool]()
KNOWN = pytest.StashKey["tuple[Deviation, ...]"]()
IDS = pytest.StashKey["NodeIds"]()
SAID = pytest.StashKey[set[str]]()
WORKER_NAMES = "tls_harness_server_names"
# As harness.oracle.known.DEFAULT_FILE, which is not imported where nobody has such a file.
KNOWN_FILE = "known_deviations.toml"
SHOWN_TRANSCRIPT = 4000
STOPPED = "ended from outside before the harness's own time limits were over: {}"


# ----------------------------------------------------------------------------------------------- options


def configure(config: pytest.Config) -> None:
    """Check the options; in the controlling process also start the interpreters of `--server`.

    Raises:
        UsageError: naming the option, the value and what is accepted.
    """
    check_set(config.getoption("cases"))
    worker = hasattr(config, "workerinput")
    if config.getoption("known") is not None or (config.rootpath / KNOWN_FILE).exists():
        known_of(config)  # now: raised while tests are collected it would be an error of the tests, with a traceback
    if any_given(config):
        options = options_of(config)
        check_amount(options, config.getoption("cases"))
        check_outputs(config.getoption("artifacts"), reports=config.getoption("compat_report"))
        if not worker:
            check_distinct(options.boards)
        if options.servers and not worker:
            _name_servers(config, options)


def options_of(config: pytest.Config) -> RunOptions:
    """The options of this run that concern boards and servers, read once.

    Raises:
        UsageError: as `run_options`.
    """
    if RUN not in config.stash:
        import dataclasses

        options = run_options(config)
        names = getattr(config, "workerinput", {}).get(WORKER_NAMES, {})
        config.stash[RUN] = dataclasses.replace(options, server_names=names)
    return config.stash[RUN]


def _name_servers(config: pytest.Config, options: RunOptions) -> None:
    """Start each interpreter of `--server` now, so that a wrong one is wrong usage, and name it by its version."""
    import dataclasses

    lab = lab_of(config)
    versions = {server: str(lab.server(server).describe()["python"]) for server in options.servers}
    lab.options = config.stash[RUN] = dataclasses.replace(options, server_names=server_names(versions))


def worker_input(config: pytest.Config) -> Mapping[str, Any]:
    """What pytest-xdist's workers cannot find out for less: the names of the servers."""
    return {WORKER_NAMES: dict(options_of(config).server_names)} if any_given(config) else {}


def lab_of(config: pytest.Config) -> Lab:
    """The lab of this process, made at its first use and closed with the session."""
    if LAB not in config.stash:
        from harness.run.lab import Lab

        lab = config.stash[LAB] = Lab(options_of(config))
        lab.tell = functools.partial(_tell, config)
        if hasattr(config, "workerinput"):
            from harness.boards.locks.board_lock import introduce

            introduce([str(word) for word in config.workerinput.get("mainargv", ())])
        end_on_signals(config)  # first: what is cleaned up last still holds while the lab closes
        config.add_cleanup(lab.close)
    return config.stash[LAB]


def _tell(config: pytest.Config, text: str) -> None:
    """Say something at once, through pytest's capture; a worker's standard error is that of the run."""
    from harness.reports.record.plain import one_line

    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        print(f"\n{one_line(text)}", file=sys.stderr, flush=True)  # noqa: T201


def board_of(config: pytest.Config, spec: BoardSpec | None, server_python: str) -> Board:
    """The `board` fixture: a board by spec, or the first of the run for a test that pytest did not parametrise."""
    from harness.pytest_plugin.fixtures import Board

    return Board(
        lab_of(config),
        spec or options_of(config).boards[0],
        server_python,
        artifacts=artifacts_folder(config),
        keep_wire=config.getoption("keep_wire"),
    )


def known_of(config: pytest.Config) -> tuple[Deviation, ...]:
    """The known deviations of this run.

    Raises:
        UsageError: the list is wrong or stale.
    """
    if KNOWN not in config.stash:
        from harness.cases import all_cases
        from harness.oracle.known import read_known

        ids = [case.id for case in all_cases()]
        config.stash[KNOWN] = read_known(config.getoption("known"), folder=config.rootpath, case_ids=ids)
    return config.stash[KNOWN]


def node_ids(config: pytest.Config) -> NodeIds:
    """The test ids of this run: from an id to its cell.

    Raises:
        UsageError: as `run_options`.
    """
    if IDS not in config.stash:
        from harness.cases import select
        from harness.pytest_plugin.node_ids import Axes, NodeIds

        options = options_of(config)
        axes = Axes(
            boards=[board.label for board in options.boards],
            servers=[options.server_name(server) for server in options.servers],
            cases=[case.id for case in select(config.getoption("cases"))],
            repeat=options.repeat,
        )
        config.stash[IDS] = NodeIds(axes)
    return config.stash[IDS]


def artifacts_folder(config: pytest.Config) -> Path:
    """Where run.json, the journal and evidence go: `--artifacts`, else `.compat` where pytest was started."""
    from harness.reports.record.journal import DEFAULT_ARTIFACTS

    return config.invocation_params.dir / (config.getoption("artifacts") or DEFAULT_ARTIFACTS)


# ----------------------------------------------------------------------------------------------- tests


def generate(metafunc: pytest.Metafunc) -> None:
    """Parametrise a test that takes our `board`, `server_python` or `tls_case`; the id reads BOARD-SERVER-topic/case."""
    names = set(metafunc.fixturenames)
    if not names & {"tls_board_spec", "server_python", "tls_case"}:
        return
    options = options_of(metafunc.config)
    if "tls_board_spec" in names:
        labels = [board.label for board in options.boards]
        metafunc.parametrize("tls_board_spec", options.boards, ids=labels, indirect=True, scope="session")
    if "server_python" in names and options.servers:
        labels = [options.server_name(server) for server in options.servers]
        metafunc.parametrize("server_python", options.servers, ids=labels, indirect=True, scope="session")
    if "tls_repeat" in names and options.repeat > 1:
        # Outside the cases: the whole set again and again meets more (what one case leaves to the next, a board that warms up,
        # an access point that drops it after an hour) than the same case many times in a row.
        from harness.pytest_plugin.node_ids import repeat_word

        rounds = [repeat_word(number, repeat=options.repeat) for number in range(1, options.repeat + 1)]
        metafunc.parametrize("tls_repeat", range(1, options.repeat + 1), ids=rounds, indirect=True)
    if "tls_case" in names:
        from harness.cases import select

        known_of(metafunc.config)
        cases = select(metafunc.config.getoption("cases"))
        metafunc.parametrize("tls_case", cases, ids=[case.id for case in cases], indirect=True)


def case_function(request: pytest.FixtureRequest) -> RunCase:
    """The `run_case` fixture: runs the case, keeps the result for the report, and ends the test as the verdict says."""
    from harness.model import VerdictWord
    from harness.reports.text.failure_text import headline
    from harness.reports.text.junit import junit_properties

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
        if word is not VerdictWord.PASS:
            pytest.fail(headline(result), pytrace=False)
        return result

    return run_case


def _result(item: pytest.Item, board: Board, case: Case, *, repeat: int) -> CaseResult:
    """Run the case; a machine that ran out of something, and pytest-timeout, are faults like others: a result, and no traceback."""
    from dataclasses import replace

    from harness.system.shortages import shortage_text

    try:
        result = _tried(item, board, case, repeat=repeat)
    except OSError as error:
        reason = shortage_text(error)
        if reason is None:
            raise
        result = _broken_off(board, case, reason, kind=FaultKind.SERVER, repeat=repeat)
    except pytest.fail.Exception as error:
        result = _broken_off(board, case, STOPPED.format(error), kind=FaultKind.STOPPED, repeat=repeat)
    return replace(result, strangers=board.take_unexpected_peers())


def _broken_off(board: Board, case: Case, reason: str, *, kind: FaultKind, repeat: int) -> CaseResult:
    """What a case comes to that ended in the middle; the board is brought back before the next one."""
    from dataclasses import replace

    from harness.explain.faults import explain_fault
    from harness.model import VerdictWord

    failed = _not_tried(board, case, VerdictWord.ERROR, reason)
    failed = replace(failed, explanation=explain_fault(kind, reason), repeat=repeat)
    health = board.abandon(reason)
    if health is not None:
        failed = replace(failed, recovery=tuple(health.recovery), transcript=health.transcript or "")
        with contextlib.suppress(OSError):  # what ran out, and is the reason already, may be what evidence takes
            return board.keep_evidence(case, failed)
    return failed


def _tried(item: pytest.Item, board: Board, case: Case, *, repeat: int) -> CaseResult:
    from dataclasses import replace

    from harness.model import VerdictWord
    from harness.oracle.known import apply_known

    try:
        runner = board.runner()
    except HarnessError as error:
        from harness.explain.faults import explain_error

        item.stash[UNUSABLE] = True
        failed = _not_tried(board, case, VerdictWord.ERROR, str(error))
        return replace(failed, explanation=explain_error(error), repeat=repeat)
    if not runner.board.info.has_tls:
        return replace(_not_tried(board, case, VerdictWord.UNSUPPORTED, NO_TLS), repeat=repeat)
    item.stash[UNUSABLE] = runner.board.set_aside is not None
    result = replace(apply_known(runner.run(case), runner.board.info, known_of(item.config)), repeat=repeat)
    return board.keep_evidence(case, result)


def _not_tried(board: Board, case: Case, word: Any, reason: str) -> CaseResult:
    from harness.model import CaseResult, Verdict

    return CaseResult(
        board=board.label,
        server=board.server_name,
        case=case.id,
        attempt=1,
        verdict=Verdict(word=word, reason=reason),
        expected=None,
        observation=None,
    )


def end_of_board(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """After a board's last case: it must still complete the session it completed first.

    Raises:
        BoardError: it does not; what the last cases said of it is in doubt.
    """
    board = getattr(item, "funcargs", {}).get("board")
    if RESULT not in item.stash or board is None or _place(item) == _place(nextitem):
        return
    runner = board.tried_runner()
    if runner is not None:
        runner.health.check_healthy("at the end of the run")


def _place(item: pytest.Item | None) -> tuple[Any, Any] | None:
    """The board and the server of a test."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    return (params.get("tls_board_spec"), params.get("server_python")) if "tls_case" in params else None


# ----------------------------------------------------------------------------------------------- reports


def complete_report(item: pytest.Item, call: pytest.CallInfo[Any], report: pytest.TestReport) -> None:
    """Hang the result on the report as JSON (it travels to the xdist controller), and make failures readable."""
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, HarnessError) and report.failed:
        from harness.reports.record.plain import plain

        report.longrepr = plain(f"error: {error}" if isinstance(error, BoardError | ServerError) else str(error))
        if isinstance(error, BoardError) and error.transcript:
            report.sections.append(("serial transcript", plain(error.transcript[-SHOWN_TRANSCRIPT:])))
    result = item.stash.get(RESULT, None)
    if call.when != "call" or result is None:
        return
    from harness.reports.record.host import utc
    from harness.reports.record.plain import plain
    from harness.reports.record.run_record import result_json
    from harness.reports.text.failure_text import failure_block, headline, short_evidence

    rerun = rerun_command(item, boards=len(options_of(item.config).boards))
    report.tls = {  # type: ignore[attr-defined] # a plain attribute is what pytest-xdist carries over
        "result": {**result_json(result), "at": utc(time.time()), "rerun": rerun},
        "line": short_evidence(result),
        "unusable": item.stash.get(UNUSABLE, False),
        **_news(item, result),
    }
    if report.skipped and not hasattr(report, "wasxfail"):
        # The place pytest names is ours; the person wants to know which case it was.
        report.longrepr = (str(item.path), item.location[1] or 0, f"{result.case}: {headline(result, limit=200)}")
    if report.failed and isinstance(error, pytest.fail.Exception):
        report.longrepr = failure_block(result, rerun=rerun)
        if result.transcript:
            report.sections.append(("serial transcript", plain(result.transcript[-SHOWN_TRANSCRIPT:])))


def _news(item: pytest.Item, result: CaseResult) -> dict[str, Any]:
    """The board and the server, when this process mentions them for the first time, and the board when there is news of it."""
    from harness.reports.record.run_record import board_json

    lab, said, news = lab_of(item.config), item.config.stash.setdefault(SAID, set()), {}
    board = next((entry for entry in lab.boards() if entry.spec.label == result.board), None)
    if board is not None:
        notes = board.session.notes if board.session else ()
        mention = f"board {result.board} {len(notes)}"
        if mention not in said:
            said.add(mention)
            news["board"] = board_json(
                board.spec, board.info, error=str(board.error) if board.error else None, notes=notes
            )
    if f"server {result.server}" not in said and result.observation is not None:
        said.add(f"server {result.server}")
        news["server"] = lab.describe_server(result.server)
    return news
