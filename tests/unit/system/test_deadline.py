"""A point in time."""

from harness.system.deadline import Deadline


def test_remaining():
    """What is left is never more than was given, and shrinks."""
    deadline = Deadline(5)
    first = deadline.remaining_s
    assert 0 < deadline.remaining_s <= first <= 5
    assert not deadline.expired


def test_over():
    """Zero and negative times are over at once, and nothing is left of them."""
    for seconds in (0, -3):
        assert Deadline(seconds).expired
        assert Deadline(seconds).remaining_s == 0


def test_within():
    """A part of a deadline never ends after it."""
    assert Deadline(60).within(1).remaining_s <= 1
    assert Deadline(1).within(60).remaining_s <= 1
    assert Deadline(0).within(60).expired


def test_repr():
    """A deadline in a message says what was given and what is left."""
    assert repr(Deadline(0)) == "Deadline(0 s, 0.000 s left)"
