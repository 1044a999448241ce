"""One process at a time has a board: a lock per physical board, whatever its port is called and whoever asks.

Knows files and flock. The kernel frees a lock with the process that holds it, however that ends; the file beside it only says who
that is. Boards that are made when they are opened need none. On Windows there is none: the system itself opens a port once only.
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

# Not tempfile's: that differs between users, and these files are where they meet.
FOLDERS = (Path("/run/lock"), Path("/tmp"))
PREFIX = "tls-harness-"
MAX_ENTRY_BYTES = 4096
MAX_COMMAND_CHARACTERS = 200
# No event tells that another program closed a port; this often it is tried again.
POLL_S = 0.2
# A name may be taken away between two steps by the process that gives the lock back.
TRIES = 20

T = TypeVar("T")
_introduced: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a board, as that process said itself; `since` is UTC, `?` is what nobody said."""

    pid: int
    user: str
    command: str
    since: str

    def __str__(self) -> str:
        since = "" if self.since == "?" else f" since {self.since}"
        return f"pid {self.pid} ({self.user}){since}: {self.command}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a board that somebody else has, and who is told about it."""

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
            self._descriptor = _take(self.path, label=label)
        except OSError as error:
            self.note = (
                f"no lock could be taken in {place} ({error.strerror}): nothing keeps another run away from this board"
            )
            return
        _write(self._descriptor, ourselves())

    @property
    def descriptor(self) -> int:
        """Of the open file, below zero where nothing is locked. A child that inherits it has the lock until it ends, too."""
        return self._descriptor

    def close(self) -> None:
        """Give the board back. Safe to call twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor < 0:
            return
        try:
            os.unlink(self.path)  # still locked: nobody else can have taken it
        except OSError:
            pass  # another user's file; it stays, empty
        try:
            os.ftruncate(descriptor, 0)
        except OSError:
            pass
        os.close(descriptor)

    def leave(self) -> None:
        """Leave the board to a child that inherited the lock; its file stays where it is."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def lock_folder() -> Path | None:
    """Where the locks of this machine's boards are: the first folder that everybody may write to; None where there are no locks."""
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return None
    for folder in FOLDERS:
        try:
            mode = folder.stat().st_mode
        except OSError:
            continue
        # Not whether *this* user may write: all users have to come to the same answer.
        if stat.S_ISDIR(mode) and mode & stat.S_IWOTH:
            return folder
    return FOLDERS[-1]


def lock_path(identity: str, *, folder: Path) -> Path:
    """The file of a board: a name that people recognise, and a hash because not every character may stand in one."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", identity).strip("-")[:80]
    return folder / f"{PREFIX}{readable}-{hashlib.sha256(identity.encode()).hexdigest()[:8]}.lock"


def ourselves() -> Holder:
    """What this process says of itself."""
    return Holder(
        pid=os.getpid(),
        user=_user(os.getuid()),
        command=command_line(_introduced or sys.argv)[:MAX_COMMAND_CHARACTERS],
        since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    )


def introduce(words: list[str]) -> None:
    """Tell others this command line instead of this process's own, which says nothing in a worker of pytest-xdist."""
    _introduced[:] = words


def command_line(words: list[str]) -> str:
    """A command as it was typed, the program without its folder; `python -m pytest` has the path of a file for a name."""
    program = Path(words[0]) if words else Path("python")
    name = program.parent.name if program.name == "__main__.py" else program.name
    return shlex.join([name, *words[1:]])


def holder_of(identity: str, *, folder: Path | None = None) -> Holder | None:
    """Who has this board; None if nobody. Looks only: it must not be in the way of one who takes the lock meanwhile."""
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
    """A process of which the system only tells its number and its program."""
    try:
        user = _user(os.stat(f"/proc/{pid}").st_uid)
    except OSError:
        user = "?"
    return Holder(pid=pid, user=user, command=command, since="?")


def patiently(attempt: Callable[[], T], patience: Patience, *, label: str, poll_s: float = POLL_S) -> T:
    """Try until the board is free or the patience is at its end; who is waited for is said once.

    Args:
        attempt: raises a `BoardError` of kind `busy` while somebody else has the board.
        patience: how long, and who is told.
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
                    f"{error.message} (waited {patience.seconds:g} s for it)",
                    kind=FaultKind.BUSY,
                    transcript=error.transcript,
                ) from error
            if said != error.message and patience.tell is not None:
                patience.tell(f"{label}: waiting up to {deadline.remaining_s:.0f} s: {error.message}")
            said = error.message
        pause.wait(min(poll_s, deadline.remaining_s))


def _take(path: Path, *, label: str) -> int:
    """Open and lock the file.

    Raises:
        BoardError: somebody has it.
        OSError: no file can be locked here.
    """
    import fcntl

    for _ in range(TRIES):
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise _busy(path, label=label) from None
        except OSError:
            os.close(descriptor)
            raise
        if _is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder removed it between our two steps
    raise OSError(0, "its file is made and removed again and again")


def _open(path: Path) -> int:
    """Open the lock file, made by whoever came first; never through a link.

    Without O_CREAT first: in a folder that everybody may write to Linux refuses that for a file of another user (protected_regular).
    """
    for _ in range(TRIES):
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            pass
        except PermissionError:
            return os.open(
                path, os.O_RDONLY | os.O_NOFOLLOW
            )  # another user's, made an instant ago; a lock needs no more
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        except FileExistsError:
            continue
        os.fchmod(descriptor, 0o666)  # the umask must not keep other users out
        return descriptor
    raise OSError(0, "its file is made and removed again and again")


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def _busy(path: Path, *, label: str) -> BoardError:
    entry = _read(path)
    if entry is not None and entry.pid == os.getpid():
        return BoardError(f"{label}: this run has the board already, under another name", kind=FaultKind.TWICE)
    if entry is None:
        held = [str(holder_by_pid(pid, command)) for pid, command in lock_holders(str(path))]
        who = ", ".join(held) or f"a process that does not say who it is (`fuser -v {path}`)"
    else:
        who = str(entry)
    return BoardError(
        f"{label}: the board is in use by {who}; `pytest --board-wait SECONDS` waits for it", kind=FaultKind.BUSY
    )


def _write(descriptor: int, holder: Holder) -> None:
    """Say who holds it. Whoever may only lock the file stays unnamed: /proc/locks has the process."""
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode("ascii"), 0)
    except OSError:
        pass


def _read(path: Path) -> Holder | None:
    """What a lock file says. Everybody may write to it: nothing in it is trusted but to be shown."""
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
