"""Map resource-exhaustion errors of this machine to a one-line remedy: they say nothing about TLS. Pure."""

from __future__ import annotations

import errno

_REMEDIES = {
    errno.EMFILE: "this process has no file descriptors left: raise its limit (`ulimit -n 4096`) or run fewer boards at once",
    errno.ENFILE: "this machine has no file descriptors left: end programs that hold many, or raise fs.file-max",
    errno.ENOSPC: "no space left on the device: make room, or give another directory with --artifacts (or TMPDIR)",
    errno.EDQUOT: "this user's disk quota is used up: make room, or give another directory with --artifacts (or TMPDIR)",
}


def shortage_text(error: OSError) -> str | None:
    """Return what is exhausted and what to do; None for any other error.

    Args:
        error: of the system; its errno and file name are used.
    """
    remedy = _REMEDIES.get(error.errno or 0)
    if remedy is None:
        return None
    name = errno.errorcode[error.errno or 0]
    return f"{remedy} ({name}{f', {error.filename}' if isinstance(error.filename, str) else ''})"
