"""Read run records: run.json, or the journal run.jsonl of a run that was interrupted. Pure but for reading one file.

A file may come from anyone: one that does not match the definition (`run_types.py`) is rejected with one line, so that nothing later
has to check again. Must not know how a record is shown.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from harness.errors import UsageError
from harness.model import current_name
from harness.reports.record.cells import missing_cells
from harness.reports.record.columns import cells_of_plan, column_name
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import AnyJson, Json, Result, broken_rule
from harness.reports.record.run_types import (
    JOURNAL_LINES,
    SCHEMA,
    BoardEntry,
    CaseEntry,
    CellChange,
    CellEntry,
    JournalEnd,
    JournalPlan,
    JournalStart,
    RunRecord,
    ServerEntry,
    SoakCell,
)
from harness.reports.record.soak import soak_of_repeats
from harness.system.user_files import FileRefused, read_file

EXPECTED = "expected a run.json or run.jsonl that pytest wrote, or the output of `tls-harness report merge`"
# 10,000 results are about 40 MB.
_SIZE_LIMIT_BYTES = 512 * 1024 * 1024
# A rejected value may be long.
_MESSAGE_LIMIT = 300
T = TypeVar("T")
Named = TypeVar("Named", Result, CellEntry, CellChange, SoakCell)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A run record and its file.

    `folder` is the one that its artifacts' paths are relative to; `notes` are lines about the file for the user.
    """

    path: str
    folder: Path
    run: RunRecord
    notes: tuple[str, ...] = ()


def read_run(path: str, *, source: str = "", start: Path | None = None) -> RunFile:
    """Read a run record.

    Args:
        path: of a run.json or run.jsonl.
        source: the option that named it, for messages.
        start: the folder that a relative path begins in; None for the current one.

    Raises:
        UsageError: one line that says what is wrong with the file.
    """
    where = one_line(f"{source} {path}" if source else path)
    file = (start or Path()) / path
    try:
        data = read_file(file, limit_bytes=_SIZE_LIMIT_BYTES)
    except FileRefused as error:
        raise UsageError(f"{where}: cannot be read ({error.reason}); {EXPECTED}") from error
    run, notes = parse_run(data, where=where)
    return RunFile(path=path, folder=file.absolute().parent, run=run, notes=notes)


def parse_run(data: bytes, *, where: str) -> tuple[RunRecord, tuple[str, ...]]:
    """Parse a run record, and return it with notes about the file.

    Args:
        data: JSON, or JSON lines with the run first.
        where: the file's name, for messages.

    Raises:
        UsageError: it is not a run record, or has a schema that this version does not read.
    """
    first, rest = data.split(b"\n", 1) if b"\n" in data else (data, b"")
    notes: tuple[str, ...] = ()
    of_journal = _kind(first) is not None
    _refuse_repeated_keys(data.split(b"\n") if of_journal else [data], where=where)
    if of_journal:
        run, notes = _of_journal(first, rest.split(b"\n"), where=where)
    else:
        _check_schema(_head_of(data, where=where), where=where)
        run = _checked(data, RunRecord, where=where)
    for number, result in enumerate(run.results):
        if broken := broken_rule(result):
            raise UsageError(f"{where}: does not match {SCHEMA}: {broken} - at `$.results[{number}]`")
    run = _with_current_names(run)
    run = replace(run, schema=SCHEMA, soak=run.soak or soak_of_repeats(run.results))
    return run, (*notes, *(f"{where}: {text}" for text in incomplete(run)))


def incomplete(run: RunRecord) -> list[str]:
    """Say why a run is not complete; empty if it is."""
    planned, there = run.run.planned, len(run.results)
    if run.run.finished is not None and (planned is None or planned <= there):
        return []
    how = "was killed or is still running" if run.run.finished is None else "was interrupted"
    return [f"the run {how}; it has {there}{f' of {planned}' if planned is not None else ''} results"]


# ----------------------------------------------------------------------------------------------- JSON


class _Head(msgspec.Struct):
    """What tells kinds of files and lines apart."""

    schema: AnyJson = None
    record: AnyJson = None


def _decoded(data: bytes, kind: type[T]) -> T:
    """Parse JSON as a type.

    Raises:
        msgspec.ValidationError: it is JSON of another type.
        ValueError: it is not JSON, or a number in it is too large.
        RecursionError: it is nested too deeply.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Python's reader says where an error is, and accepts halves of characters, which old records may have.
        value = json.loads(data, parse_constant=_not_json, parse_float=_finite)
        return msgspec.convert(_whole_characters(value), kind)


class _RepeatedKeyError(ValueError):
    """An object has a key twice, of which readers may take either.

    Args:
        key: the key.
    """

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _refuse_repeated_keys(texts: Iterable[bytes], *, where: str) -> None:
    """Raise UsageError if an object in these JSON texts has a key twice. A text that is not JSON is passed over."""
    for text in texts:
        try:
            json.loads(text, object_pairs_hook=_with_unique_keys)
        except _RepeatedKeyError as error:
            raise UsageError(f"{where}: duplicate key {one_line(repr(error.key))[:80]}; {EXPECTED}") from error
        except (ValueError, RecursionError):
            continue


def _with_unique_keys(pairs: list[tuple[str, Json]]) -> None:
    seen = set()
    for key, _value in pairs:
        if key in seen:
            raise _RepeatedKeyError(key)
        seen.add(key)


def _not_json(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _whole_characters(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(item) for item in value]
    if isinstance(value, dict):
        return {str(_whole_characters(key)): _whole_characters(item) for key, item in value.items()}
    return value


def _head_of(data: bytes, *, where: str) -> _Head:
    """Parse the head of a JSON object.

    Raises:
        UsageError: it is not one.
    """
    try:
        return _decoded(data, _Head)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: not a run record: {_short(error)}; {EXPECTED}") from error
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{where}: invalid JSON at line {error.lineno}, column {error.colno} ({error.msg}); {EXPECTED}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: unreadable JSON; {EXPECTED}") from error


def _check_schema(head: _Head, *, where: str) -> None:
    if head.schema in (SCHEMA, "tls-harness/run/1"):
        return
    found = f"has the schema {one_line(repr(head.schema))[:80]}" if head.schema is not None else "names no schema"
    raise UsageError(f"{where}: {found}; this version reads {SCHEMA} and tls-harness/run/1 ({EXPECTED})")


def _checked(data: bytes, kind: type[T], *, where: str) -> T:
    """Parse JSON, of which the head was parsed before, as a part of a run record.

    Raises:
        UsageError: it does not match.
    """
    try:
        return _decoded(data, kind)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: does not match {SCHEMA}: {_short(error)}") from error


def _short(error: Exception) -> str:
    text = one_line(str(error.args[0]))
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + " ..."


# ----------------------------------------------------------------------------------------------- the journal


def _of_journal(first: bytes, lines: list[bytes], *, where: str) -> tuple[RunRecord, tuple[str, ...]]:
    """Return the record of a journal. If a kill tore its last line, that is left out; any other line must be whole."""
    head = _head_of(first, where=where)
    if head.record != "run":
        raise UsageError(f"{where}: line 1: not the start of a journal ({EXPECTED})")
    _check_schema(head, where=where)
    entries: list[msgspec.Struct] = [_checked(first, JournalStart, where=f"{where}: line 1")]
    notes: list[str] = []
    unknown = 0
    last = max((number for number, line in enumerate(lines) if line.strip()), default=-1)
    for number, line in enumerate(lines[: last + 1]):
        kind = _kind(line)
        if kind is None:
            if number == last:
                notes.append(f"{where}: the last line, {number + 2}, is incomplete and was ignored")
                break
            raise UsageError(f"{where}: line {number + 2}: not a journal entry; {EXPECTED}")
        if kind in JOURNAL_LINES:
            entries.append(_checked(line, JOURNAL_LINES[kind], where=f"{where}: line {number + 2}"))
        else:
            unknown += 1
    if unknown:
        notes.append(f"{where}: ignored {unknown} line{'s' * (unknown > 1)} of a kind that this version does not know")
    return _joined(entries), tuple(notes)


def _kind(line: bytes) -> str | None:
    """Return the kind of a line; None if it: not a journal entry."""
    try:
        kind = _decoded(line, _Head).record
    except (ValueError, RecursionError):
        return None
    return kind if isinstance(kind, str) else None


def _joined(entries: Iterable[msgspec.Struct]) -> RunRecord:
    """Return the lines as run.json has them: results in the order of boards, servers and cases, and what is missing."""
    lines = list(entries)

    def of(kind: type[T]) -> list[T]:
        return [entry for entry in lines if isinstance(entry, kind)]

    start, ends = of(JournalStart)[0], of(JournalEnd)
    # A board is described again when more is known about it: the last description counts.
    boards = {board.board: board for board in of(BoardEntry)}
    servers = {server.server: server for server in of(ServerEntry)}
    cases = {case.case: case for case in of(CaseEntry)}
    places = [{name: place for place, name in enumerate(names)} for names in (boards, servers, cases)]
    results = sorted(
        of(Result),
        key=lambda item: (
            places[0].get(item.board, -1),
            places[1].get(item.server, -1),
            column_name(item),
            places[2].get(item.case, -1),
        ),
    )
    planned = [cell for plan in of(JournalPlan) for cell in cells_of_plan(plan)]
    return RunRecord(
        schema=start.schema,
        run=replace(start.run, finished=ends[-1].finished) if ends else start.run,
        host=start.host,
        boards=tuple(boards.values()),
        servers=tuple(servers.values()),
        cases=tuple(of(CaseEntry)),
        results=tuple(results),
        missing=missing_cells(planned, results),
    )


# ----------------------------------------------------------------------------------------------- former names


def _with_current_names(run: RunRecord) -> RunRecord:
    """Write the current case ids into a record of a version that had others, so that it compares with newer ones."""
    return replace(
        run,
        cases=tuple(_current_case(case) for case in run.cases),
        results=tuple(_current_result(result) for result in run.results),
        missing=tuple(_current(cell) for cell in run.missing),
        changes=None if run.changes is None else tuple(_current(change) for change in run.changes),
        soak=run.soak and replace(run.soak, cells=tuple(_current(cell) for cell in run.soak.cells)),
    )


def _current(item: Named) -> Named:
    name = current_name(item.case)
    return item if name == item.case else replace(item, case=name)


def _current_case(case: CaseEntry) -> CaseEntry:
    name = current_name(case.case)
    return case if name == case.case else replace(case, case=name, topic=name.partition("/")[0])


def _current_result(result: Result) -> Result:
    current = _current(result)
    if current is not result and result.rerun:
        return replace(current, rerun=result.rerun.replace(result.case, current.case))
    return current
