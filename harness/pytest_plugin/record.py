"""The record of a run in the controlling process: the journal while results come, run.json and the reports at the end.

Keeps only entries of the record: no pytest items, no live objects. Prints nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import __version__
from harness.errors import UsageError
from harness.pytest_plugin.resume import taken_over
from harness.pytest_plugin.run import artifacts_folder, node_ids, options_of

if TYPE_CHECKING:
    import pytest

    from harness.model import Cell
    from harness.reports.record.diff import Comparison
    from harness.reports.record.journal import Journal
    from harness.reports.record.reading import RunFile
    from harness.reports.record.result_types import Entry, Result
    from harness.reports.record.run_types import (
        BoardEntry,
        CaseEntry,
        CellEntry,
        JournalStart,
        RunInfo,
        RunRecord,
        ServerEntry,
    )


KEPT = "{} was kept, because it has cases that this run leaves out; the record of this run is {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """A board or server as it is described now, and its earlier description; None if this is the first."""

    described: BoardEntry | ServerEntry
    before: BoardEntry | ServerEntry | None


class Record:
    """The planned cells of a run, its results, its difference from an earlier run, and where the reports were written.

    Args:
        config: of the run.

    Raises:
        UsageError: `--baseline` or `--resume` names no run record, or one that cannot be continued.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.id = uuid.uuid4().hex[:12]
        self.started = time.time()
        self.results: list[Result] = []
        self.boards: dict[str, BoardEntry] = {}
        self.servers: dict[str, ServerEntry] = {}
        self.planned: list[Cell] = []
        self.whole = False
        self.missing: tuple[CellEntry, ...] = ()
        self.written: list[Path] = []
        self.trouble: list[str] = []
        self.baseline = self._baseline()
        self.taken = taken_over(config)
        self.compared: Comparison | None = None
        self.prefix = ""
        self._kept = ""
        self._expected = 0
        self._known: set[str] = set()
        self._own: dict[str, CaseEntry] = {}
        self._attempts: dict[tuple[Cell, int], int] = {}
        self._journal: Journal | None = None
        self._columns: dict[Cell, int] = {}
        self._cases: dict[str, int] = {}

    def _baseline(self) -> RunFile | None:
        told = self.config.getoption("baseline")
        if told is None:
            return None
        from harness.pytest_plugin.baseline import read_baseline

        return read_baseline(told, folder=self.config.invocation_params.dir)

    # ------------------------------------------------------------------ while it runs

    def plan(self, nodeids: Iterable[str]) -> None:
        """Record which cells the run will fill.

        Args:
            nodeids: of the tests that will run cases, each once.

        Raises:
            UsageError: the baseline is of other boards and servers.
        """
        ids, names = node_ids(self.config), list(nodeids)
        found = {place[0] for name in names if (place := ids.find(name)) is not None}
        cells = ids.axes.cells()
        earlier = self.taken.cells() if self.taken is not None else frozenset()
        self.planned = [cell for cell in cells if cell in found or cell in earlier]
        self.whole = len(self.planned) == len(cells)
        self._expected = len(names) + len(earlier)
        if self.baseline is not None:
            from harness.pytest_plugin.baseline import check_common

            check_common(self.baseline, self.planned)

    def take(self, data: dict[str, Any]) -> list[News]:
        """Add the result that a test's report carried.

        Returns:
            What is new about its board and server.
        """
        from harness.reports.record.result_types import Result
        from harness.reports.record.run_types import BoardEntry, ServerEntry

        new: list[News] = []
        lines: list[tuple[str, Entry]] = []
        board = BoardEntry.of_json(data["board"]) if data.get("board") else None
        server = ServerEntry.of_json(data["server"]) if data.get("server") else None
        if board is not None and board != self.boards.get(board.board):
            new.append(News(described=board, before=self.boards.get(board.board)))
            lines.append(("board", board))
            self.boards[board.board] = board
        if server is not None and server != self.servers.get(server.server):
            new.append(News(described=server, before=self.servers.get(server.server)))
            lines.append(("server", server))
            self.servers[server.server] = server
        result = self._counted(Result.of_json(data["result"]))
        self.results.append(result)
        self.begin()
        self._add([*self._described({result.case}, data.get("case")), *lines, ("result", result)])
        return new

    def _counted(self, result: Result) -> Result:
        """A cell that another plugin runs again, as pytest-rerunfailures does, has two results: their attempts must differ."""
        from msgspec.structs import replace as changed

        from harness.reports.record.columns import cell_of

        key = (cell_of(result), result.repeat)
        self._attempts[key] = result.attempt + self._attempts.get(key, 0)
        return changed(result, attempt=self._attempts[key])

    def begin(self) -> None:
        """Start the journal with the planned cells, so that the journal of a killed run shows what is missing."""
        from harness.pytest_plugin.baseline import PART, would_replace
        from harness.reports.record.columns import axes_of
        from harness.reports.record.journal import Journal
        from harness.reports.record.run_types import JournalPlan

        if self._journal is not None or self.trouble:
            return
        try:
            folder = artifacts_folder(self.config)
            for word, file in (("resumed", self.taken.file if self.taken else None), ("baseline", self.baseline)):
                if file is not None and would_replace(file, folder, planned=self.planned):
                    self.prefix, self._kept = PART, f"{word}: {file.path}"
            self._journal = Journal(folder, prefix=self.prefix)
        except UsageError as error:
            self.trouble.append(f"no report: {error}")
            return
        columns: dict[Cell, list[str]] = {}
        for cell in self.planned:
            columns.setdefault(replace(cell, case=""), []).append(cell.case)
        plan = [
            ("plan", JournalPlan(board=column.board, server=column.server, cases=tuple(cases), **axes_of(column)))
            for column, cases in columns.items()
        ]
        cases = self._described({cell.case for cell in self.planned})
        self._add([("run", self._head()), *plan, *cases, *self._earlier()])

    def _earlier(self) -> list[tuple[str, Entry]]:
        """Return the journal's lines about the results taken over: a run that was resumed can be resumed again."""
        if self.taken is None:
            return []
        self.results = [*self.taken.results, *self.results]
        boards = [("board", entry) for entry in self.taken.boards().values()]
        servers = [("server", entry) for entry in self.taken.servers().values()]
        return [*boards, *servers, *(("result", result) for result in self.taken.results)]

    @property
    def new_results(self) -> int:
        """How many results came in this run."""
        return len(self.results) - (len(self.taken.results) if self.taken is not None else 0)

    def _described(self, cases: set[str], own: Any = None) -> list[tuple[str, CaseEntry]]:
        """Describe each case once: a report must be possible from the journal of a killed run alone.

        Args:
            cases: ids of the list, or that of a test of the user's own.
            own: describes that test, as JSON.
        """
        new = cases - self._known
        if not new:
            return []
        if own is not None:
            from harness.reports.record.run_types import CaseEntry

            self._known |= new
            self._own[own["case"]] = CaseEntry.of_json(own)
            return [("case", self._own[own["case"]])]
        from harness.cases import all_cases
        from harness.reports.record.run_record import case_entry

        self._known |= new
        return [("case", case_entry(case)) for case in all_cases() if case.id in new]

    def _add(self, lines: Sequence[tuple[str, Entry]]) -> None:
        if self._journal is None or self.trouble:
            return
        try:
            self._journal.add_all(lines)
        except OSError as error:
            self._lost(self._journal.path, error)

    def _lost(self, path: Path, error: OSError) -> None:
        self.trouble.append(f"no report: {path} cannot be written ({error.strerror})")

    def _head(self) -> JournalStart:
        from harness.reports.record.host import this_host
        from harness.reports.record.run_types import SCHEMA, JournalStart

        return JournalStart(schema=SCHEMA, run=self._run(None), host=this_host())

    def _run(self, finished: float | None) -> RunInfo:
        from harness.model import Tier
        from harness.reports.record.host import utc
        from harness.reports.record.run_record import dropped_connections
        from harness.reports.record.run_types import RunInfo

        return RunInfo(
            id=self.id,
            harness=__version__,
            cases=Tier(self.config.getoption("cases")),
            started=utc(self.started),
            finished=utc(finished) if finished else None,
            planned=self._expected or None,
            whole=self.whole,
            arguments=tuple(str(word) for word in self.config.invocation_params.args),
            strangers=dropped_connections(self.results) if finished else None,
        )

    # ------------------------------------------------------------------ the end

    def finished(self) -> RunRecord:
        """Return the whole record."""
        from msgspec.structs import replace as changed

        from harness.cases import all_cases
        from harness.reports.record.cells import missing_cells
        from harness.reports.record.columns import cell_of
        from harness.reports.record.run_record import case_entry
        from harness.reports.record.run_types import RunRecord
        from harness.reports.record.soak import soak_of

        self.results.sort(key=self._order)
        ids = {result.case for result in self.results} | {cell.case for cell in self.planned}
        repeat = options_of(self.config).repeat
        self.missing = missing_cells(self.planned, self.results)
        head = self._head()
        boards, servers = dict(self.boards), dict(self.servers)
        if self.taken is not None:
            servers = {**self.taken.servers(), **servers}
            earlier = self.taken.boards()
            # A board that could not be opened now is described as it was when it had results.
            boards = {**earlier, **{name: new for name, new in boards.items() if new.facts or name not in earlier}}
        record = RunRecord(
            schema=head.schema,
            run=self._run(time.time()),
            host=head.host,
            boards=tuple(boards.values()),
            servers=tuple(servers.values()),
            cases=(*(case_entry(case) for case in all_cases() if case.id in ids), *self._own.values()),
            results=tuple(self.results),
            missing=self.missing,
            soak=soak_of(self.results, repeat=repeat) if repeat > 1 else None,
            resumed=self.taken.entry() if self.taken is not None else None,
        )
        if self.baseline is None:
            return record
        from harness.pytest_plugin.baseline import baseline_entry, compare_with

        own = [cell_of(result) for result in self.results if result.case in self._own]
        self.compared = compare_with(self.baseline, record, planned=[*self.planned, *own])
        about = baseline_entry(self.baseline, self.compared)
        return changed(record, baseline=about, changes=self.compared.changes)

    def _order(self, result: Result) -> tuple[int, int, int]:
        """Return the sort key of a result: columns in the order of the options, then cases; workers finish in any order."""
        from harness.cases import all_cases
        from harness.reports.record.columns import cell_of

        if not self._columns:
            self._columns = {column: place for place, column in enumerate(node_ids(self.config).axes.columns())}
            self._cases = {case.id: place for place, case in enumerate(all_cases())}
        column = replace(cell_of(result), case="")
        return self._columns.get(column, -1), self._cases.get(result.case, -1), result.repeat

    def write(self, record: RunRecord) -> None:
        """Close the journal and write run.json, the page and the files of `--compat-report`; collect failures in `trouble`."""
        from harness.reports.formats import rendered
        from harness.reports.record.journal import FINAL_REPORTS, relative_link, write_text
        from harness.reports.record.run_types import JournalEnd

        paths = [self.config.invocation_params.dir / path for path in self.config.getoption("compat_report")]
        folder = None
        if self._journal is not None:
            folder = self._journal.folder
            self._add([("end", JournalEnd(finished=record.run.finished or ""))])
            self._close_journal(self._journal)
            paths = [*(folder / f"{self.prefix}{name}" for name in FINAL_REPORTS), *paths]
        for path in paths:
            links = relative_link(folder, start=path.parent) if folder is not None else ""
            try:
                write_text(path, rendered(record, suffix=path.suffix, links=links))
                self.written.append(path)
            except OSError as error:
                self._lost(path, error)

    def _close_journal(self, journal: Journal) -> None:
        """Write what a full disk left in the buffer, or report it as lost; the other reports may be on another disk."""
        try:
            journal.close()
        except OSError as error:
            if not self.trouble:
                self._lost(journal.path, error)

    @property
    def worse(self) -> bool:
        """Whether a case that passed or ran in the baseline no longer does."""
        return self.compared is not None and self.compared.regression

    def change_lines(self) -> list[str]:
        """Return the terminal's lines about the baseline, the summary last; none without a baseline."""
        if self.baseline is None or self.compared is None:
            return []
        from harness.pytest_plugin.baseline import baseline_lines

        return baseline_lines(self.baseline, self.compared)

    def earlier_lines(self) -> list[str]:
        """Return the terminal's lines about what was taken over, and about an earlier record that this run did not replace."""
        kept = [KEPT.format(self._kept, f"{self.prefix}run.json")] if self.prefix else []
        return [*(self.taken.lines(total=len(self.results)) if self.taken is not None else []), *kept]

    @property
    def begun(self) -> bool:
        """Whether there is anything to report: planned cases or results."""
        return self._journal is not None or bool(self.results)
