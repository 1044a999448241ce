"""The outer net: later than everything the harness waits for by itself, and never in the place of somebody's own choice."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.boards.recovery import LADDER_S
from harness.model import BoardSettings, BoardSpec
from harness.pytest_plugin.run import RUN
from harness.pytest_plugin.timeouts import needed_s, widen
from harness.run.options import RunOptions


def test_needed_time() -> None:
    """A fault takes a session and the whole ladder; retries add faults, a slow board stretches all of it."""
    assert needed_s(1.0, link_retries=0) > 4 * LADDER_S
    assert needed_s(1.0, link_retries=3) - needed_s(1.0, link_retries=0) >= 6 * LADDER_S
    assert needed_s(2.5, link_retries=0) == pytest.approx(2.5 * needed_s(1.0, link_retries=0), abs=1)


class Item:
    """What `widen` may look at of a test."""

    def __init__(self, *, ini: str = "", option: float | None = None, marker: float | None = None, plugin: bool = True):
        manager = SimpleNamespace(has_plugin=lambda name: plugin and name == "timeout")
        self.config: Any = SimpleNamespace(
            pluginmanager=manager,
            getoption={"timeout": option}.__getitem__,
            getini={"timeout": ini}.__getitem__,
            stash={RUN: RunOptions(boards=(), link_retries=1)},
        )
        self.timeout = marker

    def get_closest_marker(self, name: str) -> float | None:
        return self.timeout

    def add_marker(self, marker: Any) -> None:
        (self.timeout,) = marker.args


def after(monkeypatch: pytest.MonkeyPatch, item: Item, *, multiplier: float = 2.0, variable: str = "") -> float | None:
    """The time limit that a test has of its own after `widen`."""
    monkeypatch.setenv("PYTEST_TIMEOUT", variable)
    settings = BoardSettings(timeout_multiplier=multiplier)
    widen(item, BoardSpec(text="a", kind="serial", target="/dev/a", label="a", settings=settings))  # type: ignore[arg-type]
    return item.timeout


def test_pytest_ini_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit of pytest.ini that comes too soon; one that does not, or none, is left alone."""
    assert after(monkeypatch, Item(ini="300")) == needed_s(2.0, link_retries=1)
    assert after(monkeypatch, Item(ini="86400")) is None
    assert after(monkeypatch, Item(ini="0")) is None
    assert after(monkeypatch, Item()) is None


def test_what_somebody_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """--timeout, the variable and a marker are meant for this run or this test; without pytest-timeout there is no net."""
    assert after(monkeypatch, Item(ini="300", option=60.0)) is None
    assert after(monkeypatch, Item(ini="300"), variable="60") is None
    assert after(monkeypatch, Item(ini="300", marker=5.0)) == 5.0
    assert after(monkeypatch, Item(ini="300", plugin=False)) is None
