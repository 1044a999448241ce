"""Deployment in the cases that only a stand-in for the filesystem shows; the rest: tests/device/test_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.agent import deployment
from harness.boards.agent.console import Console
from harness.errors import BoardError


@pytest.mark.parametrize(
    ("filesystem", "reason"),
    [
        (None, "no filesystem that can be written"),
        ("/remote", "/remote is a directory of the host, mounted by mpremote"),
    ],
)
def test_nowhere_to_write(console: Console, folder: Path, filesystem: str | None, reason: str) -> None:
    """No filesystem, a read-only, a full or a host-mounted one: RAM, said so, and nothing written."""
    why = deployment.load_agent(console, filesystem=filesystem)
    assert why is not None
    assert why.startswith("the agent runs from RAM: lab-1: ")
    assert reason in why
    assert list(folder.iterdir()) == []
    console.must("th_run, th_put", "find the agent")


def test_full_disk(console: Console, folder: Path) -> None:
    """A write that fails in the middle leaves nothing behind. The stand-in `open` is full after the first file."""
    full = (
        "_open = open\n"
        "def open(name, mode='r'):\n"
        " if 'w' in mode and 'agent' in name: raise OSError(28)\n"
        " return _open(name, mode)\n"
    )
    console.must(full, "stand in for a full disk")
    why = deployment.load_agent(console, filesystem=str(folder))
    assert why is not None
    assert why.endswith("cannot write tls_harness/agent.py on the board: OSError: 28")
    assert list(folder.iterdir()) == []


def test_hash_goes_first_and_comes_last(console: Console, folder: Path) -> None:
    """A deployment that breaks off is never taken for a whole one."""
    assert deployment.load_agent(console, filesystem=str(folder)) is None
    wanted = (folder / deployment.HASH_FILE).read_text()
    (folder / deployment.HASH_FILE).write_text("old")
    full = "_open = open\ndef open(name, mode='r'):\n if 'w' in mode: raise OSError(5)\n return _open(name, mode)\n"
    console.must(full, "stand in for a broken disk")
    assert deployment.load_agent(console, filesystem=str(folder)) is not None
    assert not (folder / deployment.HASH_FILE).exists()
    console.must("del open", "mend the disk")
    assert deployment.load_agent(console, filesystem=str(folder)) is None
    assert (folder / deployment.HASH_FILE).read_text() == wanted


def test_clean_that_fails(console: Console, folder: Path) -> None:
    """What cannot be removed is an error with its number: here a directory where our file was."""
    (folder / "tls_harness/agent.py").mkdir(parents=True)
    with pytest.raises(BoardError, match=r"lab-1: cannot remove tls_harness \(OSError 21\)") as raised:
        deployment.clean(console)
    assert raised.value.kind == "filesystem"


def test_no_agent_at_all(console: Console) -> None:
    """Where the agent runs neither way, the board's own error is the message."""
    console.must("def compile_me(): pass\n__import__('sys').modules.clear()", "prepare")
    console.must("import sys\nsys.path.clear()", "take the way to modules")
    console.must(
        "import builtins\ndef _no(*a, **k): raise MemoryError('none left')\nbuiltins.__import__ = _no", "stand in"
    )
    with pytest.raises(BoardError, match=r"could not load the agent into RAM: .*MemoryError.*too little free memory"):
        deployment.load_agent(console, filesystem=None)
