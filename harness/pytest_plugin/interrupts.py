"""How a run ends early: SIGTERM and SIGHUP count as Ctrl-C, and an interrupted run interrupts its pytest-xdist workers at once.

Knows signals and pytest-xdist's hooks by name. Knows no boards: those are closed when pytest cleans up.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any

import pytest

# Windows has no SIGHUP.
TAKEN = pytest.StashKey[list[signal.Signals]]()
ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def end_on_signals(config: pytest.Config) -> None:
    """End like Ctrl-C when a CI runner sends SIGTERM or a terminal is closed: boards at their prompt, ports released, reports written.

    A signal that is ignored, as by nohup, or has a handler keeps it.
    """

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    def restore() -> None:
        for each in taken:
            signal.signal(each, signal.SIG_DFL)

    taken = [each for each in ENDING if signal.getsignal(each) == signal.SIG_DFL]
    try:
        for each in taken:
            signal.signal(each, end)
    except ValueError:
        return  # not the main thread, which alone may set handlers
    if taken:
        config.stash[TAKEN] = taken
        config.add_cleanup(restore)


def let_reports_finish(config: pytest.Config) -> None:
    """Let the end of the run happen: it has an end of its own, and an interrupt in the middle of pytest's report is a traceback.

    Not SIG_IGN, which programs that a hook starts would inherit.
    """
    for each in config.stash.get(TAKEN, []):
        signal.signal(each, _carry_on)


def _carry_on(number: int, frame: object) -> None:
    """Do nothing."""


class WorkerEnd:
    """A worker's part: once it is interrupted, it leaves its boards without being interrupted again.

    The controller, the terminal and execnet may each interrupt it. A test that raises and catches KeyboardInterrupt ends nothing.
    """

    def pytest_keyboard_interrupt(self) -> None:
        """Ignore what would interrupt the closing of boards, which has time limits of its own."""
        for number in (signal.SIGINT, *ENDING):
            with contextlib.suppress(ValueError):  # not the main thread
                signal.signal(number, signal.SIG_IGN)


class WorkerInterrupts:
    """The controller's part: interrupt the local workers of pytest-xdist as soon as the run is interrupted.

    pytest-xdist only closes their channels. execnet then waits 5 s before it interrupts a worker in the middle of a test, and
    pytest-xdist kills it after 10 s: a slow board would not be back at its prompt by then.
    """

    def __init__(self) -> None:
        self._processes: dict[str, Any] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodeready(self, node: Any) -> None:
        """Record the process of a worker on this machine; no public attribute has it, and without it execnet interrupts later."""
        process = getattr(getattr(node.gateway, "_io", None), "popen", None)
        if node.gateway.spec.popen and process is not None:
            self._processes[node.gateway.id] = process

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Forget a worker that has ended."""
        self._processes.pop(node.gateway.id, None)

    def pytest_keyboard_interrupt(self) -> None:
        """Send the workers SIGTERM, as it also reaches one in the background; on Windows that would kill them, and execnet acts later."""
        if sys.platform == "win32":
            return
        for process in self._processes.values():
            process.terminate()
