"""One connection to servers that answer, refuse, stay silent or never stop."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from harness.diagnose.simulation.connection import Unreachable, first_flight
from harness.model import Side
from harness.system.deadline import Deadline
from harness.wire.hello_replay import ReplayedHello


@contextlib.contextmanager
def serving(talk):
    """Run a TCP server for one connection; `talk(sock)` serves it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            sock, _peer = listener.accept()
            with sock, contextlib.suppress(OSError):
                talk(sock)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def ask(row):
    """Return `ask(talk, seconds)`, which sends a hello to a server that does `talk`."""

    def run(talk, *, seconds=30.0):
        hello = ReplayedHello(row("rp2", "1.28.0").hello.data, name="tls.test")
        with serving(talk) as port:
            return first_flight("127.0.0.1", port, hello, oldest=0x0303, deadline=Deadline(seconds))

    return run


def test_alert(ask) -> None:
    """Both directions are kept, and the alert ends the connection."""

    def talk(sock):
        sock.recv(4096)
        sock.sendall(b"\x15\x03\x01\x00\x02\x02\x28")
        sock.recv(1)

    found = ask(talk)
    assert (found.flight.alert, found.timed_out) == (40, False)
    assert [chunk.sender for chunk in found.wire] == [Side.CLIENT, Side.SERVER]


def test_silence(ask) -> None:
    """A server that accepts and stays silent is left at the deadline."""
    found = ask(lambda sock: [sock.recv(4096), sock.recv(4096)], seconds=0.2)
    assert (found.timed_out, found.flight.ended) == (True, True)


def test_close(ask) -> None:
    """A server that closes ends the flight without an alert."""
    found = ask(lambda sock: sock.recv(4096))
    assert (found.timed_out, found.flight.ended, found.flight.alert) == (False, True, None)


def test_endless_bytes(ask) -> None:
    """A server that sends without end is left after a bounded number of bytes."""

    def talk(sock):
        while True:
            sock.sendall(b"\x15\x03\x03\x00\x02\x01\x70" * 4096)

    found = ask(talk)
    assert found.flight.violation is not None
    assert sum(len(chunk.data) for chunk in found.wire) < 1 << 19


def test_one_byte_at_a_time(ask) -> None:
    """The deadline holds for the whole connection, not for each byte."""

    def talk(sock):
        sock.recv(4096)
        sock.settimeout(0.01)
        for _ in range(10_000):
            sock.sendall(b"\x15\x03\x03\x00\x02\x01\x70")
            with contextlib.suppress(TimeoutError):
                sock.recv(1)

    assert ask(talk, seconds=0.3).timed_out


def test_nobody_listens(row) -> None:
    """Without a TCP connection the reason is the system's."""
    hello = ReplayedHello(row("rp2", "1.28.0").hello.data, name="tls.test")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match=r"^connection refused$"):
        first_flight("127.0.0.1", port, hello, oldest=0x0303, deadline=Deadline(5))
    with pytest.raises(Unreachable, match=r"^the name is not known$"):
        first_flight("no-such-host.invalid", 443, hello, oldest=0x0303, deadline=Deadline(20))
