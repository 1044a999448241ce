"""pytest-timeout's limit is later than the harness's own time limits, and the user's own choice is kept."""

from __future__ import annotations

import contextlib
import signal
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from harness.boards.flash import FLASH_S, RETURN_S
from harness.boards.recovery import RECOVERY_S
from harness.links.profiles import PROFILES
from harness.model import BoardSettings, BoardSpec, FirmwareChoice
from harness.pytest_plugin.run import RUN
from harness.pytest_plugin.timeouts import LARGEST_DATA_BYTES, held_alarm, needed_s, phase, widen
from harness.run.options import RunOptions


def test_needed_time() -> None:
    """A fault takes a session and all recovery steps; retries add faults, and a slow board multiplies everything."""
    assert needed_s(1.0, link_retries=0) > 4 * RECOVERY_S
    assert needed_s(1.0, link_retries=3) - needed_s(1.0, link_retries=0) >= 6 * RECOVERY_S
    assert needed_s(2.0, link_retries=0, longer_s=10.0) - needed_s(2.0, link_retries=0) == 2 * 4 * 10
    assert needed_s(2.0, link_retries=0, flashed=True) - needed_s(2.0, link_retries=0) == 2 * (FLASH_S + RETURN_S)
    assert needed_s(2.5, link_retries=0) == pytest.approx(2.5 * needed_s(1.0, link_retries=0), abs=1)


class Item:
    """The part of a test that `widen` uses."""

    def __init__(self, *, ini: str = "", option: float | None = None, marker: float | None = None, plugin: bool = True):
        manager = SimpleNamespace(has_plugin=lambda name: plugin and name == "timeout")
        self.config: Any = SimpleNamespace(
            pluginmanager=manager,
            getoption={"timeout": option}.__getitem__,
            getini={"timeout": ini}.__getitem__,
            stash={RUN: RunOptions(boards=(), link_retries=1)},
        )
        self.timeout = marker
        self.callspec = SimpleNamespace(params={})

    def get_closest_marker(self, name: str) -> float | None:
        return self.timeout

    def add_marker(self, marker: Any) -> None:
        (self.timeout,) = marker.args


def after(
    monkeypatch: pytest.MonkeyPatch,
    item: Item,
    *,
    multiplier: float = 2.0,
    variable: str = "",
    firmware: FirmwareChoice | None = None,
) -> float | None:
    """Return the test's own time limit after `widen`."""
    monkeypatch.setenv("PYTEST_TIMEOUT", variable)
    settings = BoardSettings(timeout_multiplier=multiplier, flash=("flash",))
    spec = BoardSpec(text="a", kind="serial", target="/dev/a", label="a", settings=settings, firmware=firmware)
    widen(item, spec)  # type: ignore[arg-type]
    return item.timeout


def test_pytest_ini_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit in pytest.ini that is too short is raised; another, or none, is unchanged."""
    assert after(monkeypatch, Item(ini="300")) == needed_s(2.0, link_retries=1)
    flashed = FirmwareChoice(text="1.28", version="1.28")
    assert after(monkeypatch, Item(ini="300"), firmware=flashed) == needed_s(2.0, link_retries=1, flashed=True)
    assert after(monkeypatch, Item(ini="86400")) is None
    assert after(monkeypatch, Item(ini="0")) is None
    assert after(monkeypatch, Item()) is None


def test_a_slow_network_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit grows by what the network of the test may add to the largest session; the network as it is adds nothing."""
    item = Item(ini="300")
    item.callspec = SimpleNamespace(params={"tls_link": "gprs"})
    longer_s = PROFILES["gprs"].session_s(LARGEST_DATA_BYTES)
    assert after(monkeypatch, item) == needed_s(2.0, link_retries=1, longer_s=longer_s) > needed_s(2.0, link_retries=1)
    item = Item(ini="300")
    item.callspec = SimpleNamespace(params={"tls_link": ""})
    assert after(monkeypatch, item) == needed_s(2.0, link_retries=1)


def test_an_explicit_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """--timeout, the variable and a marker are meant for this run or this test; without pytest-timeout there is no limit."""
    assert after(monkeypatch, Item(ini="300", option=60.0)) is None
    assert after(monkeypatch, Item(ini="300"), variable="60") is None
    assert after(monkeypatch, Item(ini="300", marker=5.0)) == 5.0
    assert after(monkeypatch, Item(ini="300", plugin=False)) is None


@pytest.fixture
def limited():
    """A test with a board as an alarm sees it, whose handler raises; the process's own alarm is kept."""
    before = signal.getsignal(signal.SIGALRM)
    item: Any = SimpleNamespace(stash={}, callspec=SimpleNamespace(params={"tls_board_spec": None}))
    yield item
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def over(number: int, frame: Any) -> None:
    """Behave as pytest-timeout."""
    pytest.fail("over")


posix = pytest.mark.skipif(sys.platform == "win32", reason="no SIGALRM there")


@posix
def test_an_alarm_in_a_phase(limited: Any) -> None:
    """In a phase pytest-timeout's handler runs unchanged."""
    with held_alarm(limited, limit_s=600):
        signal.signal(signal.SIGALRM, over)
    with pytest.raises(pytest.fail.Exception, match="over"), phase(limited):
        signal.raise_signal(signal.SIGALRM)


@posix
@pytest.mark.parametrize("may_be_skipped", [True, False])
def test_a_late_alarm(limited: Any, may_be_skipped: bool) -> None:
    """Between two phases it raises nothing: the next one fails before it begins, or runs if it must, with a new time limit."""
    with held_alarm(limited, limit_s=600):
        signal.signal(signal.SIGALRM, over)
    signal.raise_signal(signal.SIGALRM)
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    begun = False
    with contextlib.ExitStack() as stack:
        if may_be_skipped:
            stack.enter_context(pytest.raises(pytest.fail.Exception, match="over"))
        stack.enter_context(phase(limited, may_be_skipped=may_be_skipped))
        begun = True
    assert begun is not may_be_skipped
    if may_be_skipped:
        with phase(limited):
            pass  # an alarm ends one phase only


@posix
def test_an_alarm_while_the_handler_is_installed(limited: Any) -> None:
    """The shortest limit expires before the handler is complete: that alarm is late, too."""
    with held_alarm(limited, limit_s=600):
        signal.signal(signal.SIGALRM, over)
        signal.raise_signal(
            signal.SIGALRM
        )  # to this thread: one sent to the process may reach another thread of the test run
    with pytest.raises(pytest.fail.Exception, match="over"), phase(limited):
        pass


@posix
def test_the_other_tests_keep_their_alarm(limited: Any) -> None:
    """A test without a board, and one with a thread-based limit, are left to pytest-timeout."""
    del limited.callspec
    with held_alarm(limited, limit_s=600):
        signal.signal(signal.SIGALRM, over)
    assert signal.getsignal(signal.SIGALRM) is over
    limited.callspec = SimpleNamespace(params={"tls_board_spec": None})
    with held_alarm(limited, limit_s=600):
        pass
    assert (signal.getsignal(signal.SIGALRM), limited.stash) == (over, {})
