"""A virtual board in use, for the tests of the layers above the serial line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.boards.agent.console import Console
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.session import BoardSession
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.model import BoardSettings, BoardSpec
from harness.system.deadline import Deadline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The board's filesystem."""
    made = tmp_path / "board"
    made.mkdir()
    return made


@pytest.fixture
def new_session(folder: Path) -> Iterator[Callable[..., BoardSession]]:
    """Return a session on a virtual board, with these settings of boards.toml, not started yet."""
    sessions = []

    def make(**settings: object) -> BoardSession:
        virtual = VirtualBoard(find_interpreter(""), folder=folder)
        spec = BoardSpec(text="lab-1", kind="unix", target="", label="lab-1", settings=BoardSettings(**settings))  # type: ignore[arg-type]
        session = BoardSession(spec, RawRepl(virtual.port), owner=virtual, patience_s=60.0)
        sessions.append(session)
        return session

    yield make
    for session in sessions:
        session.close(deadline=Deadline(60))


@pytest.fixture
def console(new_session: Callable[..., BoardSession]) -> Console:
    """Return the console of a board in the raw REPL, with only the checksums loaded."""
    session = new_session()
    session.start(deploy=False)
    made = Console(session.link, label="lab-1", last_number=0)
    made.begin()
    return made
