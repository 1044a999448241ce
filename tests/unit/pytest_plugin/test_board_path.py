"""`--board-path`: which files are modules, and each wrong directory."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pytest_plugin import board_path
from harness.pytest_plugin.board_path import LIMIT_BYTES, MAX_MODULES, modules_in


def made(folder: Path, *names: str, data: bytes = b"x") -> str:
    """Make files in a folder; return the folder as an option's value."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return str(folder)


def refused(text: str, reason: str) -> str:
    """The whole message, as a pattern."""
    return f"^{re.escape(f'--board-path {text!r}: {reason}')}$"


def test_modules(tmp_path: Path) -> None:
    """Modules of each folder, with the path that they have in it; other files, hidden ones and CPython's bytecode are left out."""
    first = made(tmp_path / "a", "umqtt/simple.py", "x.mpy", "README.md", ".git/y.py", "__pycache__/z.py", ".w.py")
    second = made(tmp_path / "b", "umqtt/robust.py", data=b"\xef\xbb\xbfy\x00")
    assert modules_in([first, second]) == {"umqtt/simple.py": b"x", "x.mpy": b"x", "umqtt/robust.py": b"y\x00"}
    assert modules_in([]) == {}


def test_a_wrong_directory(tmp_path: Path) -> None:
    """A value that is missing, a file, or without a module is refused, with what is expected."""
    missing, file, empty = str(tmp_path / "none"), str(tmp_path / "a" / "x.py"), str(tmp_path / "b")
    made(tmp_path / "a", "x.py")
    made(tmp_path / "b", "README.md")
    for text, reason in (
        ("", "no such directory (expected one with MicroPython modules)"),
        (missing, "no such directory (expected one with MicroPython modules)"),
        (file, "not a directory (expected one with MicroPython modules)"),
        (empty, "contains no module (expected files *.py or *.mpy)"),
    ):
        with pytest.raises(UsageError, match=refused(text, reason)):
            modules_in([text])


@pytest.mark.skipif(os.name != "posix", reason="making a symbolic link needs a privilege on Windows")
@pytest.mark.parametrize("target", ["other.py", "folder", "nothing"])
def test_a_link_is_refused(tmp_path: Path, target: str) -> None:
    """A link to a file, a directory or nothing inside the directory: what it leads to was not named."""
    made(tmp_path / "elsewhere", "other.py", "folder/more.py")
    text = made(tmp_path / "a", "x.py")
    (tmp_path / "a" / "link.py").symlink_to(tmp_path / "elsewhere" / target)
    reason = "link.py is a symbolic link, which is not followed (expected files and directories)"
    with pytest.raises(UsageError, match=refused(text, reason)):
        modules_in([text])


def test_too_large(tmp_path: Path) -> None:
    """All directories together may have as much as a small board's flash holds, and not one byte more."""
    first = made(tmp_path / "a", "x.py", data=b"x" * (LIMIT_BYTES - 1))
    assert sum(map(len, modules_in([first, made(tmp_path / "b", "y.py")]).values())) == LIMIT_BYTES
    second = made(tmp_path / "b", "z.py")
    with pytest.raises(
        UsageError,
        match=refused(second, "modules of more than 128 KB (expected only the modules that the board needs)"),
    ):
        modules_in([first, second])


def test_one_file_too_large(tmp_path: Path) -> None:
    """A file larger than the limit is refused without being read to its end."""
    text = made(tmp_path / "a", "x.py", data=b"x" * (LIMIT_BYTES + 1))
    with pytest.raises(
        UsageError, match=refused(text, "modules of more than 128 KB (expected only the modules that the board needs)")
    ):
        modules_in([text])


def test_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of modules is bounded, and so is the number of files that are looked at."""
    text = made(tmp_path / "a", *(f"m{number}.py" for number in range(MAX_MODULES)))
    assert len(modules_in([text])) == MAX_MODULES
    made(tmp_path / "a", "one_more.py")
    needed = "(expected only the modules that the board needs)"
    with pytest.raises(UsageError, match=refused(text, f"more than {MAX_MODULES} modules {needed}")):
        modules_in([text])
    monkeypatch.setattr(board_path, "MAX_ENTRIES", 3)
    other = made(tmp_path / "b", "a.txt", "b.txt", "c.py")
    assert list(modules_in([other])) == ["c.py"]
    made(tmp_path / "b", "d.txt")
    with pytest.raises(UsageError, match=refused(other, f"more than 3 files {needed}")):
        modules_in([other])


def test_the_same_module_twice(tmp_path: Path) -> None:
    """Two directories with one module: which of them is meant is not guessed."""
    first, second = made(tmp_path / "a", "x/y.py"), made(tmp_path / "b", "x/y.py")
    with pytest.raises(UsageError, match=refused(second, f"x/y.py is also in {first!r}")):
        modules_in([first, second])


@pytest.mark.parametrize("name", ["a b.py", "\u00e4.py", "-x.py", "x'.py"])
def test_a_name_that_boards_may_not_have(tmp_path: Path, name: str) -> None:
    """A file's name becomes part of code on the board and of its filesystem: plain ASCII only."""
    text = made(tmp_path / "a", name)
    reason = f"{name!r} is not a valid file name for the board (expected ASCII letters, digits, '_', '-', '.')"
    with pytest.raises(UsageError, match=refused(text, reason)):
        modules_in([text])


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root reads every file")
def test_unreadable(tmp_path: Path) -> None:
    """A file or a directory that cannot be read is named with the reason."""
    text = made(tmp_path / "a", "x.py")
    (tmp_path / "a" / "x.py").chmod(0)
    with pytest.raises(UsageError, match=refused(text, "cannot read x.py (Permission denied)")):
        modules_in([text])
    (tmp_path / "a").chmod(0)
    with pytest.raises(UsageError, match=refused(text, f"cannot list {text} (Permission denied)")):
        modules_in([text])
    (tmp_path / "a").chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a FIFO")
def test_not_a_regular_file(tmp_path: Path) -> None:
    """A FIFO would wait for a writer forever."""
    text = made(tmp_path / "a")
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "x.py")
    with pytest.raises(UsageError, match=refused(text, "cannot read x.py (not a regular file)")):
        modules_in([text])
