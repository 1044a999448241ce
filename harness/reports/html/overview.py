"""The first screen in values: the answer, the key table, counts, boards with problems, changes. Pure."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from harness.reports.server_keys import (
    GOOD,
    Connects,
    KeyCell,
    KeyMatrix,
    KeyRow,
    answer,
    key_matrix,
    milliseconds,
    server_title,
)

# (verdict, sign, what it means), in the order in which a person wants to know.
VERDICTS = (
    ("insecure", "‼", "accepted what had to be refused"),
    ("fail", "✕", "not as expected"),
    ("error", "!", "board, link or harness fault: says nothing about TLS"),
    ("known", "≈", "a listed deviation"),
    ("pass", "✓", "exactly as expected"),
    ("unsupported", "–", "this firmware or server cannot try it"),
)
# The six kinds of a comparison, regressions first (design of `report diff`).
CHANGE_KINDS = ("new failure", "changed error", "newly unsupported", "gone", "new case", "fixed")
CHANGES_SHOWN = 50


def overview(run: dict[str, Any]) -> dict[str, Any]:
    """Everything that the template writes above the matrix.

    Args:
        run: as in run.json, control characters already made visible.
    """
    matrix = key_matrix(run)
    counts = Counter(item["verdict"] for item in run["results"])
    return {
        "answer": answer(matrix)
        if matrix
        else ["This run has no case of a server key, so it cannot say which one to use."],
        "key_table": key_view(run, matrix) if matrix else None,
        "verdicts": [
            {"word": word, "sign": sign, "meaning": meaning, "count": counts[word]}
            for word, sign, meaning in VERDICTS
            if counts[word]
        ],
        "total": len(run["results"]),
        "problems": problems(run),
        "changes": changes(run),
        "heap": [heap_line(run, board["board"]) for board in run["boards"]],
        "servers": [{"name": item["server"], "title": server_title(run, item["server"])} for item in run["servers"]],
    }


def key_view(run: dict[str, Any], matrix: KeyMatrix) -> dict[str, Any]:
    """The key table as rows of texts; `at` finds a cell's results: places of board, server and case in the page's data."""
    firmware = {board["board"]: board["firmware"] or "firmware unknown" for board in run["boards"]}
    boards: dict[str, list[str]] = {}
    for board, server in matrix.columns:
        boards.setdefault(board, []).append(server)
    order = [(board, server) for board, servers in boards.items() for server in servers]
    places = {
        key: {name: place for place, name in enumerate(dict.fromkeys(item[key] for item in run["results"]))}
        for key in ("board", "server", "case")
    }
    ranked = matrix.ranked()

    def rows(wanted: bool) -> list[dict[str, Any]]:  # noqa: FBT001 - two calls, right below
        return [_row(row, order, places) for row in ranked if row.recommendable is wanted]

    return {
        "boards": [
            {
                "name": board,
                "firmware": firmware.get(board, "?"),
                "servers": [_heads(server_title(run, name)) for name in names],
            }
            for board, names in boards.items()
        ],
        "groups": [
            {"title": "One key", "rows": rows(True)},
            {"title": "Two keys on one server, other roots, special settings", "rows": rows(False)},
        ],
    }


def _heads(title: str) -> list[str]:
    """A server's title on short lines: Python, OpenSSL, whose default suites."""
    return title.replace(" (", ", (").split(", ")


def _row(row: KeyRow, order: list[tuple[str, str]], places: dict[str, dict[str, int]]) -> dict[str, Any]:
    cells = {(cell.board, cell.server): cell for cell in row.cells}
    good, total = len(row.good), len(row.cells)
    sign, word = ("✓", "all") if row.everywhere else ("✕", "none") if not good else ("◐", "some")
    return {
        "title": row.title,
        "sign": sign,
        "word": word,
        "count": f"{good} of {total}",
        "cost": f"{milliseconds(row.costs[-1][0])} ms" if row.costs else "",
        "cells": [_key_cell(cells[column], row, places) for column in order],
    }


def _key_cell(cell: KeyCell, row: KeyRow, places: dict[str, dict[str, int]]) -> dict[str, Any]:
    looks = {
        Connects.YES: ("✓", "connects", "yes"),
        Connects.NO: ("✕", "refused", "no"),
        Connects.UNTRIED: ("–", "unsupported", "none"),
        Connects.ERROR: ("!", "error", "error"),
        Connects.MISSING: ("·", "not run", "none"),
    }
    sign, word, style = looks[cell.connects]
    details = [
        (cell.version or "").replace("TLSv", "TLS "),
        f"{milliseconds(cell.time_ms)} ms" if cell.time_ms is not None else "",
    ]
    if cell.connects is Connects.NO:
        details = [cell.reason]
    unexpected = cell.verdict not in (*GOOD, "unsupported", "error", "")
    return {
        "sign": sign,
        "word": word,
        "style": style,
        "detail": " · ".join(text for text in details if text),
        "verdict": cell.verdict if unexpected else "",
        "name": f"{row.title}, board {cell.board}, server {cell.server}: {word}",
        "at": ",".join(
            str(places[key][name]) for key, name in (("board", cell.board), ("server", cell.server), ("case", row.case))
        )
        if cell.connects is not Connects.MISSING
        else "",
    }


def problems(run: dict[str, Any]) -> list[dict[str, Any]]:
    """The boards that need a look: an error, results that are not as expected, notes; the worst first."""
    found = []
    for board in run["boards"]:
        counts = Counter(item["verdict"] for item in run["results"] if item["board"] == board["board"])
        lines = [board["error"]] if board["error"] else []
        bad = [f"{counts[word]} {word}" for word in ("insecure", "fail", "error") if counts[word]]
        if bad:
            lines.append("results: " + ", ".join(bad))
        lines += board["notes"]
        if lines:
            found.append({"board": board["board"], "lines": lines, "bad": bool(bad or board["error"])})
    return sorted(found, key=lambda item: not item["bad"])


def changes(run: dict[str, Any]) -> dict[str, Any] | None:
    """The comparison with a baseline: counts per kind, and the first of each; None where there was no baseline."""
    listed = run.get("changes")
    if listed is None:
        return None
    counts = Counter(item["kind"] for item in listed)
    order = {kind: place for place, kind in enumerate(CHANGE_KINDS)}
    rows = sorted(listed, key=lambda item: order.get(item["kind"], len(order)))
    return {
        "counts": sorted(counts.items(), key=lambda item: order.get(item[0], len(order))),
        "rows": rows[:CHANGES_SHOWN],
        "more": max(0, len(rows) - CHANGES_SHOWN),
    }


def heap_line(run: dict[str, Any], board: str) -> str:
    """What is known of a board's heap: free before a handshake, the low-water mark, what a session did not give back."""
    seen = [
        item["memory_bytes"] for item in run["results"] if item["board"] == board and item["outcome"] == "connected"
    ]
    before = [item["free_before"] for item in seen if item["free_before"] is not None]
    low = [item["free_low"] for item in seen if item["free_low"] is not None]
    kept = [
        item["free_before"] - item["free_after"]
        for item in seen
        if item["free_before"] is not None and item["free_after"] is not None
    ]
    if not before:
        return f"{board}: not measured"
    lowest = f"lowest during the run {kilobytes(min(low))}" if low else "no low-water mark kept by this port"
    lost = max(0, statistics.median(kept)) if kept else 0
    return f"{board}: {kilobytes(statistics.median(before))} free before a handshake, {lowest}, {kilobytes(lost)} not given back after it"


def kilobytes(value: float) -> str:
    """Bytes as people read heap sizes."""
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1000:.1f} kB" if value >= 1000 else f"{value:.0f} B"
