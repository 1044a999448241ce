"""Short pieces of harness code on a board: run them, read their one-line answers, say which step failed.

Knows the label of the board and how slow boards.toml says it is. Must not know what the steps are for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from harness.boards.agent.protocol import MARK, read_objects
from harness.boards.serial.raw_repl import Link, Output, last_line
from harness.boards.serial.transcript import printable
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline


class Console:
    """The raw REPL of one board, for steps with a name.

    Args:
        link: the board's line, in the raw REPL.
        label: the board's short name, for messages.
        timeout_multiplier: every time limit is stretched by this.
    """

    def __init__(self, link: Link, *, label: str, timeout_multiplier: float = 1.0) -> None:
        self.link = link
        self.label = label
        self._multiplier = timeout_multiplier
        self._limit: Deadline | None = None

    def deadline(self, seconds: float) -> Deadline:
        """So many seconds from now, more for a board that boards.toml calls slow, never after the end of `within`."""
        wanted = seconds * self._multiplier
        return Deadline(wanted) if self._limit is None else self._limit.within(wanted)

    @contextlib.contextmanager
    def within(self, limit: Deadline) -> Iterator[None]:
        """Let everything inside be over by then."""
        self._limit = limit
        try:
            yield
        finally:
            self._limit = None

    def run(self, code: str, *, timeout_s: float) -> Output:
        """Run ASCII code to its end.

        Raises:
            BoardError: as `Link.exec`.
        """
        return self.link.exec(code.encode("ascii"), deadline=self.deadline(timeout_s))

    def must(self, code: str, what: str) -> None:
        """Run code that prints nothing and must not raise.

        Args:
            code: the code.
            what: completes "the board could not ...".

        Raises:
            BoardError: kind `agent` with the board's own error.
        """
        output = self.run(code, timeout_s=30.0)
        if output.stderr:
            raise self.no_answer(output, what)

    def answer(self, output: Output, what: str) -> dict[str, Any]:
        """The last object that the board answered with.

        Raises:
            BoardError: kind `garbled` or, if there is none, `agent` with the board's own error.
        """
        try:
            objects = read_objects(output.stdout)
        except ValueError as error:
            raise BoardError(
                f"{self.label}: the board's answer is garbled: {error}",
                kind=FaultKind.GARBLED,
                transcript=self.link.log.show(output.stdout),
            ) from error
        if not objects:
            raise self.no_answer(output, what)
        return objects[-1]

    def no_answer(self, output: Output, what: str) -> BoardError:
        """An error for a step that ended without the answer it owes: the board's traceback, or what it printed instead.

        `garbled` where an answer began: what came in between broke it off or changed it.
        """
        show = self.link.log.show
        begun = output.stdout.find(MARK.encode())
        if begun >= 0:
            said = printable(output.stdout[begun : begun + 80])
            return BoardError(
                f"{self.label}: the board's answer is garbled: it broke off or was changed: {said!r}",
                kind=FaultKind.GARBLED,
                transcript=show(output.stdout + output.stderr),
            )
        reason = show(last_line(output.stderr).encode()) or f"it printed {printable(output.stdout, limit=120)!r}"
        memory = b"MemoryError" in output.stderr
        return BoardError(
            f"{self.label}: the board could not {what}: {reason}.{' The board has too little free memory.' if memory else ''}",
            kind=FaultKind.MEMORY if memory else FaultKind.AGENT,
            transcript=show(output.stdout + output.stderr),
        )
