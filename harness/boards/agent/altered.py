"""What is different on a board during one attempt, because it was asked for: its clock, and how much of its heap is free.

Changes it before the attempt and puts it back after it. Knows requests and answers; must not know plans.
"""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from harness.boards.agent.console import Console
from harness.boards.agent.protocol import Answer, RunRequest, clock_code
from harness.errors import BoardError, FaultKind

# Clocks count whole seconds: one may be lost when it is set, and one when it is read.
_ROUNDING_S = 2
# How often memory is held until enough is.
_CALLS = 5


class Altered:
    """Changes a board for attempts.

    Args:
        console: the board, with the agent loaded.

    `pending`: a fault ended an attempt before everything was put back.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self.pending = False

    def during(self, request: RunRequest, attempt: Callable[[], Answer]) -> Answer:
        """Make an attempt with the clock and the free heap that the request asks for.

        Raises:
            BoardError: the line failed, or the board refused; what was changed is then `pending`.
        """
        if request.clock_unix_s is None and request.heap_bytes is None:
            return attempt()
        self.pending = True
        began = self._set_clock(request.clock_unix_s) if request.clock_unix_s is not None else None
        if request.heap_bytes is not None:
            self._console.load("hold_heap", "load the script that limits the free heap")
            self._limit_heap(request.heap_bytes)
        answer = attempt()
        if request.heap_bytes is not None:
            self._hold("None")
        if request.clock_unix_s is not None and began is not None:
            answer = replace(answer, clock_off_s=self._put_clock_back(request.clock_unix_s, began=began))
        self.pending = False
        return answer

    def release(self) -> None:
        """Free the heap that is still held after a fault, unless a reset has freed it. The caller sets the clock.

        Raises:
            BoardError: the line failed.
        """
        if self.pending:
            # Short and unchecked: there may be little memory, and no checksum code after a reset.
            self._console.link.exec(b"th_held.clear()", deadline=self._console.deadline(5.0))

    def can_set_clock(self) -> bool:
        """Find out whether the board's clock can be set, by setting it to the time that it is.

        Raises:
            BoardError: the line failed.
        """
        self._console.load("set_clock", "load the clock set-up")
        return self._clock(time.time())[1]

    def _set_clock(self, unix_s: int) -> tuple[float, float]:
        """Set the clock; return between which moments, in seconds of the host's monotonic clock, it was set."""
        self._console.load("set_clock", "load the clock set-up")
        earliest = time.monotonic()
        self._clock(unix_s)
        return earliest, time.monotonic()

    def _put_clock_back(self, unix_s: int, *, began: tuple[float, float]) -> int:
        """Set the clock to the host's time; return by how many seconds it differed from the one that was asked for."""
        earliest = time.monotonic()
        shown, _is_set = self._clock(time.time())
        shortest, longest = earliest - began[1] - _ROUNDING_S, time.monotonic() - began[0] + _ROUNDING_S
        gone = shown - unix_s
        return round(gone - longest if gone > longest else min(gone - shortest, 0))

    def _clock(self, unix_s: float) -> tuple[int, bool]:
        """Set the clock; return what it showed before, and whether it could be set."""
        moment = datetime.fromtimestamp(unix_s, UTC)
        when = (moment.year, moment.month, moment.day, moment.isoweekday(), moment.hour, moment.minute, moment.second)
        answer = self._console.answer(self._console.run(clock_code(when), timeout_s=10.0), "set the clock")
        before = answer.get("before")
        is_time = isinstance(before, list) and len(before) == 6 and all(isinstance(part, int) for part in before)
        if answer.get("kind") != "result" or not is_time:
            raise BoardError(
                f"{self._console.label}: the board could not set its clock to {moment:%Y-%m-%d %H:%M:%S} UTC: "
                f"{str(answer.get('message'))[:80]}",
                kind=FaultKind.PLAN,
            )
        return calendar.timegm((*(answer["before"]), 0, 0, 0)), answer.get("set") is True

    def _limit_heap(self, size: int) -> None:
        """Hold memory until at most `size` bytes are free; if that takes more than a few calls, the attempt shows it.

        What one call leaves for the garbage collector is free in the next: it cannot tell an old value on the C stack from a pointer.
        """
        try:
            for _call in range(_CALLS):
                free = self._hold(str(size)).get("free")
                if isinstance(free, int) and free <= size:
                    return
        except BoardError as error:
            if error.kind is not FaultKind.MEMORY:
                raise  # else less is free than the call itself needs

    def _hold(self, size: str) -> dict[str, Any]:
        return self._console.answer(self._console.run(f"th_hold({size})", timeout_s=30.0), "limit its free heap")
