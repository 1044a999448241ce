"""Deployment in cases that need a stand-in for the filesystem; the others are in tests/device/test_contract.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.agent import deployment
from harness.boards.agent.console import Console
from harness.boards.agent.protocol import AGENT_FILE, FORMER_FILES
from harness.boards.agent.scripts import agent_pieces
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.session import BoardSession
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.model import BoardSpec
from harness.system.deadline import Deadline


@pytest.mark.parametrize(
    ("filesystem", "reason"),
    [
        (None, "no writable filesystem"),
        ("/remote", "/remote is a directory of the host, mounted by mpremote"),
    ],
)
def test_nowhere_to_write(console: Console, folder: Path, filesystem: str | None, reason: str) -> None:
    """Without a filesystem, or with a read-only, full or host-mounted one, the agent runs from RAM with a note, and nothing is written."""
    why = deployment.load_part(console, filesystem=filesystem)
    assert why is not None
    assert why.startswith("the agent runs from RAM: lab-1: ")
    assert reason in why
    assert list(folder.iterdir()) == []
    console.must("th_run, th_put", "find the agent")


def test_full_disk(console: Console, folder: Path) -> None:
    """A write that fails leaves nothing behind."""
    full = (
        "_open = open\n"
        "def open(name, mode='r'):\n"
        " if 'w' in mode and 'agent' in name: raise OSError(28)\n"
        " return _open(name, mode)\n"
    )
    console.must(full, "stand in for a full disk")
    why = deployment.load_part(console, filesystem=str(folder))
    assert why is not None
    assert why.endswith("cannot write tls_harness/agent.py on the board: OSError: 28")
    assert list(folder.iterdir()) == []


def agent_file(folder: Path) -> Path:
    """Where the agent is on the board's filesystem."""
    return folder / AGENT_FILE


def test_f9_rb15_one_byte_lost_while_it_is_written(console: Console, folder: Path) -> None:
    """The file is read back on the board before it is used, and written again."""
    losing = (
        "_open, _lost = open, []\n"
        "class _File:\n"
        " def __init__(self, file): self.file = file\n"
        " def write(self, data):\n"
        "  if not _lost: data = data[:100] + data[101:]\n"
        "  _lost.append(1)\n"
        "  return self.file.write(data)\n"
        " def close(self): self.file.close()\n"
        "def open(name, mode='r'):\n"
        " file = _open(name, mode)\n"
        " return _File(file) if 'w' in mode else file\n"
    )
    console.must(losing, "stand in for a line that loses one byte")
    assert deployment.load_part(console, filesystem=str(folder)) is None
    assert agent_file(folder).read_text() == "".join(agent_pieces())


def test_f9_rb15_one_byte_lost_each_time(console: Console, folder: Path) -> None:
    """A file that always differs from what was written is an error: its agent is not used."""
    losing = "_open = open\ndef open(name, mode='r'): return _open('/dev/null' if 'w' in mode else name, mode)\n"
    console.must(losing, "stand in for a disk that keeps nothing")
    with pytest.raises(BoardError, match=r"tls_harness/agent.py was written twice, and differed both times") as raised:
        deployment.load_part(console, filesystem=str(folder))
    assert raised.value.kind == "garbled"


def test_f9_rb15_a_file_that_was_changed_is_written_again(console: Console, folder: Path) -> None:
    """Each start reads the file: one that was edited, or damaged by an earlier version, is replaced."""
    assert deployment.load_part(console, filesystem=str(folder)) is None
    whole = agent_file(folder).read_text()
    for changed in (whole.replace("verify", "verif", 1), whole + "#", whole[:-1], ""):
        agent_file(folder).write_text(changed)
        assert deployment.load_part(console, filesystem=str(folder)) is None
        assert agent_file(folder).read_text() == whole


def test_d2_the_first_run_leaves_the_heap_in_one_piece(folder: Path) -> None:
    """Writing the file makes garbage between what stays: it is collected on the way, or TLS finds no 16.7 KB in one piece."""
    memory = []
    for _run in range(2):
        virtual = VirtualBoard(find_interpreter(""), folder=folder, heap_bytes=64 * 1024)
        spec = BoardSpec(text="lab-1", kind="unix", target="", label="lab-1")
        session = BoardSession(spec, RawRepl(virtual.port), owner=virtual, patience_s=60.0)
        try:
            session.start()
            memory.append(session.memory())
        finally:
            session.close(deadline=Deadline(60))
    first, later = memory
    assert first.free - 1024 < later.free < first.free + 1024
    assert first.largest > later.largest - 1024


def test_a_correct_file_is_not_written(console: Console, folder: Path) -> None:
    """A correct file is not written again, because flash wears out."""
    assert deployment.load_part(console, filesystem=str(folder)) is None
    console.must("def open(name, mode='r'): raise OSError(5) if 'w' in mode else OSError(2)", "forbid writing")
    console.must("del open", "allow reading")
    before = agent_file(folder).stat().st_mtime_ns
    assert deployment.load_part(console, filesystem=str(folder)) is None
    assert agent_file(folder).stat().st_mtime_ns == before


def test_files_of_earlier_versions_are_removed(console: Console, folder: Path) -> None:
    """Their files are ours, and the flash of a board is small."""
    (folder / "tls_harness").mkdir()
    for name in FORMER_FILES:
        (folder / name).write_text("old")
    assert deployment.load_part(console, filesystem=str(folder)) is None
    assert [path.name for path in (folder / "tls_harness").iterdir()] == ["agent.py"]


def test_clean_that_fails(console: Console, folder: Path) -> None:
    """A file that cannot be removed is an error with its number: here a directory in place of our file."""
    (folder / "tls_harness/agent.py").mkdir(parents=True)
    with pytest.raises(BoardError, match=r"lab-1: cannot remove tls_harness \(OSError 21\)") as raised:
        deployment.clean(console)
    assert raised.value.kind == "filesystem"


def test_whether_the_agent_is_there(console: Console) -> None:
    """After a fault an agent that still answers with its version is not loaded again; however a port writes JSON."""
    assert not deployment.is_loaded(console)
    deployment.load_into_ram(console)
    for tight in ("{'separators': (',', ':')}", "{}"):
        console.must(f"th_tight = {tight}", "write JSON in another way")
        assert deployment.is_loaded(console)
    console.must("th_version += 1", "be of another version")
    assert not deployment.is_loaded(console)
    console.must("th_say = print", "print no checksum")
    assert not deployment.is_loaded(console)


def test_no_agent_at_all(console: Console) -> None:
    """If the agent runs neither way, the message is the board's own error."""
    console.must(
        "import builtins\ndef _no(*a, **k): raise MemoryError('none left')\nbuiltins.__import__ = _no", "stand in"
    )
    with pytest.raises(BoardError, match=r"could not load the agent into RAM: .*MemoryError.*too little free memory"):
        deployment.load_part(console, filesystem=None)
