"""The two tables of server keys in texts: what each key costs each board, and each key with each board and server. Pure."""

from __future__ import annotations

from harness.reports.record.cells import UNVERIFIED, server_title
from harness.reports.record.result_types import Json
from harness.reports.record.run_types import RunRecord
from harness.reports.text.column_groups import grouped, heads
from harness.reports.text.key_costs import BoardCost, KeyCost, board_cost, key_costs, kilobytes
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
    boards = grouped(cost.board for cost in rows[0].boards) if rows else {}
    return {
        "boards": [
            {**_board_head(run, board, columns=names), "columns": [{"heads": _heads(run, name)} for name in names]}
            for board, names in boards.items()
        ],
        "columns": sum(len(names) for names in boards.values()),
        "rows": [
            _cost_row(row, boards, best=best is not None and row.row.case == best.case, outside=outside) for row in rows
        ],
        "outside": [name for name in outside if any(name in names for names in boards.values())],
    }


def _board_head(run: RunRecord, board: str, *, columns: list[str]) -> dict[str, Json]:
    """Return the name of a board with one column, and its firmware; or of one with several, whose heads tell them apart."""
    if len(columns) > 1:
        return {"name": board, "heads": []}
    firmware = _firmware(run).get(columns[0]) or "unknown"
    return {"name": columns[0], "heads": [f"firmware {firmware}"]}


def _heads(run: RunRecord, column: str) -> list[str]:
    return heads(column, firmware=_firmware(run).get(column))


def _firmware(run: RunRecord) -> dict[str, str | None]:
    return {board.board: board.firmware for board in run.boards}


def _cost_row(cost: KeyCost, boards: dict[str, list[str]], *, best: bool, outside: list[str]) -> dict[str, Json]:
    row = cost.row
    of_column = {item.board: item for item in cost.boards}
    return {
        "title": row.title,
        "best": best,
        **_connects(row),
        "boards": [
            {
                "name": board,
                "cells": [_cost_cell(of_column[name], heap=name not in outside) for name in names],
                "folded": _cost_cell(
                    board_cost(board, [cell for cell in row.cells if cell.board in names]), heap=names[0] not in outside
                ),
            }
            for board, names in boards.items()
        ],
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
    boards = grouped(dict.fromkeys(name for name, _server in matrix.columns))
    columns = {
        board: [(name, server) for each in names for name, server in matrix.columns if name == each]
        for board, names in boards.items()
    }
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
        return [_row(row, columns, places) for row in ranked if row.recommendable is single]

    return {
        "boards": [
            {
                **_board_head(run, board, columns=names),
                "columns": [
                    {"heads": (_heads(run, name) if len(names) > 1 else []) + _server_heads(server_title(run, server))}
                    for name, server in columns[board]
                ],
            }
            for board, names in boards.items()
        ],
        "columns": len(matrix.columns),
        "groups": [
            {"title": "One key", "rows": rows(single=True)},
            {"title": "Two keys on one server, other roots, special settings", "rows": rows(single=False)},
        ],
    }


def _server_heads(title: str) -> list[str]:
    """Return a server's title on short lines: Python, OpenSSL, whose default suites."""
    return title.replace(" (", ", (").split(", ")


def _row(row: KeyRow, columns: dict[str, list[tuple[str, str]]], places: dict[str, dict[str, int]]) -> dict[str, Json]:
    cells = {(cell.board, cell.server): cell for cell in row.cells}
    return {
        "title": row.title,
        **_connects(row),
        "cost": f"{milliseconds(row.costs[-1][0])} ms" if row.costs else "",
        "boards": [
            {
                "name": board,
                "cells": [_key_cell(cells[column], row, places) for column in own],
                "folded": _folded_key([cells[column] for column in own]),
            }
            for board, own in columns.items()
        ],
    }


def _folded_key(cells: list[KeyCell]) -> dict[str, Json]:
    """Return one key in all columns of a board: in how many it connects, and why not in the others."""
    row = KeyRow(case="", title="", cells=tuple(cells))
    summed = _connects(row)
    style = {"all": "yes", "some": "some", "unknown": "none"}.get(summed["word"], "refused")
    bad = [cell for cell in cells if cell not in row.good]
    if any(cell.verdict is not None and cell.verdict.fails_run for cell in cells):
        style = "no"
    details = [*(cell.reason for cell in bad), *(f"weak: {cell.weak}" for cell in cells if cell.weak)]
    details += [UNVERIFIED for cell in cells if cell.unverified] + ["~ flaky" for cell in cells if cell.flaky]
    return {**summed, "style": style, "details": list(dict.fromkeys(text for text in details if text))}


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
        f"{milliseconds(cell.time_ms)} ms" if cell.time_ms is not None and not cell.hosted else "",
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
