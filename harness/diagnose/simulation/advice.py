"""Which single change of the server lets most firmwares connect: each change that an explanation proposes is simulated."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.certificates import Unavailable
from harness.diagnose.given import GivenCertificates
from harness.diagnose.recipes import Ends, RecipeBook, server_lines
from harness.diagnose.settings import Settings, changed, filled
from harness.model import BoardInfo, ClientPlan, Fix, Outcome, Recipe, Simulated, SimulatedChange

# Where the printed server listens.
_EVERY_ADDRESS, _PORT = "0.0.0.0", 8443
Simulate = Callable[[Settings], tuple[Simulated, ...]]
"""Simulates all firmwares with changed settings."""


def best_changes(
    start: Settings, results: Sequence[Simulated], *, simulate: Simulate, certificates: GivenCertificates
) -> tuple[SimulatedChange, ...]:
    """Simulate every change of the server that the explanations propose.

    Returns:
        As `chosen`.
    """
    now, weak_now = _connecting(results), _weak(results)
    tried: dict[str, SimulatedChange] = {}
    for fix in _proposed(results):
        with contextlib.suppress(Unavailable):
            settings = changed(start, fix.change, certificates) if fix.change is not None else start
            if repr(settings) in tried:
                continue
            found = simulate(settings)
            tried[repr(settings)] = SimulatedChange(
                fix=replace(filled(fix, certificates), proved=_connecting(found) > now),
                connecting=_connecting(found),
                weak=_weak(found),
                server_lines=server_lines(settings, certificates),
                recipe=_recipe(settings, certificates),
            )
    return chosen(tuple(tried.values()), now=now, weak_now=weak_now)


def _recipe(settings: Settings, certificates: GivenCertificates) -> Recipe:
    """Return what makes the files and runs the server, without a board."""
    ends = Ends(listen=_EVERY_ADDRESS, connect=certificates.host or "HOST", port=_PORT)
    made = RecipeBook(certificates, BoardInfo(), ends=ends).recipe(replace(settings, client=ClientPlan()))
    return replace(made, board=None, board_files=(), board_start=())


def chosen(tried: Sequence[SimulatedChange], *, now: int, weak_now: int) -> tuple[SimulatedChange, ...]:
    """Return the change to make first, then one with which more connect if that is weak or discouraged.

    A change is sound if it is not discouraged and lets more firmwares connect in sessions that are not weak. One that is not sound comes
    first only where no sound one helps.

    Args:
        tried: every change, with what connects.
        now: how many connect without a change.
        weak_now: how many of those in a weak session.

    Returns:
        None, one or two.
    """
    helping = [change for change in tried if change.connecting > now]
    sound = [change for change in helping if not change.fix.discouraged and _strong(change) > now - weak_now]
    if not helping:
        return ()
    first = max(sound or helping, key=_value)
    most = max(helping, key=lambda change: (change.connecting, _value(change)))
    return (first, most) if most.connecting > first.connecting else (first,)


def _value(change: SimulatedChange) -> tuple[bool, int, int]:
    """Order changes: sound before discouraged, then how many connect in sessions that are not weak, then fewer weak sessions."""
    return not change.fix.discouraged, _strong(change), -change.weak


def _strong(change: SimulatedChange) -> int:
    return change.connecting - change.weak


def _proposed(results: Sequence[Simulated]) -> list[Fix]:
    """Return the changes of the server alone that the explanations propose, each once."""
    found: dict[str, Fix] = {}
    for result in results:
        for fix in result.explanation.fixes if result.explanation is not None else ():
            if fix.change is not None and fix.change.server and not fix.change.client:
                found.setdefault(repr(fix.change), fix)
    return list(found.values())


def _connecting(results: Sequence[Simulated]) -> int:
    return sum(len(item.firmware) for item in results if item.outcome is Outcome.CONNECTED)


def _weak(results: Sequence[Simulated]) -> int:
    return sum(len(item.firmware) for item in results if item.outcome is Outcome.CONNECTED and item.weak)
