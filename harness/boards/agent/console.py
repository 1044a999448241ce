"""Run short pieces of harness code on a board, read their one-line answers, and report which step failed.

Knows the label of the board, its timeout_multiplier, and that both directions are checked: code runs on the board only if its
checksum matches. Must not know what the steps are for.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.protocol import (
    AGAIN_CODE,
    DAMAGED,
    FIRST_NUMBERS,
    MARK,
    checked_code,
    read_check,
    read_objects,
)
from harness.boards.agent.scripts import pieces_of, script
from harness.boards.serial.line_errors import last_line
from harness.boards.serial.raw_repl import Output, RawRepl
from harness.boards.serial.transcript import printable
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

# How often code is sent that arrived damaged according to the board: it has not run, so sending it again is safe.
ATTEMPTS = 3
# The text whose checksums of both ends are compared; no board prints its checksum by itself.
_WORD = b"tls-harness"


class Numbered(Protocol):
    """An answer of the agent, with the number of its request; damaged: the request was not run."""

    @property
    def number(self) -> int | None:
        """The number of the request."""

    @property
    def damaged(self) -> bool:
        """Whether the request arrived damaged."""


A = TypeVar("A", bound=Numbered)


class Console:
    """The raw REPL of one board, for named steps.

    Args:
        link: the board's line, in the raw REPL.
        label: the board's short name, for messages.
        timeout_multiplier: of every time limit.
        last_number: the first request has the next one. None begins at random, so that no two sessions share a number.
    """

    def __init__(
        self, link: RawRepl, *, label: str, timeout_multiplier: float = 1.0, last_number: int | None = None
    ) -> None:
        self.link = link
        self.label = label
        self._multiplier = timeout_multiplier
        self._limit: Deadline | None = None
        self._number = random.choice(FIRST_NUMBERS) if last_number is None else last_number
        self.check_kind = "a"

    def begin(self) -> None:
        """Load the checksums onto a board fresh from a soft reset, and learn which kind it can make.

        They are loaded twice: first unchecked, then each statement checked by the first version. One damaged byte cannot pass both.

        Raises:
            BoardError: `garbled` if it arrives damaged each time; else as `RawRepl.exec`.
        """
        code = f"{script('line')}print({MARK!r} + th_sum({_WORD!r}))\n".encode("ascii")
        for _attempt in range(ATTEMPTS):
            output = self.link.exec(code, deadline=self.deadline(30.0))
            check = read_check(output.stdout)
            if check is not None and check_sum(_WORD, kind=check[0]) == check:
                self.check_kind = check[0]
                if self._loads_checked("line"):
                    return
        raise self.no_answer(output, "load the checksums")

    def _loads_checked(self, name: str) -> bool:
        """Whether each statement of a device script arrives and runs; one that a small heap cannot hold twice also counts."""
        try:
            errors = [self.run(piece, timeout_s=30.0).stderr for piece in pieces_of(script(name), piece_bytes=0)]
            return all(not error or b"MemoryError" in error for error in errors)
        except BoardError as error:
            if error.kind is not FaultKind.GARBLED:
                raise
            return False

    def ask(self, make: Callable[[int], str], *, read: Callable[[bytes], A | None], what: str, deadline: Deadline) -> A:
        """Send a request to the agent and read its answer. What arrives damaged is sent again: a request because it has not run, an
        answer because the agent keeps it.

        Args:
            make: returns the code for the request's number within this session.
            read: returns the answer in the board's output, None if there is none; ValueError if it is not in the agent's format.
            what: completes "the board could not ...".
            deadline: for all of it.

        Raises:
            BoardError: `garbled` if the answer is damaged each time or belongs to another request; else as `RawRepl.exec`.
        """
        self._number += 1
        code = make(self._number).encode("ascii")
        for attempt in range(ATTEMPTS):
            output = self.link.exec(code, deadline=deadline)
            answer = self._whole_answer(output, read=read, deadline=deadline)
            # The agent reports its own NameError: one that ends the exec is of the call, whose name was damaged.
            unknown = attempt + 1 < ATTEMPTS and last_line(output.stderr).startswith("NameError")
            if answer is None and not (unknown or self.came_damaged(output)):
                raise self.no_answer(output, what)
            if answer is not None and not answer.damaged:
                if answer.number != self._number:
                    raise self._garbled(f"it belongs to request {answer.number}, not to {self._number}")
                return answer
        raise self._arrives_damaged(output)

    def _whole_answer(self, output: Output, *, read: Callable[[bytes], A | None], deadline: Deadline) -> A | None:
        """Read the answer of an exec, and have it printed again where it arrived damaged; None if there is none."""
        damage: ValueError | None = None
        printed = output.stdout
        for _attempt in range(ATTEMPTS):
            try:
                answer = read(printed)
                if answer is not None:
                    return answer
            except ValueError as error:
                damage = error
            if output.stderr or self.came_damaged(output):
                return None
            printed = self.link.exec(AGAIN_CODE, deadline=deadline).stdout
        if damage is not None:
            raise self._garbled(str(damage)) from damage
        return None

    def _garbled(self, why: str) -> BoardError:
        return BoardError(
            f"{self.label}: the board's answer is garbled: {why}",
            kind=FaultKind.GARBLED,
            transcript=self.link.log.text(),
        )

    def deadline(self, seconds: float) -> Deadline:
        """Return a deadline this many seconds from now, times `timeout_multiplier`, but never after the end of `within`."""
        scaled = seconds * self._multiplier
        return Deadline(scaled) if self._limit is None else self._limit.within(scaled)

    @contextlib.contextmanager
    def within(self, limit: Deadline) -> Iterator[None]:
        """Limit all deadlines inside to this one."""
        self._limit = limit
        try:
            yield
        finally:
            self._limit = None

    def run(self, code: str, *, timeout_s: float, call: str = "th_x") -> Output:
        """Run ASCII code to its end; code that arrives damaged is sent again.

        Args:
            code: ASCII source; whole statements.
            timeout_s: for each time it is sent.
            call: the function of device_scripts/line.py that runs it.

        Raises:
            BoardError: `garbled` if it arrives damaged each time; else as `RawRepl.exec`.
        """
        checked = checked_code(code, kind=self.check_kind, call=call).encode("ascii")
        for _attempt in range(ATTEMPTS):
            output = self.link.exec(checked, deadline=self.deadline(timeout_s))
            if not self.came_damaged(output):
                return output
        raise self._arrives_damaged(output)

    def _arrives_damaged(self, output: Output) -> BoardError:
        return BoardError(
            f"{self.label}: data sent to the board arrived damaged {ATTEMPTS} times: bytes are lost or changed on the line",
            kind=FaultKind.GARBLED,
            transcript=self.link.log.show(output.stdout + output.stderr),
        )

    @staticmethod
    def came_damaged(output: Output) -> bool:
        """Whether our code arrived damaged and has not run: its checksum did not fit, or it was not valid Python."""
        return DAMAGED.encode() in output.stdout or _unreadable(output.stderr)

    def load(self, name: str, what: str) -> None:
        """Run one device script, a few statements at a time, so that a small heap can hold it.

        Raises:
            BoardError: as `must`.
        """
        for piece in pieces_of(script(name)):
            self.must(piece, what)

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
        """Return the last object of the board's answer.

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
        """Return the error for a step without an answer, with the board's traceback or other output.

        Its kind is `garbled` if an answer began but was cut off or changed.
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


def _unreadable(stderr: bytes) -> bool:
    """Whether our call was not valid Python when it arrived, so that it has not run."""
    return last_line(stderr).startswith(("SyntaxError", "IndentationError"))
