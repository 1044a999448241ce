"""Send one ClientHello to a server and read its first flight. Opens one short-lived socket; every wait ends at the deadline."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass

from harness.model import Side, WireChunk
from harness.system.deadline import Deadline
from harness.wire.hello_replay import ReplayedHello
from harness.wire.server_flight import Flight, FlightReader

# A server on another continent behind a slow link needs two seconds; one that sends nothing for so long does not answer.
CONNECT_S, ANSWER_S = 5.0, 8.0
_CHUNK_BYTES = 16384


class Unreachable(Exception):
    """No TCP connection to the server.

    Args:
        reason: the OS error in words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One connection: what the server answered, and the bytes of both directions."""

    flight: Flight
    wire: tuple[WireChunk, ...]
    timed_out: bool = False


def first_flight(host: str, port: int, hello: ReplayedHello, *, oldest: int, deadline: Deadline) -> Exchange:
    """Send a hello and read up to the point at which the server waits for the client.

    Args:
        host: name or address.
        port: TCP port.
        hello: what is sent; a HelloRetryRequest is answered.
        oldest: the oldest version that the client accepts.
        deadline: of the whole connection.

    Raises:
        Unreachable: there was no TCP connection.
    """
    try:
        sock = socket.create_connection((host, port), timeout=max(0.001, deadline.within(CONNECT_S).remaining_s))
    except OSError as error:
        raise Unreachable(_reason(error)) from error
    reader, end = FlightReader(hello, oldest=oldest), deadline.within(ANSWER_S)
    chunks = [WireChunk(sender=Side.CLIENT, at_ms=0.0, data=hello.record)]
    timed_out = False
    with sock, contextlib.suppress(OSError):  # a reset ends the flight like a close
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(max(0.001, end.remaining_s))
        sock.sendall(hello.record)
        while not reader.done:
            data = _received(sock, end)
            if data is None:
                timed_out = True
                break
            if not data:
                break
            chunks.append(WireChunk(sender=Side.SERVER, at_ms=0.0, data=data))
            answer = reader.feed(data)
            if answer:
                chunks.append(WireChunk(sender=Side.CLIENT, at_ms=0.0, data=answer))
                sock.sendall(answer)
    reader.end()
    return Exchange(flight=reader.flight, wire=tuple(chunks), timed_out=timed_out)


def _received(sock: socket.socket, end: Deadline) -> bytes | None:
    """Return the next bytes, empty at the end of the stream; None at the deadline."""
    if end.expired:
        return None
    sock.settimeout(max(0.001, end.remaining_s))
    try:
        return sock.recv(_CHUNK_BYTES)
    except TimeoutError:
        return None


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:g} s"
    return (error.strerror or type(error).__name__).lower()
