"""One object for "until when": every wait in the harness takes a `Deadline`, never a bare number.

Knows only the monotonic clock.
"""

from __future__ import annotations

import time


class Deadline:
    """A point in time by which something must have happened.

    Args:
        timeout_s: seconds from now; negative counts as already expired.
    """

    __slots__ = ("_end", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    @property
    def remaining_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    def within(self, timeout_s: float) -> Deadline:
        """A deadline at most `timeout_s` seconds from now, but never later than this one."""
        return Deadline(min(timeout_s, self.remaining_s))

    def __repr__(self) -> str:
        return f"Deadline({self.timeout_s} s, {self.remaining_s:.3f} s left)"
