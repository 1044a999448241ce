"""The conditions on the board under which a test connects it: its clock and its free heap, checked. Pure."""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Any

from harness.errors import UsageError

# What the clocks of all ports can show; that of an stm32 has two digits for the year.
FIRST_YEAR, LAST_YEAR = 2000, 2099
_FIRST_S = calendar.timegm((FIRST_YEAR, 1, 1, 0, 0, 0))
_END_S = calendar.timegm((LAST_YEAR + 1, 1, 1, 0, 0, 0))
# The agent needs this much to read its request and to answer.
LEAST_HEAP_BYTES = 8192


def clock_of(given: Any) -> int | None:
    """Return a time in Unix seconds; None for None.

    Raises:
        UsageError: it is no time, has no time zone, or no board's clock can show it.
    """
    if given is None:
        return None
    where = f"board.connect(clock={given!r})"
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise UsageError(f"{where}: the datetime has no time zone; give one, for example tzinfo=UTC")
        seconds = given.timestamp()
    elif isinstance(given, int | float) and not isinstance(given, bool):
        seconds = given
    else:
        raise UsageError(f"{where}: expected a datetime with a time zone, or Unix seconds")
    if not _FIRST_S <= seconds < _END_S:  # nor NaN
        raise UsageError(
            f"{where}: expected a time from {FIRST_YEAR} to {LAST_YEAR}, which every board's clock can show"
        )
    return int(seconds)


def heap_of(given: Any) -> int | None:
    """Return a number of bytes; None for None.

    Raises:
        UsageError: it is no such number, or too small for the agent.
    """
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or given < LEAST_HEAP_BYTES:
        raise UsageError(
            f"board.connect(heap={given!r}): expected at least {LEAST_HEAP_BYTES} bytes, which the agent needs"
        )
    return given
