"""One run at a time in an artifacts folder: a lock that the system frees with the process, however that ends.

Knows nothing of what is in the folder, and writes nothing into it. Where the system or the file system has no locks, nothing is locked.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import UsageError


class FolderLock:
    """Holds a folder until `close()` or the end of the process.

    Args:
        folder: made if missing.

    Raises:
        UsageError: another process holds it, or it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--artifacts {folder}: cannot be written ({error.strerror})") from error
        try:
            self._lock(folder)
        except BlockingIOError:
            self.close()
            raise UsageError(
                f"--artifacts {folder}: another run is writing there (accepted: a directory of its own for each run at the same time)"
            ) from None
        except OSError:
            self.close()

    def _lock(self, folder: Path) -> None:
        try:
            import fcntl
        except ImportError:
            return
        self._descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Let go of it. Safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
