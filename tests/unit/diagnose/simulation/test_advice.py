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
        ((SOUND, BROKEN, MORE), (BROKEN, MORE)),
        ((BROKEN,), (BROKEN,)),
        ((change("same", 50), change("less", 40)), ()),
        ((change("one", 60), change("other", 60)), (change("one", 60),)),
        ((change("weak", 60, weak=3), change("strong", 60)), (change("strong", 60),)),
        ((change("bad", 60, discouraged=True), SOUND), (SOUND,)),
        ((), ()),
    ],
)
def test_chosen(tried: tuple[SimulatedChange, ...], advised: tuple[SimulatedChange, ...]) -> None:
    """The most firmwares decide, then security; a discouraged winner is followed by the best sound change."""
    assert chosen(tried, now=50) == advised
