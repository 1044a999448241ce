"""A point in time, on a clock that the test moves."""

from harness.system.deadline import Deadline


class Clock:
    """Stands still until the test moves it."""

    now = 100.0

    def __call__(self):
        return self.now


def test_remaining():
    """What is left shrinks with the clock and is never negative; the deadline is over at its very moment."""
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
    """Zero and negative times are over at once, and nothing is left of them."""
    for seconds in (0, -3):
        assert Deadline(seconds).expired
        assert Deadline(seconds).remaining_s == 0


def test_within():
    """A part of a deadline goes by the same clock and never ends after it."""
    clock = Clock()
    whole = Deadline(60, clock=clock)
    assert (whole.within(1).remaining_s, whole.within(90).remaining_s) == (1, 60)
    part = whole.within(10)
    clock.now += 10
    assert (part.expired, whole.expired) == (True, False)
    assert Deadline(0).within(60).expired


def test_the_usual_clock_goes_on():
    """Without another clock it is the monotonic one."""
    deadline = Deadline(0.001)
    while not deadline.expired:
        pass
    assert deadline.remaining_s == 0


def test_repr():
    """A deadline in a message says what was given and what is left."""
    clock = Clock()
    deadline = Deadline(3, clock=clock)
    clock.now += 0.5
    assert repr(deadline) == "Deadline(3 s, 2.500 s left)"
