"""A recording relay: the board connects to it, and it passes every byte on to a server that is already running.

A `ServerHost` like the others, but the server behind it is not ours: its decisions are read from the wire, and its settings and
errors stay unknown (`facts` and `failure` are None). TLS passes unchanged, and so does the end of each side, with one exception. In
TLS 1.3 a server accepts or refuses the client's certificate only after the client's Finished, so the board's end is held back until
that answer has arrived (`ANSWER_S` at most).
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import ServerError
from harness.model import ServerFailure, ServerProfile, ServerReport, Side, TcpEnd, TcpEndKind, WireChunk
from harness.server import ServerStart, Serving
from harness.server.engine.tls_link import CHUNK_BYTES, Stopped, Waiter
from harness.server.one_peer import OnePeer
from harness.server.target import Opening, dial, not_reached
from harness.system.deadline import Deadline
from harness.wire.last_word import LastWord, client_finished, last_word
from harness.wire.reading import WireReading, read_wire
from harness.wire.versions import TLS13, version_name

# How long the server may take to accept.
CONNECT_S = 10.0
# How long to wait for the rest of the other side after one side has ended.
LINGER_S = 2.0
# How long the end of a board that has finished TLS 1.3 is held back: a round trip, and the check of a certificate.
ANSWER_S = 2.0
# More than a handshake and a short exchange need; they limit a server that sends endlessly, in large pieces or in small ones.
LIMIT_BYTES = 4 << 20
LIMIT_CHUNKS = 20_000
REREAD_S = 0.05  # each reading of the wire begins at its first byte
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(slots=True)
class _Session:
    """The recording of one connection."""

    door: OnePeer
    serving: Serving
    local: tuple[str, int]
    started: float = 0.0
    started_unix_s: float = 0.0
    failure: ServerFailure | None = None
    timed_out: bool = False
    server_first: bool = False
    wire: list[WireChunk] = field(default_factory=list)
    wire_bytes: int = 0
    ends: list[TcpEnd] = field(default_factory=list)

    @property
    def at_ms(self) -> float:
        """The time on the recording's clock."""
        return round((time.monotonic() - self.started) * 1000, 3)


class Relay:
    """A `ServerHost` in front of `host:port`.

    Args:
        host: name or address of the server, as seen from this machine.
        port: its TCP port.

    `target` and `opening` may be changed between two sessions; `harness.server.target.dial` describes them.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.opening: Opening | None = None
        self._waiter = Waiter()
        self._session: _Session | None = None
        self._thread: threading.Thread | None = None

    def describe(self) -> Mapping[str, Any]:
        """Return nothing: the server is not ours."""
        return {}

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """Connect to the server, and listen for one connection of the board.

        The connection comes first, because the server may serve only one client. The profile is ignored. If the server accepts no
        connection, the start has a failure of stage `connect`.

        Raises:
            ServerError: no port is free.
        """
        self.cancel()
        try:
            door = OnePeer.at(serving)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise ServerError(f"the relay cannot listen on {serving.bind}: {name}") from error
        self._waiter.reset()
        address, port = door.local
        session = self._session = _Session(door=door, serving=serving, local=(address, port))
        server: socket.socket | None = None
        try:
            server = dial(self.target, opening=self.opening, timeout_s=CONNECT_S)
        except ConnectionResetError:
            pass  # the server exists; the board must see the same reset
        except OSError as error:
            door.listener.close()
            session.failure = not_reached(error)
            return ServerStart(address=None, port=None, facts=None, failure=session.failure)
        self._thread = threading.Thread(target=self._serve, args=(session, server), name="relay", daemon=True)
        self._thread.start()
        return ServerStart(address=address, port=port, facts=None, failure=None)

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`; a session that still runs at the deadline is ended and counts as timed out."""
        session, thread = self._session, self._thread
        if session is None:
            raise ServerError("the relay was not opened")
        if thread is not None:
            thread.join(deadline.remaining_s)
            session.timed_out = session.timed_out or thread.is_alive()
        self._end()
        return _report(session)

    def cancel(self) -> ServerReport | None:
        """See `ServerHost`."""
        session = self._session
        if session is None:
            return None
        self._end()
        return _report(session)

    def _end(self) -> None:
        thread, self._thread, self._session = self._thread, None, None
        if thread is not None:
            self._waiter.stop()
            thread.join()

    def close(self) -> None:
        """See `ServerHost`."""
        self._end()
        self._waiter.close()

    # ------------------------------------------------------------------ the thread

    def _serve(self, session: _Session, server: socket.socket | None) -> None:
        end = time.monotonic() + session.serving.handshake_timeout_s
        with contextlib.suppress(Stopped), contextlib.ExitStack() as closing:
            closing.callback(session.door.listener.close)
            if server is not None:
                closing.callback(server.close)
            board = session.door.accept(self._waiter, end=end)
            if board is None:
                session.timed_out = True
                return
            closing.callback(board.close)
            session.started, session.started_unix_s = time.monotonic(), time.time()
            if server is None:
                _reset_at_close(board)
                return
            session.timed_out = not _Passage(session, board, server, end=end).run(self._waiter)


class _Passage:
    """Passes bytes both ways until both sides have ended: a FIN as a FIN, a reset as a reset.

    Args:
        session: records the bytes.
        board: the board's connection.
        server: the server's connection.
        end: when to stop, on the monotonic clock; sooner once a side has ended.
    """

    def __init__(self, session: _Session, board: socket.socket, server: socket.socket, *, end: float) -> None:
        self._session = session
        self._board = board
        self._server = server
        self._other = {board: server, server: board}
        self._reading = {board, server}
        self._held: TcpEnd | None = None  # the board's end, while the server's answer is still due
        self._reread_at, self._read, self._due = 0.0, 0, True
        self._end = end

    def run(self, waiter: Waiter) -> bool:
        """Pass bytes on until both sides have ended or the time is over.

        Returns:
            Whether the session ended before its time was over.

        Raises:
            Stopped: the relay is being closed.
        """
        for sock in self._other:
            sock.setblocking(True)
            sock.settimeout(CONNECT_S)
            with contextlib.suppress(OSError):  # it has ended already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with selectors.DefaultSelector() as selector:
            selector.register(waiter.wakeup, selectors.EVENT_READ)
            for sock in self._other:
                selector.register(sock, selectors.EVENT_READ)
            while self._reading:
                ready = selector.select(max(0.0, min(self._end, self._reread_at or self._end) - time.monotonic()))
                over = not ready and time.monotonic() >= self._end
                if over and self._held is None:
                    return len(self._reading) == 1
                for key, _mask in ready:
                    source = key.fileobj
                    if not isinstance(source, socket.socket) or source not in self._other:
                        raise Stopped
                    ended = _one_piece(self._session, source, self._other[source], sender=self._side(source))
                    if ended is not None:
                        selector.unregister(source)
                        self._ended(source, ended)
                if self._held is not None and (over or self._server not in self._reading or not self._is_due()):
                    self._release()
        return True

    def _is_due(self) -> bool:
        """Whether the server still owes its answer, as of the last reading of the wire."""
        if time.monotonic() >= self._reread_at:
            if len(self._session.wire) != self._read:
                self._read, self._due = len(self._session.wire), _answer_is_due(self._session)
            self._reread_at = time.monotonic() + REREAD_S
        return self._due

    def _side(self, source: socket.socket) -> Side:
        return Side.CLIENT if source is self._board else Side.SERVER

    def _ended(self, source: socket.socket, ended: TcpEnd) -> None:
        """Pass on the end of one side, or hold the board's end while the server's answer is due."""
        self._reading.discard(source)
        self._end = min(self._end, time.monotonic() + LINGER_S)
        if source is self._board and self._server in self._reading and _answer_is_due(self._session):
            self._held, self._end = ended, time.monotonic() + ANSWER_S
            return
        by_server = source is self._server
        self._session.server_first |= by_server and (self._held is not None or self._board in self._reading)
        _pass_end(self._other[source], ended, alerted=by_server and _sent_fatal_alert(self._session))

    def _release(self) -> None:
        """Pass on the board's end if it was held."""
        if self._held is None:
            return
        # An alert without an end: either way the server sends nothing more (RFC 8446 section 6).
        self._session.server_first |= last_word(read_wire(self._session.wire)) is LastWord.ALERT
        _pass_end(self._server, self._held)
        self._held, self._reread_at, self._end = None, 0.0, time.monotonic() + LINGER_S


def _answer_is_due(session: _Session) -> bool:
    """Whether the client sent its Finished in TLS 1.3 and the server has not replied, as far as the wire shows."""
    return last_word(read_wire(session.wire)) in (LastWord.NOTHING, LastWord.ALERT)


def _one_piece(session: _Session, source: socket.socket, other: socket.socket, *, sender: Side) -> TcpEnd | None:
    """Pass on what one side sent; return how it ended, or None while it may send more."""
    if _QUICKACK is not None:
        with contextlib.suppress(OSError):
            source.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
    try:
        data = source.recv(CHUNK_BYTES)
    except OSError:
        session.ends.append(TcpEnd(sender=sender, at_ms=session.at_ms, how=TcpEndKind.RST))
        return session.ends[-1]
    session.wire_bytes += len(data)
    if not data or session.wire_bytes > LIMIT_BYTES or len(session.wire) >= LIMIT_CHUNKS:
        session.ends.append(TcpEnd(sender=sender, at_ms=session.at_ms, how=TcpEndKind.FIN))
        return session.ends[-1]
    session.wire.append(WireChunk(sender=sender, at_ms=session.at_ms, data=data))
    with contextlib.suppress(OSError):  # it has closed, but the other side may still send
        other.sendall(data)
    return None


def _sent_fatal_alert(session: _Session) -> bool:
    """Whether the server has sent a plaintext fatal alert."""
    return any(alert.sender is Side.SERVER and alert.is_fatal for alert in read_wire(session.wire).alerts)


def _pass_end(sock: socket.socket, end: TcpEnd, *, alerted: bool = False) -> None:
    """End this connection as the other one ended; delay a reset after an alert until the board has read the alert.

    A board that is still writing its flight could otherwise see either the alert or the reset.
    """
    if end.how is TcpEndKind.RST:
        _reset_at_close(sock, still_read=alerted)
        return
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)


def _reset_at_close(sock: socket.socket, *, still_read: bool = False) -> None:
    """Make this socket end with RST, as its peer did: now, or after the rest was read."""
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if not still_read:
            sock.shutdown(socket.SHUT_RD)


# ----------------------------------------------------------------------------------------------- what the wire says


def handshake_done(wire: WireReading) -> bool:
    """Return whether the server accepted the client's last message of the handshake, as far as the wire shows.

    TLS 1.2: the server sent ChangeCipherSpec (after the client's, RFC 5246 section 7.3) and no plaintext fatal alert. TLS 1.3
    encrypts the end (RFC 8446 section 2): the client sent encrypted records other than an alert; `harness.wire.last_word` determines
    how the server answered.
    """
    if wire.server_hello is None or any(alert.is_fatal for alert in wire.alerts):
        return False
    sent = [(message.sender, message.name) for message in wire.messages]
    if wire.negotiated.version == version_name(TLS13):
        return client_finished(wire)
    return (Side.SERVER, "ChangeCipherSpec") in sent and (Side.CLIENT, "ChangeCipherSpec") in sent


def _finished_ms(wire: WireReading) -> float | None:
    """Return when the server's last flight of a TLS 1.2 handshake began."""
    found = (item.at_ms for item in wire.messages if (item.sender, item.name) == (Side.SERVER, "ChangeCipherSpec"))
    return next(found, None)


def _report(session: _Session) -> ServerReport:
    """Return what the relay recorded as a server's report."""
    wire, door = read_wire(session.wire), session.door
    left = session.server_first and last_word(wire) in (LastWord.NOTHING, LastWord.ALERT)
    done = handshake_done(wire) and not left
    return ServerReport(
        facts=None,
        failure=session.failure,
        accepted=door.accepted,
        handshake_done=done,
        exchanged=done,
        negotiated_version=wire.negotiated.version,
        negotiated_suite=wire.negotiated.suite,
        wire=tuple(session.wire),
        tcp_ends=tuple(session.ends),
        strangers=door.strangers,
        stranger_addresses=tuple(door.stranger_addresses),
        contested=door.contested,
        peer=door.peer[0] if door.peer else None,
        peer_port=door.peer[1] if door.peer else None,
        local=session.local[0],
        local_port=session.local[1],
        started_unix_s=session.started_unix_s,
        handshake_ms=_finished_ms(wire) if done else None,
        timed_out=session.timed_out and not done,
        ended_first=left,
    )
