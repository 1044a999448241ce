"""Temporary folders with keys or secrets in them: only this user's, gone at the end, and swept up after a process that was killed.

Knows names, owners and locks of folders. A folder is in use as long as a process holds the lock (`flock`) on the folder itself: the
system frees it with the process, however that ends. Where there is no fcntl (Windows) nothing is swept.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import time
import weakref
from pathlib import Path

__all__ = ["PrivateFolder", "sweep"]

#: Ends the names of folders that are locked while in use; others of these names are of harnesses that did not lock theirs.
LOCKED = "-locked"
UNLOCKED_AGE_S = 24 * 3600.0
_RANDOM = r"[a-z0-9_]{8}"  # tempfile.mkdtemp
_UNLOCKED_FILES = re.compile(r"keylog|[a-z0-9-]+\.(key|chain)\.pem")
_TRIES = 10
_swept: set[tuple[str, str]] = set()


class PrivateFolder:
    """A new folder (0700) that `close()`, the end of the process, or the next process removes.

    Args:
        prefix: the name begins with it. What killed processes left under this prefix is removed at its first use here.
    """

    def __init__(self, prefix: str) -> None:
        place = (tempfile.gettempdir(), prefix)
        if place not in _swept:
            _swept.add(place)
            sweep(prefix)
        self.path, descriptor = _make(prefix)
        self._finish = weakref.finalize(self, _remove, self.path, descriptor, os.getpid())

    def close(self) -> None:
        """Remove it with all that is in it. Safe to call twice."""
        self._finish()


def _make(prefix: str) -> tuple[Path, int]:
    """Make a folder and hold its lock: the descriptor, -1 where there are no locks."""
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=prefix, suffix=LOCKED))
        descriptor = _lock(path)
        # A sweep that came between the two held the lock, or has removed the folder already.
        if descriptor is not None and _is_at(path, descriptor):
            return path, descriptor
        if descriptor is not None:
            os.close(descriptor)
    # No locks on this file system: nobody can take this one for left behind either.
    return Path(tempfile.mkdtemp(prefix=prefix, suffix=LOCKED)), -1


def _lock(path: Path) -> int | None:
    """Take the lock of a folder, never through a link; None if somebody else holds it or it cannot be locked."""
    try:
        import fcntl
    except ImportError:
        return None
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        return None
    return descriptor


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether what is open is what the name stands for."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def _remove(path: Path, descriptor: int, owner: int) -> None:
    """Remove the folder, then free its lock; a forked child leaves it to its parent."""
    if os.getpid() != owner:
        return
    shutil.rmtree(path, ignore_errors=True)
    if descriptor >= 0:
        os.close(descriptor)


def sweep(prefix: str) -> None:
    """Remove what killed processes of this user left under this prefix; whatever is in use, linked or another's stays."""
    names = re.compile(f"{re.escape(prefix)}{_RANDOM}({LOCKED})?")
    try:
        entries = sorted(os.listdir(tempfile.gettempdir()))
    except OSError:
        return
    for name in entries:
        found = names.fullmatch(name)
        if found is not None:
            _sweep_one(Path(tempfile.gettempdir(), name), locked=found[1] is not None)


def _sweep_one(path: Path, *, locked: bool) -> None:
    """Remove one folder if it is certain that nobody uses it."""
    descriptor = _lock(path)
    if descriptor is None:
        return
    try:
        seen = os.fstat(descriptor)
        ours = seen.st_uid == os.getuid() and stat.S_IMODE(seen.st_mode) == 0o700 and _is_at(path, descriptor)
        if ours and (locked or _is_old_and_ours(path, seen)):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_old_and_ours(path: Path, seen: os.stat_result) -> bool:
    """Whether a folder whose lock says nothing holds a harness's key files only, and has rested for a day."""
    if time.time() - seen.st_mtime < UNLOCKED_AGE_S:
        return False
    try:
        return all(_UNLOCKED_FILES.fullmatch(name) for name in os.listdir(path))
    except OSError:
        return False
