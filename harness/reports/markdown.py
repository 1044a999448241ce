"""A run as Markdown: counts, the matrix of firmware, server key and Python, and what is not as it should be. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.reports.server_keys import GOOD, Connects, KeyCell, answer, key_matrix, server_title
from harness.reports.soak import flaky_cells, times_text, verdicts_text
from harness.reports.terminal import stranger_lines

# A pull-request comment holds 65536 characters; the worst comes first, the rest is counted.
LISTED = 60


def render_markdown(run: dict[str, Any]) -> str:
    """Render a run record.

    Args:
        run: as in run.json. Texts that boards or servers sent are escaped here.
    """
    parts = ["# TLS compatibility", "", *_counts(run), ""]
    for line in stranger_lines(run["results"]):
        parts += [line, ""]
    flaky = flaky_cells(run)
    if flaky:
        parts += ["## Flaky", "", *_flaky(flaky), ""]
    wrong = [result for result in run["results"] if result["verdict"] not in (*GOOD, "unsupported")]
    if wrong:
        parts += ["## Not as expected", "", *_listed(wrong), ""]
    matrix = key_matrix(run)
    if matrix is not None:
        parts += ["## Server keys", "", *[f"* {_cell(line)}" for line in answer(matrix)], "", *key_table(run), ""]
    return "\n".join(parts)


def _counts(run: dict[str, Any]) -> list[str]:
    rows = [
        "| board | firmware | server | " + " | ".join(words := _words(run)) + " |",
        "|---|---|---|" + "--:|" * len(words),
    ]
    firmware = {board["board"]: board["firmware"] or "?" for board in run["boards"]}
    counts: dict[tuple[str, str], Counter[str]] = {}
    for result in run["results"]:
        counts.setdefault((result["board"], result["server"]), Counter())[result["verdict"]] += 1
    for (board, server), counter in counts.items():
        cells = [
            board,
            firmware.get(board, "?"),
            server_title(run, server),
            *(str(counter[word] or "") for word in words),
        ]
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return rows


def _words(run: dict[str, Any]) -> list[str]:
    order = ("pass", "fail", "insecure", "known", "unsupported", "error")
    seen = {result["verdict"] for result in run["results"]}
    return [word for word in order if word in seen]


def _listed(wrong: list[dict[str, Any]]) -> list[str]:
    rank = {"insecure": 0, "fail": 1, "error": 2}
    rows = ["| verdict | board | server | case | reason |", "|---|---|---|---|---|"]
    for result in sorted(wrong, key=lambda item: rank.get(item["verdict"], 3))[:LISTED]:
        cells = [result["verdict"], result["board"], result["server"], result["case"], (result["reason"] or "")[:200]]
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    if len(wrong) > LISTED:
        rows.append(f"\n... and {len(wrong) - LISTED} more.")
    return rows


def _flaky(cells: list[dict[str, Any]]) -> list[str]:
    rows = [
        "| board | server | case | verdicts | connected | ms: shortest/median/longest |",
        "|---|---|---|---|---|---|",
    ]
    for cell in cells[:LISTED]:
        texts = [cell["board"], cell["server"], cell["case"], verdicts_text(cell), cell["connected"], times_text(cell)]
        rows.append("| " + " | ".join(_cell(text) for text in texts) + " |")
    if len(cells) > LISTED:
        rows.append(f"\n... and {len(cells) - LISTED} more.")
    return rows


def key_table(run: dict[str, Any]) -> list[str]:
    """The matrix: one row per server key, one column per firmware and Python; empty without such cases."""
    matrix = key_matrix(run)
    if matrix is None:
        return []
    firmware = {board["board"]: board["firmware"] or board["board"] for board in run["boards"]}
    head = [f"{firmware.get(board, board)} / {server_title(run, server)}" for board, server in matrix.columns]
    rows = ["| server key | " + " | ".join(_cell(text) for text in head) + " |", "|---|" + "---|" * len(matrix.columns)]
    for row in matrix.rows:
        rows.append("| " + " | ".join([_cell(row.title), *(_key_cell(cell) for cell in row.cells)]) + " |")
    return rows


def _key_cell(cell: KeyCell) -> str:
    signs = {
        Connects.MISSING: "·",
        Connects.UNTRIED: "– unsupported",
        Connects.ERROR: "! error",
        Connects.NO: f"✕ {cell.reason}",
    }
    took = f", {cell.time_ms:.0f} ms" if cell.time_ms is not None else ""
    text = signs.get(cell.connects) or f"✓ {(cell.version or '').replace('TLSv', '')}{took}"
    mark = "" if cell.verdict in ("", *GOOD, "unsupported") else f" **{cell.verdict}**"
    return _cell(text) + mark


def _cell(text: str) -> str:
    """Untrusted text in a table cell: no markup, no line breaks, no table of its own."""
    plain = "".join(char if char.isprintable() else " " for char in str(text))
    for char in "\\`*_[]<>|":
        plain = plain.replace(char, "\\" + char if char not in "<>" else {"<": "&lt;", ">": "&gt;"}[char])
    return plain
