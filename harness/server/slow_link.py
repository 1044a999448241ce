"""A slow network in front of a server of ours: the board connects to it, and it passes the stream on as `harness.links` says.

A `ServerHost` around another one, which listens on loopback meanwhile and accepts this link only. Whether a connection is the board's
is decided here, by its address; the server's own record stays complete. TLS passes unchanged, and so does the end of each side.
Not delayed: TCP's own handshake, which the kernel answers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.errors import ServerError
from harness.links.profiles import LinkProfile
from harness.links.shaping import Shaper
from harness.model import ServerProfile, ServerReport
from harness.server import ServerHost, ServerStart, Serving
from harness.server.engine.tls_link import CHUNK_BYTES, Stopped, Waiter
from harness.server.one_peer import OnePeer
from harness.system.deadline import Deadline

INNER = "127.0.0.1"
CONNECT_S = 10.0
# A side that sends faster than the network has to wait.
BUFFER_BYTES = 256 * 1024
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class SlowLink:
    """A `ServerHost` behind a network of this profile.

    Args:
        host: runs the server; not closed with the link.
        profile: of the network.
    """

    def __init__(self, host: ServerHost, profile: LinkProfile) -> None:
        self.host = host
        self.profile = profile
        self._waiter = Waiter()
        self._session: _Session | None = None

    def describe(self) -> Mapping[str, Any]:
        """See `ServerHost`."""
        return self.host.describe()

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """Start the server on loopback, and listen for the board in its place.

        Raises:
            ServerError: no port is free, or as the server's.
        """
        self.cancel()
        start = self.host.open(profile, replace(serving, bind=INNER, ports=None, peers=(INNER,)))
        if start.failure is not None or start.port is None:
            return start
        try:
            door = OnePeer.at(serving)
        except OSError as error:
            self.host.cancel()
            name = errno.errorcode.get(error.errno or 0, type(error).__name__)
            where = f"ports {serving.ports[0]}-{serving.ports[1]}" if serving.ports else "any port"
            raise ServerError(
                f"the link cannot listen on {serving.bind}, {where}: {name} ({os.strerror(error.errno or 0)})"
            ) from error
        self._waiter.reset()
        address, port = door.local
        self._session = _Session(door, start.port, profile=self.profile, waiter=self._waiter)
        self._session.thread.start()
        return replace(start, address=address, port=port)

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`.

        Raises:
            ServerError: the link failed, or another program of this machine connected to the server.
        """
        report = self.host.finish(deadline)
        session = self._end()
        if session is None:
            return report
        if session.trouble is not None:
            raise ServerError(f"the link {self.profile.name} failed: {session.trouble}")
        return session.seen_by_board(report)

    def cancel(self) -> ServerReport | None:
        """See `ServerHost`. A link that could not reach the server, which ends first, is no failure here."""
        report = self.host.cancel()
        session = self._end()
        return report if session is None or report is None else session.seen_by_board(report)

    def close(self) -> None:
        """End the session, and leave the server to its owner. May be called twice."""
        self.cancel()
        self._waiter.close()

    def _end(self) -> _Session | None:
        session, self._session = self._session, None
        if session is not None:
            self._waiter.stop()
            session.thread.join()
        return session


class _Session:
    """One connection of the board, passed on by a thread.

    Args:
        door: where the board connects.
        port: of the server on loopback.
        profile: of the network.
        waiter: ends the thread when it is stopped.
    """

    def __init__(self, door: OnePeer, port: int, *, profile: LinkProfile, waiter: Waiter) -> None:
        self._door = door
        self._port = port
        self._profile = profile
        self._waiter = waiter
        self._local = door.local
        self._own: tuple[str, int] | None = None
        self.trouble: str | None = None
        self.thread = threading.Thread(target=self._serve, name="slow-link", daemon=True)

    def seen_by_board(self, report: ServerReport) -> ServerReport:
        """Return the server's report with the board's connection in place of the link's.

        Raises:
            ServerError: another program of this machine connected to the server.
        """
        if report.accepted and (report.peer, report.peer_port) != self._own:
            raise ServerError(
                f"{report.peer}:{report.peer_port} connected to the server behind the link {self._profile.name}: "
                "another program on this machine connected instead"
            )
        door = self._door
        return replace(
            report,
            accepted=door.accepted,
            strangers=door.strangers,
            stranger_addresses=tuple(door.stranger_addresses),
            contested=door.contested,
            peer=door.peer[0] if door.peer else None,
            peer_port=door.peer[1] if door.peer else None,
            local=self._local[0],
            local_port=self._local[1],
        )

    def _serve(self) -> None:
        with contextlib.suppress(Stopped), contextlib.ExitStack() as closing:
            closing.callback(self._door.listener.close)
            board = self._door.accept(self._waiter, end=None)
            if board is None:
                return
            closing.callback(board.close)
            self._local = board.getsockname()[0], self._local[1]  # the listener's may be "any address"
            server = socket.socket()
            closing.callback(server.close)
            server.settimeout(CONNECT_S)
            try:
                server.bind((INNER, 0))
                self._own = server.getsockname()
                server.connect((INNER, self._port))
            except ConnectionResetError:
                _reset(board)  # the server accepted it and reset it at once
                return
            except OSError as error:
                self.trouble = errno.errorcode.get(error.errno or 0, type(error).__name__)
                return
            _Passage(board, server, profile=self._profile).run(self._waiter)


class _Way:
    """One direction: what one side sends, and when the other receives it."""

    def __init__(self, source: socket.socket, sink: socket.socket, shaper: Shaper) -> None:
        self.source = source
        self.sink = sink
        self.shaper = shaper
        self.ended = False
        self._reset = False
        self.left = b""
        self.open = True

    @property
    def reads(self) -> bool:
        """Whether the source may send more now."""
        return not self.ended and self.shaper.waiting_bytes < BUFFER_BYTES

    def read(self, *, now: float) -> None:
        """Send what the source has sent, or its end, into the network."""
        try:
            if _QUICKACK is not None:
                self.source.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
            data = self.source.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data, self._reset = b"", True
        if data:
            self.shaper.push(data, now=now)
        else:
            self.ended = True
            self.shaper.end(now=now)

    def deliver(self, *, now: float) -> bool:
        """Write what has arrived, segment by segment; the rest once the sink takes more.

        Returns:
            False if the sink must be reset now.
        """
        while self.left or (self.shaper.next_at is not None and self.shaper.next_at <= now):
            self.left = self.left or self.shaper.take()
            if not self.left:
                self.open = False
                if not self._reset:
                    with contextlib.suppress(OSError):
                        self.sink.shutdown(socket.SHUT_WR)
                return not self._reset
            try:
                self.left = self.left[self.sink.send(self.left) :]
            except BlockingIOError:
                return True
            except OSError:
                self.left = b""  # it has closed; what the other direction brings shows how
        return True


class _Passage:
    """Passes bytes both ways until both sides have ended: a FIN as a FIN, a reset as a reset.

    Args:
        board: the board's connection.
        server: the server's connection.
        profile: of the network.
    """

    def __init__(self, board: socket.socket, server: socket.socket, *, profile: LinkProfile) -> None:
        up = Shaper(profile, kbit=profile.up_kbit, seed="up")
        down = Shaper(profile, kbit=profile.down_kbit, seed="down")
        self._ways = (_Way(board, server, up), _Way(server, board, down))
        for sock in (board, server):
            sock.setblocking(False)
            with contextlib.suppress(OSError):  # it has ended already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self, waiter: Waiter) -> None:
        """Pass bytes on until both sides have ended.

        Raises:
            Stopped: the link is being closed.
        """
        with selectors.DefaultSelector() as selector:
            selector.register(waiter.wakeup, selectors.EVENT_READ)
            while any(way.open for way in self._ways):
                now = time.monotonic()
                for way in self._ways:
                    if not way.deliver(now=now):
                        _reset(way.sink)
                        return
                self._watch(selector)
                for key, mask in selector.select(self._pause_s(now)):
                    if key.fileobj is waiter.wakeup:
                        raise Stopped
                    if mask & selectors.EVENT_READ:
                        way = next(way for way in self._ways if way.source is key.fileobj)
                        way.read(now=time.monotonic())

    def _pause_s(self, now: float) -> float | None:
        """Return how long nothing is due; None for until something happens."""
        due = [way.shaper.next_at for way in self._ways if way.shaper.next_at is not None and not way.left]
        return max(0.0, min(due) - now) if due else None

    def _watch(self, selector: selectors.BaseSelector) -> None:
        """Wait for what each side may do next."""
        known = selector.get_map()
        for way, back in (self._ways, self._ways[::-1]):
            events = selectors.EVENT_READ * way.reads | selectors.EVENT_WRITE * bool(back.left)
            sock = way.source
            if sock in known:
                selector.unregister(sock)
            if events:
                selector.register(sock, events)


def _reset(sock: socket.socket) -> None:
    """Make this socket end with RST when it is closed."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
