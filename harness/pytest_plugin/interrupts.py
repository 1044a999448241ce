"""How a run ends early: SIGTERM counts as Ctrl-C, and an interrupted run interrupts its pytest-xdist workers at once.

Knows signals and pytest-xdist's hooks by name. Knows no boards: those are closed when pytest cleans up.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from typing import Any

import pytest


def end_on_sigterm(config: pytest.Config) -> None:
    """End like Ctrl-C when a CI runner sends SIGTERM: boards at their prompt, ports released, reports written."""
    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt("SIGTERM")

    def restore() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    try:
        signal.signal(signal.SIGTERM, end)
    except ValueError:
        return  # not the main thread, which alone may set handlers
    config.add_cleanup(restore)


class WorkerEnd:
    """A worker's part: once it is interrupted, it leaves its boards without being interrupted again.

    The controller, the terminal and execnet may each interrupt it. A test that raises and catches KeyboardInterrupt ends nothing.
    """

    def pytest_keyboard_interrupt(self) -> None:
        """Ignore what would interrupt the closing of boards, which has time limits of its own."""
        for number in (signal.SIGINT, signal.SIGTERM):
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
