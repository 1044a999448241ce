"""Files that a user names: regular ones only, up to a limit, never waiting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.system.user_files import FileRefused, read_file


def reason(path: Path, *, limit_bytes: int = 1 << 20) -> str:
    """Why a file is refused."""
    with pytest.raises(FileRefused) as caught:
        read_file(path, limit_bytes=limit_bytes)
    return caught.value.reason


def test_content(tmp_path: Path) -> None:
    """The bytes as they are, but for a byte order mark at the beginning; also through a link."""
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbfa\r\n\xef\xbb\xbf")
    (tmp_path / "link").symlink_to("file")
    assert read_file(tmp_path / "link", limit_bytes=100) == b"a\r\n\xef\xbb\xbf"


def test_what_is_no_file(tmp_path: Path) -> None:
    """A FIFO without a writer, a device and a folder are refused at once."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/zero"), tmp_path):
        assert reason(path) == "not a regular file"


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """The system's words for it."""
    assert reason(tmp_path / "missing") == "No such file or directory"
    assert reason(Path("a\0b")) == "not a path"
    (tmp_path / "loop").symlink_to("loop")
    assert reason(tmp_path / "loop") == "Too many levels of symbolic links"


def test_limit(tmp_path: Path) -> None:
    """A file of exactly the limit is read, one byte more is refused."""
    (tmp_path / "file").write_bytes(bytes(1 << 20))
    assert len(read_file(tmp_path / "file", limit_bytes=1 << 20)) == 1 << 20
    (tmp_path / "file").write_bytes(bytes((1 << 20) + 1))
    assert reason(tmp_path / "file") == "longer than 1 MB"


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    """Neither a refusal nor a success keeps the file open."""
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(20):
        reason(tmp_path)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) == before
