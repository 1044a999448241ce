"""The lock of a board: real files, real processes, freed by the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.boards.locks import board_lock
from harness.boards.locks.board_lock import (
    BoardLock,
    Holder,
    Patience,
    command_line,
    holder_of,
    lock_folder,
    lock_path,
    ourselves,
    patiently,
)
from harness.errors import BoardError

PROJECT = Path(__file__).parents[4]
BOARD = "usb-303a-1001-A1"
HOLD = """
import sys
from pathlib import Path
from harness.boards.locks.board_lock import BoardLock
lock = BoardLock(sys.argv[1], label="other", folder=Path(sys.argv[2]))
print("held", flush=True)
sys.stdin.read()
lock.close()
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, BOARD, str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def taken(folder: Path) -> BoardError:
    """The error of locking a board that is in use."""
    with pytest.raises(BoardError) as raised:
        BoardLock(BOARD, label="desk", folder=folder)
    return raised.value


def test_the_holder_is_named(held: subprocess.Popen[str], tmp_path: Path) -> None:
    """The error has pid, user and command of the holder, and what to do; `holder_of` finds the same."""
    error = taken(tmp_path)
    me = ourselves()
    assert error.kind == "busy"
    assert error.message.startswith(f"desk: the board is in use by pid {held.pid} ({me.user}) since 2")
    assert f"UTC: -c {BOARD} {tmp_path}; `pytest --board-wait SECONDS` waits for it" in error.message
    holder = holder_of(BOARD, folder=tmp_path)
    assert holder is not None
    assert (holder.pid, holder.user, str(holder) in error.message) == (held.pid, me.user, True)
    assert holder_of("usb-303a-1001-B2", folder=tmp_path) is None


def test_a_child_that_inherited_the_lock(tmp_path: Path) -> None:
    """A child keeps the lock until it ends, even if its parent has left it; the entry still names the parent."""
    lock = BoardLock(BOARD, label="desk", folder=tmp_path)
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock.descriptor,)
    )
    lock.leave()
    lock.leave()
    assert lock.descriptor < 0
    assert taken(tmp_path).kind == "twice"
    child.communicate()
    assert holder_of(BOARD, folder=tmp_path) is None
    BoardLock(BOARD, label="desk", folder=tmp_path).close()


def test_a_killed_process_loses_the_lock(held: subprocess.Popen[str], tmp_path: Path) -> None:
    """The kernel frees the lock; the entry that the process left is not trusted."""
    held.kill()
    held.wait()
    assert list(tmp_path.iterdir()) == [lock_path(BOARD, folder=tmp_path)]
    assert holder_of(BOARD, folder=tmp_path) is None
    BoardLock(BOARD, label="desk", folder=tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_twice_in_one_process(tmp_path: Path) -> None:
    """One board under two names is an error of its own kind: the run must not wait for itself."""
    lock = BoardLock(BOARD, label="desk", folder=tmp_path)
    error = taken(tmp_path)
    assert (error.kind, error.message) == ("twice", "desk: this run already uses the board under a different name")
    lock.close()
    lock.close()
    BoardLock(BOARD, label="desk", folder=tmp_path).close()


def test_other_users_can_lock(tmp_path: Path) -> None:
    """All users may write to the file, whatever the umask; it is removed with the lock; other boards have other files."""
    before = os.umask(0o077)
    try:
        lock = BoardLock(BOARD, label="desk", folder=tmp_path)
    finally:
        os.umask(before)
    assert lock.path.stat().st_mode & 0o777 == 0o666
    other = BoardLock("net-127.0.0.1-2217", label="far", folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([lock.path.name, other.path.name])
    lock.close()
    other.close()
    assert list(tmp_path.iterdir()) == []


def test_names_of_files(tmp_path: Path) -> None:
    """Names are readable, stay in the folder, and differ between boards."""
    paths = [lock_path(name, folder=tmp_path) for name in ("/dev/pts/1", "-dev-pts-1", "../../etc/passwd", "x" * 300)]
    assert {path.parent for path in paths} == {tmp_path}
    assert len(set(paths)) == 4
    assert paths[0].name.startswith("tls-harness-dev-pts-1-")
    assert max(len(path.name) for path in paths) < 255


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A link in place of the file is not written through: there is no lock, and a note says so."""
    target = tmp_path / "precious"
    target.write_text("mine")
    lock_path(BOARD, folder=tmp_path).symlink_to(target)
    lock = BoardLock(BOARD, label="desk", folder=tmp_path)
    assert lock.note is not None
    assert lock.note.startswith(f"cannot create a lock in {tmp_path} (Too many levels of symbolic links): another run")
    lock.close()
    assert target.read_text() == "mine"


def test_no_folder(tmp_path: Path) -> None:
    """Without a lock file the board still works, and a note says what is missing."""
    lock = BoardLock(BOARD, label="desk", folder=tmp_path / "none")
    assert lock.note == (
        f"cannot create a lock in {tmp_path / 'none'} (No such file or directory): "
        "another run could use this board at the same time"
    )
    lock.close()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", "\xff", '{"pid": "1"}', '{"pid": 1, "user": 2, "command": "c", "since": "s"}'],
)
def test_an_invalid_entry(text: str, held: subprocess.Popen[str], tmp_path: Path) -> None:
    """If the file is invalid or still empty, the holder comes from the kernel."""
    lock_path(BOARD, folder=tmp_path).write_text(text, encoding="latin-1")
    error = taken(tmp_path)
    assert error.message.startswith(f"desk: the board is in use by pid {held.pid} ({ourselves().user}): python")
    holder = holder_of(BOARD, folder=tmp_path)
    assert holder is not None
    assert (holder.pid, holder.user, holder.since) == (held.pid, ourselves().user, "?")


def test_an_entry_is_safe_to_show(held: subprocess.Popen[str], tmp_path: Path) -> None:
    """Control characters and line ends of an entry are escaped, and its length is bounded."""
    entry = {"pid": held.pid, "user": "\x1b[31mroot", "command": "pytest\n" + "x" * 1000, "since": "now"}
    lock_path(BOARD, folder=tmp_path).write_text(json.dumps(entry))
    message = taken(tmp_path).message
    assert message.isprintable()
    assert "\\x1b[31mroot" in message
    assert len(message) < 500


def test_command_line() -> None:
    """The command as typed, without the folder of the program; `python -m pytest` is pytest."""
    assert command_line(["/usr/lib/x/pytest/__main__.py", "--board", "my board"]) == "pytest --board 'my board'"
    assert command_line(["/usr/bin/tls-harness", "boards"]) == "tls-harness boards"
    assert command_line([]) == "python"


def test_introduce(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker is described by the command line of its run."""
    monkeypatch.setattr(board_lock, "_introduced", [])
    board_lock.introduce(["/bin/pytest", "-n", "2"])
    assert ourselves().command == "pytest -n 2"
    assert ourselves().pid == os.getpid()


def test_the_folder_of_all_users() -> None:
    """The first folder that all users may write to; it does not depend on the user."""
    assert lock_folder() in board_lock.FOLDERS


class Busy:
    """A board that is busy for a number of attempts."""

    def __init__(self, times: int, *, kind: str = "busy") -> None:
        self.times, self.kind = times, kind

    def __call__(self) -> str:
        """Try to open it."""
        self.times -= 1
        if self.times >= 0:
            raise BoardError("desk: in use by pid 7", kind=self.kind)
        return "open"


def test_patience() -> None:
    """The holder is reported once; the board is opened as soon as it is free."""
    said: list[str] = []
    assert patiently(Busy(2), Patience(seconds=20, tell=said.append), label="desk") == "open"
    assert said == ["desk: waiting up to 20 s: desk: in use by pid 7"]


def test_patience_ends() -> None:
    """The error names the holder when the time is over, at once without patience; other faults are not waited for."""
    with pytest.raises(BoardError, match=r"^desk: in use by pid 7 \(waited 0\.3 s\)$"):
        patiently(Busy(10**6), Patience(seconds=0.3), label="desk")
    with pytest.raises(BoardError, match=r"^desk: in use by pid 7$"):
        patiently(Busy(1), Patience(), label="desk")
    for kind in ("twice", "missing"):
        with pytest.raises(BoardError, match=r"^desk: in use by pid 7$"):
            patiently(Busy(1, kind=kind), Patience(seconds=60), label="desk")


def test_many_threads(tmp_path: Path) -> None:
    """There are never two holders, although each removes the file when it gives the lock back."""
    inside, most, done = [0], [0], []
    guard = threading.Lock()

    def take() -> BoardLock:
        try:
            return BoardLock(BOARD, label="desk", folder=tmp_path)
        except BoardError as error:
            raise BoardError(error.message, kind="busy") from error

    def work() -> None:
        for _ in range(30):
            while True:
                try:
                    lock = take()
                    break
                except BoardError:
                    continue
            assert lock.note is None
            with guard:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            with guard:
                inside[0] -= 1
            lock.close()
            done.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, len(done)) == ([1], 90)
    assert list(tmp_path.iterdir()) == []


def test_holder_text() -> None:
    """A holder is one line in messages and lists."""
    holder = Holder(pid=7, user="ci", command="pytest --board a", since="2026-11-25 09:00:00 UTC")
    assert str(holder) == "pid 7 (ci) since 2026-11-25 09:00:00 UTC: pytest --board a"
    assert str(Holder(pid=7, user="ci", command="screen", since="?")) == "pid 7 (ci): screen"
    assert board_lock.holder_by_pid(2**30, "gone") == Holder(pid=2**30, user="?", command="gone", since="?")
