"""A failure as pytest shows it: the whole text once, and only its first line in every summary.

pytest's `-ra` summary repeats a `longrepr` that is a plain string in full, and JUnit puts it into an attribute. Of an exception both
use `reprcrash.message`. pytest documents neither, so these two classes have the attributes that it looks up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from harness.reports.text.terminal import unusable_text


@dataclass(frozen=True, slots=True)
class FirstLine:
    """The short form: `message` for summaries; `path` and `lineno` because pytest's own has them."""

    message: str
    path: str = ""
    lineno: int = 0

    def __str__(self) -> str:
        return self.message


class FailureBlock:
    """A report's `longrepr`: the description of a failure, as text.

    Args:
        text: the description; its first line is the summary.
        brief: do not write the text: with `--tb=line` pytest writes the first line itself.
    """

    def __init__(self, text: str, *, brief: bool = False) -> None:
        self.text = text
        self.brief = brief
        self.reprcrash = FirstLine(text.partition("\n")[0])

    def __str__(self) -> str:
        return self.text

    def toterminal(self, tw: Any) -> None:
        """Write it, as pytest writes a longrepr."""
        if not self.brief:
            tw.line(self.text)


class FailureBlocks:
    """Gives each failing report its text, in the controlling process.

    A board that cannot be used fails one case, and under pytest-xdist one in each worker: the reason is shown once.

    Args:
        brief: as `FailureBlock`.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._brief = brief
        self._shown: set[tuple[str, str]] = set()

    def take(self, report: pytest.TestReport, data: dict[str, Any], *, announced: bool) -> None:
        """Attach the failure text to the report, shortened if the reason was shown before.

        Args:
            report: its `longrepr` is still plain text (from another process, under pytest-xdist).
            data: its `tls`; the `line` in it may be replaced.
            announced: whether the line that introduces the board has the reason.
        """
        text = report.longrepr
        result = data["result"]
        if data.get("unusable"):
            key = (result["board"], result["reason"])
            short = unusable_text(result["board"])
            if announced or key in self._shown:
                data["line"] = short
            if key in self._shown and report.failed and isinstance(text, str):
                self._attach(f"error: {short}", report)
                return
            self._shown.add(key)
        if report.failed and isinstance(text, str):
            self._attach(text, report)

    def _attach(self, text: str, report: pytest.TestReport) -> None:
        block = FailureBlock(text, brief=self._brief)
        report.longrepr = block  # type: ignore[assignment] # pytest's own base class is private
