"""Connect to a server and exchange bytes, within limits that no server can exceed: a time for the whole exchange, and a number of bytes.

Each byte is looked at once. A server that sends a byte a second, endless data or nothing at all costs `EXCHANGE_S` at most.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Protocol

from harness.system.deadline import Deadline
from harness.wire.plain_protocols import PlainProtocol
from harness.wire.starttls import DIALOGUES

# The time limit of one exchange: a server on another continent takes a second for each answer.
EXCHANGE_S = 5.0
# More than any answer to a ClientHello, and than any first answer of a plain protocol.
LIMIT_BYTES = 1 << 18
_PIECE_BYTES = 65536
# What is kept of a plain answer: its first lines.
SHORT_BYTES = 4096


class Connection(Protocol):
    """The part of a TCP socket that is used here."""

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""

    def recv(self, size: int, /) -> bytes:
        """Receive up to `size` bytes; none at the end."""

    def settimeout(self, value: float | None, /) -> None:
        """Limit each call."""

    def close(self) -> None:
        """Close."""


Connect = Callable[[tuple[str, int], float], Connection]


def start_tls(connection: Connection, protocol: PlainProtocol, *, deadline: Deadline) -> None:
    """Ask a server that begins in plain text for TLS, up to the answer after which it expects a ClientHello.

    Args:
        connection: one that was just made.
        protocol: one of `harness.wire.starttls.DIALOGUES`.
        deadline: for the whole dialogue.

    Raises:
        OSError: the server does not agree, says more than it may, ends, or takes too long.
    """
    for step in DIALOGUES[protocol]:
        connection.settimeout(max(0.001, deadline.remaining_s))
        connection.sendall(step.sends)
        data = b""
        while not step.is_complete(data):
            connection.settimeout(max(0.001, deadline.remaining_s))
            piece = connection.recv(SHORT_BYTES)
            if not piece or len(data) > SHORT_BYTES:
                raise ConnectionAbortedError(f"incomplete answer: {data[:80]!r}")
            data += piece
        if not step.is_good(data):
            raise ConnectionRefusedError(f"it answers {data[:80]!r}")


def switching(protocol: PlainProtocol) -> Connect:
    """Return a way to connect that asks for TLS first."""

    def connect(target: tuple[str, int], timeout_s: float) -> Connection:
        deadline = Deadline(timeout_s)
        connection = socket.create_connection(target, timeout_s)
        try:
            start_tls(connection, protocol, deadline=deadline)
        except OSError:
            connection.close()
            raise
        return connection

    return connect


class Dialler:
    """Opens connections to one server; `count` is their number.

    Args:
        host: name or address.
        port: TCP port.
        connect: opens one within a number of seconds; raises OSError.
        clock: for the time limits.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect: Connect = socket.create_connection,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.target = (host, port)
        self._connect = connect
        self._clock = clock
        self.count = 0
        self.gone = False

    def deadline(self, timeout_s: float) -> Deadline:
        """Return a point in time on this dialler's clock."""
        return Deadline(timeout_s, clock=self._clock)

    def dial(self, deadline: Deadline) -> Line | None:
        """Connect; None if the server accepts no connection, or the time is over. `gone` then says which."""
        if deadline.expired or self.gone:
            return None
        try:
            connection = self._connect(self.target, max(0.001, min(EXCHANGE_S, deadline.remaining_s)))
        except OSError:
            self.gone = True
            return None
        self.count += 1
        return Line(connection, deadline.within(EXCHANGE_S))


class Line:
    """One connection, to be used in a `with` statement.

    Args:
        connection: the socket.
        deadline: for everything on it.
    """

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._received = 0
        self.ended = False

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def send(self, data: bytes) -> None:
        """Send; a connection that has ended is noticed at the next receive."""
        with contextlib.suppress(OSError):
            self._connection.settimeout(max(0.001, self._deadline.remaining_s))
            self._connection.sendall(data)

    def receive(self, deadline: Deadline | None = None) -> bytes:
        """Return what arrives next; nothing when the server ended or reset the connection (`ended`), or when a limit is reached.

        Args:
            deadline: an earlier end than the connection's own.
        """
        remaining_s = min(self._deadline.remaining_s, deadline.remaining_s if deadline is not None else EXCHANGE_S)
        if self.ended or remaining_s <= 0 or self._received >= LIMIT_BYTES:
            return b""
        try:
            self._connection.settimeout(remaining_s)
            data = self._connection.recv(_PIECE_BYTES)
        except TimeoutError:
            return b""
        except OSError:
            data = b""
        self.ended = not data
        self._received += len(data)
        return data

    def receive_until(self, complete: Callable[[bytes], bool], *, deadline: Deadline | None = None) -> bytes:
        """Return what arrives until it is complete, at most `LIMIT_BYTES`; less if a limit is reached or the server ends.

        Args:
            complete: whether everything so far is enough; asked once per piece, so it must look at a bounded part.
            deadline: an earlier end than the connection's own.
        """
        data = bytearray()
        while piece := self.receive(deadline):
            data += piece
            if complete(bytes(data[:SHORT_BYTES])) or len(data) >= SHORT_BYTES:
                break
        return bytes(data[:SHORT_BYTES])


def shake_hands(line: Line, context: ssl.SSLContext, *, name: str | None) -> bytes | None:
    """Complete a TLS handshake within the line's limits.

    Args:
        line: a new connection.
        context: of the client; nothing is verified here that it does not verify.
        name: for SNI.

    Returns:
        The server's certificate, b"" if it sent none; None if the handshake failed or a limit was reached.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    except ValueError:  # not a name that TLS can carry
        return None
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            line.send(outgoing.read())
            data = line.receive()
            if not data:
                return None
            incoming.write(data)
        except (ssl.SSLError, OSError):
            return None
        else:
            line.send(outgoing.read())
            return tls.getpeercert(binary_form=True) or b""
