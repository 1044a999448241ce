"""Temporary folders for keys and secrets: readable by this user only, removed at the end, or by the next process if this one is killed.

Knows names, owners and locks of folders. A folder is in use as long as a process has the lock on the folder itself. Where there are
no such locks (Windows) nothing is swept.
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

from harness.system.locks import is_at, lock_folder

__all__ = ["PrivateFolder", "make_private", "sweep"]

#: The suffix of folders that are locked while in use; those without it are of versions that did not lock theirs.
LOCKED = "-locked"
UNLOCKED_AGE_S = 24 * 3600.0
_RANDOM = r"[a-z0-9_]{8}"  # tempfile.mkdtemp
_UNLOCKED_FILES = re.compile(r"keylog|[a-z0-9-]+\.(key|chain)\.pem")
_TRIES = 10
_swept: set[tuple[str, str]] = set()


class PrivateFolder:
    """A new folder (0700) that `close()`, the end of the process, or the next process removes.

    Args:
        prefix: of its name. What killed processes left under this prefix is removed at the first use of the prefix.
    """

    def __init__(self, prefix: str) -> None:
        key = (tempfile.gettempdir(), prefix)
        if key not in _swept:
            _swept.add(key)
            sweep(prefix)
        self.path, descriptor = _make(prefix)
        self._finish = weakref.finalize(self, _remove, self.path, descriptor, os.getpid())

    def close(self) -> None:
        """Remove it with its content. Safe to call twice."""
        self._finish()


def make_private(folder: Path) -> None:
    """Make a folder of the user's cache (0700) and its parent, if they are missing, and take the parent from other users' hands.

    Who can write to the parent could put another folder in the place of this one.

    Raises:
        OSError: it cannot be made.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix":
        found = folder.parent.lstat()
        if (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.geteuid()
            and found.st_mode & 0o022
            and not found.st_mode & stat.S_ISVTX
        ):
            folder.parent.chmod(stat.S_IMODE(found.st_mode) & ~0o022)
    folder.mkdir(mode=0o700, exist_ok=True)


def _make(prefix: str) -> tuple[Path, int]:
    """Make a folder and take its lock: the descriptor, -1 where there are no locks."""
    for _ in range(_TRIES):
        path = Path(tempfile.mkdtemp(prefix=prefix, suffix=LOCKED))
        descriptor = _lock(path)
        # A sweep between the two steps has the lock, or has removed the folder already.
        if descriptor is not None and is_at(path, descriptor):
            return path, descriptor
        if descriptor is not None:
            os.close(descriptor)
    # No locks on this file system, so no sweep can take this folder for a leftover either.
    return Path(tempfile.mkdtemp(prefix=prefix, suffix=LOCKED)), -1


def _lock(path: Path) -> int | None:
    """Take the lock of a folder; None if another process has it or it cannot be locked."""
    try:
        return lock_folder(path)
    except OSError:
        return None


def _remove(path: Path, descriptor: int, owner: int) -> None:
    """Remove the folder, then give its lock back; a forked child leaves that to its parent."""
    if os.getpid() != owner:
        return
    shutil.rmtree(path, ignore_errors=True)
    if descriptor >= 0:
        os.close(descriptor)


def sweep(prefix: str) -> None:
    """Remove what killed processes of this user left under this prefix. Folders in use, links and other users' folders stay."""
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
    """Remove one folder if it is certainly not in use."""
    descriptor = _lock(path)
    if descriptor is None:
        return
    try:
        seen = os.fstat(descriptor)
        ours = seen.st_uid == os.getuid() and stat.S_IMODE(seen.st_mode) == 0o700 and is_at(path, descriptor)
        if ours and (locked or _is_old_and_ours(path, seen)):
            shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(descriptor)


def _is_old_and_ours(path: Path, seen: os.stat_result) -> bool:
    """Whether a folder that is never locked holds only key files of the harness, and is older than a day."""
    if time.time() - seen.st_mtime < UNLOCKED_AGE_S:
        return False
    try:
        return all(_UNLOCKED_FILES.fullmatch(name) for name in os.listdir(path))
    except OSError:
        return False
