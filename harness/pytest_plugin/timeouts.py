"""pytest-timeout under the harness's own time limits: it must come later than all of them, and a test that it ends is a result.

Knows pytest-timeout's option, variable, marker and alarm by name. A limit that the user chose for this run is not changed.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from harness.boards.flash import FLASH_S, RETURN_S
from harness.boards.recovery import RECOVERY_S
from harness.links.profiles import PROFILES
from harness.pytest_plugin.run import options_of

if TYPE_CHECKING:
    from harness.model import BoardSpec

# In seconds, for a board of ordinary speed: raw REPL, probe, agent, network and clock; one session with its server's report.
OPENING_S = 180.0
SESSION_S = 60.0
# What the largest case sends.
LARGEST_DATA_BYTES = 64 * 1024

ALARM = pytest.StashKey["Alarm"]()
PHASE = pytest.StashKey[bool]()


def needed_s(timeout_multiplier: float, *, link_retries: int, longer_s: float = 0.0, flashed: bool = False) -> float:
    """How long one test with a board may rightly take, in seconds: what pytest-timeout must not be shorter than.

    Args:
        timeout_multiplier: of the board, as boards.toml has it.
        link_retries: of the run.
        longer_s: by how much its network may make a session longer.
        flashed: whether the first test of the board flashes it.

    The first test of a board opens it, and may recover it twice; its case and the session that helps to judge it are tried
    `link_retries` times again, and each fault is followed by all recovery steps.
    """
    faults = 2 + 2 * (link_retries + 1)
    flashing_s = FLASH_S + RETURN_S if flashed else 0.0
    own_s = flashing_s + OPENING_S + faults * (SESSION_S + RECOVERY_S)
    return math.ceil(own_s * timeout_multiplier + 2 * faults * longer_s)


def widen(item: pytest.Item, spec: BoardSpec) -> None:
    """Give a test with a board the time that the harness's own limits add up to, where only pytest.ini gives it less."""
    config = item.config
    if not config.pluginmanager.has_plugin("timeout") or item.get_closest_marker("timeout") is not None:
        return
    if config.getoption("timeout") is not None or os.environ.get("PYTEST_TIMEOUT"):
        return
    given = config.getini("timeout")
    link = getattr(getattr(item, "callspec", None), "params", {}).get("tls_link", "")
    profile = PROFILES.get(link)
    needed = needed_s(
        spec.settings.timeout_multiplier,
        link_retries=options_of(config).link_retries,
        longer_s=profile.session_s(LARGEST_DATA_BYTES) if profile is not None else 0.0,
        flashed=spec.firmware is not None and bool(spec.settings.flash),
    )
    if given and 0 < float(given) < needed:
        item.add_marker(pytest.mark.timeout(needed))


# ----------------------------------------------------------------------------------------------- the alarm


class Alarm:
    """pytest-timeout's handler of SIGALRM, held back between the phases of a test (setup, call, teardown).

    pytest-timeout raises from wherever the alarm meets the process. Inside a phase that fails the test; while pytest or this
    harness writes the report of a phase it is an internal error of pytest, and ends the run.

    Args:
        item: the test whose time is limited.
        handler: what pytest-timeout installed.
        limit_s: its time limit; a phase that follows a late alarm gets as much again.
    """

    def __init__(self, item: pytest.Item, handler: Callable[[int, Any], Any], *, limit_s: float) -> None:
        self._item = item
        self._handler = handler
        self._limit_s = limit_s
        self.late = False

    def __call__(self, number: int, frame: Any) -> None:
        """End the phase that runs; between two, remember it for the next one."""
        if self._item.stash.get(PHASE, False):
            self.late = False
            self._handler(number, frame)
        elif sys.platform != "win32":
            self.late = True
            signal.setitimer(signal.ITIMER_REAL, self._limit_s)


@contextlib.contextmanager
def held_alarm(item: pytest.Item, *, limit_s: float) -> Iterator[None]:
    """Put an `Alarm` around the handler that pytest-timeout installs meanwhile, if it uses the signal for this test.

    Args:
        item: the test; one without a board is left to pytest-timeout alone.
        limit_s: the test's time limit.
    """
    if sys.platform == "win32" or not _has_board(item):
        yield
        return
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        before = signal.getsignal(signal.SIGALRM)
        yield
        handler = signal.getsignal(signal.SIGALRM)
        if callable(handler) and handler is not before:
            alarm = item.stash[ALARM] = Alarm(item, handler, limit_s=limit_s)
            signal.signal(signal.SIGALRM, alarm)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextlib.contextmanager
def phase(item: pytest.Item, *, may_be_skipped: bool = True) -> Iterator[None]:
    """A phase of a test, which its alarm may end; one that came too late for the phase before ends this one at once.

    Args:
        item: the test.
        may_be_skipped: False for the teardown, which must run: it has the time that follows a late alarm.
    """
    item.stash[PHASE] = True
    try:
        alarm = item.stash.get(ALARM, None)
        if may_be_skipped and alarm is not None and alarm.late:
            signal.raise_signal(signal.SIGALRM)
        yield
    finally:
        item.stash[PHASE] = False


def _has_board(item: pytest.Item) -> bool:
    return "tls_board_spec" in getattr(getattr(item, "callspec", None), "params", {})
