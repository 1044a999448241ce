"""Which of several changes is advised."""

from __future__ import annotations

import pytest

from harness.diagnose.simulation.advice import chosen
from harness.model import Fix, SimulatedChange


def change(title: str, connecting: int, *, discouraged: bool = False, weak: int = 0) -> SimulatedChange:
    """Return a change that was simulated."""
    return SimulatedChange(fix=Fix(title=title, discouraged=discouraged), connecting=connecting, weak=weak)


SOUND, MORE = change("sound", 60), change("more", 70)
BROKEN = change("broken", 80, discouraged=True)


@pytest.mark.parametrize(
    ("tried", "advised"),
    [
        ((SOUND, MORE), (MORE,)),
        ((SOUND, BROKEN, MORE), (MORE, BROKEN)),
        ((BROKEN,), (BROKEN,)),
        ((change("same", 50), change("less", 40)), ()),
        ((change("one", 60), change("other", 60)), (change("one", 60),)),
        ((change("weak", 60, weak=3), change("strong", 60)), (change("strong", 60),)),
        ((change("bad", 60, discouraged=True), SOUND), (SOUND,)),
        ((change("weak", 80, weak=30), SOUND), (SOUND, change("weak", 80, weak=30))),
        ((change("weak", 80, weak=22), SOUND), (SOUND, change("weak", 80, weak=22))),
        ((change("most", 80, weak=4), SOUND), (change("most", 80, weak=4),)),
        ((change("only weak", 60, weak=15), BROKEN), (change("only weak", 60, weak=15), BROKEN)),
        (
            (change("few more", 60, weak=2), change("as few", 58)),
            (change("as few", 58), change("few more", 60, weak=2)),
        ),
        ((), ()),
    ],
)
def test_chosen(tried: tuple[SimulatedChange, ...], advised: tuple[SimulatedChange, ...]) -> None:
    """Strong sessions decide; what is weak or discouraged is first only where nothing else helps, second where more connect."""
    assert chosen(tried, now=50, weak_now=2) == advised


def test_weak_sessions_that_are_there_already() -> None:
    """A change is sound if the sessions that it adds are strong, whatever was weak before."""
    better = change("better", 60, weak=10)
    assert chosen((better, BROKEN), now=50, weak_now=10) == (better, BROKEN)
    worse = change("worse", 60, weak=20)
    assert chosen((worse, SOUND), now=50, weak_now=10) == (SOUND,)
    assert chosen((worse, change("tiny", 51, weak=10)), now=50, weak_now=10)[0].fix.title == "tiny"
