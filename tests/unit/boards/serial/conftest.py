"""A serial port for the tests of this folder."""

import os
from collections.abc import Iterator

import pytest


@pytest.fixture
def pty_port() -> Iterator[str]:
    """A PTY that no other process has open."""
    import pty
    import tty

    far, slave = pty.openpty()
    tty.setraw(slave)
    yield os.ttyname(slave)
    os.close(far)
    os.close(slave)
