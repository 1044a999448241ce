"""One process at a time has a board: a lock per physical board, for all users of the machine and all names of its port.

Knows lock files and their content. The lock itself is the kernel's; the content of the file only names the process that has it.
Virtual boards need no lock. Windows has none: there a port can be opened only once anyway.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from harness.boards.serial.ports import lock_holders
from harness.boards.serial.transcript import printable
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline
from harness.system.locks import lock_shared_file, supported

# Not tempfile's folder: that differs between users, and all of them must see the same locks.
FOLDERS = (Path("/run/lock"), Path("/tmp"))
PREFIX = "tls-harness-"
MAX_ENTRY_BYTES = 4096
MAX_COMMAND_CHARACTERS = 200
# There is no event for a port that another program closed, so it is tried again this often.
POLL_S = 0.2

T = TypeVar("T")
_introduced: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that has a board, as it described itself; `since` is UTC, `?` if unknown."""

    pid: int
    user: str
    command: str
    since: str

    def __str__(self) -> str:
        since = "" if self.since == "?" else f" since {self.since}"
        return f"pid {self.pid} ({self.user}){since}: {self.command}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a board that is in use, and who gets the progress messages."""

    seconds: float = 0.0
    tell: Callable[[str], None] | None = None


class BoardLock:
    """The lock of one board, held until `close()` or the end of the process.

    Args:
        identity: `harness.boards.serial.ports.identity` of its port.
        label: the board's name in messages.
        folder: of the lock files; None takes the one of this machine.

    Raises:
        BoardError: `busy`, naming the holder; `twice` if that is this process.
    """

    def __init__(self, identity: str, *, label: str, folder: Path | None = None) -> None:
        self.note: str | None = None
        self._descriptor = -1
        place = folder or lock_folder()
        if place is None:
            return
        self.path = lock_path(identity, folder=place)
        try:
            self._descriptor = lock_shared_file(self.path)
        except BlockingIOError:
            raise _busy(self.path, label=label) from None
        except OSError as error:
            self.note = (
                f"cannot create a lock in {place} ({error.strerror}): another run could use this board at the same time"
            )
            return
        _write(self._descriptor, ourselves())

    @property
    def descriptor(self) -> int:
        """The open file, below zero if nothing is locked. A child that inherits it keeps the lock until it ends."""
        return self._descriptor

    def close(self) -> None:
        """Release the board. Safe to call twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            os.unlink(self.path)  # still locked, so no other process has it
        except OSError:
            pass  # another user's file; it stays, empty
        try:
            os.ftruncate(descriptor, 0)
        except OSError:
            pass
        os.close(descriptor)

    def leave(self) -> None:
        """Leave the board to a child that inherited the lock; the lock file stays."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def lock_folder() -> Path | None:
    """Return the folder of the locks: the first that all users may write to; None if there are no locks."""
    if not supported():
        return None
    for folder in FOLDERS:
        try:
            mode = folder.stat().st_mode
        except OSError:
            continue
        # Not whether *this* user may write: all users must get the same answer.
        if stat.S_ISDIR(mode) and mode & stat.S_IWOTH:
            return folder
    return FOLDERS[-1]


def lock_path(identity: str, *, folder: Path) -> Path:
    """The lock file of a board: a name that people recognise, and a hash for the characters that a name cannot have."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", identity).strip("-")[:80]
    return folder / f"{PREFIX}{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.lock"


def ourselves() -> Holder:
    """Describe this process."""
    return Holder(
        pid=os.getpid(),
        user=_user(os.getuid()),
        command=command_line(_introduced or sys.argv)[:MAX_COMMAND_CHARACTERS],
        since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def introduce(words: list[str]) -> None:
    """Describe this process by another command line: its own means nothing in a worker of pytest-xdist."""
    _introduced[:] = words


def command_line(words: list[str]) -> str:
    """A command as it was typed, the program without its folder; the program of `python -m pytest` is a file `__main__.py`."""
    program = Path(words[0]) if words else Path("python")
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *words[1:]])


def holder_of(identity: str, *, folder: Path | None = None) -> Holder | None:
    """The process that has this board, if any. Takes no lock: that could make another run fail that takes it at this moment."""
    place = folder or lock_folder()
    if place is None:
        return None
    path = lock_path(identity, folder=place)
    entry = _read(path)
    if Path("/proc/locks").exists():
        holders = lock_holders(str(path))
        if not holders:
            return None
        pid, command = holders[0]
        if entry is not None and entry.pid in [number for number, _command in holders]:
            return entry
        return holder_by_pid(pid, command)
    return entry if entry is not None and _alive(entry.pid) else None


def holder_by_pid(pid: int, command: str) -> Holder:
    """Describe another process by its number and its program."""
    try:
        user = _user(os.stat(f"/proc/{pid}").st_uid)
    except OSError:
        user = "?"
    return Holder(pid=pid, user=user, command=command, since="?")


def patiently(attempt: Callable[[], T], patience: Patience, *, label: str, poll_s: float = POLL_S) -> T:
    """Try until the board is free or the time is over; each holder is reported once.

    Args:
        attempt: raises a `BoardError` of kind `busy` while the board is in use.
        patience: how long, and who gets the progress messages.
        label: the board's name in messages.
        poll_s: between two attempts.

    Raises:
        BoardError: of the last attempt, or what else it raised.
    """
    deadline = Deadline(patience.seconds)
    said: str | None = None
    pause = threading.Event()
    while True:
        try:
            return attempt()
        except BoardError as error:
            if error.kind != FaultKind.BUSY:
                raise
            if deadline.expired:
                if not patience.seconds:
                    raise
                raise BoardError(
                    f"{error.message} (waited {patience.seconds:g} s)",
                    kind=FaultKind.BUSY,
                    transcript=error.transcript,
                ) from error
            if said != error.message and patience.tell is not None:
                patience.tell(f"{label}: waiting up to {deadline.remaining_s:.0f} s: {error.message}")
            said = error.message
        pause.wait(min(poll_s, deadline.remaining_s))


def _busy(path: Path, *, label: str) -> BoardError:
    entry = _read(path)
    if entry is not None and entry.pid == os.getpid():
        return BoardError(f"{label}: this run already uses the board under a different name", kind=FaultKind.TWICE)
    if entry is None:
        held = [str(holder_by_pid(pid, command)) for pid, command in lock_holders(str(path))]
        who = ", ".join(held) or f"an unknown process (`fuser -v {path}`)"
    else:
        who = str(entry)
    return BoardError(
        f"{label}: the board is in use by {who}; `pytest --board-wait SECONDS` waits for it", kind=FaultKind.BUSY
    )


def _write(descriptor: int, holder: Holder) -> None:
    """Write who has the lock. A process that cannot write to the file stays unnamed here, but not in /proc/locks."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode("ascii"), 0)
    except OSError:
        pass


def _read(path: Path) -> Holder | None:
    """Read a lock file. Every user may write to it: its content is untrusted, and only shown."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        text = os.read(descriptor, MAX_ENTRY_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    try:
        return _holder(json.loads(text))
    except ValueError:
        return None


def _holder(data: object) -> Holder | None:
    if not isinstance(data, Mapping) or not isinstance(data.get("pid"), int):
        return None
    words = {name: data.get(name) for name in ("user", "command", "since")}
    if not all(isinstance(word, str) for word in words.values()):
        return None
    shown = {
        name: printable(str(word).encode()).replace("\n", " ")[:MAX_COMMAND_CHARACTERS] for name, word in words.items()
    }
    return Holder(pid=data["pid"], **shown)


def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True
