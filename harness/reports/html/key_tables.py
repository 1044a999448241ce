"""The two tables of server keys in texts: what each key costs each board, and each key with each board and server. Pure."""

from __future__ import annotations

from harness.reports.record.cells import UNVERIFIED, server_title
from harness.reports.record.result_types import Json
from harness.reports.record.run_types import RunRecord
from harness.reports.text.key_costs import BoardCost, KeyCost, key_costs, kilobytes
from harness.reports.text.server_keys import (
    Connects,
    KeyCell,
    KeyMatrix,
    KeyRow,
    hosted_boards,
    milliseconds,
    recommended,
)


def cost_view(run: RunRecord, matrix: KeyMatrix) -> dict[str, Json]:
    """Return the first table: a row per key, the recommended one first; a column per board with time, and heap if it is known."""
    rows, best = key_costs(matrix), recommended(matrix)
    outside = list(hosted_boards(run))
    return {
        "boards": _boards(run, [cost.board for cost in rows[0].boards] if rows else []),
        "rows": [_cost_row(row, best=best is not None and row.row.case == best.case, outside=outside) for row in rows],
        "outside": [board for board in outside if rows and board in {cost.board for cost in rows[0].boards}],
    }  # fmt: skip


def _boards(run: RunRecord, names: list[str]) -> list[dict[str, str]]:
    firmware = _firmware(run)
    return [{"name": name, "firmware": firmware.get(name, "?")} for name in names]


def _firmware(run: RunRecord) -> dict[str, str]:
    return {board.board: board.firmware or "firmware unknown" for board in run.boards}


def _cost_row(cost: KeyCost, *, best: bool, outside: list[str]) -> dict[str, Json]:
    row = cost.row
    return {
        "title": row.title,
        "best": best,
        **_connects(row),
        "cells": [_cost_cell(item, heap=item.board not in outside) for item in cost.boards],
        "heap": " to ".join(dict.fromkeys(f"{value / 1000:.0f}" for value in cost.heap_rule)) + " kB"
        if cost.heap_rule
        else "",
    }


def _connects(row: KeyRow) -> dict[str, str]:
    """Say in how many columns a key connects: a sign, a word, a count. A key that was never tried is not known to be refused."""
    good, total = len(row.good), len(row.cells)
    if not row.tried:
        return {"sign": "–", "word": "unknown", "count": "not tried"}
    sign, word = ("✓", "all") if row.everywhere else ("✕", "none") if not good else ("◐", "some")
    wrong = " as expected" if len(row.sessions) > good else ""
    return {"sign": sign, "word": word, "count": f"{good} of {total}{wrong}"}


def _cost_cell(cost: BoardCost, *, heap: bool) -> dict[str, Json]:
    """Return one key on one board: the time if it connects with every server, or else with how many, and why not."""
    details: list[str] = []
    if cost.good == cost.total:
        sign, style = "✓", "yes"
        text = f"{milliseconds(cost.time_ms)} ms" if cost.time_ms is not None and not cost.hosted else "connects"
    elif cost.good:
        sign, style, text = "◐", "some", f"{cost.good} of {cost.total}"
        details = [f"{milliseconds(cost.time_ms)} ms"] if cost.time_ms is not None else []
        details.append(cost.reason)
    else:
        sign, style, text = (
            ("✕", "no" if cost.wrong else "refused", "refused") if cost.tried else ("–", "none", "not tried")
        )
        details = [cost.reason]
    if cost.low_ms is not None and cost.high_ms is not None and milliseconds(cost.low_ms) != milliseconds(cost.high_ms):
        span = f"{milliseconds(cost.low_ms)} to {milliseconds(cost.high_ms)} ms"
        details = [span, *details] if style == "yes" else details
    if cost.hosted:
        details = [f"{text} on this computer" if text.endswith(" ms") else text for text in details]
    if heap and cost.heap_bytes is not None:
        details.append(f"{kilobytes(cost.heap_bytes)} heap")
    if cost.weak:
        details.append(f"weak: {cost.weak}")
    if cost.unverified:
        details.append(UNVERIFIED)
    if cost.flaky:
        details.append(f"~ flaky with {cost.flaky} server{'s' * (cost.flaky > 1)}")
    return {"sign": sign, "style": style, "text": text, "details": [text for text in details if text]}


def key_view(run: RunRecord, matrix: KeyMatrix) -> dict[str, Json]:
    """Return the key table as rows of texts; `at` are the places of board, server and case of a cell in the page's data."""
    firmware = _firmware(run)
    boards: dict[str, list[str]] = {}
    for board, server in matrix.columns:
        boards.setdefault(board, []).append(server)
    order = [(board, server) for board, servers in boards.items() for server in servers]
    places = {
        key: {name: place for place, name in enumerate(dict.fromkeys(names))}
        for key, names in (
            ("board", [item.board for item in run.results]),
            ("server", [item.server for item in run.results]),
            ("case", [item.case for item in run.results]),
        )
    }
    ranked = matrix.ranked()

    def rows(*, single: bool) -> list[dict[str, Json]]:
        return [_row(row, order, places) for row in ranked if row.recommendable is single]

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
            {"title": "One key", "rows": rows(single=True)},
            {"title": "Two keys on one server, other roots, special settings", "rows": rows(single=False)},
        ],
    }


def _heads(title: str) -> list[str]:
    """Return a server's title on short lines: Python, OpenSSL, whose default suites."""
    return title.replace(" (", ", (").split(", ")


def _row(row: KeyRow, order: list[tuple[str, str]], places: dict[str, dict[str, int]]) -> dict[str, Json]:
    cells = {(cell.board, cell.server): cell for cell in row.cells}
    return {
        "title": row.title,
        **_connects(row),
        "cost": f"{milliseconds(row.costs[-1][0])} ms" if row.costs else "",
        "cells": [_key_cell(cells[column], row, places) for column in order],
    }


def _key_cell(cell: KeyCell, row: KeyRow, places: dict[str, dict[str, int]]) -> dict[str, Json]:
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
        f"weak: {cell.weak}" if cell.weak else "",
        UNVERIFIED if cell.unverified else "",
    ]
    if cell.connects is Connects.NO:
        details = [cell.reason]
    verdict = cell.verdict
    if style == "no" and verdict is not None and not verdict.fails_run:
        style = "refused"
    return {
        "sign": sign,
        "word": word,
        "style": style,
        "detail": " · ".join(text for text in details if text),
        "flaky": cell.flaky,
        "verdict": verdict if verdict is not None and verdict.fails_run and verdict.tells_tls else "",
        "name": f"{row.title}, board {cell.board}, server {cell.server}: {word}",
        "at": ",".join(
            str(places[key][name]) for key, name in (("board", cell.board), ("server", cell.server), ("case", row.case))
        )
        if cell.connects is not Connects.MISSING
        else "",
    }
