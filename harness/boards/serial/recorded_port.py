"""A serial port that records every byte and whose reads end at a deadline.

Knows pyserial's port objects. Must not know the raw REPL.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Callable
from typing import Any

from harness.boards.serial.transcript import LineLog
from harness.system.deadline import Deadline

# How long one blocking read of the port lasts before the deadline is checked again; data ends it at once.
READ_SLICE_S = 0.05
# As long as in esptool.
RESET_PULSE_S = 0.1
# A board that never stops printing is never drained.
DRAIN_LIMIT = 64 * 1024
# How long a board whose output stopped may take to show that it restarted.
LINGER_S = 0.5


class LinkTimeout(Exception):
    """The awaited bytes did not arrive in time. `seen` has the bytes that arrived instead."""

    def __init__(self, awaited: bytes, seen: bytes) -> None:
        super().__init__(f"waited for {awaited!r}, saw {seen[-80:]!r}")
        self.awaited = awaited
        self.seen = seen


class LinkFlood(Exception):
    """More bytes arrived than the limit allows. `seen` is their beginning."""

    def __init__(self, seen: bytes) -> None:
        super().__init__(f"more than {len(seen)} bytes")
        self.seen = seen


class ClosedPort:
    """Replaces a port that was closed, because pyserial's would raise an internal TypeError."""

    timeout = None
    is_open = False

    @property
    def in_waiting(self) -> int:
        """Raise EIO."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def read(self, size: int = 1) -> bytes:
        """Raise EIO."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write(self, data: bytes) -> int:
        """Raise EIO."""
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def close(self) -> None:
        """No-op: already closed."""


class RecordingSerial:
    """A pyserial port that logs its traffic and whose reads end at the operation's deadline.

    mpremote expects `read(n)` to wait for a slow board, and takes too few bytes for a protocol error: `read`
    here returns all of them or raises `LinkTimeout` when `deadline` has expired.
    """

    def __init__(self, port: Any, log: LineLog) -> None:
        self.port: Any = port
        self.log = log
        self.deadline = Deadline(10.0)
        # pyserial's protocol_socket.py: with timeout 0 one read gives what is there, in one piece.
        self._is_stream = getattr(port, "timeout", None) == 0
        self._buffer = bytearray()

    def _fill(self) -> bool:
        """Read what the port has, waiting at most one slice for the first byte. Return whether anything arrived."""
        data = self._read_stream() if self._is_stream else self.port.read(1)
        if data:
            waiting = 0 if self._is_stream else self.port.in_waiting
            if waiting:
                data += self.port.read(waiting)
            self.log.received(data)
            self._buffer += data
        return bool(data)

    def _read_stream(self) -> bytes:
        """Read a `socket://` port, whose `in_waiting` is 1 at most: reads by it would get two bytes at a time."""
        ready, _, _ = select.select([self.port], [], [], READ_SLICE_S)
        return bytes(self.port.read(65536)) if ready else b""

    def read(self, size: int = 1) -> bytes:
        """Read exactly `size` bytes.

        Raises:
            LinkTimeout: the deadline is over.
        """
        while len(self._buffer) < size:
            if self.deadline.expired:
                raise LinkTimeout(b"", self._take_all())
            self._fill()
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _take_all(self) -> bytes:
        seen = bytes(self._buffer)
        self._buffer.clear()
        return seen

    def read_through(
        self,
        *endings: bytes,
        limit: int,
        give_up_if: Callable[[bytes], bool] | None = None,
        enough: Callable[[bytes], bool] | None = None,
        quiet_s: float = 0.0,
    ) -> bytes:
        """Read up to and including the first of some endings.

        Args:
            endings: the bytes to wait for.
            limit: bytes that may precede it.
            give_up_if: called with the bytes so far whenever the line becomes quiet; true ends the wait.
            enough: the same, but the line must have been quiet for `quiet_s` seconds.
            quiet_s: see `enough`.

        Raises:
            LinkTimeout: the deadline is over, or no ending will come.
            LinkFlood: `limit` bytes arrived and none of the expected endings.
        """
        start = 0
        news = True
        quiet = self.deadline.within(quiet_s)
        while True:
            found = min(
                (index + len(ending) for ending in endings if (index := self._buffer.find(ending, start)) >= 0),
                default=0,
            )
            if found:
                data = bytes(self._buffer[:found])
                del self._buffer[:found]
                return data
            if len(self._buffer) > limit:
                raise LinkFlood(self._take_all())
            if self.deadline.expired:
                raise LinkTimeout(endings[0], self._take_all())
            start = max(0, len(self._buffer) - max(map(len, endings)) + 1)
            if self._fill():
                news = True
                quiet = self.deadline.within(quiet_s)
                continue
            if news and give_up_if is not None and give_up_if(bytes(self._buffer)):
                raise LinkTimeout(endings[0], self._take_all())
            if quiet.expired and enough is not None and enough(bytes(self._buffer)):
                raise LinkTimeout(endings[0], self._take_all())
            news = False

    def drain(self) -> bytes:
        """Read the available bytes, without waiting."""
        while waiting := self.port.in_waiting:
            data = self.port.read(65536 if self._is_stream else waiting)
            self.log.received(data)
            self._buffer += data
            if len(self._buffer) > DRAIN_LIMIT:
                break
        return self._take_all()

    def linger(self, *, until: Callable[[bytes], bool], seconds: float = LINGER_S) -> bytes:
        """Read until the output shows what is expected, at most this many seconds, and not beyond the deadline."""
        end = self.deadline.within(seconds)
        while not (end.expired or len(self._buffer) > DRAIN_LIMIT or until(bytes(self._buffer))):
            self._fill()
        return self._take_all()

    def pulse_reset(self) -> bool:
        """Hold RTS for a moment with DTR released: this resets the circuits of ESP boards, and does not affect others.

        Returns:
            Whether the port has such lines: a pseudo-terminal and a raw TCP socket have none, an RFC 2217 server may refuse them.

        Raises:
            OSError: the port disappeared.
        """
        if self._is_stream:
            return False
        before = self.port.rts, self.port.dtr
        try:
            self.port.dtr, self.port.rts = False, True
            pulse = Deadline(RESET_PULSE_S)
            while not pulse.expired:
                self._fill()
            # RTS before DTR, or such a circuit starts its chip in the boot loader.
            self.port.rts, self.port.dtr = before
        except ValueError:
            return False
        except OSError as error:
            if error.errno in (errno.ENOTTY, errno.EINVAL):
                return False
            raise
        return True

    def unread(self, data: bytes) -> None:
        """Put bytes back in front of what will be read next."""
        self._buffer[:0] = data

    def inWaiting(self) -> int:
        """Bytes that can be read without waiting."""
        return len(self._buffer) + int(self.port.in_waiting)

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        self.log.sent(bytes(data))
        return int(self.port.write(data) or 0)

    def close(self, *, gone: bool = False) -> None:
        """Close the port, RTS before DTR as mpremote does (micropython issue #9659).

        Args:
            gone: the port was lost: its lines are not set, which an RFC 2217 port would wait 3 s for.
        """
        port, self.port = self.port, ClosedPort()
        for line in () if gone else ("rts", "dtr"):
            try:
                setattr(port, line, False)
            except OSError as error:
                if error.errno not in (errno.ENOTTY, errno.EIO, errno.EINVAL, errno.ENXIO, None):
                    raise
        port.close()


def patch_close(port: Any) -> None:
    """Make a pyserial network port always close its socket: its own `close`, also called by a failing `open`, may leave it open.

    In pyserial 3.5's rfc2217.py and protocol_socket.py the shutdown of a dead connection raises before the socket is closed.
    """
    own_close = port.close

    def close() -> None:
        connection = getattr(port, "_socket", None)
        own_close()
        if connection is not None:
            connection.close()

    port.close = close
