"""How a run ends early: SIGTERM counts as Ctrl-C, and an interrupted run interrupts its pytest-xdist workers at once.

Knows signals and pytest-xdist's hooks by name. Knows no boards: those are closed when pytest cleans up.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

import pytest


def end_on_signals(config: pytest.Config) -> None:
    """End like Ctrl-C when a CI runner sends SIGTERM: boards at their prompt, ports released, reports written.

    A worker is interrupted once only. The controller, the terminal and execnet may each interrupt it, and a second interrupt
    would stop it while it leaves its board. A handler that is not Python's own stays, and so does an ignored SIGINT: shells
    start commands in the background with it.
    """
    worker = hasattr(config, "workerinput")
    usual: dict[int, Any] = {signal.SIGTERM: signal.SIG_DFL}
    if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    if worker and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        usual[signal.SIGINT] = signal.default_int_handler

    def end(number: int, frame: object) -> None:
        if worker:
            set_all(dict.fromkeys(usual, signal.SIG_IGN))
        raise KeyboardInterrupt(signal.Signals(number).name)

    def set_all(handlers: dict[int, Any]) -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    try:
        set_all(dict.fromkeys(usual, end))
    except ValueError:
        return  # not the main thread, which alone may set handlers
    config.add_cleanup(lambda: set_all(usual))


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
