"""Which of our code a board has loaded: the asyncio client only if it is needed, from where the agent is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.agent import deployment
from harness.boards.agent.console import Console
from harness.boards.agent.loaded import LoadedCode
from harness.boards.agent.protocol import AGENT_FILE
from harness.boards.agent.scripts import ASYNCIO_CLIENT, Part
from harness.errors import BoardError, FaultKind


def files(folder: Path) -> list[str]:
    """What is on the board's filesystem."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_asyncio_client_is_deployed_at_its_first_use(console: Console, folder: Path) -> None:
    """Its file is written once and checked like the agent's; a second use sends nothing."""
    notes: list[str] = []
    code = LoadedCode(console, note=notes.append)
    code.load(filesystem=str(folder), is_usb_drive=False, writes=True)
    assert files(folder) == [AGENT_FILE]
    assert code.has_asyncio(filesystem=str(folder))
    assert files(folder) == [AGENT_FILE, ASYNCIO_CLIENT.path]
    console.must("th_async", "find the asyncio client")
    (folder / ASYNCIO_CLIENT.path).unlink()
    assert code.has_asyncio(filesystem=str(folder))
    assert files(folder) == [AGENT_FILE]
    assert notes == []


@pytest.mark.parametrize("writes", [True, False])
def test_an_agent_in_ram_has_its_asyncio_client_there(console: Console, folder: Path, writes: bool) -> None:
    """Nothing is written where nothing may be, and one note is enough."""
    notes: list[str] = []
    code = LoadedCode(console, note=notes.append)
    code.load(filesystem=str(folder), is_usb_drive=writes, writes=writes)
    assert code.has_asyncio(filesystem=str(folder))
    console.must("th_async", "find the asyncio client")
    assert files(folder) == []
    assert len(notes) == writes


def test_a_reset_loses_the_asyncio_client(console: Console, folder: Path) -> None:
    """After the agent was loaded again, the next use loads it again, too."""
    code = LoadedCode(console, note=[].append)
    code.load(filesystem=str(folder), is_usb_drive=False, writes=True)
    assert code.has_asyncio(filesystem=str(folder))
    console.must("del th_async", "stand in for a reset")
    code.suspect = True
    assert not code.still_answers()
    code.reload()
    assert code.still_answers()
    with pytest.raises(BoardError):
        console.must("th_async", "find the asyncio client")
    assert code.has_asyncio(filesystem=str(folder))
    console.must("th_async", "find the asyncio client")


def test_a_board_without_memory_for_it(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried once after each reset, and what was loaded of it is removed; any other fault is the board's."""
    code, tried = LoadedCode(console, note=[].append), []
    code.load(filesystem=None, is_usb_drive=False, writes=False)

    def too_large(_console: Console, part: Part) -> None:
        tried.append(part.name)
        console.must("def th_stream():\n pass", "stand in for a part that fitted")
        raise BoardError("MemoryError", kind=FaultKind.MEMORY)

    monkeypatch.setattr(deployment, "load_into_ram", too_large)
    assert [code.has_asyncio(filesystem=None) for _again in range(2)] == [False, False]
    assert tried == ["the asyncio client"]
    with pytest.raises(BoardError):
        console.must("th_stream", "find a part of the asyncio client")
    console.must("th_run", "find the agent")
    monkeypatch.undo()
    code.reload()
    assert code.has_asyncio(filesystem=None)

    def lost(*_words: object) -> None:
        raise BoardError("gone", kind=FaultKind.LOST)

    code.reload()
    monkeypatch.setattr(deployment, "load_into_ram", lost)
    with pytest.raises(BoardError, match=r"^gone$"):
        code.has_asyncio(filesystem=None)


def test_both_files_are_removed(console: Console, folder: Path) -> None:
    """`--clean` leaves none of them, and not the directory."""
    code = LoadedCode(console, note=[].append)
    code.load(filesystem=str(folder), is_usb_drive=False, writes=True)
    assert code.has_asyncio(filesystem=str(folder))
    assert deployment.clean(console)
    assert list(folder.iterdir()) == []
