"""The socket pair below `ssl.wrap_socket` behaves like a pair of memory BIOs."""

from __future__ import annotations

import sys

import pytest

from harness.server.engine.engine_jobs import SocketPair, ignore_deliberate
from harness.server.engine.tls_contexts import DeliberateError


def test_pair_carries_bytes_like_a_memory_bio() -> None:
    """Reading returns all available bytes, or none; the end of the stream is passed on."""
    pair = SocketPair()
    assert pair.read() == b""
    pair.far.sendall(b"one")
    pair.far.sendall(b"two")
    assert pair.read() == b"onetwo"
    pair.write(b"three")
    assert pair.far.recv(100) == b"three"
    pair.write_eof()
    assert pair.far.recv(100) == b""
    pair.far.close()
    assert pair.read() == b""
    pair.close()


def test_only_deliberate_errors_are_ignored(capsys: pytest.CaptureFixture[str]) -> None:
    """An accidental error in a callback is still shown."""

    class Unraisable:
        """Replaces sys.UnraisableHookArgs, which cannot be constructed directly."""

        def __init__(self, error: Exception) -> None:
            self.exc_type, self.exc_value, self.exc_traceback = type(error), error, None
            self.err_msg, self.object = None, None

    ignore_deliberate(Unraisable(DeliberateError("on purpose")))
    assert capsys.readouterr().err == ""
    seen: list[object] = []
    ignore_deliberate(Unraisable(RuntimeError("by accident")), fallback=seen.append)
    assert len(seen) == 1
    assert sys.unraisablehook is not ignore_deliberate
