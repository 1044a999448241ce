"""The summary table and the progress bar for a real terminal, drawn by rich into text. Pure; time and width are given.

Every text that a board, a server or a user gave goes in as `Text`: rich's markup, emoji codes and highlighting are off.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harness.model import VerdictWord
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.text.terminal import NAME_COLUMNS, left_text, summary_rows

_BAR_COLUMNS = 40
_LEAST_BAR_COLUMNS = 8


class _Paper(io.StringIO):
    """A text file in memory with the terminal's encoding, by which rich chooses its lines and bars."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed has it as an attribute
        """The name of the terminal's encoding."""
        return self._encoding


def _drawn(what: RenderableType, *, width: int, colour: bool, encoding: str) -> str:
    paper = _Paper(encoding)
    console = Console(
        file=paper,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    console.print(what, end="")
    return paper.getvalue()


def table_lines(results: Sequence[Result], *, width: int, colour: bool, encoding: str = "utf-8") -> list[str]:
    """Draw the counts per board, server and topic; names that do not fit are folded, never cut.

    Args:
        results: of the run.
        width: of the terminal in columns.
        colour: whether it shows colours; without them the words say the same.
        encoding: of the terminal; one that is not Unicode gets ASCII lines.
    """
    head, rows = summary_rows(results)
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for number, name in enumerate(head):
        if number < NAME_COLUMNS:
            table.add_column(name, overflow="fold")
        else:
            style = VerdictWord(name).colour
            table.add_column(name, justify="right", overflow="fold", min_width=1, style=style)
    for row in rows:
        if row[0] == "all":
            table.add_section()
        table.add_row(*(Text(one_line(cell), style="dim" if cell == "-" else "") for cell in row))
    return [line.rstrip() for line in _drawn(table, width=width, colour=colour, encoding=encoding).splitlines()]


def bar_text(
    done: int, total: int, *, bad: int, elapsed_s: float, width: int, colour: bool, encoding: str = "utf-8"
) -> str:
    """Draw the progress of the run, how many cases fail it, and about how long the rest takes: one line that never wraps.

    Args:
        done: finished cases.
        total: cases of the run.
        bad: finished cases that fail the run.
        elapsed_s: since the first case began, in seconds.
        width: of the terminal in columns; the line is at least one shorter.
        colour: whether it shows colours.
        encoding: of the terminal.
    """
    parts = [f"{done}/{total}"]
    if bad:
        parts.append(f"{bad} bad")
    if done:
        parts.append(left_text(done, total, elapsed_s=elapsed_s))
    words = "  ".join(parts)
    room = min(_BAR_COLUMNS, width - 1 - len(words) - 2)
    if room < _LEAST_BAR_COLUMNS:
        return words[: max(0, width - 1)]
    style = "red" if bad else "green"
    bar = ProgressBar(total=total, completed=done, width=room, complete_style=style, finished_style=style)
    # Without colours rich leaves out what is still to come.
    return f"{_drawn(bar, width=room, colour=colour, encoding=encoding).ljust(room)}  {words}"
