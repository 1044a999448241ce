"""Tests of harness/server/slow_link.py: a real client and a real server with a slow network between them."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time

import pytest

from harness.errors import ServerError
from harness.links.profiles import PROFILES, LinkProfile
from harness.model import ServerProfile, ServerReport, Side, Stage
from harness.server import ServerStart, Serving
from harness.server.local import LocalServer
from harness.server.slow_link import INNER, SlowLink
from harness.system.deadline import Deadline
from harness.wire.reading import read_wire

PLAIN = LinkProfile(name="plain", about="a test", source="this file")
LATE = LinkProfile(name="late", about="a test", source="this file", latency_ms=50)
PROFILE = ServerProfile(certificates=("server-p256",), maximum_version="TLSv1.2")


class Bare:
    """A host whose server is a plain listener of the test, with a prepared report."""

    def __init__(self, listener: socket.socket, report: ServerReport | None = None) -> None:
        self.port = listener.getsockname()[1]
        self.serving: Serving | None = None
        self.report = report or ServerReport(facts=None, failure=None)
        self.calls: list[str] = []

    def describe(self):
        return {"python": "3.11.7"}

    def open(self, profile, serving):
        self.serving = serving
        return ServerStart(address=INNER, port=self.port, facts=None, failure=None)

    def finish(self, deadline):
        self.calls.append("finish")
        return self.report

    def cancel(self):
        self.calls.append("cancel")
        return self.report

    def close(self):
        self.calls.append("close")


@pytest.fixture
def link():
    """Return a function that puts a link in front of a host; the links are closed at the end."""
    made = []

    def make(host, profile=PLAIN):
        made.append(SlowLink(host, profile))
        return made[-1]

    yield make
    for item in made:
        item.close()


@pytest.fixture
def server(certificates):
    """A TLS server of this Python."""
    host = LocalServer(materials=certificates.make)
    yield host
    host.close()


@pytest.fixture
def listener():
    """A listener on loopback."""
    with socket.create_server((INNER, 0)) as made:
        made.settimeout(60)
        yield made


def talk(port, *, size=14):
    """Run a client's whole session; return the answer and the time that the handshake took."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((INNER, port), timeout=60) as sock:
        began = time.monotonic()
        with context.wrap_socket(sock) as tls:
            took = time.monotonic() - began
            tls.sendall(b"hello")
            answer = b""
            while len(answer) < size:
                answer += tls.recv(size)
            return answer, took, sock


@pytest.mark.parametrize("profile", [PLAIN, PROFILES["mtu-576"], PROFILES["lossy-wifi"]], ids=lambda item: item.name)
def test_session_is_passed_on_and_recorded(link, server, profile) -> None:
    """A whole session, and the server's record of it: every byte, both ends, and the board's own address and port."""
    between = link(server, profile)
    start = between.open(PROFILE, Serving(peers=(INNER,), expect_bytes=5, send_bytes=20_000))
    answer, _took, _sock = talk(start.port, size=20_000)
    report = between.finish(Deadline(60))
    wire = read_wire(report.wire)
    assert len(answer) == 20_000
    assert (report.accepted, report.handshake_done, report.exchanged, report.received_text) == (
        True,
        True,
        True,
        "hello",
    )
    assert (report.failure, report.timed_out, report.strangers, report.contested) == (None, False, 0, 0)
    assert (report.local, report.local_port) == (INNER, start.port)
    assert wire.client_hello is not None
    assert len(wire.certificates) == 1
    assert sum(len(chunk.data) for chunk in report.wire if chunk.sender is Side.SERVER) > 20_000
    assert [end.sender for end in report.tcp_ends] == [Side.CLIENT, Side.SERVER]


def test_the_board_is_named_and_not_the_link(link, server) -> None:
    """The report has the address and port that the board connected from, and those that it connected to."""
    between = link(server)
    start = between.open(PROFILE, Serving(peers=("127.0.0.3",), expect_bytes=5))
    with socket.create_connection((INNER, start.port), timeout=60, source_address=("127.0.0.3", 0)) as sock:
        own = sock.getsockname()
        sock.sendall(b"no TLS at all")
        while sock.recv(100):
            pass
    report = between.finish(Deadline(60))
    assert (report.peer, report.peer_port) == own
    assert (report.local, report.local_port) == (INNER, start.port)
    assert report.failure.reason == "WRONG_VERSION_NUMBER"


def test_latency_is_that_of_both_directions(link, server) -> None:
    """A TLS 1.2 handshake has two round trips: four times the latency at least."""
    between = link(server, LATE)
    start = between.open(PROFILE, Serving(peers=(INNER,), expect_bytes=5))
    _answer, took, _sock = talk(start.port)
    report = between.finish(Deadline(60))
    assert took >= 4 * 0.05
    assert report.handshake_ms >= 2 * 50


def test_only_the_board_may_connect(link, server) -> None:
    """A peer from another address is dropped and named, and the server never sees it; the server itself accepts loopback only."""
    between = link(server)
    start = between.open(PROFILE, Serving(peers=("192.0.2.1",)))
    with socket.create_connection((INNER, start.port), timeout=60) as sock:
        assert sock.recv(1) == b""
    report = between.cancel()
    assert report is not None
    assert (report.strangers, report.stranger_addresses, report.accepted, report.wire) == (1, (INNER,), False, ())


def test_the_server_is_for_the_link_only(link, listener) -> None:
    """Whatever the board's addresses and ports are, the server listens on loopback, on any port, for loopback."""
    host = Bare(listener)
    between = link(host)
    start = between.open(PROFILE, Serving(bind=INNER, ports=(40000, 60000), peers=("192.0.2.1",), send_bytes=7))
    assert host.serving == Serving(bind=INNER, ports=None, peers=(INNER,), send_bytes=7)
    assert start.address == INNER
    assert 40000 <= start.port <= 60000


def test_another_program_behind_the_link(link, listener) -> None:
    """A server that served another connection than the link's says nothing about the board."""
    report = ServerReport(facts=None, failure=None, accepted=True, peer=INNER, peer_port=9)
    between = link(Bare(listener, report), LATE)
    between.open(PROFILE, Serving(peers=(INNER,)))
    with pytest.raises(
        ServerError,
        match=r"^127\.0\.0\.1:9 connected to the server behind the link late: another program on this machine connected instead$",
    ):
        between.finish(Deadline(60))


def test_no_free_port(link, listener) -> None:
    """The error names the address and the ports, and the server is ended."""
    host = Bare(listener)
    taken = listener.getsockname()[1]
    with pytest.raises(
        ServerError,
        match=rf"^the link cannot listen on 127\.0\.0\.1, ports {taken}-{taken}: EADDRINUSE \(Address already in use\)$",
    ):
        link(host).open(PROFILE, Serving(ports=(taken, taken)))
    assert host.calls[-1] == "cancel"


def test_server_that_is_gone(link) -> None:
    """If the link cannot reach the server, the report would be that of a silent one: an error instead; a cancelled case needs none."""
    with socket.socket() as deaf:
        deaf.bind((INNER, 0))  # nobody else gets the port, and nobody listens
        between = link(Bare(deaf))
        start = between.open(PROFILE, Serving())
        with socket.create_connection((INNER, start.port), timeout=60) as sock:
            assert sock.recv(1) == b""
        with pytest.raises(ServerError, match=r"^the link plain failed: ECONNREFUSED$"):
            between.finish(Deadline(60))
        start = between.open(PROFILE, Serving())
        with socket.create_connection((INNER, start.port), timeout=60) as sock:
            assert sock.recv(1) == b""
        assert between.cancel().accepted


def test_refused_settings_open_nothing(link, server) -> None:
    """A server that refuses its settings has no port, and the link none either."""
    between = link(server)
    start = between.open(ServerProfile(certificates=("server-p256",), ciphers="NONSENSE"), Serving())
    assert (start.port, start.failure.stage) == (None, Stage.CONFIG)
    assert between.finish(Deadline(1.0)).failure == start.failure


def test_both_ends_are_passed_on(link, listener) -> None:
    """A FIN arrives as a FIN, after all bytes; the other direction goes on until its own end."""
    between = link(Bare(listener), LATE)
    start = between.open(PROFILE, Serving())
    with socket.create_connection((INNER, start.port), timeout=60) as board:
        sock, _peer = listener.accept()
        with sock:
            sock.settimeout(60)
            board.sendall(b"last words")
            board.shutdown(socket.SHUT_WR)
            assert (sock.recv(10, socket.MSG_WAITALL), sock.recv(1)) == (b"last words", b"")
            sock.sendall(b"answer")
        assert (board.recv(6, socket.MSG_WAITALL), board.recv(1)) == (b"answer", b"")


def reset(sock) -> None:
    """Close with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("by_board", [True, False])
def test_reset_is_passed_on_as_one(link, listener, by_board) -> None:
    """A reset arrives as a reset, not as an end."""
    between = link(Bare(listener), LATE)
    start = between.open(PROFILE, Serving())
    with socket.create_connection((INNER, start.port), timeout=60) as board:
        sock, _peer = listener.accept()
        with sock:
            sock.settimeout(60)
            reset(board if by_board else sock)
            with pytest.raises(ConnectionResetError):
                (sock if by_board else board).recv(1)


def test_data_before_a_reset_arrives(link, listener) -> None:
    """What was sent before the reset is delivered first."""
    between = link(Bare(listener), LATE)
    start = between.open(PROFILE, Serving())
    with socket.create_connection((INNER, start.port), timeout=60) as board:
        sock, _peer = listener.accept()
        with sock:
            sock.settimeout(60)
            board.sendall(b"alert")
            reset(board)
            assert sock.recv(5, socket.MSG_WAITALL) == b"alert"
            with pytest.raises(ConnectionResetError):
                sock.recv(1)


def test_a_side_that_does_not_read_blocks_nobody(link, listener) -> None:
    """Megabytes for a board that reads later: the link holds a bounded part, and the other direction goes on meanwhile."""
    between = link(Bare(listener))
    start = between.open(PROFILE, Serving())
    size = 8 << 20
    with socket.create_connection((INNER, start.port), timeout=60) as board:
        sock, _peer = listener.accept()
        with sock:
            sock.settimeout(60)
            sender = threading.Thread(target=sock.sendall, args=(b"x" * size,))
            sender.start()
            board.sendall(b"hello")
            assert sock.recv(5, socket.MSG_WAITALL) == b"hello"
            count = 0
            while count < size:
                count += len(board.recv(1 << 16))
            sender.join(60)
    assert count == size


def test_close_leaves_the_server_to_its_owner(link, listener) -> None:
    """Several links may share a server: closing one ends its session only, also twice."""
    host = Bare(listener)
    between = link(host)
    between.open(PROFILE, Serving())
    between.close()
    assert host.calls[-1] == "cancel"
    assert "close" not in host.calls
    assert between.describe() == {"python": "3.11.7"}
