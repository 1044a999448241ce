"""The packet list as text: what a person would paste into a question. Pure; takes the rows of run.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.reports.record.plain import one_line

# A failure block must stay readable on one screen; run.json and the capture have all of it.
SHOWN_ROWS = 24
_ARROWS = {"client": "board -> server", "server": "server -> board"}


def packet_lines(
    rows: Sequence[Mapping[str, Any]], *, addresses: Mapping[str, str | None], limit: int = SHOWN_ROWS
) -> list[str]:
    """Write the list, a line each, with both ends' addresses above it.

    Args:
        rows: `packets` of a result: number, at_ms, from, bytes, info.
        addresses: `observed.addresses` of the same result: host and port of `board` and `server`.
        limit: show at most so many rows, two thirds of them from the beginning.
    """
    if not rows:
        return []
    ends = ", ".join(f"{name} {addresses[name]}" for name in ("board", "server") if addresses.get(name))
    lines = [f"  packets     {f'{ends}; ' if ends else ''}number, ms after accept, sender, bytes, message"]
    first = limit * 2 // 3
    shown = [*rows[:first], *rows[first - limit :]] if len(rows) > limit else rows
    before = 0
    for row in shown:
        left_out = row["number"] - before - 1
        if left_out:
            lines.append(f"    ... {left_out} row{'' if left_out == 1 else 's'} left out ...")
        before = row["number"]
        lines.append(
            f"    {row['number']:>3} {row['at_ms']:>10.3f}  {_ARROWS[row['from']]}  {row['bytes']:>5}  {one_line(row['info'])}"
        )
    return lines
