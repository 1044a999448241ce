"""When a run draws a bar and a table with lines, and when it writes plain lines. How they look: tests/plugin/test_terminal.py."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.pytest_plugin.screen import Screen

PLAIN = ("CI", "BUILD_NUMBER", "NO_COLOR")


class Writer:
    """A terminal of 80 columns that keeps what is written."""

    fullwidth = 80
    hasmarkup = True

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str, *, flush: bool = False) -> None:
        """Keep it."""
        self.text += text


def screen(
    *, terminal: bool = True, verbosity: int = 0, log_cli: bool = False, **options: Any
) -> tuple[Screen, Writer]:
    """The screen of a run with these options, and its terminal."""
    writer = Writer()
    config: Any = SimpleNamespace(
        option=SimpleNamespace(**{"capture": "fd", **options}),
        get_verbosity=lambda: verbosity,
        getini=lambda name: log_cli and name == "log_cli",
        get_terminal_writer=lambda: writer,
        pluginmanager=SimpleNamespace(has_plugin=lambda name: False),
    )
    return Screen(config, SimpleNamespace(isatty=terminal)), writer


@pytest.fixture(autouse=True)
def _a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PLAIN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def draws(made: tuple[Screen, Writer]) -> bool:
    """Whether it draws a bar."""
    made[0].draw(1, 3, bad=0)
    return "1/3" in made[1].text


def test_a_terminal_has_a_bar() -> None:
    """The bar is drawn until the last case is over, and wiped off again."""
    drawn = screen()
    assert drawn[0].real
    assert draws(drawn)
    drawn[0].wipe()
    assert drawn[1].text.endswith("\r\x1b[2K")
    drawn[1].text = ""
    drawn[0].draw(3, 3, bad=0)
    assert drawn[1].text == ""


@pytest.mark.parametrize(("name", "value"), [*((name, "1") for name in PLAIN), ("TERM", "dumb"), ("TERM", "unknown")])
def test_an_environment_that_wants_plain_lines(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A CI log, NO_COLOR and a terminal that cannot move its cursor have neither bar nor lines around the table."""
    monkeypatch.setenv(name, value)
    made = screen()
    assert not made[0].real
    assert made[0].width is None
    assert not draws(made)


@pytest.mark.parametrize("changed", [{"terminal": False}, {"verbosity": -1}])
def test_no_terminal_or_quiet(changed: dict[str, Any]) -> None:
    """The same into a pipe, and with -q."""
    made = screen(**changed)
    assert not made[0].real
    assert not draws(made)


@pytest.mark.parametrize(
    "changed",
    [
        {"verbosity": 1},
        {"capture": "no"},
        {"usepdb": True},
        {"trace": True},
        {"setupshow": True},
        {"log_cli": True},
        {"log_cli_level": "INFO"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_no_bar_where_others_write(changed: dict[str, Any]) -> None:
    """-v, -s, a debugger, --setup-show and live logs write while a test runs: no bar, but a table with lines."""
    made = screen(**changed)
    assert made[0].real
    assert not draws(made)
