"""Test lwip_stand_in.py itself: each rule of extmod/modlwip.c (lwip_socket_connect, lwip_tcp_receive, lwip_socket_ioctl)."""

from __future__ import annotations

import errno
import io
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.boards.agent.scripts import script

KINDS = ("LwipSocket", "LwipSocketSince124")
STEP_MS = {"LwipSocket": 100, "LwipSocketSince124": 1}
POLL, FILENO = 3, 10


class Time:
    """The stand-in's clock: each sleep is recorded, and an action can happen meanwhile."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.meanwhile: Callable[[int], None] = lambda _number: None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.meanwhile(len(self.slept))


class Bench:
    """Sockets of the stand-in, and a peer on this machine."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        exec(script("lwip_stand_in"), self.names)
        self.time = self.names["time"] = Time()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = self.server.getsockname()
        self.peer: socket.socket | None = None
        self.made: list[Any] = []

    def socket(self, kind: str, *, timeout: float | None) -> Any:
        self.made.append(self.names[kind](socket.AF_INET))
        self.made[-1].settimeout(timeout)
        return self.made[-1]

    def accept(self) -> socket.socket:
        self.peer = self.server.accept()[0]
        return self.peer

    def accept_and_end(self, data: bytes = b"") -> None:
        self.accept().sendall(data)
        self.peer.close()

    def close(self) -> None:
        for one in (*self.made, self.server, *([self.peer] if self.peer else [])):
            one.close()


def number_of(action: Callable[[], object]) -> int:
    """Return the number of the OSError that it raises."""
    with pytest.raises(OSError) as raised:  # noqa: PT011 # the number is looked at
        action()
    return int(raised.value.args[0])


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A bench that is closed at the end."""
    made = Bench()
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_connect_fails_if_the_peer_has_ended(bench: Bench, kind: str) -> None:
    """The state is then STATE_PEER_CLOSED, not STATE_CONNECTED: a number outside the error table is raised."""
    bench.time.meanwhile = lambda number: bench.accept_and_end() if number == 1 else None
    made = bench.socket(kind, timeout=8)
    assert number_of(lambda: made.connect(bench.address)) == 0
    assert bench.time.slept == [STEP_MS[kind] / 1000]


@pytest.mark.parametrize("kind", KINDS)
def test_connect_to_a_peer_that_stays_open(bench: Bench, kind: str) -> None:
    """connect() succeeds after one poll."""
    made = bench.socket(kind, timeout=8)
    bench.time.meanwhile = lambda _number: bench.accept().sendall(b"hello")
    made.connect(bench.address)
    assert made.recv(9) == b"hello"
    assert bench.time.slept == [STEP_MS[kind] / 1000]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("timeout", [8, None])
def test_a_close_after_the_poll_is_no_failure(bench: Bench, kind: str, timeout: float | None) -> None:
    """The socket returns data, then b"" once, then ENOTCONN."""
    made = bench.socket(kind, timeout=timeout)
    made.connect(bench.address)
    bench.accept_and_end(b"hello")
    assert [made.recv(3), made.recv(3), made.recv(3)] == [b"hel", b"lo", b""]
    assert number_of(lambda: made.recv(3)) == errno.ENOTCONN


@pytest.mark.parametrize("kind", KINDS)
def test_connect_without_waiting(bench: Bench, kind: str) -> None:
    """connect() raises EINPROGRESS without a poll; POLLOUT reports completion, also for a closed peer; then the timeout can be set."""
    made = bench.socket(kind, timeout=None)
    made.setblocking(False)
    assert number_of(lambda: made.connect(bench.address)) == errno.EINPROGRESS
    assert bench.time.slept == []
    bench.accept_and_end()
    poller = select.poll()
    poller.register(made, select.POLLOUT)
    assert poller.poll(5000) == [(made.fileno(), select.POLLOUT)]
    made.settimeout(3)
    assert made.recv(3) == b""


@pytest.mark.parametrize("kind", KINDS)
def test_connect_to_a_closed_port(bench: Bench, kind: str) -> None:
    """connect() raises the error's number."""
    bench.server.close()
    assert number_of(lambda: bench.socket(kind, timeout=8).connect(bench.address)) == errno.ECONNREFUSED


def test_a_timeout_below_one_step_does_not_wait(bench: Bench) -> None:
    """`retries = socket->timeout / 100` is 0 up to 1.23."""
    made = bench.socket("LwipSocket", timeout=0.099)
    assert number_of(lambda: made.connect(bench.address)) == errno.EINPROGRESS
    assert bench.time.slept == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_that_takes_too_long(bench: Bench, kind: str) -> None:
    """connect() raises EINPROGRESS when the timeout has expired."""
    made = bench.socket(kind, timeout=0.3)
    made._connecting = lambda: True
    assert number_of(lambda: made.connect(bench.address)) == errno.EINPROGRESS
    assert sum(bench.time.slept) == pytest.approx(0.3)


def test_tls_can_use_it(bench: Bench) -> None:
    """It is a stream (py/stream.h): readinto returns None if there is no data, and ioctl polls and reports the error number."""
    made = bench.socket("LwipSocket", timeout=8)
    assert isinstance(made, io.IOBase)
    made.connect(bench.address)
    made.setblocking(False)
    buffer = bytearray(8)
    assert made.readinto(buffer) is None
    assert made.ioctl(POLL, select.POLLIN | select.POLLOUT) == select.POLLOUT
    assert made.ioctl(FILENO, 0) == made.real.fileno()
    peer = bench.accept()
    peer.sendall(b"hello")
    made.settimeout(8)
    assert (made.readinto(buffer), bytes(buffer[:5])) == (5, b"hello")
    assert made.write(b"there") == 5
    assert peer.recv(9) == b"there"
