"""The first screen in values: the answer, the key tables, counts, boards with problems, flaky cells, changes. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from harness.reports.html.key_tables import cost_view, key_view, kilobytes
from harness.reports.record.cells import server_title
from harness.reports.record.diff import Kind
from harness.reports.record.soak import flaky_cells, times_text, verdicts_text
from harness.reports.text.server_keys import KEY_TOPIC, answer, key_matrix
from harness.reports.text.terminal import NOTHING_TRIED, stranger_lines

# (verdict, sign, what it means), in the order in which a person wants to know.
VERDICTS = (
    ("insecure", "‼", "accepted what had to be refused"),
    ("fail", "✕", "not as expected"),
    ("error", "!", "board, link or harness fault: says nothing about TLS"),
    ("known", "≈", "a listed deviation"),
    ("pass", "✓", "exactly as expected"),
    ("unsupported", "–", "this firmware or server cannot try it"),
)
CHANGES_SHOWN = 50
FLAKY_SHOWN = 50
NAMES_SHOWN = 3
# Begins the note of a board that was given up in the middle of a run.
QUARANTINED = "quarantined"


def overview(run: dict[str, Any]) -> dict[str, Any]:
    """Everything that the template writes above the matrix.

    Args:
        run: as in run.json, control characters already made visible.
    """
    matrix = key_matrix(run)
    counts = Counter(item["verdict"] for item in run["results"])
    return {
        "head": head(run),
        "answer": answer(matrix, tabled=True) if matrix else [no_answer(run)],
        "costs": cost_view(run, matrix) if matrix else None,
        "key_table": key_view(run, matrix) if matrix else None,
        "verdicts": [
            {"word": word, "sign": sign, "meaning": meaning, "count": counts[word]}
            for word, sign, meaning in VERDICTS
            if counts[word]
        ],
        "total": len(run["results"]),
        "problems": problems(run),
        "troubled": troubled(run),
        "flaky": flaky(run),
        "changes": changes(run),
        "heap": [heap_line(run, board["board"]) for board in run["boards"]],
        "servers": [{"name": item["server"], "title": server_title(run, item["server"])} for item in run["servers"]],
    }


def no_answer(run: dict[str, Any]) -> str:
    """Why the page names no key where no key was tried."""
    if any(cell["case"].startswith(f"{KEY_TOPIC}/") for cell in run.get("missing") or ()):
        return "This run ended before it came to a server key, so it cannot say which one to use."
    return "This run has no case of a server key, so it cannot say which one to use."


def head(run: dict[str, Any]) -> dict[str, Any]:
    """What the page says of the run itself; a merged record may know less of it than a single one, or more runs."""
    about, host = run.get("run") or {}, run.get("host") or {}
    started = str(about.get("started") or "")[:16].replace("T", " ")
    machine = [
        f"Python {host['python']}" if host.get("python") else "",
        host.get("openssl") or "",
        host.get("platform") or "",
    ]
    return {
        "when": f"{started} UTC" if started else "",
        "cases": f"{about['cases']} cases" if about.get("cases") else "",
        "interrupted": "finished" in about and not about["finished"],
        "host": ", ".join(text for text in machine if text),
        "harness": about.get("harness") or "",
        "arguments": " ".join(about.get("arguments") or ()),
        "repeat": (run.get("soak") or {}).get("repeat"),
        "missing": len(run.get("missing") or ()),
        "sources": [source_row(source) for source in run.get("sources") or ()],
    }


def source_row(source: dict[str, Any]) -> dict[str, Any]:
    """One of the runs that were merged: who measured what, where and when."""
    about, host = source.get("run") or {}, source.get("host") or {}
    where = [
        host.get("machine") or "",
        host.get("platform") or "",
        f"Python {host['python']}" if host.get("python") else "",
    ]
    return {
        "file": source.get("file") or source.get("id") or "",
        "when": str(about.get("started") or "")[:16].replace("T", " "),
        "where": ", ".join(text for text in where if text),
        "boards": ", ".join(source.get("boards") or ()),
        "results": source.get("results"),
    }


def problems(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The boards that need a look: unusable or quarantined, with results that are not as expected, flaky, with notes or without
    some of their results; the worst first.
    """
    found = []
    unsteady = Counter(cell["board"] for cell in flaky_cells(run))
    missing = Counter(cell["board"] for cell in run.get("missing") or ())
    described = {board["board"] for board in run["boards"]}
    # Of a run that ended early a board may be known by its name alone.
    for board in [*run["boards"], *({"board": name, "error": None} for name in missing if name not in described)]:
        own = [item for item in run["results"] if item["board"] == board["board"]]
        counts = Counter(item["verdict"] for item in own)
        lines = [f"not usable: {board['error']}"] if board["error"] else []
        lines = lines or _why_unusable(own, notes=board.get("notes") or [])
        unusable = bool(lines)
        bad = [f"{counts[word]} {word}" for word in ("insecure", "fail", "error") if counts[word]]
        if bad:
            lines.append(f"{', '.join(bad)} of {len(own)} results")
        if unsteady[board["board"]]:
            lines.append(f"{unsteady[board['board']]} flaky")
        serious = bool(lines)
        lines += [note for note in board.get("notes") or [] if note not in lines]
        lines += stranger_lines(own)
        if lost := missing[board["board"]]:
            lines.append(f"{lost} case{'s' * (lost > 1)} not run")
        if lines:
            found.append({"board": board["board"], "lines": lines, "bad": serious, "unusable": unusable})
    return sorted(found, key=lambda item: (not item["unusable"], not item["bad"]))


def _why_unusable(results: list[dict[str, Any]], *, notes: list[str]) -> list[str]:
    """Why a board was quarantined during the run, or why nothing could be tried on it; empty for a healthy board."""
    lines = [note for note in notes if note.startswith(QUARANTINED)]
    if not lines:
        ends = (item for item in results if any(step["result"] == "set-aside" for step in item.get("recovery") or ()))
        lines = [f"{QUARANTINED} at {item['case']}: {item['reason']}" for item in ends][:1]
    if not lines and results and all(item["verdict"] in NOTHING_TRIED for item in results):
        (reason, _count), *_others = Counter(item["reason"] for item in results).most_common()
        lines.append(f"no case could be tried: {reason}")
    return lines


def troubled(run: dict[str, Any]) -> str:
    """The names of the boards with serious problems, in one line; empty where there are none."""
    names = [item["board"] for item in problems(run) if item["bad"]]
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def flaky(run: dict[str, Any]) -> dict[str, Any] | None:
    """The cells of a soak run that changed their verdict, each with every verdict it had; None where nothing was repeated."""
    soak = run.get("soak")
    if not soak:
        return None
    cells = flaky_cells(run)
    rows = [
        {**{key: cell[key] for key in ("case", "board", "server", "connected")}, "verdicts": verdicts_text(cell), "times": times_text(cell)}
        for cell in cells[:FLAKY_SHOWN]
    ]  # fmt: skip
    return {"repeat": soak["repeat"], "cells": len(soak["cells"]), "rows": rows, "more": max(0, len(cells) - FLAKY_SHOWN)}  # fmt: skip


def changes(run: dict[str, Any]) -> dict[str, Any] | None:
    """The comparison with a baseline: counts per kind, and the first of each; None where there was no baseline."""
    listed = run.get("changes")
    if listed is None:
        return None
    counts = Counter(item["kind"] for item in listed)
    order = {kind.value: place for place, kind in enumerate(Kind)}
    rows = sorted(listed, key=lambda item: order.get(item["kind"], len(order)))
    return {
        "counts": sorted(counts.items(), key=lambda item: order.get(item[0], len(order))),
        "baseline": baseline_text(run.get("baseline") or {}),
        "notes": (run.get("baseline") or {}).get("notes") or [],
        "regressions": sum(bool(item.get("regression")) for item in listed),
        "rows": [{"regression": False, **row} for row in rows[:CHANGES_SHOWN]],
        "more": max(0, len(rows) - CHANGES_SHOWN),
    }


def baseline_text(baseline: dict[str, Any]) -> str:
    """What the run was compared with, in one sentence; empty where the record does not say."""
    if not baseline:
        return ""
    left_out = f", {baseline['left_out']} of the baseline not asked for" if baseline.get("left_out") else ""
    when = str(baseline["started"])[:16].replace("T", " ")
    return f"Compared with {baseline['file']} of {when} UTC: {baseline['compared']} compared, {baseline['unchanged']} unchanged{left_out}."


def heap_line(run: dict[str, Any], board: str) -> str:
    """What is known of a board's heap: free before a handshake, held by an open session, the low-water mark, not given back."""
    seen = [
        item["memory_bytes"] for item in run["results"] if item["board"] == board and item["outcome"] == "connected"
    ]
    before = [item["free_before"] for item in seen if item["free_before"] is not None]
    low = [item["free_low"] for item in seen if item["free_low"] is not None]
    held = [item["held"] for item in seen if item.get("held") is not None]
    kept = [
        item["free_before"] - item["free_after"]
        for item in seen
        if item["free_before"] is not None and item["free_after"] is not None
    ]
    if not before:
        return f"{board}: not measured"
    parts = [f"{kilobytes(statistics.median(before))} free before a handshake"]
    if held:
        parts.append(f"an open session holds {kilobytes(statistics.median(held))}")
    parts.append(f"lowest during the run {kilobytes(min(low))}" if low else "no low-water mark kept by this port")
    parts.append(f"{kilobytes(max(0, statistics.median(kept)) if kept else 0)} not given back after it")
    return f"{board}: {', '.join(parts)}"
