"""Exhausted resources of a machine, in one line with the remedy."""

import errno

import pytest

from harness.system.shortages import shortage_text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (
            errno.EMFILE,
            "this process has no file descriptors left: raise its limit (`ulimit -n 4096`) or run fewer boards at once (EMFILE, /x)",
        ),
        (
            errno.ENFILE,
            "this machine has no file descriptors left: end programs that hold many, or raise fs.file-max (ENFILE, /x)",
        ),
        (
            errno.ENOSPC,
            "no space left on the device: make room, or give another directory with --artifacts (or TMPDIR) (ENOSPC, /x)",
        ),
        (
            errno.EDQUOT,
            "this user's disk quota is used up: make room, or give another directory with --artifacts (or TMPDIR) (EDQUOT, /x)",
        ),
    ],
)
def test_shortages(number, text):
    """Each message names the exhausted resource, what to do, the error's name and the file."""
    assert shortage_text(OSError(number, "words", "/x")) == text


def test_others():
    """Another error has no message, and a message without a file names none."""
    assert shortage_text(OSError(errno.EACCES, "words")) is None
    assert shortage_text(OSError("words only")) is None
    assert (shortage_text(OSError(errno.EMFILE, "words")) or "").endswith("(EMFILE)")
