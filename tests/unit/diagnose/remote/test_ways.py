"""The ways to one server: the relay and the probe take the same one."""

import contextlib
import socket
import threading

import pytest

from harness.diagnose.remote.ways import Ways
from harness.diagnose.settings import Route
from harness.server.relay import Relay
from harness.wire.plain_protocols import PlainProtocol


@pytest.fixture
def relay():
    """A relay to a port where nothing listens."""
    made = Relay("127.0.0.1", 1)
    yield made
    made.close()


def test_another_port(relay):
    """The port is that of the route, and the given one again after it; each has its own probe."""
    ways = Ways(relay, name=None, probes=True, progress=lambda _line: None)
    first = ways.probe
    other = ways.take(Route(port=2))
    assert (relay.target, relay.opening) == (("127.0.0.1", 2), None)
    assert (ways.probe is other, other is first) == (True, False)
    assert ways.take(Route()) is first
    assert (relay.target, ways.asked) == (("127.0.0.1", 1), 0)


def test_without_probes(relay):
    """This machine asks nothing."""
    ways = Ways(relay, name=None, probes=False, progress=lambda _line: None)
    assert (ways.take(Route(port=2)), ways.probe, ways.asked) == (None, None, None)
    assert relay.target == ("127.0.0.1", 2)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"+OK begin\r\n", None),
        (b"-ERR no\r\n", r"^it answers b'-ERR no\\r\\n'$"),
        (b"", r"^incomplete answer: b''$"),
        (b"x" * 5000, r"^incomplete answer: b'x{80}'$"),
    ],
    ids=["agrees", "refuses", "ends", "endless"],
)
def test_starttls(relay, answer, error):
    """The dialogue comes first; a server that does not agree is one that cannot be reached in this way."""
    asked = []

    def serve(sock):
        with sock, contextlib.suppress(OSError):
            sock.sendall(b"+OK ready\r\n")
            asked.append(sock.recv(100))
            sock.sendall(answer)
            sock.shutdown(socket.SHUT_WR)

    Ways(relay, name=None, probes=False, progress=lambda _line: None).take(Route(starttls=PlainProtocol.POP3))
    assert relay.opening is not None
    near, far = socket.socketpair()
    thread = threading.Thread(target=serve, args=(far,))
    thread.start()
    with near, contextlib.nullcontext() if error is None else pytest.raises(OSError, match=error):
        relay.opening(near)
    thread.join(60)
    assert asked == [b"STLS\r\n"]
