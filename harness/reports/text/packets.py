"""The packet list as text: what a person would paste into a question. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from harness.model import Side
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Addresses, PacketEntry

# A failure block must stay readable on one screen; run.json and the capture have all of it.
SHOWN_ROWS = 24
_ARROWS = {Side.CLIENT: "board -> server", Side.SERVER: "server -> board"}


def packet_lines(rows: Sequence[PacketEntry], *, addresses: Addresses | None, limit: int = SHOWN_ROWS) -> list[str]:
    """Write the list, a line per packet, with the addresses of both ends above it.

    Args:
        rows: the packets of a result.
        addresses: both ends, from the same result.
        limit: the largest number of rows; two thirds of them are taken from the beginning.
    """
    if not rows:
        return []
    named = (("board", addresses.board), ("server", addresses.server)) if addresses else ()
    ends = ", ".join(f"{name} {address}" for name, address in named if address)
    lines = [f"  packets     {f'{ends}; ' if ends else ''}number, ms after accept, sender, bytes, message"]
    first = limit * 2 // 3
    shown = [*rows[:first], *rows[first - limit :]] if len(rows) > limit else rows
    before = 0
    for row in shown:
        left_out = row.number - before - 1
        if left_out:
            lines.append(f"    ... {left_out} row{'' if left_out == 1 else 's'} omitted ...")
        before = row.number
        lines.append(
            f"    {row.number:>3} {row.at_ms:>10.3f}  {_ARROWS[row.sender]}  {row.length:>5}  {one_line(row.info)}"
        )
    return lines
