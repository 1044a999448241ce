"""Deadlines, on a clock that the test advances."""

from harness.system.deadline import Deadline


class Clock:
    """A clock that only the test advances."""

    now = 100.0

    def __call__(self):
        return self.now


def test_remaining():
    """The remaining time decreases with the clock and is never negative; the deadline is over exactly at its time."""
    clock = Clock()
    deadline = Deadline(5, clock=clock)
    assert (deadline.remaining_s, deadline.expired) == (5, False)
    clock.now += 4
    assert (deadline.remaining_s, deadline.expired) == (1, False)
    clock.now += 1
    assert (deadline.remaining_s, deadline.expired) == (0, True)
    clock.now += 1
    assert (deadline.remaining_s, deadline.expired) == (0, True)


def test_over():
    """Zero and negative times are over at once, with no remaining time."""
    for seconds in (0, -3):
        assert Deadline(seconds).expired
        assert Deadline(seconds).remaining_s == 0


def test_within():
    """A part of a deadline uses the same clock and never ends after it."""
    clock = Clock()
    whole = Deadline(60, clock=clock)
    assert (whole.within(1).remaining_s, whole.within(90).remaining_s) == (1, 60)
    part = whole.within(10)
    clock.now += 10
    assert (part.expired, whole.expired) == (True, False)
    assert Deadline(0).within(60).expired


def test_the_default_clock():
    """The default clock is the monotonic one."""
    deadline = Deadline(0.001)
    while not deadline.expired:
        pass
    assert deadline.remaining_s == 0


def test_repr():
    """The repr of a deadline shows the total and the remaining time."""
    clock = Clock()
    deadline = Deadline(3, clock=clock)
    clock.now += 0.5
    assert repr(deadline) == "Deadline(3 s, 2.500 s left)"
