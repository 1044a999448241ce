"""Read a file that a user or another program names: regular files only, up to a limit, never waiting.

A FIFO would wait for a writer forever, and a device has no end. Knows no format and no option.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

# UTF-8's byte order mark, which editors on Windows write.
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class FileRefused(Exception):
    """The file is not one to read.

    Args:
        reason: what is wrong with it, to be put after its name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_file(path: Path, *, limit_bytes: int) -> bytes:
    """Return the content of a file without a byte order mark.

    Args:
        path: of a regular file, or of a link to one.
        limit_bytes: of its length.

    Raises:
        FileRefused: it is missing or unreadable, not a regular file, or too long.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileRefused("not a regular file")
            with open(descriptor, "rb", closefd=False) as stream:
                data = stream.read(limit_bytes + 1)
        finally:
            os.close(descriptor)
    except ValueError as error:  # a zero byte in the path
        raise FileRefused("not a path") from error
    except OSError as error:
        raise FileRefused(error.strerror or type(error).__name__) from error
    if len(data) > limit_bytes:
        raise FileRefused(f"longer than {limit_bytes >> 20} MB")
    return data.removeprefix(_BYTE_ORDER_MARK)
