"""SIGTERM counts as Ctrl-C; a worker is interrupted once, by its controller."""

from __future__ import annotations

import signal
import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from harness.pytest_plugin.interrupts import WorkerEnd, WorkerInterrupts, end_on_signals, let_reports_finish

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


@pytest.fixture
def defaults():
    """Restore Python's own handlers for a test."""
    usual = {
        signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL, signal.SIGINT: signal.default_int_handler,
    }  # fmt: skip
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield usual
    for number, handler in before.items():
        signal.signal(number, handler)


def config(**attributes: Any) -> Any:
    """The part of a run that `end_on_signals` uses; `cleanups` are its cleanup functions."""
    cleanups: list[Any] = []
    return SimpleNamespace(add_cleanup=cleanups.append, cleanups=cleanups, stash=pytest.Stash(), **attributes)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_is_ctrl_c(number: signal.Signals, defaults) -> None:
    """Every SIGTERM and SIGHUP raises KeyboardInterrupt until the run cleans up; SIGINT stays Python's."""
    run = config()
    end_on_signals(run)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt, match=rf"^{number.name}$"):
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    for clean in run.cleanups:
        clean()
    assert signal.getsignal(number) == signal.SIG_DFL


def test_nohup_stays(defaults) -> None:
    """An ignored SIGHUP stays ignored, and SIGTERM still ends the run."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    end_on_signals(config())
    signal.raise_signal(signal.SIGHUP)
    with pytest.raises(KeyboardInterrupt, match=r"^SIGTERM$"):
        signal.raise_signal(signal.SIGTERM)


def test_the_end_of_a_run_is_not_interrupted(defaults) -> None:
    """Once the session is over the signals do nothing, until the run cleans up; a handler of the suite's own stays."""
    run = config()
    end_on_signals(run)
    let_reports_finish(run)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.raise_signal(number)
        assert signal.getsignal(number) is not signal.SIG_IGN
    for clean in run.cleanups:
        clean()
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
    signal.signal(signal.SIGTERM, own := lambda number, frame: None)
    let_reports_finish(config())
    assert signal.getsignal(signal.SIGTERM) == own


def test_an_interrupted_worker_is_not_interrupted_again(defaults) -> None:
    """Both signals are ignored once the session ends, and not before: a test may interrupt itself."""
    run = config(workerinput={})
    end_on_signals(run)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt, match=r"^SIGTERM$"):
            signal.raise_signal(signal.SIGTERM)
    WorkerEnd().pytest_keyboard_interrupt()
    for again in defaults:
        signal.raise_signal(again)


def test_a_handler_of_the_suite_stays(defaults) -> None:
    """If SIGTERM has a handler, none is installed."""
    run = config()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, own := lambda number, frame: None)
    end_on_signals(run)
    assert signal.getsignal(signal.SIGHUP) == own
    assert run.cleanups == []


def test_outside_the_main_thread(defaults) -> None:
    """Only the main thread may install handlers; elsewhere none is."""
    run = config()
    thread = threading.Thread(target=end_on_signals, args=(run,))
    thread.start()
    thread.join()
    assert (run.cleanups, signal.getsignal(signal.SIGTERM)) == ([], signal.SIG_DFL)


def test_the_controller_interrupts_its_own_workers() -> None:
    """Each local worker that still runs is ended, not one that has ended or is on another machine."""
    sent: list[str] = []

    def node(name: str, *, popen: bool = True, known: bool = True) -> Any:
        process = SimpleNamespace(terminate=lambda: sent.append(name))
        io = SimpleNamespace(popen=process) if known else SimpleNamespace()
        return SimpleNamespace(gateway=SimpleNamespace(id=name, spec=SimpleNamespace(popen=popen), _io=io))

    workers = WorkerInterrupts()
    nodes = [node("gw0"), node("gw1"), node("far", popen=False), node("unknown", known=False)]
    for ready in nodes:
        workers.pytest_testnodeready(node=ready)
    workers.pytest_testnodedown(node=nodes[0], error=None)
    workers.pytest_testnodedown(node=nodes[2], error=None)
    workers.pytest_keyboard_interrupt()
    assert sent == ["gw1"]
