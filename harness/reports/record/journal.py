"""Write what a run produced: the journal line by line, reports at the end. The only report module that writes files."""

from __future__ import annotations

import errno
import json
import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from harness.errors import UsageError
from harness.reports.record.result_types import Entry

DEFAULT_ARTIFACTS = ".compat"
# Written next to the journal at the end of a run: the record and its page.
FINAL_REPORTS = ("run.json", "matrix.html")


class Journal:
    """`run.jsonl`: one JSON object per line, flushed at once, so that an interrupted run keeps its results.

    The final reports of the previous run are deleted: next to the journal of a run that was killed they would look like this run's.

    Args:
        folder: the artifacts directory; created if missing.
        prefix: of the names of all its files, for a run that must not replace the record of another.

    Raises:
        UsageError: the directory cannot be written.
    """

    def __init__(self, folder: Path, *, prefix: str = "") -> None:
        self.folder = folder
        self.path = folder / f"{prefix}run.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = _open_in_place(self.path)
            for name in FINAL_REPORTS:
                (folder / f"{prefix}{name}").unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"--artifacts {folder}: cannot be written ({error.strerror})") from error

    def add(self, record: str, entry: Entry) -> None:
        """Append one line and flush it.

        Args:
            record: a key of `harness.reports.record.run_types.JOURNAL_LINES`.
            entry: as in run.json.
        """
        self.add_all([(record, entry)])

    def add_all(self, lines: Iterable[tuple[str, Entry]]) -> None:
        """Append several lines, as `add` does, and flush them together."""
        self._file.writelines(json.dumps({"record": record, **entry.as_json()}) + "\n" for record, entry in lines)
        self._file.flush()

    def close(self) -> None:
        """Close the file.

        Raises:
            OSError: the end could not be written. The file is closed in any case.
        """
        self._file.close()


def _open_in_place(path: Path) -> TextIO:
    """Open a new file that takes the place of another; the program that has the other open keeps it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    stream = os.fdopen(handle, "w", encoding="ascii")
    try:
        _put_in_place(temporary, path, private=False)
    except BaseException:
        stream.close()
        os.unlink(temporary)
        raise
    return stream


def _put_in_place(temporary: str, path: Path, *, private: bool) -> None:
    """Rename a finished file. A link under the name is replaced, never followed: another program's file must not be overwritten.

    Raises:
        OSError: the name is that of a directory or a device.
    """
    if not private:
        # mkstemp makes 0600; a report is readable for everyone who may read its folder.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
    if _is_device(path):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    os.replace(temporary, path)


def _is_device(path: Path) -> bool:
    """Whether a name, or what it links to, is a device, a FIFO or a socket: as root, `/dev/stdout` could be replaced."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half a report. Line ends are not translated, on Windows either."""
    _write_in_place(path, text.encode("utf-8"), private=False)


def write_private(path: Path, data: bytes) -> None:
    """Write a whole file that only this user may read: a capture contains the session's secrets."""
    _write_in_place(path, data, private=True)


def _write_in_place(path: Path, data: bytes, *, private: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        _put_in_place(temporary, path, private=private)
    except BaseException:
        os.unlink(temporary)
        raise


def relative_link(folder: Path, *, start: Path) -> str:
    """Return the path of a folder as links in a report write it; empty if it is `start` itself, or on another drive.

    Args:
        folder: of the artifacts.
        start: the folder of the report.
    """
    try:
        link = Path(os.path.relpath(folder, start)).as_posix()
    except ValueError:
        return ""
    return "" if link == "." else link
