"""The first screen in values: the answer, the key tables, counts, boards with problems, flaky cells, changes. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from harness.model import Outcome, StepResult, VerdictWord
from harness.reports.html.key_tables import cost_view, key_view
from harness.reports.record.cells import server_title
from harness.reports.record.memory_trend import leak_text
from harness.reports.record.result_types import Json, Result
from harness.reports.record.run_types import Baseline, ChangeKind, RunRecord, Source
from harness.reports.record.soak import flaky_cells, times_text, verdicts_text
from harness.reports.text.key_costs import kilobytes
from harness.reports.text.reached_text import reached_lines
from harness.reports.text.server_advice import board_lines, configuration, suites_line
from harness.reports.text.server_keys import KEY_TOPIC, KeyMatrix, answer, hosted_boards, key_matrix
from harness.reports.text.terminal import stranger_lines

CHANGES_SHOWN = 50
FLAKY_SHOWN = 50
NAMES_SHOWN = 3
# Begins the note of a board that was quarantined during the run; the second form is that of older records.
QUARANTINED = ("quarantined", "set aside")


def overview(run: RunRecord) -> dict[str, Json]:
    """Return everything that the template writes, but for the plots and the matrix."""
    matrix = key_matrix(run)
    counts = Counter(item.verdict for item in run.results)
    return {
        "head": head(run),
        "answer": answer(matrix, tabled=True) if matrix else [no_answer(run)],
        "config": _configuration(matrix) if matrix else None,
        "suites": suites_line(matrix) if matrix else "",
        "board_lines": board_lines(run, matrix) if matrix else [],
        "costs": cost_view(run, matrix) if matrix else None,
        "key_table": key_view(run, matrix) if matrix else None,
        "verdicts": [
            {"word": word, "sign": word.sign, "meaning": word.meaning, "count": counts[word]}
            for word in VerdictWord.by_severity()
            if counts[word]
        ],
        "legend": [{"word": word, "sign": word.sign, "meaning": word.meaning} for word in VerdictWord.by_severity()],
        "hosted": list(hosted_boards(run)),
        "total": len(run.results),
        "reached": reached_lines(run),
        "problems": problems(run),
        "troubled": troubled(run),
        "flaky": flaky(run),
        "changes": changes(run),
        "heap": [heap_line(run, board.board) for board in run.boards],
        "boards": [board.as_json() for board in run.boards],
        "servers": [{"name": item.server, "title": server_title(run, item.server)} for item in run.servers],
    }


def _configuration(matrix: KeyMatrix) -> dict[str, Json] | None:
    """Return the recommended server as configuration to copy."""
    found = configuration(matrix)
    if found is None:
        return None
    return {
        "title": found.title,
        "servers": [{"name": name, "text": "\n".join(lines)} for name, lines in found.servers],
    }


def no_answer(run: RunRecord) -> str:
    """Say why the page names no key if no key was tried."""
    if any(cell.case.startswith(f"{KEY_TOPIC}/") for cell in run.missing):
        return "This run ended before it tested a server key, so it cannot say which one to use."
    return "This run has no server-key case, so it cannot say which one to use."


def head(run: RunRecord) -> dict[str, Json]:
    """Return what the page says of the run itself."""
    about, host = run.run, run.host
    return {
        "when": f"{_minute(about.started)} UTC",
        "cases": f"{about.cases} cases",
        "interrupted": not about.finished,
        "host": ", ".join(text for text in (f"Python {host.python}", host.openssl, host.platform) if text),
        "harness": about.harness,
        "arguments": " ".join(about.arguments),
        "repeat": run.soak.repeat if run.soak else None,
        "missing": len(run.missing),
        "sources": [source_row(source) for source in run.sources],
    }


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def source_row(source: Source) -> dict[str, Json]:
    """Return one of the merged runs: where and when it was measured, and with which boards."""
    host = source.host
    return {
        "file": source.file or source.id,
        "when": _minute(source.run.started),
        "where": ", ".join(text for text in (host.machine, host.platform, f"Python {host.python}") if text),
        "boards": ", ".join(source.boards),
        "results": source.results,
    }


def problems(run: RunRecord) -> list[dict[str, Json]]:
    """Return the boards with problems, the worst first: unusable or quarantined, with unexpected or flaky results, with notes, or
    without some of their results.
    """
    found: list[tuple[tuple[bool, bool], dict[str, Json]]] = []
    unsteady = Counter(cell.board for cell in flaky_cells(run))
    missing = Counter(cell.board for cell in run.missing)
    described = {board.board: board for board in run.boards}
    # Of a run that ended early only the name of a board may be known.
    for name in dict.fromkeys([*described, *missing]):
        board = described.get(name)
        notes = board.notes if board else ()
        own = [item for item in run.results if item.board == name]
        lines = [f"not usable: {board.error}"] if board and board.error else _quarantined(own, notes=notes)
        unusable = bool(lines)
        lines += _bad_results(own)
        if unsteady[name]:
            lines.append(f"{unsteady[name]} flaky")
        serious = bool(lines)
        lines += [note for note in notes if note not in lines]
        lines += stranger_lines(own)
        if lost := missing[name]:
            lines.append(f"{lost} case{'s' * (lost > 1)} not run")
        if lines:
            entry: dict[str, Json] = {"board": name, "lines": lines, "bad": serious, "unusable": unusable}
            found.append(((not unusable, not serious), entry))
    return [entry for _rank, entry in sorted(found, key=lambda item: item[0])]


def _bad_results(results: Sequence[Result]) -> list[str]:
    counts = Counter(item.verdict for item in results)
    bad = [f"{counts[word]} {word}" for word in VerdictWord.by_severity() if word.fails_run and counts[word]]
    return [f"{', '.join(bad)} of {len(results)} results"] if bad else []


def _quarantined(results: Sequence[Result], *, notes: Sequence[str]) -> list[str]:
    """Say why a board was not used any more during the run, or why nothing could be tried on it; empty if neither is so."""
    lines = [note for note in notes if note.startswith(QUARANTINED)]
    if not lines:
        ends = (item for item in results if any(step.result == StepResult.QUARANTINED for step in item.recovery))
        lines = [f"{QUARANTINED[0]} at {item.case}: {item.reason}" for item in ends][:1]
    if not lines and results and not any(item.verdict.tells_tls for item in results):
        (reason, _count), *_others = Counter(item.reason for item in results).most_common()
        lines.append(f"no case could be tried: {reason}")
    return lines


def troubled(run: RunRecord) -> str:
    """Return the names of the boards with serious problems, in one line; empty if there are none."""
    names = [str(item["board"]) for item in problems(run) if item["bad"]]
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def flaky(run: RunRecord) -> dict[str, Json] | None:
    """Return the cells of a soak run that changed their verdict, with every verdict, and leaks; None if nothing was repeated."""
    soak = run.soak
    if soak is None:
        return None
    cells = flaky_cells(run)
    rows = [
        {
            "case": cell.case,
            "board": cell.board,
            "server": cell.server,
            "connected": cell.connected,
            "verdicts": verdicts_text(cell),
            "times": times_text(cell),
        }
        for cell in cells[:FLAKY_SHOWN]
    ]
    more = max(0, len(cells) - FLAKY_SHOWN)
    return {
        "repeat": soak.repeat,
        "cells": len(soak.cells),
        "rows": rows,
        "more": more,
        "leaks": [leak_text(leak) for leak in soak.leaks],
    }


def changes(run: RunRecord) -> dict[str, Json] | None:
    """Return the comparison with a baseline: counts per kind, and the first changes; None if there was no baseline."""
    if run.changes is None:
        return None
    order = list(ChangeKind)
    counts = Counter(item.kind for item in run.changes)
    rows = sorted(run.changes, key=lambda item: order.index(item.kind))
    return {
        "counts": [(kind, counts[kind]) for kind in ChangeKind if counts[kind]],
        "baseline": baseline_text(run.baseline) if run.baseline else "",
        "notes": run.baseline.notes if run.baseline else [],
        "regressions": sum(item.kind.regression for item in rows),
        "rows": [{**row.as_json(), "regression": row.kind.regression} for row in rows[:CHANGES_SHOWN]],
        "more": max(0, len(rows) - CHANGES_SHOWN),
    }


def baseline_text(baseline: Baseline) -> str:
    """Say in one sentence what the run was compared with."""
    left_out = f", {baseline.left_out} of the baseline not selected" if baseline.left_out else ""
    counts = f"{baseline.compared} compared, {baseline.unchanged} unchanged{left_out}"
    return f"Compared with {baseline.file} of {_minute(baseline.started)} UTC: {counts}."


def heap_line(run: RunRecord, board: str) -> str:
    """Say what is known about a board's heap: free before a handshake, held by an open session, the low-water mark, not freed."""
    seen = [item.memory_bytes for item in run.results if item.board == board and item.outcome is Outcome.CONNECTED]
    before = [item.free_before for item in seen if item.free_before is not None]
    low = [item.free_low for item in seen if item.free_low is not None]
    held = [item.held for item in seen if item.held is not None]
    kept = [
        item.free_before - item.free_after
        for item in seen
        if item.free_before is not None and item.free_after is not None
    ]
    if not before:
        return f"{board}: not measured"
    parts = [f"{kilobytes(statistics.median(before))} free before a handshake"]
    if held:
        parts.append(f"an open session holds {kilobytes(statistics.median(held))}")
    parts.append(f"lowest during the run {kilobytes(min(low))}" if low else "this port keeps no low-water mark")
    parts.append(f"{kilobytes(max(0, statistics.median(kept)) if kept else 0)} not given back after it")
    return f"{board}: {', '.join(parts)}"
