"""Read the modules of `--board-path`: what is placed on the board, by its path there.

Reads files; a link is not followed, and everything is bounded. Must not know boards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.errors import UsageError
from harness.system.user_files import FileRefused, read_file

SUFFIXES = (".py", ".mpy")
# A board's flash may have 200 KB, and writing takes a second for 4 KB.
LIMIT_BYTES = 128 * 1024
MAX_MODULES = 64
# A folder with more in it is not one of modules for a board.
MAX_ENTRIES = 2000
TOO_MUCH = "expected only the modules that the board needs"
TOO_LARGE = f"modules of more than {LIMIT_BYTES // 1024} KB ({TOO_MUCH})"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def modules_in(folders: Iterable[str]) -> Mapping[str, bytes]:
    """Return the content of each module by its path in its folder.

    Args:
        folders: the values of `--board-path`.

    Raises:
        UsageError: a value is not a directory with modules that fit a board, or two have the same module.
    """
    found: dict[str, bytes] = {}
    places: dict[str, str] = {}
    for text in folders:
        where = f"--board-path {text!r}"
        for path, data in _read(text, where=where):
            if path in places:
                raise UsageError(f"{where}: {path} is also in {places[path]!r}")
            found[path], places[path] = data, text
            if len(found) > MAX_MODULES:
                raise UsageError(f"{where}: more than {MAX_MODULES} modules ({TOO_MUCH})")
            if sum(map(len, found.values())) > LIMIT_BYTES:
                raise UsageError(f"{where}: {TOO_LARGE}")
        if text not in places.values():
            raise UsageError(
                f"{where}: contains no module (expected files {' or '.join(f'*{suffix}' for suffix in SUFFIXES)})"
            )
    return found


def _read(text: str, *, where: str) -> Iterator[tuple[str, bytes]]:
    folder = Path(text)
    if not text or not folder.exists():
        raise UsageError(f"{where}: no such directory (expected one with MicroPython modules)")
    if not folder.is_dir():
        raise UsageError(f"{where}: not a directory (expected one with MicroPython modules)")
    for count, path in enumerate(_files(folder, where=where), 1):
        if count > MAX_ENTRIES:
            raise UsageError(f"{where}: more than {MAX_ENTRIES} files ({TOO_MUCH})")
        if path.suffix not in SUFFIXES:
            continue
        name = path.relative_to(folder).as_posix()
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{where}: {name!r} is not a valid file name for the board (expected ASCII letters, digits, '_', '-', '.')"
            )
        try:
            if path.stat().st_size > LIMIT_BYTES:
                raise UsageError(f"{where}: {TOO_LARGE}")
            yield name, read_file(path, limit_bytes=LIMIT_BYTES)
        except FileRefused as error:
            raise UsageError(f"{where}: cannot read {name} ({error.reason})") from error


def _files(folder: Path, *, where: str) -> Iterator[Path]:
    """Every file below a folder, in alphabetical order; hidden ones and bytecode of CPython are left out."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{where}: cannot list {folder} ({error.strerror})") from error
    for path in entries:
        if path.name.startswith(".") or path.name == "__pycache__":
            continue
        if path.is_symlink():
            raise UsageError(
                f"{where}: {path.name} is a symbolic link, which is not followed (expected files and directories)"
            )
        if path.is_dir():
            yield from _files(path, where=where)
        else:
            yield path
