"""The terminal of a run: lines cut to its width, a progress bar, a table with lines.

The bar is drawn and erased between tests only, by hooks in this process. There is no thread and no hidden cursor, so nothing has to be
restored however the run ends. If anything else may write in between (-s, live logs, a debugger), there is no bar.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.reports.record.result_types import Result

_WIPE_LINE = "\r\x1b[2K"
_UP = "\x1b[1A"
# How often a terminal without a bar, or a log, has a line with the time left.
LEFT_EVERY_S = 60.0


class Screen:
    """The terminal of a run, or a substitute that writes plain lines.

    Args:
        config: of the run.
        terminal: pytest's terminal reporter; None where there is none.
    """

    def __init__(self, config: pytest.Config, terminal: Any) -> None:
        self.real = terminal is not None and bool(terminal.isatty) and config.get_verbosity() >= 0 and _wants_more()
        self._writer = config.get_terminal_writer() if terminal is not None else None
        self._bar = self.real and config.get_verbosity() == 0 and not _others_write(config)
        # The cursor's column while no bar is drawn; None: unknown, so nothing can be erased.
        self._column: int | None = None if config.pluginmanager.has_plugin("dsession") else 0
        self._drawn = False
        self._started_s = self._told_s = time.monotonic()

    @property
    def width(self) -> int | None:
        """The number of columns; None if lines are not cut."""
        return int(self._writer.fullwidth) if self.real and self._writer is not None else None

    def draw(self, done: int, total: int, *, bad: int) -> None:
        """Draw the progress bar in the line below the cursor."""
        if not self._bar or self._column is None or self._writer is None or done >= total:
            return
        self.wipe()
        from harness.reports.text.rich_text import bar_text

        text = bar_text(done, total, bad=bad, elapsed_s=time.monotonic() - self._started_s, **self._look())
        self._writer.write(("\n" if self._column else "") + text, flush=True)
        self._drawn = True

    def time_left(self, done: int, total: int) -> str | None:
        """Return a line with the time left, once a minute, where no bar shows it; None between."""
        now = time.monotonic()
        if self._bar or not done < total or now - self._told_s < LEFT_EVERY_S:
            return None
        from harness.reports.text.terminal import left_text

        self._told_s = now
        return f"{done} of {total} cases done, {left_text(done, total, elapsed_s=now - self._started_s)}"

    def wipe(self) -> None:
        """Erase the bar and put the cursor back."""
        if not self._drawn or self._writer is None:
            return
        self._drawn = False
        back = f"{_UP}\x1b[{self._column + 1}G" if self._column else ""
        self._writer.write(_WIPE_LINE + back, flush=True)

    def wrote(self, text: str) -> None:
        """Note that a line of the harness was written without a line break."""
        if self.real:
            from harness.reports.text.display_width import display_width

            width = self.width or 80
            self._column = (max(display_width(text), 1) - 1) % width + 1

    def lose_place(self) -> None:
        """Give up the cursor's position: something else writes now."""
        self.wipe()
        self._column = None

    def table(self, results: Sequence[Result]) -> list[str]:
        """Return the lines of the summary table."""
        if not self.real:
            from harness.reports.text.terminal import summary_table

            return summary_table(results)
        from harness.reports.text.rich_text import table_lines

        return table_lines(results, **self._look())

    def _look(self) -> dict[str, Any]:
        colour = bool(self._writer is not None and self._writer.hasmarkup)
        return {"width": self.width or 80, "colour": colour, "encoding": _encoding()}


def _wants_more() -> bool:
    """Whether the environment allows more than plain lines: no CI log, no NO_COLOR, and a terminal that can move its cursor."""
    plain = any(os.environ.get(name) for name in ("CI", "BUILD_NUMBER", "NO_COLOR"))
    return not plain and os.environ.get("TERM") not in ("dumb", "unknown")


def _others_write(config: pytest.Config) -> bool:
    """Whether tests or pytest write to the terminal while a test runs."""
    option = config.option
    return (
        option.capture == "no"
        or bool(getattr(option, "usepdb", False))
        or bool(getattr(option, "trace", False))
        or bool(getattr(option, "setupshow", False))
        or bool(config.getini("log_cli"))
        or getattr(option, "log_cli_level", None) is not None
    )


def _encoding() -> str:
    import sys

    return getattr(sys.__stdout__, "encoding", None) or "ascii"
