"""A recording relay: the board connects here, the bytes go to a server that runs already, and every one of them is kept.

A `ServerHost` like the others, but the server behind it is somebody else's: what it decided is read from the wire alone, its
settings and its own error are not known (`facts` and `failure` stay None). TLS passes through untouched, and ends are passed on as they
come, with one exception: in TLS 1.3 a server says whether it takes the client's certificate when the client is through already,
so the board's end waits for that word (`WORD_S` at most).
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
from harness.model import ServerFailure, ServerProfile, ServerReport, Side, Stage, TcpEnd, WireChunk
from harness.server import ServerStart, Serving
from harness.server.engine.tls_link import CHUNK_BYTES, Stopped, Waiter, listen
from harness.system.deadline import Deadline
from harness.wire.last_word import LastWord, client_finished, last_word
from harness.wire.reading import WireReading, read_wire
from harness.wire.versions import TLS13, version_name

# How long the server may take to accept.
CONNECT_S = 10.0
# After one side has ended, this long is waited for what the other still says.
LINGER_S = 2.0
# So long the end of a board that is through with TLS 1.3 waits for the server's word: a round trip, and its look at a certificate.
WORD_S = 2.0
# More than a handshake and a short talk ever need; a server that sends without end is cut off here.
LIMIT_BYTES = 4 << 20
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


@dataclass(slots=True)
class _Session:
    """What is kept of one connection."""

    listener: socket.socket
    serving: Serving
    local: tuple[str, int]
    started: float = 0.0
    started_unix_s: float = 0.0
    accepted: bool = False
    strangers: int = 0
    peer: tuple[str, int] | None = None
    failure: ServerFailure | None = None
    timed_out: bool = False
    server_first: bool = False
    wire: list[WireChunk] = field(default_factory=list)
    ends: list[TcpEnd] = field(default_factory=list)

    @property
    def at_ms(self) -> float:
        """Now, on the recording's clock."""
        return round((time.monotonic() - self.started) * 1000, 3)


def look_up(host: str, port: int) -> ServerFailure | None:
    """Ask the resolver for the server's address, and the server for nothing.

    Returns:
        None where there is one, else why not (stage `connect`), by the resolver's name for it.
    """
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return _not_reached(error)
    return None


def _not_reached(error: OSError) -> ServerFailure:
    number = error.errno
    if isinstance(error, socket.gaierror):
        names = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}
        reason = names.get(number, "EAI_FAIL")
    elif isinstance(error, TimeoutError):
        number, reason = errno.ETIMEDOUT, "ETIMEDOUT"
    else:
        reason = errno.errorcode.get(number or 0, type(error).__name__)
    return ServerFailure(type=type(error).__name__, reason=reason, errno=number, stage=Stage.CONNECT)


class Relay:
    """A `ServerHost` in front of `host:port`.

    Args:
        host: name or address of the server, as this machine reaches it.
        port: its TCP port.
    """

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self._waiter = Waiter()
        self._session: _Session | None = None
        self._thread: threading.Thread | None = None

    def describe(self) -> Mapping[str, Any]:
        """Nothing is known of a server that is not ours."""
        return {}

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """Listen for one connection, and have the one to the server for it: a server that serves one client meets the board.

        The profile is not looked at: its server's settings are not ours to choose. A server that takes no connection is a start
        with a failure of stage `connect`.

        Raises:
            ServerError: no port can be had.
        """
        self.cancel()
        try:
            listener = listen(serving.bind, list(serving.ports) if serving.ports else None)
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, type(error).__name__)
            raise ServerError(f"the relay cannot listen on {serving.bind}: {name}") from error
        self._waiter.reset()
        address, port = listener.getsockname()[:2]
        session = self._session = _Session(listener=listener, serving=serving, local=(address, port))
        server: socket.socket | None = None
        try:
            server = socket.create_connection(self.target, timeout=CONNECT_S)
        except ConnectionResetError:
            pass  # it was there, and the board is to see the same
        except OSError as error:
            listener.close()
            session.failure = _not_reached(error)
            return ServerStart(address=None, port=None, facts=None, failure=session.failure)
        self._thread = threading.Thread(target=self._serve, args=(session, server), name="relay", daemon=True)
        self._thread.start()
        return ServerStart(address=address, port=port, facts=None, failure=None)

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`; what still runs at the deadline is ended and counts as timed out."""
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
            closing.callback(session.listener.close)
            if server is not None:
                closing.callback(server.close)
            board = self._accept(session, end=end)
            if board is None:
                session.timed_out = True
                return
            closing.callback(board.close)
            session.listener.close()
            if server is None:
                _reset_at_close(board)
                return
            session.timed_out = not self._pass_on(session, board, server, end=end)

    def _accept(self, session: _Session, *, end: float) -> socket.socket | None:
        """The board's connection; anybody else's is dropped and counted. None when nobody came in time."""
        while self._waiter.wait(session.listener, end=end):
            try:
                sock, address = session.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            session.peer = address[:2]
            if session.serving.peers is not None and address[0] not in session.serving.peers:
                session.strangers += 1
                sock.close()
                continue
            session.accepted = True
            session.started, session.started_unix_s = time.monotonic(), time.time()
            return sock
        return None

    def _pass_on(self, session: _Session, board: socket.socket, server: socket.socket, *, end: float) -> bool:
        """Pass bytes both ways until both sides have ended; a FIN is passed on as one, a reset as a reset.

        Returns:
            Whether it came to an end by itself before `end`.
        """
        others = {board: server, server: board}
        for sock in others:
            sock.setblocking(True)
            sock.settimeout(CONNECT_S)
            with contextlib.suppress(OSError):  # it has ended already
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        held: TcpEnd | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._waiter.bell, selectors.EVENT_READ)
            for sock in others:
                selector.register(sock, selectors.EVENT_READ)
            reading = set(others)
            while reading:
                ready = selector.select(max(0.0, end - time.monotonic()))
                if not ready and held is None:
                    return len(reading) == 1
                for key, _mask in ready:
                    source = key.fileobj
                    if not isinstance(source, socket.socket) or source not in others:
                        raise Stopped
                    ended = _one_piece(session, source, others[source], sender=_sender(source, board))
                    if ended is None:
                        continue
                    selector.unregister(source)
                    reading.discard(source)
                    end = min(end, time.monotonic() + LINGER_S)
                    if source is board and server in reading and _word_is_due(session):
                        held, end = ended, time.monotonic() + WORD_S
                    else:
                        session.server_first |= source is server and (held is not None or board in reading)
                        _pass_end(others[source], ended, alerted=source is server and _refused_aloud(session))
                if held is not None and (not ready or server not in reading or not _word_is_due(session)):
                    # An alert and no end: whichever it is, the server says no more (RFC 8446 section 6).
                    session.server_first |= last_word(read_wire(session.wire)) is LastWord.ALERT
                    _pass_end(server, held)
                    held, end = None, time.monotonic() + LINGER_S
        return True


def _sender(source: socket.socket, board: socket.socket) -> Side:
    return Side.CLIENT if source is board else Side.SERVER


def _word_is_due(session: _Session) -> bool:
    """Whether the client is through with TLS 1.3 and the server has not gone on with it, as far as the wire shows."""
    return last_word(read_wire(session.wire)) in (LastWord.NOTHING, LastWord.ALERT)


def _one_piece(session: _Session, source: socket.socket, other: socket.socket, *, sender: Side) -> TcpEnd | None:
    """Pass on what one side sent. Returns how it ended, None while more may come from it."""
    if _QUICKACK is not None:
        with contextlib.suppress(OSError):
            source.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
    try:
        data = source.recv(CHUNK_BYTES)
    except OSError:
        session.ends.append(TcpEnd(sender=sender, at_ms=session.at_ms, how="RST"))
        return session.ends[-1]
    kept = sum(len(chunk.data) for chunk in session.wire)
    if not data or kept + len(data) > LIMIT_BYTES:
        session.ends.append(TcpEnd(sender=sender, at_ms=session.at_ms, how="FIN"))
        return session.ends[-1]
    session.wire.append(WireChunk(sender=sender, at_ms=session.at_ms, data=data))
    with contextlib.suppress(OSError):  # it is gone: what the other still says is wanted all the same
        other.sendall(data)
    return None


def _refused_aloud(session: _Session) -> bool:
    """Whether the server has sent a fatal alert in the clear."""
    return any(alert.sender is Side.SERVER and alert.is_fatal for alert in read_wire(session.wire).alerts)


def _pass_end(sock: socket.socket, end: TcpEnd, *, alerted: bool = False) -> None:
    """End this connection as the other one ended; a reset that comes with an alert waits until the board has read the alert.

    A board that is still writing its flight would meet the reset, and which of the two it meets would be chance.
    """
    if end.how == "RST":
        _reset_at_close(sock, still_read=alerted)
        return
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)


def _reset_at_close(sock: socket.socket, *, still_read: bool = False) -> None:
    """Have this socket end with RST, as its peer did; unless it is still read, that is at once."""
    linger = struct.pack("ii", 1, 0)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        if not still_read:
            sock.shutdown(socket.SHUT_RD)


# ----------------------------------------------------------------------------------------------- what the wire says


def handshake_done(wire: WireReading) -> bool:
    """Whether the server took the client's last message of the handshake, as far as the wire shows it.

    TLS 1.2: the server sent ChangeCipherSpec (after the client's, RFC 5246 7.3), and no fatal alert in the clear. In TLS 1.3 the end
    is encrypted (RFC 8446 section 2): the client sent encrypted records that are no alert, and the server's word on them is
    `harness.wire.last_word`'s.
    """
    if wire.server_hello is None or any(alert.is_fatal for alert in wire.alerts):
        return False
    sent = [(message.sender, message.name) for message in wire.messages]
    if wire.negotiated.version == version_name(TLS13):
        return client_finished(wire)
    return (Side.SERVER, "ChangeCipherSpec") in sent and (Side.CLIENT, "ChangeCipherSpec") in sent


def _finished_ms(wire: WireReading) -> float | None:
    """When the server's last flight of a TLS 1.2 handshake began."""
    found = (item.at_ms for item in wire.messages if (item.sender, item.name) == (Side.SERVER, "ChangeCipherSpec"))
    return next(found, None)


def _report(session: _Session) -> ServerReport:
    """What the relay knows, as a server's report: who came, every byte, and what follows from them."""
    wire = read_wire(session.wire)
    left = session.server_first and last_word(wire) in (LastWord.NOTHING, LastWord.ALERT)
    done = handshake_done(wire) and not left
    return ServerReport(
        facts=None,
        failure=session.failure,
        accepted=session.accepted,
        handshake_done=done,
        exchanged=done,
        negotiated_version=wire.negotiated.version,
        negotiated_suite=wire.negotiated.suite,
        wire=tuple(session.wire),
        tcp_ends=tuple(session.ends),
        strangers=session.strangers,
        peer=session.peer[0] if session.peer else None,
        peer_port=session.peer[1] if session.peer else None,
        local=session.local[0],
        local_port=session.local[1],
        started_unix_s=session.started_unix_s,
        handshake_ms=_finished_ms(wire) if done else None,
        timed_out=session.timed_out and not done,
        ended_first=left,
    )
