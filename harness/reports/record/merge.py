"""Joins run records into one: several boards, machines, Pythons, firmwares. Pure.

Each result keeps which run it came from; two results for one cell are never mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from harness import __version__
from harness.errors import UsageError
from harness.model import Cell
from harness.reports.record.cells import cell_json, cell_of
from harness.reports.record.diff import SETS
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
from harness.reports.record.run_record import SCHEMA
from harness.reports.record.soak import soak_json

PREFER = ("newest",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the files: its path as it was told, its record, and the way from the merged record to its artifacts."""

    path: str
    run: dict[str, Any]
    way: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The joined record, and what a person should know of how it came about."""

    run: dict[str, Any]
    notes: tuple[str, ...]


def merge(parts: Sequence[Part], *, prefer: str | None = None, renames: Iterable[str] = ()) -> Merged:
    """Join run records.

    Args:
        parts: at least one; a record that was merged before is taken apart again.
        prefer: `newest`: of two results for a cell the one of the newer run is taken.
        renames: `FILE:OLD=NEW`, see `harness.reports.record.merge_names.read_renames`.

    Raises:
        UsageError: two results for one cell, a wrong renaming.
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
    there = {cell_of(result) for result in results}
    missing = dict.fromkeys(
        Cell(board=boards[place, cell["board"]], server=servers[place, cell["server"]], case=cell["case"])
        for place, part in enumerate(parts)
        for cell in part.run.get("missing", ())
    )
    used = {name for cell in (*there, *missing) for name in (cell.board, cell.server, cell.case)}
    described = {
        f"{kind}s": [item for item in _described(parts, kind, names=names) if item[kind] in used]
        for kind, names in (("board", boards), ("server", servers), ("case", Names()))
    }
    results.sort(key=_order(described))
    counts = {source["id"]: 0 for source in sources}
    for result in results:
        counts[result["source"]] += 1
    run = {
        "schema": SCHEMA,
        "run": _run(parts, sources),
        "host": _host([source["host"] for source in sources]),
        "sources": [{**source, "results": counts[source["id"]]} for source in sources],
        **described,
        "results": results,
        "missing": [cell_json(cell) for cell in missing if cell not in there],
    }
    most = max((result.get("repeat", 1) for result in results), default=1)
    return Merged(run={**run, "soak": soak_json(results, repeat=most)} if most > 1 else run, notes=tuple(notes))


# ----------------------------------------------------------------------------------------------- names


def _renames(texts: Iterable[str], parts: Sequence[Part]) -> Names:
    there = [_names_in(part.run, "board") | _names_in(part.run, "server") for part in parts]
    try:
        return read_renames(texts, files=[part.path for part in parts], there=list(there))
    except ValueError as error:
        known = "; ".join(f"{part.path} has {', '.join(names)}" for part, names in zip(parts, there, strict=True))
        raise UsageError(
            one_line(f"--rename {error.args[0]!r}: wanted is FILE:OLD=NEW, OLD a board or server of FILE ({known})")
        ) from error


def _names_in(run: Mapping[str, Any], kind: str) -> dict[str, None]:
    """The boards or servers of a record, described or not, in their order."""
    items = (*run[f"{kind}s"], *run["results"], *run.get("missing", ()))
    return dict.fromkeys(str(item[kind]) for item in items)


def _board_names(parts: Sequence[Part], renames: Names) -> Names:
    things: list[Named] = []
    for place, part in enumerate(parts):
        described = {board["board"]: board for board in part.run["boards"]}
        for name in _names_in(part.run, "board"):
            board, rename = described.get(name), renames.get((place, name))
            host = (board or {}).get("machine") or part.run["host"].get("machine") or ""
            if board is None:
                things.append(undescribed(name, place=place, host=host, rename=rename))
            else:
                things.append(board_named(board, place=place, host=host, rename=rename))
    return names_for(things)


def _server_names(parts: Sequence[Part], renames: Names) -> Names:
    things: list[Named] = []
    for place, part in enumerate(parts):
        described = {server["server"]: server for server in part.run["servers"]}
        for name in _names_in(part.run, "server"):
            rename = renames.get((place, name))
            if name in described:
                things.append(server_named(described[name], place=place, rename=rename))
            else:
                things.append(undescribed(name, place=place, host="", rename=rename))
    return names_for(things)


# ----------------------------------------------------------------------------------------------- results


def run_id(run: Mapping[str, Any]) -> str:
    """The id of a run; of one that was written before there were ids, made of what tells it apart."""
    known = run["run"].get("id")
    if known:
        return str(known)
    return hashlib.sha256(json.dumps([run["run"], run["host"]], sort_keys=True).encode()).hexdigest()[:12]


def _sources(parts: Sequence[Part], *, boards: Names, servers: Names) -> list[dict[str, Any]]:
    """The runs behind the parts, each once, with what their boards and servers were called."""
    found: dict[str, dict[str, Any]] = {}
    for place, part in enumerate(parts):
        own = {
            "id": run_id(part.run),
            "file": part.path,
            "run": part.run["run"],
            "host": part.run["host"],
            "results": 0,
        }
        for source in part.run.get("sources") or [own]:
            entry = found.setdefault(source["id"], {**source, "boards": {}, "servers": {}})
            for kind, names in (("boards", boards), ("servers", servers)):
                before = source.get(kind) or {name: name for name in _names_in(part.run, kind[:-1])}
                entry[kind] |= {names[place, now]: there for now, there in before.items() if (place, now) in names}
    return list(found.values())


def _joined(
    parts: Sequence[Part], *, boards: Names, servers: Names, sources: list[dict[str, Any]], prefer: str | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """All results under their new names.

    Raises:
        UsageError: two runs have a result for one cell and nobody said which one counts.
    """
    cells: dict[Cell, dict[str, list[dict[str, Any]]]] = {}
    # The same run may be in two files, alone and merged: each of its results is taken from the first one.
    given: dict[tuple[object, ...], int] = {}
    for place, part in enumerate(parts):
        there = {source["id"]: source for source in part.run.get("sources", ())}
        for item in part.run["results"]:
            source = item.get("source") or run_id(part.run)
            origin = (source, *_first_names(item, there.get(source)), item["case"], item.get("repeat", 1))
            if given.setdefault(origin, place) != place:
                continue
            result = _moved(item, part, board=boards[place, item["board"]], server=servers[place, item["server"]])
            cells.setdefault(cell_of(result), {}).setdefault(source, []).append({**result, "source": source})
    started = {source["id"]: source["run"]["started"] for source in sources}
    twice = {cell: runs for cell, runs in cells.items() if _clash(runs.values())}
    notes = []
    if twice:
        if prefer is None:
            raise UsageError(_twice_text(twice, parts, started, boards))
        for cell, runs in twice.items():
            newest = max(runs, key=lambda source: started[source])
            cells[cell] = {newest: runs[newest]}
        notes.append(f"{len(twice)} cells had results of several runs: the newest run's are taken")
    return [result for runs in cells.values() for results in runs.values() for result in results], notes


def _first_names(result: Mapping[str, Any], source: Mapping[str, Any] | None) -> tuple[str, str]:
    """What the board and the server of a result were called in the run that it comes from."""
    boards, servers = ((source or {}).get(kind, {}) for kind in ("boards", "servers"))
    return boards.get(result["board"], result["board"]), servers.get(result["server"], result["server"])


def _clash(runs: Iterable[Iterable[Mapping[str, Any]]]) -> bool:
    """Whether several runs have the same repeat of a cell; parts of one `--repeat` do not clash."""
    seen: set[int] = set()
    for results in runs:
        repeats = {result.get("repeat", 1) for result in results}
        if seen & repeats:
            return True
        seen |= repeats
    return False


def _twice_text(
    twice: Mapping[Cell, Collection[str]], parts: Sequence[Part], started: Mapping[str, str], boards: Names
) -> str:
    cell, runs = next(iter(twice.items()))
    places: dict[str, int] = {}
    for place, part in enumerate(parts):
        for source in part.run.get("sources") or [{"id": run_id(part.run)}]:
            places.setdefault(source["id"], place)
    first, second, *_ = runs
    where = [f"{parts[places[source]].path} ({started[source]})" for source in (first, second)]
    there = next(name for (place, name), now in boards.items() if place == places[second] and now == cell.board)
    more = f" and of {len(twice) - 1} cells more" if len(twice) > 1 else ""
    return one_line(
        f"two results of {cell.board} {cell.server} {cell.case}{more}: in {where[0]} and in {where[1]}; "
        "--prefer newest takes those of the newer run, "
        f"--rename {parts[places[second]].path}:{there}=NAME keeps both"
    )


def _moved(result: Mapping[str, Any], part: Part, *, board: str, server: str) -> dict[str, Any]:
    """A result under its new names, with the way to its evidence."""
    kept = {
        name: f"{part.way}/{path}" if path and part.way and not PurePosixPath(path).is_absolute() else path
        for name, path in result["artifacts"].items()
    }
    return {**result, "board": board, "server": server, "artifacts": kept}


# ----------------------------------------------------------------------------------------------- the rest


def _described(parts: Sequence[Part], kind: str, *, names: Names) -> list[dict[str, Any]]:
    """Boards, servers or cases, each once: as the newest run has it that could ask; a board with the machine that it was on."""
    found: dict[str, tuple[tuple[bool, str], dict[str, Any]]] = {}
    for place, part in enumerate(parts):
        for item in part.run[f"{kind}s"]:
            name = names.get((place, item[kind]), item[kind])
            entry = {**item, kind: name}
            if kind == "board":
                entry["machine"] = item.get("machine") or part.run["host"].get("machine")
            rank = (item.get("firmware") is not None, part.run["run"]["started"])
            if name not in found or rank >= found[name][0]:
                # A dictionary keeps the place of what was there first.
                found[name] = (rank, entry)
    return [entry for _rank, entry in found.values()]


def _order(described: Mapping[str, list[dict[str, Any]]]) -> Callable[[Mapping[str, Any]], tuple[int, ...]]:
    places = [
        {item[kind]: place for place, item in enumerate(described[f"{kind}s"])} for kind in ("board", "server", "case")
    ]

    def order(result: Mapping[str, Any]) -> tuple[int, ...]:
        kinds = zip(places, ("board", "server", "case"), strict=True)
        return *(table.get(result[kind], len(table)) for table, kind in kinds), result.get("repeat", 1)

    return order


def _run(parts: Sequence[Part], sources: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The key `run`: from the first start to the last end."""
    runs = [source["run"] for source in sources]
    sets = {run["cases"] for run in runs}
    ends = [run["finished"] for run in runs if run["finished"]]
    joined = "".join(sorted(source["id"] for source in sources))
    return {
        "id": hashlib.sha256(joined.encode()).hexdigest()[:12],
        "harness": __version__,
        "cases": max(sets, key=SETS.index),
        "started": min(run["started"] for run in runs),
        "finished": max(ends) if ends else max(run["started"] for run in runs),
        "planned": None,
        "whole": len(sets) == 1 and all(part.run["run"].get("whole", True) for part in parts),
        "arguments": [],
    }


def _host(hosts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The key `host`: what all have in common, and texts side by side where they differ; `sources` has each."""
    first = dict(hosts[0])
    for key, value in first.items():
        values = [host.get(key) for host in hosts]
        if any(other != value for other in values):
            if isinstance(value, str):
                first[key] = ", ".join(dict.fromkeys(str(other) for other in values))
            else:
                first[key] = [] if isinstance(value, list) else None
    return first
