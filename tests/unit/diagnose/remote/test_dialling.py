"""Connections to servers that do everything to keep a client busy, on a clock that only they advance."""

import ssl

import pytest

from harness.diagnose.remote.dialling import EXCHANGE_S, LIMIT_BYTES, SHORT_BYTES, Dialler, shake_hands
from harness.diagnose.remote.looking import LOOK_S, Looking
from harness.diagnose.remote.plain_probe import PROBE_S, plain_peer


class Clock:
    """Tells a time that advances only when a server takes it."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Peer:
    """A connection to an invented server: `after_s` passes before each piece; a piece of None never comes."""

    def __init__(self, clock, pieces, *, after_s=0.0):
        self.clock, self.pieces, self.after_s = clock, iter(pieces), after_s
        self.limit_s, self.received, self.closed, self.sent = 0.0, 0, False, b""

    def settimeout(self, value):
        assert value > 0
        self.limit_s = value

    def sendall(self, data):
        self.sent += data

    def recv(self, size):
        piece = next(self.pieces, b"")
        if piece is None or self.after_s > self.limit_s:
            self.clock.now += self.limit_s
            raise TimeoutError
        self.clock.now += self.after_s
        if isinstance(piece, OSError):
            raise piece
        self.received += len(piece)
        assert len(piece) <= size
        return piece

    def close(self):
        self.closed = True


@pytest.fixture
def clock():
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def dial(clock):
    """Return `dial(pieces, after_s=...)`: a dialler whose every connection is to such a server, and the connections."""

    def make(pieces, *, after_s=0.0):
        peers = []

        def connect(_target, _timeout_s):
            peers.append(Peer(clock, pieces(), after_s=after_s))
            return peers[-1]

        return Dialler("server.example", 8883, connect=connect, clock=clock), peers

    return make


def endless(piece):
    """Return pieces without end."""

    def pieces():
        while True:
            yield piece

    return pieces


HELLO_REQUESTS = b"\x16\x03\x03\x00\x04\x00\x00\x00\x00" * 1000
HUGE_CERTIFICATE = b"\x16\x03\x03\x40\x00" + b"\x0b\xff\xff\xfc" + bytes(16380)
HOSTILE = {
    "silent": (endless(None), 0.0),
    "a-byte-a-second": (endless(b"\x16"), 1.0),
    "a-letter-a-second": (endless(b"x"), 1.0),
    "bytes-one-by-one": (endless(b"\x16"), 0.0),
    "endless-records": (endless(HELLO_REQUESTS), 0.0),
    "empty-records": (endless(b"\x16\x03\x03\x00\x00" * 1000), 0.0),
    "huge-certificate": (endless(HUGE_CERTIFICATE), 0.0),
    "endless-text": (endless(b"220-" + b"y" * 60000), 0.0),
    "endless-lines": (endless(b"220-hello\r\n"), 0.1),
    "closes": (lambda: iter([b""]), 0.0),
    "resets": (lambda: iter([ConnectionResetError()]), 0.0),
}


@pytest.mark.parametrize(("pieces", "after_s"), HOSTILE.values(), ids=HOSTILE)
def test_hello_probe(dial, clock, pieces, after_s):
    """The whole probe of TLS settings ends within its time, whatever the server sends, and closes every connection."""
    dialler, peers = dial(pieces, after_s=after_s)
    looking = Looking(dialler, name="server.example", progress=lambda _line: None)
    assert looking.facts() is None
    assert not looking.speaks_tls
    assert clock.now <= 100.0 + LOOK_S
    assert all(peer.closed for peer in peers)
    assert all(peer.received < LIMIT_BYTES + 65536 for peer in peers)
    assert dialler.count == len(peers) <= 8


@pytest.mark.parametrize(("pieces", "after_s"), HOSTILE.values(), ids=HOSTILE)
def test_plain_probe(dial, clock, pieces, after_s):
    """The whole plain probe ends within its time, and keeps only the beginning of what was sent."""
    dialler, peers = dial(pieces, after_s=after_s)
    found = plain_peer(dialler)
    assert found is None or len(found.said) <= 200
    assert clock.now <= 100.0 + PROBE_S
    assert all(peer.closed for peer in peers)
    assert len(peers) <= 3


@pytest.mark.parametrize(("pieces", "after_s"), HOSTILE.values(), ids=HOSTILE)
def test_handshake(dial, clock, pieces, after_s):
    """A handshake that never completes ends within the time of one exchange."""
    dialler, peers = dial(pieces, after_s=after_s)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with dialler.dial(dialler.deadline(LOOK_S)) as line:
        assert shake_hands(line, context, name="server.example") is None
    assert clock.now <= 100.0 + EXCHANGE_S
    assert peers[0].closed
    assert peers[0].received < LIMIT_BYTES + 65536


def test_the_limit_is_for_the_exchange_and_not_for_a_piece(dial, clock):
    """A byte a second is received for the time of one exchange, not for ever."""
    dialler, peers = dial(endless(b"x"), after_s=1.0)
    with dialler.dial(dialler.deadline(60)) as line:
        assert line.receive_until(lambda _data: False) == b"xxxxx"
    assert (clock.now, peers[0].received) == (100.0 + EXCHANGE_S, 5)


def test_an_earlier_deadline(dial, clock):
    """A wait for a greeting ends before the exchange does, which then goes on."""
    dialler, _peers = dial(lambda: iter([None, b"late\n"]))
    with dialler.dial(dialler.deadline(60)) as line:
        assert line.receive_until(lambda data: b"\n" in data, deadline=dialler.deadline(2)) == b""
        assert clock.now == 102.0
        assert line.receive() == b"late\n"


def test_what_is_kept(dial):
    """Of a long answer the first bytes are kept, and nothing is received after them."""
    dialler, peers = dial(endless(b"z" * 3000))
    with dialler.dial(dialler.deadline(60)) as line:
        assert line.receive_until(lambda _data: False) == b"z" * SHORT_BYTES
    assert peers[0].received == 6000


def test_a_server_that_is_gone(clock):
    """After one connection that failed no other is tried."""
    tried = []

    def connect(target, _timeout_s):
        tried.append(target)
        raise ConnectionRefusedError

    dialler = Dialler("server.example", 1, connect=connect, clock=clock)
    assert [dialler.dial(dialler.deadline(5)) for _time in range(3)] == [None] * 3
    assert (tried, dialler.count, dialler.gone) == ([("server.example", 1)], 0, True)


def test_no_connection_after_the_deadline(dial):
    """When the time is over, nothing is connected, and the server does not count as gone."""
    dialler, peers = dial(lambda: iter([b""]))
    assert dialler.dial(dialler.deadline(0)) is None
    assert (peers, dialler.gone) == ([], False)


def test_a_name_that_tls_cannot_carry(dial):
    """Such a name ends the handshake before anything is sent."""
    dialler, peers = dial(lambda: iter([b""]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with dialler.dial(dialler.deadline(5)) as line:
        assert shake_hands(line, context, name="") is None
    assert peers[0].sent == b""


def test_a_flight_has_few_messages(dial):
    """After more messages than any flight has, nothing more is received, although each of them is well-formed."""
    dialler, peers = dial(endless(HELLO_REQUESTS))
    Looking(dialler, name=None, progress=lambda _line: None).ask(b"")
    assert peers[0].received == len(HELLO_REQUESTS)
