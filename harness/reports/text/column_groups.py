"""The columns of a page by board: several firmwares, clients or links of one board are folded as one. Pure.

A column is called `BOARD@FIRMWARE CLIENT LINK`, and a board of merged runs `BOARD@WHAT-DIFFERS`; names of boards have no @ and no space.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"([^@ ]*)(?:@([^ ]*))?(?: (.*))?", re.DOTALL)


def board_of(column: str) -> str:
    """Return the board of a column."""
    match = _NAME.fullmatch(column)
    return (match[1] if match else "") or column


def grouped(columns: Iterable[str]) -> dict[str, list[str]]:
    """Map each board to its columns, both in the order in which they come; a board's columns are together."""
    found: dict[str, list[str]] = {}
    for column in columns:
        found.setdefault(board_of(column), []).append(column)
    return found


def heads(column: str, *, firmware: str | None) -> list[str]:
    """Return the lines below a board's name: its firmware, then what else tells the column from others.

    Args:
        column: its name.
        firmware: of the board as it was probed; None or empty if that is not known.
    """
    match = _NAME.fullmatch(column)
    suffix, more = (match[2] or "", match[3] or "") if match else ("", "")
    known = firmware or suffix
    return [
        *([f"firmware {known}"] if known else []),
        *([suffix] if suffix and not f"{known}.".startswith(f"{suffix}.") else []),
        *more.split(),
    ]
