"""`@pytest.mark.needs("tls1.3", "psk")`: a test is skipped where a board or server lacks something, with the words of the cases.

Knows the words of `harness.expectations.needs`; opens the board of the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.model import Need
    from harness.pytest_plugin.fixtures import Board

MARKER = "needs"
ABOUT = "needs(word, ...): skip the test, as unsupported, unless its board and server have all of these"


def declare(config: pytest.Config) -> None:
    """Declare the marker; `--markers` lists the words."""
    text = ABOUT
    if config.getoption("markers", False):
        from harness.expectations.needs import named_needs

        text += ": " + ", ".join(sorted(named_needs()))
    config.addinivalue_line("markers", text)


def skip_unless_met(item: pytest.Item) -> None:
    """Skip a test whose board or server lacks what the test needs.

    Raises:
        UsageError: a word is unknown, or the test has no board.
        BoardError: the board cannot be opened.
    """
    marks = list(item.iter_markers(MARKER))
    if not marks:
        return
    needs = tuple(_need(word, item) for mark in reversed(marks) for word in mark.args)
    board: Board | None = getattr(item, "funcargs", {}).get("board")
    if board is None or not hasattr(board, "runner"):
        raise UsageError(f"{_place(item)}: @pytest.mark.needs is for tests that use the fixture `board`")
    missing = board.runner().lacks(needs)
    if missing is not None:
        pytest.skip(f"unsupported: {missing.reason}")


def _need(word: object, item: pytest.Item) -> Need:
    from harness.expectations.needs import named_needs
    from harness.system.near_names import did_you_mean

    known = named_needs()
    if isinstance(word, str) and word in known:
        return known[word]
    near = did_you_mean(word, known)
    raise UsageError(
        f"{_place(item)}: @pytest.mark.needs({word!r}): no need has this name{near}; expected one of {', '.join(sorted(known))}"
    )


def _place(item: pytest.Item) -> str:
    path, line, _name = item.location
    return path if line is None else f"{path}:{line + 1}"
