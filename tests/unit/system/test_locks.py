"""Locks on files and folders, with real descriptors."""

import os
import stat

import pytest

from harness.system import locks
from harness.system.locks import is_at, lock_folder, lock_shared_file


def test_one_at_a_time(tmp_path):
    """A second lock on a folder or file is refused at once; a closed descriptor releases the lock."""
    for take in (lambda: lock_folder(tmp_path), lambda: lock_shared_file(tmp_path / "file")):
        first = take()
        with pytest.raises(BlockingIOError):
            take()
        os.close(first)
        os.close(take())


def test_a_refusal_leaves_no_descriptor(tmp_path):
    """A file that cannot be locked is closed again."""
    first = lock_shared_file(tmp_path / "file")
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BlockingIOError):
        lock_shared_file(tmp_path / "file")
    assert len(os.listdir("/proc/self/fd")) == before
    os.close(first)


def test_links(tmp_path):
    """A link is never followed to a file, and to a folder only on request."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "to-folder").symlink_to(tmp_path / "folder")
    (tmp_path / "to-file").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match=r"Too many levels of symbolic links|Not a directory"):
        lock_folder(tmp_path / "to-folder")
    os.close(lock_folder(tmp_path / "to-folder", follow=True))
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        lock_shared_file(tmp_path / "to-file")
    assert not (tmp_path / "file").exists()


def test_all_users_can_lock_the_file(tmp_path):
    """The file is readable and writable for all users, whatever the umask."""
    before = os.umask(0o077)
    try:
        descriptor = lock_shared_file(tmp_path / "file")
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.fstat(descriptor).st_mode) == 0o666
    os.close(descriptor)


def test_a_file_that_was_replaced(tmp_path, monkeypatch):
    """A lock on a file that its last holder has removed is not valid: the new file of that name is locked instead."""
    path = tmp_path / "file"
    real = locks._open_shared
    opened = []

    def replace_first(name):
        descriptor = real(name)
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(locks, "_open_shared", replace_first)
    descriptor = lock_shared_file(path)
    assert is_at(path, descriptor)
    assert len(opened) == 2
    os.close(descriptor)


def test_a_file_that_is_always_replaced(tmp_path, monkeypatch):
    """The number of attempts is bounded."""
    monkeypatch.setattr(locks, "is_at", lambda path, descriptor: False)
    with pytest.raises(OSError, match="its file is created and removed repeatedly"):
        lock_shared_file(tmp_path / "file")


def test_without_locks(tmp_path, monkeypatch):
    """On a system without fcntl nothing can be locked, and nothing is created."""
    monkeypatch.setattr(locks, "supported", lambda: False)
    for take in (lambda: lock_folder(tmp_path), lambda: lock_shared_file(tmp_path / "file")):
        with pytest.raises(OSError, match="this system has no file locks"):
            take()
    assert list(tmp_path.iterdir()) == []
