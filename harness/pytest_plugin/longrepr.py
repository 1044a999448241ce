"""How a failure block hangs on pytest's report: shown whole once, named by its first line in every summary.

pytest's `-ra` summary shows the whole of a text that is only a string (with CI set it does not even cut it), and JUnit puts it into an
attribute; of an exception both take `reprcrash.message`. pytest documents neither, so these two classes have what is looked up there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from harness.reports.text.terminal import RERUN_HEAD, unusable_text


@dataclass(frozen=True, slots=True)
class FirstLine:
    """The short form: `message` for summaries; `path` and `lineno` because pytest's own has them."""

    message: str
    path: str = ""
    lineno: int = 0

    def __str__(self) -> str:
        return self.message


class FailureBlock:
    """A report's `longrepr`: the block as text.

    Args:
        text: the block; its first line says it all in short.
        brief: write nothing where blocks are shown: with `--tb=line` pytest adds the first line itself.
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


class Blocks:
    """Turns failing results into what is shown of them, in the controlling process.

    A board that cannot be used fails all its cases with one reason: that is told once.

    Args:
        brief: as `FailureBlock`.
    """

    def __init__(self, *, brief: bool = False) -> None:
        self._brief = brief
        self._told: set[tuple[str, str]] = set()

    def take(self, report: pytest.TestReport, data: dict[str, Any], *, announced: bool) -> None:
        """Give the report its block, and shorten line and block where the reason was shown before.

        Args:
            report: its `longrepr` is still the text that came with it (from another process, under pytest-xdist).
            data: its `tls`; the `line` in it may be replaced.
            announced: whether the line that introduces the board tells the reason.
        """
        text = report.longrepr
        result = data["result"]
        if data.get("unusable"):
            key = (result["board"], result["reason"])
            short = unusable_text(result["board"])
            if announced or key in self._told:
                data["line"] = short
            if key in self._told and isinstance(text, str):
                self._hang("\n".join([f"error: {short}", *_rerun(text)]), report)
                return
            self._told.add(key)
        if report.failed and isinstance(text, str):
            self._hang(text, report)

    def _hang(self, text: str, report: pytest.TestReport) -> None:
        block = FailureBlock(text, brief=self._brief)
        report.longrepr = block  # type: ignore[assignment] # pytest's own base class is private


def _rerun(text: str) -> list[str]:
    """The lines of a block that say how to run it again."""
    lines = text.splitlines()
    return lines[lines.index(RERUN_HEAD) :] if RERUN_HEAD in lines else []
