"""Advisory locks on files and folders, taken without waiting. The kernel frees one with its process, however that ends.

Knows flock and paths; must not know what is locked, or what to say to the user. A lock is an open descriptor: closing it gives the
lock back, and a child that inherits it keeps the lock. Where the system has no flock (Windows) every call raises OSError.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Between two steps the process that gives a lock back may remove the file.
_TRIES = 20


def supported() -> bool:
    """Whether this system has such locks."""
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return False
    return True


def lock_folder(path: Path, *, follow: bool = False) -> int:
    """Open and lock a folder.

    Args:
        path: of the folder.
        follow: whether it may be reached through a symbolic link.

    Returns:
        The descriptor.

    Raises:
        BlockingIOError: another process has the lock.
        OSError: the folder cannot be opened or locked.
    """
    _check_supported()
    return _locked(os.open(path, os.O_RDONLY | os.O_DIRECTORY | (0 if follow else os.O_NOFOLLOW)))


def lock_shared_file(path: Path) -> int:
    """Open and lock a file that all users of the machine lock, never through a link; it is made if missing.

    Returns:
        The descriptor. It is read-only where the file of another user cannot be written.

    Raises:
        BlockingIOError: another process has the lock.
        OSError: no file can be made or locked there.
    """
    _check_supported()
    for _ in range(_TRIES):
        descriptor = _locked(_open_shared(path))
        if is_at(path, descriptor):
            return descriptor
        os.close(descriptor)  # its last holder removed it between our two steps
    raise OSError(errno.EAGAIN, "its file is created and removed repeatedly")


def is_at(path: Path, descriptor: int) -> bool:
    """Whether a descriptor is open on what the path names now."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def _check_supported() -> None:
    if not supported():
        raise OSError(errno.ENOSYS, "this system has no file locks")


def _locked(descriptor: int) -> int:
    """Lock an open descriptor, and close it where that fails."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _open_shared(path: Path) -> int:
    """Open a file of all users, made by the first.

    Without O_CREAT first: in a folder that all users may write to, Linux refuses that for a file of another user (protected_regular).
    """
    for _ in range(_TRIES):
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW)
        except FileNotFoundError:
            pass
        except PermissionError:
            # Another user's, made an instant ago; a lock needs no more.
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
        except FileExistsError:
            continue
        os.fchmod(descriptor, 0o666)  # the umask must not keep other users out
        return descriptor
    raise OSError(errno.EAGAIN, "its file is created and removed repeatedly")
