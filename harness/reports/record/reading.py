"""Reads run records back: run.json, or the journal run.jsonl of a run that was interrupted. Pure but for reading one file.

A file may come from anybody: what does not fit the shipped schema is refused with one line, so that nothing later has to ask again.
Must not know how a record is shown.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.model import Cell, current_name
from harness.reports.record.cells import cell_json
from harness.reports.record.plain import one_line
from harness.reports.record.run_record import SCHEMA
from harness.reports.record.schema import run_schema
from harness.reports.record.soak import soak_json

WANTED = "wanted is a run.json or run.jsonl that pytest wrote, or the output of `tls-harness report merge`"
_PARTS = {"board": "boards", "server": "servers", "case": "cases", "result": "results"}
# 10,000 results are about 40 MB. A device or a pipe without an end must not take the machine's memory.
_SIZE_LIMIT_BYTES = 512 * 1024 * 1024
# Longer messages would hold whole lists of accepted words.
_MESSAGE_LIMIT = 300
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A run record and where it came from.

    `run` is as in run.json; `notes` is what a person should know of the file, `folder` the one that its artifacts are told from.
    """

    path: str
    folder: Path
    run: dict[str, Any]
    notes: tuple[str, ...] = ()


def read_run(path: str, *, told: str = "", start: Path | None = None) -> RunFile:
    """Read a run record.

    Args:
        path: of a run.json or run.jsonl.
        told: the option it was told with, for messages.
        start: the folder that a relative path begins in; None for the current one.

    Raises:
        UsageError: one line for whatever is wrong with the file.
    """
    where = one_line(f"{told} {path}" if told else path)
    try:
        place = (start or Path()) / path
        with place.open("rb") as stream:
            data = stream.read(_SIZE_LIMIT_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{where}: cannot be read ({error.strerror}); {WANTED}") from error
    except ValueError as error:
        raise UsageError(f"{where}: no path of a file; {WANTED}") from error
    if len(data) > _SIZE_LIMIT_BYTES:
        raise UsageError(f"{where}: longer than {_SIZE_LIMIT_BYTES >> 20} MB; {WANTED}")
    run, notes = parse_run(data, where=where)
    return RunFile(path=path, folder=place.absolute().parent, run=run, notes=notes)


def parse_run(data: bytes, *, where: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A run record out of a file's bytes, with notes about the file.

    Args:
        data: JSON, or JSON lines with the run first.
        where: the file's name, for messages.

    Raises:
        UsageError: it is no run record, or one of a schema that is not read.
    """
    first, rest = data.split(b"\n", 1) if b"\n" in data else (data, b"")
    head = _json(first)
    if isinstance(head, dict) and "record" in head:
        run, notes = _of_journal(head, rest.split(b"\n"), where=where)
    else:
        run, notes = _whole(data, where=where), ()
    _check(run, where=where)
    _rename_cases(run)
    run = with_soak(run)
    return run, (*notes, *(f"{where}: {text}" for text in incomplete(run)))


def incomplete(run: dict[str, Any]) -> list[str]:
    """Why a run is not the whole; empty if it is."""
    planned, there = run["run"].get("planned"), len(run["results"])
    if run["run"]["finished"] is not None and (planned is None or planned <= there):
        return []
    how = "was killed or still goes on" if run["run"]["finished"] is None else "was interrupted"
    return [f"the run {how}; it has {there}{f' of {planned}' if planned is not None else ''} results"]


def _json(data: bytes) -> Any:
    """Parsed JSON, None where it is none: no real line is `null`."""
    try:
        return _parsed(data)
    except (ValueError, RecursionError):
        return None


def _parsed(data: bytes) -> Any:
    """JSON that can be written again: Python's reader alone takes NaN, numbers that become infinite, and halves of characters."""
    value = json.loads(data, parse_constant=_no_number, parse_float=_finite)
    return _whole_characters(value) if _HALF.search(data) else value


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _whole_characters(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(item) for key, item in value.items()}
    return value


def _whole(data: bytes, *, where: str) -> dict[str, Any]:
    try:
        run = _parsed(data)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{where}: no JSON at line {error.lineno}, column {error.colno} ({error.msg}); {WANTED}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: no JSON that can be read; {WANTED}") from error
    if not isinstance(run, dict):
        raise UsageError(f"{where}: JSON, but no object; {WANTED}")
    return run


def _of_journal(head: dict[str, Any], lines: list[bytes], *, where: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The record of a journal. What a kill left of its last line is left out; any other line must be whole."""
    if head["record"] != "run":
        raise UsageError(f"{where}: line 1 is no run line; a journal begins with one ({WANTED})")
    run = {key: value for key, value in head.items() if key != "record"}
    parts: dict[str, list[dict[str, Any]]] = {name: [] for name in _PARTS.values()}
    planned: list[Cell] = []
    notes: list[str] = []
    foreign = 0
    last = max((number for number, line in enumerate(lines) if line.strip()), default=-1)
    for number, line in enumerate(lines[: last + 1]):
        entry = _json(line)
        if not isinstance(entry, dict) or not isinstance(entry.get("record"), str):
            if number == last:
                notes.append(f"{where}: the last line, {number + 2}, is torn and left out")
                break
            raise UsageError(f"{where}: line {number + 2} is no line of a journal; {WANTED}")
        kind = entry.pop("record")
        if kind in _PARTS:
            parts[_PARTS[kind]].append(entry)
        elif kind == "plan":
            planned += _planned(entry, where=f"{where}: line {number + 2}")
        elif kind == "end" and isinstance(run.get("run"), dict):
            run["run"] = {**run["run"], **entry}
        else:
            foreign += 1
    if foreign:
        notes.append(f"{where}: {foreign} lines of a kind that this version does not know are left out")
    return _joined(run, parts, planned), tuple(notes)


def _planned(entry: dict[str, Any], *, where: str) -> list[Cell]:
    """The cells of a line that says what was to come for one board and server."""
    board, server, cases = (entry.get(key) for key in ("board", "server", "cases"))
    fitting = isinstance(cases, list) and all(isinstance(text, str) for text in (board, server, *cases))
    if not isinstance(cases, list) or not fitting:
        raise UsageError(f"{where} is no plan (board, server and a list of cases); {WANTED}")
    return [Cell(board=str(board), server=str(server), case=case) for case in cases]


def _joined(run: dict[str, Any], parts: dict[str, list[dict[str, Any]]], planned: list[Cell]) -> dict[str, Any]:
    """The parts as run.json has them: results in the order of boards, servers and cases, and what is missing."""
    for name, key in (("boards", "board"), ("servers", "server")):
        # Described again where something was learned of it on the way: the last word counts.
        parts[name] = list({_word(item, key): item for item in parts[name]}.values())
    results = parts["results"]
    order = [_places(parts[name], key) for name, key in (("boards", "board"), ("servers", "server"), ("cases", "case"))]
    keys = ("board", "server", "case")
    results.sort(key=lambda item: [places.get(_word(item, key), -1) for places, key in zip(order, keys, strict=True)])
    there = {Cell(**{key: _word(item, key) for key in keys}) for item in results}
    return {**run, **parts, "missing": [cell_json(cell) for cell in planned if cell not in there]}


def with_soak(run: dict[str, Any]) -> dict[str, Any]:
    """The record with its statistics of repeated cells where it has such cells and no statistics yet: of a journal, or merged."""
    most = max((result.get("repeat", 1) for result in run["results"]), default=1)
    return run if most < 2 or "soak" in run else {**run, "soak": soak_json(run["results"], repeat=most)}


def _rename_cases(run: dict[str, Any]) -> None:
    """Write the current case ids into a record of a version that had others, so that it compares with newer ones."""
    for item in (
        *run["cases"],
        *run["results"],
        *(run.get("missing") or ()),
        *(run.get("changes") or ()),
        *((run.get("soak") or {}).get("cells") or ()),
    ):
        former = item["case"]
        item["case"] = current_name(former)
        if "topic" in item:
            item["topic"] = item["case"].partition("/")[0]
        if item.get("rerun"):
            item["rerun"] = item["rerun"].replace(former, item["case"])


def _word(item: dict[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _places(items: Iterable[dict[str, Any]], key: str) -> dict[str, int]:
    return {_word(item, key): place for place, item in enumerate(items)}


def _check(run: dict[str, Any], *, where: str) -> None:
    import fastjsonschema

    schema = run.get("schema")
    if schema != SCHEMA:
        said = f"has the schema {one_line(repr(schema))[:80]}" if schema is not None else "names no schema"
        raise UsageError(f"{where}: {said}; this version reads {SCHEMA} ({WANTED})")
    try:
        _validator()(run)
    except fastjsonschema.JsonSchemaValueException as error:
        said = one_line(error.message.removeprefix("data."))
        said = said if len(said) <= _MESSAGE_LIMIT else said[:_MESSAGE_LIMIT] + " ..."
        raise UsageError(f"{where}: not as {SCHEMA} says: {said}") from error
    except RecursionError as error:
        raise UsageError(f"{where}: nested too deeply; {WANTED}") from error


@functools.cache
def _validator() -> Callable[[dict[str, Any]], object]:
    """The schema compiled to Python: an interpreting validator takes a minute for 10,000 results."""
    import fastjsonschema

    schema = run_schema()
    del schema["$id"]  # a urn, which the compiler would try to resolve
    compiled: Callable[[dict[str, Any]], object] = fastjsonschema.compile(schema)
    return compiled
