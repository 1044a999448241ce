"""Join run records into one: several boards, machines, Pythons, firmwares. Pure.

Each result says which run it came from; two results for one cell are never mixed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from msgspec.structs import asdict, replace

from harness import __version__
from harness.errors import UsageError
from harness.model import Cell, Tier
from harness.reports.record.cells import missing_cells
from harness.reports.record.columns import cell_of, column_name
from harness.reports.record.merge_names import (
    Named,
    Names,
    board_named,
    names_for,
    read_renames,
    server_named,
    undescribed,
)
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Entry, Result
from harness.reports.record.run_types import (
    SCHEMA,
    BoardEntry,
    CaseEntry,
    Host,
    RunInfo,
    RunRecord,
    ServerEntry,
    Source,
)
from harness.reports.record.soak import soak_of_repeats

PREFER = ("newest",)
E = TypeVar("E", bound=Entry)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the files: its path as given, its record, and the relative path from the merged record to its artifacts."""

    path: str
    run: RunRecord
    link: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The joined record, and notes on how it was joined."""

    run: RunRecord
    notes: tuple[str, ...]


def merge(parts: Sequence[Part], *, prefer: str | None = None, renames: Iterable[str] = ()) -> Merged:
    """Join run records.

    Args:
        parts: at least one; a record that was merged before is taken apart again.
        prefer: `newest`: of two results for a cell, take the one of the newer run.
        renames: `FILE:OLD=NEW`, see `harness.reports.record.merge_names.read_renames`.

    Raises:
        UsageError: two results for one cell, or an invalid renaming.
    """
    wanted = _renames(renames, parts)
    boards, servers = _board_names(parts, wanted), _server_names(parts, wanted)
    sources = _sources(parts, boards=boards, servers=servers)
    results, notes = _joined(parts, boards=boards, servers=servers, sources=sources, prefer=prefer)
    for names, word in ((boards, "board"), (servers, "server")):
        notes += [
            one_line(f"{parts[place].path}: {word} {name} is called {new}")
            for (place, name), new in names.items()
            if new != name
        ]
    planned = dict.fromkeys(
        dataclasses.replace(cell_of(cell), board=boards[place, cell.board], server=servers[place, cell.server])
        for place, part in enumerate(parts)
        for cell in part.run.missing
    )
    missing = missing_cells(planned, results)
    cells = [cell_of(result) for result in results] + [cell_of(cell) for cell in missing]
    used = {name for cell in cells for name in (cell.board, cell.server, cell.case)}
    described = (_boards(parts, boards, used), _servers(parts, servers, used), _cases(parts, used))
    results.sort(
        key=_order(
            (item.board for item in described[0]),
            (item.server for item in described[1]),
            (item.case for item in described[2]),
        )
    )
    counts = {source.id: 0 for source in sources}
    for result in results:
        counts[result.source or ""] += 1
    run = RunRecord(
        schema=SCHEMA,
        run=_run(parts, sources),
        host=_host([source.host for source in sources]),
        sources=tuple(replace(source, results=counts[source.id]) for source in sources),
        boards=described[0],
        servers=described[1],
        cases=described[2],
        results=tuple(results),
        missing=missing,
        soak=soak_of_repeats(results),
    )
    return Merged(run=run, notes=tuple(notes))


# ----------------------------------------------------------------------------------------------- names


def _renames(texts: Iterable[str], parts: Sequence[Part]) -> Names:
    there = [dict.fromkeys((*_boards_in(part.run), *_servers_in(part.run))) for part in parts]
    try:
        return read_renames(texts, files=[part.path for part in parts], there=list(there))
    except ValueError as error:
        known = "; ".join(f"{part.path} has {', '.join(names)}" for part, names in zip(parts, there, strict=True))
        raise UsageError(
            one_line(f"--rename {error.args[0]!r}: expected FILE:OLD=NEW, OLD a board or server of FILE ({known})")
        ) from error


def _boards_in(run: RunRecord) -> dict[str, None]:
    """Return the boards of a record, described or not, in their order."""
    return dict.fromkeys([item.board for item in run.boards] + [cell.board for cell in _cells(run)])


def _servers_in(run: RunRecord) -> dict[str, None]:
    """Return the servers of a record, described or not, in their order."""
    return dict.fromkeys([item.server for item in run.servers] + [cell.server for cell in _cells(run)])


def _cells(run: RunRecord) -> list[Cell]:
    return [cell_of(result) for result in run.results] + [cell_of(cell) for cell in run.missing]


def _board_names(parts: Sequence[Part], renames: Names) -> Names:
    things: list[Named] = []
    for place, part in enumerate(parts):
        described = {board.board: board for board in part.run.boards}
        for name in _boards_in(part.run):
            board, rename = described.get(name), renames.get((place, name))
            host = (board.machine if board else None) or part.run.host.machine or ""
            if board is None:
                things.append(undescribed(name, place=place, host=host, rename=rename))
            else:
                things.append(board_named(board, place=place, host=host, rename=rename))
    return names_for(things)


def _server_names(parts: Sequence[Part], renames: Names) -> Names:
    things: list[Named] = []
    for place, part in enumerate(parts):
        described = {server.server: server for server in part.run.servers}
        for name in _servers_in(part.run):
            rename = renames.get((place, name))
            if name in described:
                things.append(server_named(described[name], place=place, rename=rename))
            else:
                things.append(undescribed(name, place=place, host="", rename=rename))
    return names_for(things)


# ----------------------------------------------------------------------------------------------- results


def run_id(run: RunRecord) -> str:
    """Return the id of a run; of one that was written before there were ids, a hash of what identifies it."""
    if run.run.id:
        return run.run.id
    facts = json.dumps([run.run.as_json(), run.host.as_json()], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:12]


def _sources(parts: Sequence[Part], *, boards: Names, servers: Names) -> list[Source]:
    """Return the runs of the parts, each once, with the former names of their boards and servers."""
    found: dict[str, Source] = {}
    for place, part in enumerate(parts):
        for source in part.run.sources or (_source(part),):
            before = found.get(source.id)
            found[source.id] = replace(
                before or source,
                boards={**(before.boards if before else {}), **_moved_names(source.boards, boards, place)},
                servers={**(before.servers if before else {}), **_moved_names(source.servers, servers, place)},
            )
    return list(found.values())


def _source(part: Part) -> Source:
    return Source(
        id=run_id(part.run),
        file=part.path,
        run=part.run.run,
        host=part.run.host,
        results=0,
        boards={name: name for name in _boards_in(part.run)},
        servers={name: name for name in _servers_in(part.run)},
    )


def _moved_names(former: Mapping[str, str], names: Names, place: int) -> dict[str, str]:
    return {names[place, now]: there for now, there in former.items() if (place, now) in names}


def _joined(
    parts: Sequence[Part], *, boards: Names, servers: Names, sources: list[Source], prefer: str | None
) -> tuple[list[Result], list[str]]:
    """Return all results under their new names.

    Raises:
        UsageError: two runs have a result for one cell, and `prefer` is not given.
    """
    cells: dict[Cell, dict[str, list[Result]]] = {}
    # The same run may be in two files, alone and merged: each of its results is taken from the first one.
    given: dict[tuple[str, Cell, int], int] = {}
    for place, part in enumerate(parts):
        there = {source.id: source for source in part.run.sources}
        for item in part.run.results:
            run = item.source or run_id(part.run)
            source = there.get(run)
            board = source.boards.get(item.board, item.board) if source else item.board
            server = source.servers.get(item.server, item.server) if source else item.server
            former = dataclasses.replace(cell_of(item), board=board, server=server)
            if given.setdefault((run, former, item.repeat), place) != place:
                continue
            result = replace(
                item,
                board=boards[place, item.board],
                server=servers[place, item.server],
                artifacts=_moved_artifacts(item, part),
                source=run,
            )
            cells.setdefault(cell_of(result), {}).setdefault(run, []).append(result)
    started = {source.id: source.run.started for source in sources}
    twice = {cell: runs for cell, runs in cells.items() if _clash(runs.values())}
    notes = []
    if twice:
        if prefer is None:
            raise UsageError(_twice_text(twice, parts, started, boards))
        for cell, runs in twice.items():
            newest = max(runs, key=lambda run: started[run])
            cells[cell] = {newest: runs[newest]}
        notes.append(f"{len(twice)} cells had results from several runs: those from the newest run are used")
    return [result for runs in cells.values() for results in runs.values() for result in results], notes


def _clash(runs: Iterable[Iterable[Result]]) -> bool:
    """Return whether several runs have the same repeat of a cell; parts of one `--repeat` do not clash."""
    seen: set[int] = set()
    for results in runs:
        repeats = {result.repeat for result in results}
        if seen & repeats:
            return True
        seen |= repeats
    return False


def _twice_text(
    twice: Mapping[Cell, Mapping[str, Sequence[Result]]],
    parts: Sequence[Part],
    started: Mapping[str, str],
    boards: Names,
) -> str:
    cell, runs = next(iter(twice.items()))
    places: dict[str, int] = {}
    for place, part in enumerate(parts):
        for run in [source.id for source in part.run.sources] or [run_id(part.run)]:
            places.setdefault(run, place)
    first, second, *_ = runs
    where = [f"{parts[places[run]].path} ({started[run]})" for run in (first, second)]
    there = next(name for (place, name), now in boards.items() if place == places[second] and now == cell.board)
    more = f" and {len(twice) - 1} more cells" if len(twice) > 1 else ""
    title = column_name(next(iter(twice[cell].values()))[0])
    return one_line(
        f"duplicate results for {title} {cell.server} {cell.case}{more}: in {where[0]} and in {where[1]}; "
        f"--prefer newest takes those from the newer run, --rename {parts[places[second]].path}:{there}=NAME keeps both"
    )


def _moved_artifacts(result: Result, part: Part) -> dict[str, str | None]:
    """Return the paths of a result's evidence as seen from the merged record."""
    return {
        name: f"{part.link}/{path}" if path and part.link and not PurePosixPath(path).is_absolute() else path
        for name, path in result.artifacts.items()
    }


# ----------------------------------------------------------------------------------------------- the rest


def _boards(parts: Sequence[Part], names: Names, used: Collection[str]) -> tuple[BoardEntry, ...]:
    """Return the boards, each as the newest run describes it that could probe it, with the machine that it was on."""
    found = (
        (
            (board.firmware is not None, part.run.run.started),
            replace(board, board=names[place, board.board], machine=board.machine or part.run.host.machine),
        )
        for place, part in enumerate(parts)
        for board in part.run.boards
    )
    return _newest(found, name=lambda board: board.board, used=used)


def _servers(parts: Sequence[Part], names: Names, used: Collection[str]) -> tuple[ServerEntry, ...]:
    found = (
        ((False, part.run.run.started), replace(server, server=names[place, server.server]))
        for place, part in enumerate(parts)
        for server in part.run.servers
    )
    return _newest(found, name=lambda server: server.server, used=used)


def _cases(parts: Sequence[Part], used: Collection[str]) -> tuple[CaseEntry, ...]:
    found = (((False, part.run.run.started), case) for part in parts for case in part.run.cases)
    return _newest(found, name=lambda case: case.case, used=used)


def _newest(
    found: Iterable[tuple[tuple[bool, str], E]], *, name: Callable[[E], str], used: Collection[str]
) -> tuple[E, ...]:
    """Keep one entry per name.

    Args:
        found: rank and entry; of one name the highest rank counts, and of equal ranks the last one.
        name: returns the name of an entry.
        used: the names that have results; others are dropped.
    """
    kept: dict[str, tuple[tuple[bool, str], E]] = {}
    for rank, entry in found:
        before = kept.get(name(entry))
        if name(entry) in used and (before is None or rank >= before[0]):
            kept[name(entry)] = (rank, entry)  # a dictionary keeps the position of the first one
    return tuple(entry for _rank, entry in kept.values())


def _order(*columns: Iterable[str]) -> Callable[[Result], tuple[int | str, ...]]:
    """Return the sorting key of results: by board, server, other axes and case, in the order of the descriptions, then by repeat."""
    boards, servers, cases = ({name: place for place, name in enumerate(names)} for names in columns)

    def order(result: Result) -> tuple[int | str, ...]:
        return (
            boards.get(result.board, len(boards)),
            servers.get(result.server, len(servers)),
            column_name(result),
            cases.get(result.case, len(cases)),
            result.repeat,
        )

    return order


def _run(parts: Sequence[Part], sources: Sequence[Source]) -> RunInfo:
    """Return the key `run`: from the first start to the last end."""
    runs = [source.run for source in sources]
    ends = [run.finished for run in runs if run.finished]
    joined = "".join(sorted(source.id for source in sources))
    sets = {run.cases for run in runs}
    return RunInfo(
        id=hashlib.sha256(joined.encode()).hexdigest()[:12],
        harness=__version__,
        cases=max(sets, key=list(Tier).index),
        started=min(run.started for run in runs),
        finished=max(ends) if ends else max(run.started for run in runs),
        whole=len(sets) == 1 and all(part.run.run.whole for part in parts),
        arguments=(),
    )


def _host(hosts: Sequence[Host]) -> Host:
    """Return the key `host`: what all hosts have in common, and texts next to each other where they differ; `sources` has each."""
    first = asdict(hosts[0])
    for key, value in first.items():
        values = [getattr(host, key) for host in hosts]
        if any(other != value for other in values):
            if isinstance(value, str):
                first[key] = ", ".join(dict.fromkeys(str(other) for other in values))
            else:
                first[key] = () if isinstance(value, tuple) else None
    return Host(**first)
