"""The recorded TCP side of the TLS server: a listener, an interruptible wait, and a link that records every byte.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Knows sockets; must not know TLS.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import time
from typing import Any

CHUNK_BYTES = 65536
#: After an error the alert must be read before the connection is torn down: closing with unread data makes the kernel
#: send a reset, and the reset overtakes the alert (measured: 45 to 50 of 50 mTLS refusals lost).
DRAIN_S = 2.0
DRAIN_BYTES = 1 << 20
BACKLOG = 16
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class Stopped(Exception):
    """The owner of the engine called `stop`."""


class Waiter:
    """Waits until a socket is ready, a time is reached, or another thread calls `stop`."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wakeup_recv, self._wakeup_send = socket.socketpair()
        self._wakeup_recv.setblocking(False)
        self._selector.register(self._wakeup_recv, selectors.EVENT_READ)
        self._stopped = False

    @property
    def wakeup(self) -> socket.socket:
        """A socket that is readable once `stop` was called, for callers that wait for several sockets."""
        return self._wakeup_recv

    def stop(self) -> None:
        """Make the current and every later wait raise `Stopped`."""
        self._stopped = True
        self._wakeup_send.send(b"!")

    def reset(self) -> None:
        """Clear an earlier `stop`."""
        self._stopped = False
        try:
            while self._wakeup_recv.recv(64):
                pass
        except BlockingIOError:
            pass

    def wait(self, sock: socket.socket | None, *, writing: bool = False, end: float | None) -> bool:
        """Return True when the socket is ready, False when the monotonic clock passes `end`.

        Raises:
            Stopped: `stop` was called.
        """
        if sock is not None:
            self._selector.register(sock, selectors.EVENT_WRITE if writing else selectors.EVENT_READ)
        try:
            while True:
                if self._stopped:
                    raise Stopped
                timeout_s = None if end is None else max(0.0, end - time.monotonic())
                ready = self._selector.select(timeout_s)
                if any(key.fileobj is sock for key, _mask in ready):
                    return True
                if not ready and timeout_s is not None:
                    return False
        finally:
            if sock is not None:
                self._selector.unregister(sock)

    def close(self) -> None:
        """Release the descriptors."""
        self._selector.close()
        self._wakeup_recv.close()
        self._wakeup_send.close()


class Link:
    """A TCP connection to the client; `wire` holds every byte of both directions as [sender, at_ms, data].

    `ends` holds how each stream ended as [sender, at_ms, "FIN" or "RST"]; after its FIN a side can still reset.

    Args:
        sock: the accepted socket, owned from here on.
        waiter: how to wait.
    """

    def __init__(self, sock: socket.socket, *, waiter: Waiter) -> None:
        self.sock = sock
        self.waiter = waiter
        self.wire: list[list[Any]] = []
        self.ends: list[list[Any]] = []
        self.started = time.monotonic()
        self.piece_bytes = 0
        self.ended = False
        self.half_closed = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def now_ms(self) -> float:
        """Milliseconds since accept."""
        return round((time.monotonic() - self.started) * 1000, 3)

    def send(self, data: bytes, *, end: float) -> None:
        """Send all of `data`; nothing after a half-close.

        Raises:
            TimeoutError: the peer accepted nothing until `end`.
            OSError: the connection broke.
        """
        position = 0
        while position < len(data) and not self.half_closed:
            stop = position + self.piece_bytes if self.piece_bytes else len(data)
            try:
                count = self.sock.send(data[position:stop])
            except BlockingIOError:
                if not self.waiter.wait(self.sock, writing=True, end=end):
                    raise TimeoutError(errno.ETIMEDOUT, "the client reads no data") from None
                continue
            except (BrokenPipeError, ConnectionResetError):
                self._note_end("client", "RST")
                raise
            self.wire.append(["server", self.now_ms, data[position : position + count]])
            position += count

    def receive(self, *, end: float) -> bytes:
        """Return what arrived, empty at the end of the stream.

        Raises:
            TimeoutError: nothing arrived until `end`.
            OSError: the connection broke.
        """
        while True:
            self._acknowledge_at_once()
            try:
                data = self.sock.recv(CHUNK_BYTES)
            except BlockingIOError:
                if not self.waiter.wait(self.sock, end=end):
                    raise TimeoutError(errno.ETIMEDOUT, "the client sends nothing") from None
                continue
            except ConnectionResetError:
                self._note_end("client", "RST")
                raise
            self._acknowledge_at_once()
            if data:
                self.wire.append(["client", self.now_ms, data])
            else:
                self.ended = True
                self._note_end("client", "FIN")
            return data

    def _note_end(self, sender: str, how: str) -> None:
        """Record how a stream ended, the first time; only a reset can follow a FIN."""
        known = [end for end in self.ends if end[0] == sender]
        if not known or (how == "RST" and known[-1][2] == "FIN"):
            self.ends.append([sender, self.now_ms, how])

    def _acknowledge_at_once(self) -> None:
        """Enable TCP_QUICKACK again: the kernel resets it after each use, and the client's Nagle algorithm then costs 40 ms."""
        if _QUICKACK is not None:
            try:
                self.sock.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            except OSError:
                pass

    def half_close(self) -> None:
        """Send FIN and keep reading."""
        self.half_closed = True
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return
        self._note_end("server", "FIN")

    def drain(self, *, timeout_s: float = DRAIN_S) -> bool:
        """Read and record what the client still sends, until it closes; bounded in time and size.

        Returns:
            Whether the client closed.
        """
        end = time.monotonic() + timeout_s
        count = 0
        while not self.ended and count < DRAIN_BYTES:
            try:
                count += len(self.receive(end=end))
            except TimeoutError:
                return False
            except OSError:
                return True
        return self.ended

    def reset(self) -> None:
        """Close with a reset instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()
        self._note_end("server", "RST")

    def close(self) -> None:
        """Close the socket: with FIN, or with a reset if some of the client's bytes were not read."""
        if self.sock.fileno() >= 0 and not any(how == "RST" for _sender, _at_ms, how in self.ends):
            self._note_end("server", "RST" if self._has_unread() else "FIN")
        self.sock.close()

    def _has_unread(self) -> bool:
        """Whether there are unread bytes of the client."""
        try:
            return bool(self.sock.recv(1, socket.MSG_PEEK))
        except OSError:
            return False


def listen(address: str, ports: list[int] | None) -> socket.socket:
    """Bind a free port, or the first free one of an inclusive range."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    last = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    for port in range(ports[0], ports[1] + 1) if ports else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                # On Windows the option means "steal the port"; here it means "do not wait for TIME_WAIT".
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, port))
            listener.listen(BACKLOG)
            listener.setblocking(False)
        except OSError as exc:
            listener.close()
            last = exc
            if exc.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return listener
    raise last


def listen_error(settings: dict[str, Any], exc: OSError) -> str:
    """Return in one line why the server cannot listen."""
    name = errno.errorcode.get(exc.errno or 0, type(exc).__name__)
    ports = settings["ports"]
    where = f"ports {ports[0]}-{ports[1]}" if ports else "any port"
    return f"the TLS server cannot listen on {settings['address']}, {where}: {name} ({os.strerror(exc.errno or 0)})"
