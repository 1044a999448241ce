"""One run at a time in an artifacts folder, kept so by a lock.

Knows nothing of what is in the folder, and writes nothing into it. Where the system or the file system has no locks, nothing is locked.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import UsageError
from harness.system.locks import lock_folder


class FolderLock:
    """Lock a folder until `close()` or the end of the process.

    Args:
        folder: made if missing.

    Raises:
        UsageError: another process has the lock, or the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._descriptor = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--artifacts {folder}: cannot be written ({error.strerror})") from error
        try:
            self._descriptor = lock_folder(folder, follow=True)
        except BlockingIOError:
            raise UsageError(
                f"--artifacts {folder}: another run is writing there (expected a directory that is not in use by another run)"
            ) from None
        except OSError:
            pass  # no locks here

    def close(self) -> None:
        """Give the lock back. Safe to call twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
