"""Writes what a run produced: the journal line by line, reports at the end. The only report module that touches files."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from harness.errors import UsageError

DEFAULT_ARTIFACTS = ".compat"
# Written beside the journal at the end of a run: the record and its page.
AT_THE_END = ("run.json", "matrix.html")


class Journal:
    """`run.jsonl`: one JSON object per line, flushed at once, so that an interrupted run keeps what it had.

    Record and page of the run before are taken away: beside the journal of a run that was killed they would pass for this run's.

    Args:
        folder: the artifacts directory; made if missing.

    Raises:
        UsageError: when the directory cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "run.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = self.path.open("w", encoding="ascii")
            for name in AT_THE_END:
                (folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise UsageError(f"--artifacts {folder}: cannot be written ({error.strerror})") from error

    def add(self, record: str, data: dict[str, Any]) -> None:
        """Append one line and flush it.

        Args:
            record: what it is: run, plan, case, board, server, result or end.
            data: as in run.json.
        """
        self.add_all([(record, data)])

    def add_all(self, lines: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Append several lines, as `add`, and flush them together."""
        self._file.writelines(json.dumps({"record": record, **data}) + "\n" for record, data in lines)
        self._file.flush()

    def close(self) -> None:
        """Close the file; what is in it stays.

        Raises:
            OSError: the end could not be written. The file is closed all the same.
        """
        self._file.close()


def write_text(path: Path, text: str) -> None:
    """Write a whole file or nothing: a reader never sees half a report. Line ends are written as they are, on Windows too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        # mkstemp makes 0600; a report is for everybody who may read its folder.
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def way_to(folder: Path, *, start: Path) -> str:
    """A folder as seen from another one, as links in a report write it; empty where they are the same, or on two drives."""
    try:
        way = Path(os.path.relpath(folder, start)).as_posix()
    except ValueError:
        return ""
    return "" if way == "." else way


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only this user may read: a capture carries the session's secrets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        os.chmod(path, 0o600)  # a file that was there before keeps its own mode when opened
        stream.write(data)
