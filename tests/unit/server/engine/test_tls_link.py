"""The recorded link on a real TCP connection: waits end in time, every byte is kept, drains are bounded."""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from harness.server.engine.tls_link import Link, Stopped, Waiter, listen, listen_error


@pytest.fixture
def waiter() -> Iterator[Waiter]:
    """Return a waiter that is closed afterwards."""
    made = Waiter()
    yield made
    made.close()


@pytest.fixture
def pair(waiter: Waiter) -> Iterator[tuple[Link, socket.socket]]:
    """Return a link and the client's end of its connection."""
    listener = listen("127.0.0.1", None)
    listener.setblocking(True)
    client = socket.create_connection(listener.getsockname())
    link = Link(listener.accept()[0], waiter=waiter)
    yield link, client
    client.close()
    link.close()
    listener.close()


def soon() -> float:
    """Return a time in the near future."""
    return time.monotonic() + 60


def test_both_directions_are_recorded(pair: tuple[Link, socket.socket]) -> None:
    """What is sent and received is on the wire record, in order."""
    link, client = pair
    client.sendall(b"question")
    assert link.receive(end=soon()) == b"question"
    link.send(b"answer", end=soon())
    assert client.recv(100) == b"answer"
    assert [(sender, data) for sender, _at, data in link.wire] == [("client", b"question"), ("server", b"answer")]


class Recorded(socket.socket):
    """A connection that records its reads, and each time TCP_QUICKACK is set."""

    def recv(self, *words: int) -> bytes:
        self.done.append("nothing")
        data = super().recv(*words)
        self.done[-1] = "data"
        return data

    def setsockopt(self, *words: int) -> None:  # type: ignore[override]  # the only form in use
        if words == (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1):
            self.done.append("quickack")
        super().setsockopt(*words)


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="Linux has TCP_QUICKACK")
def test_data_is_acknowledged_at_once(pair: tuple[Link, socket.socket]) -> None:
    """TCP_QUICKACK is set again before each read and after each one with data, or a client's Nagle algorithm would wait 40 ms."""
    link, client = pair
    link.sock = Recorded(fileno=link.sock.detach())
    link.sock.done = []
    link.sock.setblocking(False)
    for text in (b"one", b"two"):
        client.sendall(text)
        assert link.receive(end=soon()) == text
    client.close()
    assert link.receive(end=soon()) == b""
    done = [what for what in link.sock.done if what != "nothing"]
    assert "".join({"quickack": "q", "data": "d"}[what] for what in done).replace("qq", "q") == "qdqdqdq"
    assert link.sock.done[:2] in (["quickack", "data"], ["quickack", "nothing"])


def test_receive_times_out(pair: tuple[Link, socket.socket]) -> None:
    """Silence until the deadline is a TimeoutError with its number."""
    with pytest.raises(TimeoutError) as caught:
        pair[0].receive(end=time.monotonic() + 0.01)
    assert caught.value.errno == errno.ETIMEDOUT


def test_send_times_out(pair: tuple[Link, socket.socket]) -> None:
    """If a client does not read, the send times out; the sent bytes are recorded."""
    link, _client = pair
    with pytest.raises(TimeoutError):
        link.send(bytes(64 << 20), end=time.monotonic() + 0.05)
    assert 0 < sum(len(data) for _sender, _at, data in link.wire) < 64 << 20


def test_end_of_stream(pair: tuple[Link, socket.socket]) -> None:
    """The end of the stream is returned as empty bytes, and remembered."""
    link, client = pair
    client.shutdown(socket.SHUT_WR)
    assert link.receive(end=soon()) == b""
    assert link.ended
    assert link.drain()


def test_nothing_is_sent_after_half_close(pair: tuple[Link, socket.socket]) -> None:
    """After FIN a send is dropped, not an error."""
    link, client = pair
    link.half_close()
    link.send(b"late", end=soon())
    assert client.recv(100) == b""
    assert link.wire == []


def test_drain_is_bounded_in_time(pair: tuple[Link, socket.socket]) -> None:
    """A client that never closes does not block the server."""
    assert pair[0].drain(timeout_s=0.02) is False


def test_reset(pair: tuple[Link, socket.socket]) -> None:
    """A reset arrives as a reset at the other end."""
    link, client = pair
    link.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert ends(link) == [("server", "RST")]


def ends(link: Link) -> list[tuple[str, str]]:
    """Return how the streams ended, without the times."""
    return [(sender, how) for sender, _at_ms, how in link.ends]


def test_both_sides_close(pair: tuple[Link, socket.socket]) -> None:
    """A FIN of each side is recorded once, however often it is seen, in the order of arrival."""
    link, client = pair
    client.shutdown(socket.SHUT_WR)
    for _ in range(2):
        assert link.receive(end=soon()) == b""
    link.half_close()
    link.close()
    assert ends(link) == [("client", "FIN"), ("server", "FIN")]


def test_closing_with_unread_bytes_is_a_reset(pair: tuple[Link, socket.socket]) -> None:
    """The kernel resets a connection with unread bytes; the record says so, and the client sees it."""
    link, client = pair
    client.sendall(b"unread")
    assert link.waiter.wait(link.sock, end=soon())
    link.close()
    assert ends(link) == [("server", "RST")]
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_the_client_resets(pair: tuple[Link, socket.socket]) -> None:
    """A reset by the client is recorded when it is seen; closing afterwards records nothing more."""
    link, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    with pytest.raises(ConnectionResetError):
        link.receive(end=soon())
    link.close()
    assert ends(link) == [("client", "RST")]


def test_stop_ends_a_wait_from_another_thread(waiter: Waiter) -> None:
    """`stop` ends an unlimited wait; `reset` clears it."""
    timer = threading.Timer(0.01, waiter.stop)
    timer.start()
    with pytest.raises(Stopped):
        waiter.wait(None, end=None)
    timer.join()
    waiter.reset()
    assert waiter.wait(None, end=time.monotonic()) is False


def test_error_of_listening() -> None:
    """The error of a server that cannot listen is one line with address, ports and the error's name."""
    text = listen_error({"address": "127.0.0.1", "ports": [1, 2]}, OSError(errno.EACCES, ""))
    assert text == "the TLS server cannot listen on 127.0.0.1, ports 1-2: EACCES (Permission denied)"
