"""A point in time: every wait in the harness takes a `Deadline`, never a number of seconds.

Knows only the monotonic clock, or the one it is given.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A point in time by which something must have happened.

    Args:
        timeout_s: seconds from now; negative counts as already expired.
        clock: tells the time in seconds; tests give one of their own.
    """

    __slots__ = ("_clock", "_end", "timeout_s")

    def __init__(self, timeout_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout_s = timeout_s
        self._clock = clock
        self._end = clock() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - self._clock())

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self._clock() >= self._end

    def within(self, timeout_s: float) -> Deadline:
        """A deadline at most `timeout_s` seconds from now, but never later than this one."""
        return Deadline(min(timeout_s, self.remaining_s), clock=self._clock)

    def __repr__(self) -> str:
        return f"Deadline({self.timeout_s} s, {self.remaining_s:.3f} s left)"
