"""The clock and the free heap of the board in a test: forms, and mistakes in one line."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from harness.errors import UsageError
from harness.pytest_plugin.given_conditions import clock_of, heap_of


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (946684800, 946684800),
        (4102444799, 4102444799),
        (1900000000.9, 1900000000),
        (datetime(2031, 1, 1, tzinfo=UTC), 1924992000),
        (datetime(2031, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 1924992000),
    ],
)
def test_clock(given, expected):
    """Unix seconds, or a datetime of any time zone, of the years that every board's clock can show."""
    assert clock_of(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            datetime(2031, 1, 1),
            "board.connect(clock=datetime.datetime(2031, 1, 1, 0, 0)): the datetime has no time zone; give one, for example tzinfo=UTC",
        ),
        ("2031-01-01", "board.connect(clock='2031-01-01'): expected a datetime with a time zone, or Unix seconds"),
        (True, "board.connect(clock=True): expected a datetime with a time zone, or Unix seconds"),
        (
            946684799,
            "board.connect(clock=946684799): expected a time from 2000 to 2099, which every board's clock can show",
        ),
        (
            4102444800,
            "board.connect(clock=4102444800): expected a time from 2000 to 2099, which every board's clock can show",
        ),
        *(
            (
                number,
                f"board.connect(clock={number}): expected a time from 2000 to 2099, which every board's clock can show",
            )
            for number in (float("nan"), float("inf"), 946684799.9)
        ),
    ],
)
def test_wrong_clocks(given, message):
    """One line with the value and what is expected."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        clock_of(given)


@pytest.mark.parametrize("given", [None, 8192, 40000])
def test_heap(given):
    """A number of bytes."""
    assert heap_of(given) == given


@pytest.mark.parametrize("given", [8191, -1, True, "40K", 40000.0])
def test_wrong_heaps(given):
    """One line with the value and what is expected."""
    message = f"board.connect(heap={given!r}): expected at least 8192 bytes, which the agent needs"
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        heap_of(given)
