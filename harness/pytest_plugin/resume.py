"""`--resume RUN.jsonl|RUN.json`: run only what an earlier run has no result of. Reads one file before the run; the rest is pure.

The earlier results become results of this run, so they must be of the same harness, servers and boards: each is checked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness import __version__
from harness.errors import UsageError
from harness.pytest_plugin.run import artifacts_folder, lab_of, node_ids, options_of

if TYPE_CHECKING:
    from harness.model import Cell
    from harness.reports.record.reading import RunFile
    from harness.reports.record.result_types import Result
    from harness.reports.record.run_types import BoardEntry, Resumed, ServerEntry

OPTION = "--resume"
MIXED = "results of both would be mixed: run without --resume"
TAKEN = pytest.StashKey["TakenOver"]()
#: In the input of a pytest-xdist worker: the cells that have a result, and who the boards were.
WORKER_CELLS, WORKER_BOARDS = "tls_harness_resumed_cells", "tls_harness_resumed_boards"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """The earlier run, and its results that become results of this one."""

    file: RunFile
    results: tuple[Result, ...]

    def boards(self) -> dict[str, BoardEntry]:
        """Return the descriptions of the boards that have results."""
        used = {result.board for result in self.results}
        return {entry.board: entry for entry in self.file.run.boards if entry.board in used}

    def servers(self) -> dict[str, ServerEntry]:
        """Return the descriptions of the servers that have results."""
        used = {result.server for result in self.results}
        return {entry.server: entry for entry in self.file.run.servers if entry.server in used}

    def entry(self) -> Resumed:
        """Return the key `resumed` of the run record."""
        from harness.reports.record.run_types import Resumed

        run = self.file.run.run
        return Resumed(file=self.file.path, id=run.id, started=run.started, results=len(self.results))

    def cells(self) -> frozenset[Cell]:
        """Return the cells that do not run again."""
        from harness.reports.record.columns import cell_of

        return frozenset(map(cell_of, self.results))

    @property
    def fails_run(self) -> bool:
        """Whether this run fails because of an earlier result."""
        return any(result.verdict.fails_run for result in self.results)

    def lines(self, *, total: int) -> list[str]:
        """Return the lines of the terminal's summary.

        Args:
            total: how many results this run has with those taken over.
        """
        from harness.reports.record.plain import one_line

        head = f"resumed: {len(self.results)} of {total} results were taken over from {self.file.path}"
        return [one_line(f"{head} ({self.file.run.run.started})"), *self.file.notes]


def taken_over(config: pytest.Config) -> TakenOver | None:
    """Read the earlier run of `--resume`, in the controlling process; None without the option. Once per run.

    Raises:
        UsageError: it is not a run record, or its results cannot be results of this run.
    """
    path = config.getoption("resume")
    if path is None or TAKEN in config.stash:
        return config.stash.get(TAKEN, None)
    from harness.reports.record.reading import read_run

    file = read_run(path, source=OPTION, start=config.invocation_params.dir)
    check_mergeable(file, repeat=options_of(config).repeat)
    results = had(file.run.results, cells=node_ids(config).axes.cells())
    taken = config.stash[TAKEN] = TakenOver(file=file, results=_moved(results, file, artifacts_folder(config)))
    _check_servers(taken, config)
    lab_of(config).recorded = identities(taken)
    return taken


def check_mergeable(file: RunFile, *, repeat: int) -> None:
    """Refuse a record whose results cannot be taken over, whatever they are.

    Raises:
        UsageError: naming the file and why.
    """
    where, run = f"{OPTION} {file.path}", file.run
    if repeat > 1:
        raise UsageError(f"{where}: not possible with --repeat: statistics need all rounds in one run")
    if run.sources:
        raise UsageError(f"{where}: a merged record: expected the run.json or run.jsonl of one run")
    if any(result.repeat > 1 for result in run.results):
        raise UsageError(f"{where}: a run with --repeat: expected a run with one result for each case")
    if run.run.harness != __version__:
        raise UsageError(f"{where}: made by version {run.run.harness} of the harness, this is {__version__}; {MIXED}")


def had(results: Iterable[Result], *, cells: Collection[Cell]) -> tuple[Result, ...]:
    """Return the results of the cells that need not run again: those whose last attempt is not an `error`.

    Args:
        results: of the earlier run.
        cells: all that this run's options include; others are left out.
    """
    from harness.model import VerdictWord
    from harness.reports.record.columns import cell_of

    attempts: dict[Cell, list[Result]] = {cell: [] for cell in cells}
    for result in results:
        if (cell := cell_of(result)) in attempts:
            attempts[cell].append(result)
    found = []
    for tries in attempts.values():
        if tries and max(tries, key=lambda result: result.attempt).verdict is not VerdictWord.ERROR:
            found += tries
    return tuple(found)


def _moved(results: Iterable[Result], file: RunFile, folder: Path) -> tuple[Result, ...]:
    """Return results whose artifacts are named as seen from this run's folder."""
    from msgspec.structs import replace

    from harness.reports.record.journal import relative_link

    link = relative_link(file.folder, start=folder)
    return tuple(
        replace(result, artifacts={name: f"{link}/{path}" if path else path for name, path in result.artifacts.items()})
        if link
        else result
        for result in results
    )


def _check_servers(taken: TakenOver, config: pytest.Config) -> None:
    """Refuse results of a server that has the name of one of this run, but another Python or OpenSSL.

    Raises:
        UsageError: naming what differs.
    """
    from harness.reports.record.plain import one_line

    options, lab = options_of(config), lab_of(config)
    programs = {options.server_name(server): server for server in (*options.servers, "in-process")}
    for name, entry in taken.servers().items():
        now = lab.server(programs[name]).describe()
        for what, before in (("python", entry.python), ("openssl", entry.openssl)):
            if before != now[what]:
                change = f"server {name} has another {what}: {before} -> {now[what]}"
                raise UsageError(one_line(f"{OPTION} {taken.file.path}: {change}; {MIXED}"))


def identities(taken: TakenOver) -> dict[str, dict[str, str]]:
    """Return who each board with results was, by the names of `harness.boards.agent.same_board`; unknown facts are left out."""
    found = {}
    for name, entry in taken.boards().items():
        facts = entry.facts
        if facts is not None:
            known = {
                "implementation": facts.implementation,
                "firmware": facts.firmware,
                "version": facts.version_text,
                "platform": facts.platform,
                "machine": facts.machine,
                "build": facts.build,
                "unique id": facts.unique_id,
            }
            found[name] = {what: value for what, value in known.items() if value is not None}
    return found


# ----------------------------------------------------------------------------------------------- every process


def resume_input(config: pytest.Config) -> Mapping[str, Any]:
    """Return what a pytest-xdist worker must know: it may start after the journal of this run has replaced the record."""
    taken = config.stash.get(TAKEN, None)
    if taken is None:
        return {}
    return {WORKER_CELLS: [tuple(map(str, astuple(cell))) for cell in taken.cells()], WORKER_BOARDS: identities(taken)}


def leave_out(items: list[pytest.Item], config: pytest.Config) -> None:
    """Deselect the tests whose cells have a result."""
    cells = _cells(config)
    if not cells:
        return
    ids = node_ids(config)
    gone = [item for item in items if (found := ids.find(item.nodeid)) is not None and found[0] in cells]
    if gone:
        config.hook.pytest_deselected(items=gone)
        left_out = {item.nodeid for item in gone}
        items[:] = [item for item in items if item.nodeid not in left_out]


def _cells(config: pytest.Config) -> frozenset[Cell]:
    worker = getattr(config, "workerinput", None)
    if worker is None:
        taken = config.stash.get(TAKEN, None)
        return taken.cells() if taken is not None else frozenset()
    if WORKER_CELLS not in worker:
        return frozenset()
    from harness.model import Cell

    lab_of(config).recorded = worker[WORKER_BOARDS]
    names = Cell.__dataclass_fields__
    return frozenset(Cell(**dict(zip(names, values, strict=True))) for values in worker[WORKER_CELLS])
