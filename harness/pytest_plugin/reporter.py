"""Gathers results in the controlling process: a line per case, the journal, the reports, the exit code.

Registered once per run, never in xdist's workers. Keeps only JSON: no pytest items, no live objects.
"""

from __future__ import annotations

import functools
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.case_report import shown_part
from harness.pytest_plugin.exit_codes import Tally, exit_code
from harness.pytest_plugin.identities import Identities
from harness.pytest_plugin.interrupts import end_on_signals
from harness.pytest_plugin.junit import mark_fault
from harness.pytest_plugin.record import News, Record
from harness.pytest_plugin.resume import resume_input
from harness.pytest_plugin.run import artifacts_folder, node_ids, options_of, worker_input
from harness.pytest_plugin.screen import Screen

# pytest's record of the tests that `--lf` runs (`pytest --cache-show cache/lastfailed`).
LAST_FAILED = "cache/lastfailed"
# Options with which pytest collects tests and runs none: the record of the last run stays.
RUNS_NOTHING = ("collectonly", "showfixtures", "show_fixtures_per_test", "setuponly", "setupplan")

if TYPE_CHECKING:
    from harness.pytest_plugin.longrepr import FailureBlocks
    from harness.reports.record.run_types import Soak
    from harness.system.folder_lock import FolderLock


class Reporter:
    """The controller's side of the plugin.

    Args:
        config: of the run.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.kept = Record(config)
        self._lock: FolderLock | None = None
        self._cases: set[str] = set()
        self._total = 0
        self._bad = 0
        self._tally = Tally()
        self._identities = Identities()
        self._usual: tuple[bool, Any] | None = None
        self._line_open = False
        self._over = False
        self._deselected = False
        self._blocks: FailureBlocks | None = None
        self._not_run: dict[str, bool] = {}
        self.soak: Soak | None = None
        self._reached: list[str] = []

    @property
    def _terminal(self) -> Any:
        return self.config.pluginmanager.get_plugin("terminalreporter")

    @functools.cached_property
    def _screen(self) -> Screen:
        return Screen(self.config, self._terminal)

    @property
    def _own_lines(self) -> bool:
        """Whether a line per case is printed: at default verbosity; -v and -q have pytest's own forms."""
        return self._terminal is not None and self.config.get_verbosity() == 0

    @property
    def _runs_nothing(self) -> bool:
        return any(self.config.getoption(name, False) for name in RUNS_NOTHING)

    # ------------------------------------------------------------------ while it runs

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which tests are cases, and so how many results will come."""
        self._expect([item.nodeid for item in session.items if "tls_case" in getattr(item, "fixturenames", ())])

    def pytest_deselected(self) -> None:
        """Note that -k or -m left out tests."""
        self._deselected = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass a pytest-xdist worker what the controller has found out already."""
        node.workerinput.update({**worker_input(self.config), **resume_input(self.config)})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """The same under pytest-xdist, whose controller sees ids only: a case is a test whose whole id is that of a cell."""
        resumes = self.kept.taken is not None  # also if no test is left to run
        if self._cases or not (resumes or any("/" in name.rpartition("[")[2] for name in ids)):
            return
        try:
            known = node_ids(self.config)
        except UsageError:
            return  # the workers have reported it, if any test needed a board
        self._expect([name for name in ids if (found := known.find(name)) is not None and found[0].case])

    def _expect(self, nodeids: Sequence[str]) -> None:
        self._cases = set(nodeids)
        self._total = len(self._cases)
        if (self._cases or self.kept.taken) and self._lock is None and not self._runs_nothing:
            self._hold_folder()

    def _hold_folder(self) -> None:
        """Lock the artifacts folder: two runs in one folder would mix their journals and overwrite each other's report."""
        try:
            self.kept.plan(self._cases)
            self._lock_folder()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        end_on_signals(self.config)  # this process has no lab if workers have the boards
        self.kept.begin()

    def _lock_folder(self) -> None:
        from harness.system.folder_lock import FolderLock

        self._lock = FolderLock(artifacts_folder(self.config))
        self.config.add_cleanup(self._lock.close)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Before pytest prints the file's name."""
        self._make_room(nodeid)
        if nodeid in self._cases:
            self._draw()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Before pytest prints its percentage."""
        self._make_room(nodeid)

    def _make_room(self, nodeid: str) -> None:
        """Keep pytest from printing the file's name and its percentage next to a line of the harness."""
        terminal = self._terminal
        if terminal is None or not self._own_lines or not self._cases:
            return
        ours = nodeid in self._cases
        if not ours:
            self._screen.lose_place()
        if self._usual is None:
            self._usual = (terminal.showfspath, getattr(terminal, "_show_progress_info", False))
        terminal.showfspath = False if ours else self._usual[0]
        # There is no public switch for single tests; if this one is missing, a "[100%]" appears and nothing breaks.
        terminal._show_progress_info = False if ours else self._usual[1]
        if self._line_open and not ours:
            self._line_open = False
            if terminal.showfspath:
                terminal.currentfspath = None  # the file's name starts a new line anyway
            else:
                terminal.ensure_newline()

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Let pytest only count a test whose line the harness prints; with -v give it the verdict, with -q nothing changes."""
        data = getattr(report, "tls", None)
        if data is None or report.when != "call" or self.config.get_verbosity() < 0:
            return None
        from harness.reports.record.plain import one_line

        category = "xfailed" if hasattr(report, "wasxfail") else str(report.outcome)
        word = "NOT RUN" if data.get("not_run") else data["result"]["verdict"].upper()
        if category == "skipped" and self._over:
            word = "SKIPPED"  # pytest puts the word of the first skip over its list of all skips
        # pytest itself shows the reason of a skip, and its summary at the end has the first line of each failure.
        if self.config.get_verbosity() > 0 and not report.skipped and not self._over:
            word = f"{word}  {one_line(data['line'])}"
        return category, "", word

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: Any) -> Generator[None, object, object]:
        """Take the result from a test's report before others see it; then correct what pytest's JUnit file says of a fault."""
        self._note(report)
        result = yield
        mark_fault(self.config, report)
        if getattr(report, "tls", None) is not None:
            report.tls = shown_part(report.tls)
        return result

    def _note(self, report: Any) -> None:
        self._make_room(report.nodeid)
        data = getattr(report, "tls", None) if report.when == "call" else None
        if data is not None:
            self._identities.check(report, data)
        self._tally.take(report)
        if getattr(report, "tls_not_run", False):
            self._not_run[report.nodeid] = True
        for row in getattr(report, "tls_own", None) or ():
            self._take_own(row, nodeid=report.nodeid)
        if data is None:
            return
        self._shape(report, data)
        new = self.kept.take(data)
        self._bad += self.kept.results[-1].verdict.fails_run
        if self._own_lines:
            self._print(data, new)

    def _take_own(self, row: dict[str, Any], *, nodeid: str) -> None:
        """Record a connection of a test of the user's own; describe its board and its server before the first."""
        from harness.reports.text.terminal import news_lines

        if self._lock is None:
            self._lock_folder()
        for news in self.kept.take(row):
            if self._own_lines:
                for line in news_lines(news.described, before=news.before):
                    self._line(line)
                self._line_open = False
                if self._terminal.showfspath:
                    self._terminal.currentfspath = None
                    self._terminal.write_fspath_result(nodeid, "")  # the letter of the test follows the file's name

    def pytest_collectreport(self, report: Any) -> None:
        """Count a file that cannot be collected."""
        self._tally.take(report)

    def _shape(self, report: Any, data: dict[str, Any]) -> None:
        """Attach the failure text to the report."""
        from harness.pytest_plugin.longrepr import FailureBlocks

        if self._blocks is None:
            self._blocks = FailureBlocks(brief=self.config.getoption("tbstyle") == "line")
        self._blocks.take(report, data, announced=self._own_lines and self._board_line_tells(data))

    def _board_line_tells(self, data: dict[str, Any]) -> bool:
        """Whether the line that introduces this board has the reason why it cannot be used."""
        known = self.kept.boards.get(data["result"]["board"])
        error = data["board"]["error"] if data.get("board") else known.error if known else None
        return error is not None and error == data["result"]["reason"]

    def _print(self, data: dict[str, Any], new: list[News]) -> None:
        from harness.reports.text.terminal import case_line, news_lines

        for news in new:
            for line in news_lines(news.described, before=news.before):
                self._line(line)
        if data.get("not_run") or self._board_line_tells(data):
            self._draw()
            return
        result, options = self.kept.results[-1], options_of(self.config)
        axes = node_ids(self.config).axes
        rows = len(axes.columns()) > max(1, len(axes.servers))
        many = {"boards": rows, "servers": len(axes.servers) > 1}
        digits = len(str(self._total))
        count = f"[{self.kept.new_results:>{digits}}/{self._total}] " if self._total else ""
        text = case_line(result, data["line"], **many, repeats=options.repeat, count=count, width=self._screen.width)
        self._line(text, **{result.verdict.colour: True})
        left = self._screen.time_left(self.kept.new_results, self._total)
        if left is not None:
            self._line(left)
        self._draw()

    def _line(self, text: str, **markup: bool) -> None:
        """Start a line and leave it open, as pytest does: the next output begins with a line break."""
        self._screen.wipe()
        self._terminal.write_ensure_prefix("", text, **markup)
        self._terminal.flush()
        self._screen.wrote(text)
        self._line_open = True

    def _draw(self) -> None:
        """Draw the progress bar, if there is one."""
        self._screen.draw(self.kept.new_results, self._total, bad=self._bad)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """Before pytest says so."""
        self._screen.wipe()

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self) -> None:
        """Before pytest says so."""
        self._screen.wipe()

    # ------------------------------------------------------------------ the end

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, also of an interrupted run, and set the exit code."""
        from harness.reports.text.reached_text import reached_lines

        self._over = True
        self._screen.wipe()
        self._keep_for_last_failed()
        worse = exitstatus == pytest.ExitCode.OK and bool(self._compared_nothing())
        untried = False
        if self.kept.begun:
            record = self.kept.finished()
            self.soak = record.soak
            self._reached = reached_lines(record)
            self.kept.write(record)
            worse = worse or self.kept.worse or bool(self.soak is not None and self.soak.fails_run)
            untried = bool(self.untried() or self.kept.trouble)
        status = int(session.exitstatus)
        if self.kept.taken is not None and self.kept.taken.results:
            worse = worse or self.kept.taken.fails_run
            status = 0 if status == pytest.ExitCode.NO_TESTS_COLLECTED else status  # every cell had a result
        session.exitstatus = exit_code(status, self._tally, worse=worse, untried=untried)

    def _keep_for_last_failed(self) -> None:
        """Have `--lf` run what an unusable board left out, which pytest takes for skipped, together with what failed."""
        cache = getattr(self.config, "cache", None)
        if self._not_run and cache is not None:
            cache.set(LAST_FAILED, {**cache.get(LAST_FAILED, {}), **self._not_run})

    def _compared_nothing(self) -> list[str]:
        """Warn if --baseline was given but no case ran: the run must not look as if nothing got worse."""
        if self.kept.baseline is None or self.kept.results or self._runs_nothing:
            return []
        return ["--baseline: nothing was compared, because this run has no case results"]

    def _reported_nothing(self) -> list[str]:
        """Warn if --compat-report was given but no case ran."""
        if self.kept.begun or not self.config.getoption("compat_report") or self._runs_nothing:
            return []
        return ["--compat-report: no report was written, because no test in this run used run_case"]

    def _tested_nothing(self, exitstatus: int) -> list[str]:
        """Say what to do if --board was given but there is no test."""
        from harness.pytest_plugin.collection import no_test_text

        empty = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not self._deselected
        return (
            [no_test_text(self.config)] if empty and self.config.getoption("board") and not self._runs_nothing else []
        )

    def untried(self) -> list[str]:
        """Return a line for each board and server that could not run any case; such a run must fail."""
        from harness.reports.text.terminal import untried_lines

        return untried_lines(self.kept.results)

    def pytest_terminal_summary(self, terminalreporter: Any, exitstatus: int) -> None:
        """Print the summary table and the paths of the reports; nothing after a usage error."""
        from harness.pytest_plugin.skips import fold
        from harness.reports.record.soak import soak_lines
        from harness.reports.text.terminal import fault_lines, missing_lines, stranger_lines

        fold(terminalreporter.stats.get("skipped", ()))
        refused = exitstatus == pytest.ExitCode.USAGE_ERROR
        nothing = [*self._compared_nothing(), *self._reported_nothing(), *self._tested_nothing(exitstatus)]
        for text in [] if refused else nothing:
            terminalreporter.write_line(text, red=True)
        if not self.kept.begun:
            return
        tested = any(result.verdict.tells_tls for result in self.kept.results)
        if tested or not self.kept.results:  # else the failure above has said it all
            terminalreporter.write_sep("=", "TLS compatibility")
        for line in self._screen.table(self.kept.results) if tested else []:
            terminalreporter.write_line(line)
        steady, flaky = soak_lines(self.soak) if self.soak else ([], [])
        shown = [
            *(self._reached if any(result.observed for result in self.kept.results) else []),
            *stranger_lines(self.kept.results),
            *fault_lines(self.kept.results),
            *missing_lines(self.kept.missing),
        ]
        for line in [*steady, *shown]:
            terminalreporter.write_line(line)
        for line in self.kept.earlier_lines():
            terminalreporter.write_line(line)
        *changes, answer = self.kept.change_lines() or [""]
        for line in changes:
            terminalreporter.write_line(line)
        if answer:
            terminalreporter.write_line(answer, red=self.kept.worse)
        for text in [*flaky, *self.untried(), *self.kept.trouble]:
            terminalreporter.write_line(text, red=True)
        for path in self.kept.written:
            if tested or not path.name.endswith("matrix.html"):  # a page of nothing
                terminalreporter.write_line(f"report: {path}")
