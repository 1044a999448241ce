"""The board kind `labgrid`: its spec, and who has a place."""

from __future__ import annotations

import os

import pytest

from harness.boards.kinds import occupancy
from harness.boards.labgrid.labgrid_kind import identity, parse
from harness.boards.locks.board_lock import BoardLock
from harness.boards.spec import parse_board
from harness.errors import UsageError


@pytest.mark.parametrize(("text", "target"), [("labgrid:board-0", "board-0"), ("labgrid:+", "+"), ("labgrid", None)])
def test_specs(text: str, target: str | None) -> None:
    """A spec names a place, or with `+` a reservation."""
    assert parse(text, source="--board") == target


@pytest.mark.parametrize("text", ["labgrid:", "labgrid:a b", "labgrid:\n"])
def test_wrong_specs(text: str) -> None:
    """A missing name and one with spaces are refused, with both accepted forms."""
    with pytest.raises(UsageError) as raised:
        parse(text, source="--board")
    assert str(raised.value) == (
        f"--board {text!r}: expected the name of a labgrid place, e.g. labgrid:board0, or labgrid:+ for the place "
        "reserved with $LG_TOKEN"
    )


def test_occupancy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own lock answers before the lab is asked; a missing client is reported. A real lab: tests/plugin."""
    monkeypatch.setenv("LABGRID_CLIENT", "/nowhere/labgrid-client")
    monkeypatch.setenv("LG_COORDINATOR", "192.0.2.1:1")
    spec = parse_board("labgrid:board0", {})
    lock = BoardLock(identity(spec), label="desk")
    found = occupancy(spec)
    lock.close()
    assert (found.state, found.holder is not None and found.holder.pid) == ("in-use", os.getpid())
    assert str(occupancy(spec)) == (
        "missing: $LABGRID_CLIENT = /nowhere/labgrid-client: no such program; expected the path of labgrid-client"
    )
