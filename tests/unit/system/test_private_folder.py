"""Folders for secrets, and removing those of killed processes; with real processes."""

import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from harness.system.private_folder import UNLOCKED_AGE_S, PrivateFolder, sweep

pytestmark = pytest.mark.skipif(os.name != "posix", reason="nothing is swept where there is no flock")

HOLDER = """
import sys
from harness.system.private_folder import PrivateFolder
folder = PrivateFolder("tls-x-")
(folder.path / "a.key.pem").write_text("secret")
print(folder.path, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Use a separate directory for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def holder():
    """Start another process that holds a folder; return both."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, Path(process.stdout.readline().strip())


def end(process, *, kill):
    """Kill it or let it end normally."""
    if kill:
        process.kill()
    process.communicate(timeout=60)


def age(path):
    """Make a folder older than a day."""
    then = time.time() - UNLOCKED_AGE_S - 60
    os.utime(path, (then, then))


def test_made_and_removed():
    """The folder is 0700, close removes it with its content, and close may be called twice."""
    folder = PrivateFolder("tls-x-")
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
    (folder.path / "below").mkdir()
    folder.close()
    folder.close()
    assert not folder.path.exists()


def test_removed_at_the_end_of_the_process():
    """A process that ends without close() leaves nothing."""
    process, path = holder()
    assert path.is_dir()
    end(process, kill=False)
    assert not path.exists()


def test_folders_of_killed_processes_are_removed():
    """The next process removes the folder of a process that was killed with -9; a folder in use stays, also during cleanups of others."""
    dead, left = holder()
    alive, used = holder()
    end(dead, kill=True)
    assert left.is_dir()
    own = PrivateFolder("tls-x-")
    assert (left.exists(), used.exists(), own.path.exists()) == (False, True, True)
    sweep("tls-x-")
    assert used.exists()
    assert own.path.exists()
    own.close()
    end(alive, kill=False)


def test_concurrent_cleanups(place):
    """Many processes that clean up the same folders while they create their own do not fail or lose a folder."""
    for number in range(20):
        (place / f"tls-x-dead{number:04}-locked").mkdir(mode=0o700)
    started = [holder() for _ in range(4)]
    assert sorted(place.glob("tls-x-*")) == sorted(path for _process, path in started)
    for process, _path in started:
        end(process, kill=False)


@pytest.mark.parametrize(
    ("name", "inside", "old", "stays"),
    [
        ("tls-x-aaaaaaaa", "a.key.pem", True, False),
        ("tls-x-aaaaaaaa", "keylog", True, False),
        ("tls-x-aaaaaaaa", "a.key.pem", False, True),
        ("tls-x-aaaaaaaa", "notes.txt", True, True),
        ("tls-x-results", "a.key.pem", True, True),
        ("tls-x-y-aaaaaaaa-locked", "a.key.pem", True, True),
        ("tls-x-aaaaaaaa-locked", "a.key.pem", False, False),
    ],
)
def test_which_folders_are_removed(place, name, inside, old, stays):
    """Without our suffix a folder must be a day old and contain only key files; other names are not ours."""
    folder = place / name
    folder.mkdir(mode=0o700)
    (folder / inside).write_text("x")
    if old:
        age(folder)
    sweep("tls-x-")
    assert folder.exists() is stays


def test_links_are_not_followed(place):
    """A link with such a name and its target stay; a link inside a folder is removed without its target."""
    target = place / "mine"
    target.mkdir(mode=0o700)
    (target / "file").write_text("x")
    (place / "tls-x-aaaaaaaa-locked").symlink_to(target)
    folder = place / "tls-x-bbbbbbbb-locked"
    folder.mkdir(mode=0o700)
    (folder / "link").symlink_to(target)
    sweep("tls-x-")
    assert (place / "tls-x-aaaaaaaa-locked").is_symlink()
    assert not folder.exists()
    assert (target / "file").exists()


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user(place):
    """A folder of another user is not touched, even if root could."""
    folder = place / "tls-x-aaaaaaaa-locked"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    sweep("tls-x-")
    assert folder.exists()


def test_folder_that_others_may_read(place):
    """Our folders are 0700; a folder with more permissions is not ours."""
    folder = place / "tls-x-aaaaaaaa-locked"
    folder.mkdir()
    folder.chmod(0o755)
    sweep("tls-x-")
    assert folder.exists()
