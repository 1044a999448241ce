"""The recording relay between a real client and a real server of this Python: every byte is passed on and recorded."""

import contextlib
import socket
import ssl
import threading

import pytest

from harness.errors import ServerError
from harness.model import ServerProfile, Side
from harness.server import Serving
from harness.server.relay import Relay
from harness.system.deadline import Deadline
from harness.wire.last_word import LastWord, last_word
from harness.wire.reading import read_wire

PROFILE = ServerProfile()


@pytest.fixture(scope="module")
def pair(certificates):
    """A certificate and its key."""
    return certificates.make("server-p256")


def echo(tls):
    """Answer once."""
    tls.sendall(b"echo " + tls.recv(100))


@pytest.fixture
def target(pair):
    """Start a TLS server for one connection; `target(version)` returns its port."""
    ended = []

    def start(version=ssl.TLSVersion.TLSv1_2, *, tickets=2, verify=ssl.CERT_NONE, answer=echo):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain_file, pair.key_file)
        context.minimum_version = context.maximum_version = version
        context.num_tickets, context.verify_mode = tickets, verify
        listener = socket.create_server(("127.0.0.1", 0))
        listener.settimeout(60)

        def serve():
            with listener:
                sock, _peer = listener.accept()
                sock.settimeout(60)
                with sock:
                    try:
                        with context.wrap_socket(sock, server_side=True) as tls:
                            answer(tls)
                    except OSError:
                        pass  # the client closed or was refused: the test checks what the relay saw

        thread = threading.Thread(target=serve)
        thread.start()
        ended.append(thread)
        return listener.getsockname()[1]

    yield start
    for thread in ended:
        thread.join(60)


@pytest.fixture
def relay():
    """Return a function that makes relays, which are closed at the end."""
    made = []

    def make(port):
        made.append(Relay("127.0.0.1", port))
        return made[-1]

    yield make
    for item in made:
        item.close()


def talk(port, version, *, text=b"hello"):
    """Run a client's whole session; return None if it is refused."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        try:
            with context.wrap_socket(sock) as tls:
                tls.sendall(text)
                return tls.recv(100)
        except ssl.SSLError as error:
            return error.reason


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_session_is_passed_on_and_recorded(relay, target, version):
    """Application data both ways; ClientHello, ServerHello and the end of the handshake are read from the wire."""
    between = relay(target(version))
    start = between.open(PROFILE, Serving(peers=("127.0.0.1",)))
    assert talk(start.port, version) == b"echo hello"
    report = between.finish(Deadline(60))
    wire = read_wire(report.wire)
    assert (report.accepted, report.handshake_done, report.exchanged, report.timed_out) == (True, True, True, False)
    assert (report.facts, report.failure) == (None, None)
    assert report.negotiated_version == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]
    assert wire.client_hello is not None
    assert len(wire.certificates) == (1 if version is ssl.TLSVersion.TLSv1_2 else 0)
    assert {chunk.sender for chunk in report.wire} == {Side.CLIENT, Side.SERVER}


def test_refusal_reaches_the_client(relay, target):
    """The server's alert passes before the end of the stream does."""
    between = relay(target(ssl.TLSVersion.TLSv1_3))
    start = between.open(PROFILE, Serving())
    assert talk(start.port, ssl.TLSVersion.TLSv1_2) == "TLSV1_ALERT_PROTOCOL_VERSION"
    report = between.finish(Deadline(60))
    assert (report.handshake_done, report.exchanged) == (False, False)
    assert [(item.sender, item.name) for item in read_wire(report.wire).alerts] == [(Side.SERVER, "protocol_version")]


def shake_and_close(port, version):
    """Behave as a board of `diagnose --connect`: read nothing, and send no close_notify."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock, contextlib.suppress(ssl.SSLError):
        context.wrap_socket(sock).close()


def test_tls13_certificate_required(relay, target, monkeypatch):
    """The client has finished and closed when the server refuses it: its end is held back, and the alert's length shows the refusal."""
    monkeypatch.setattr(
        "harness.server.relay.ANSWER_S", 30.0
    )  # it ends when the server closes, however busy this machine is
    between = relay(target(ssl.TLSVersion.TLSv1_3, verify=ssl.CERT_REQUIRED))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_3)
    report = between.finish(Deadline(40))
    assert (report.ended_first, report.handshake_done, report.exchanged) == (True, False, False)
    assert last_word(read_wire(report.wire)) is LastWord.ALERT
    assert {end.sender for end in report.tcp_ends} == {Side.CLIENT, Side.SERVER}


def test_tls13_tickets(relay, target):
    """A server that sends tickets accepts the client; the client's end is passed on at once."""
    between = relay(target(ssl.TLSVersion.TLSv1_3))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_3)
    report = between.finish(Deadline(40))
    assert (report.ended_first, report.handshake_done, report.exchanged) == (False, True, True)


def test_tls13_silence(relay, target, monkeypatch):
    """A server that waits for the client, and only answers its end with close_notify, is not taken for one that refuses."""
    monkeypatch.setattr("harness.server.relay.ANSWER_S", 0.3)
    goodbye = []
    between = relay(target(ssl.TLSVersion.TLSv1_3, tickets=0, answer=lambda tls: goodbye.append(tls.recv(1))))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_3)
    report = between.finish(Deadline(40))
    assert (report.ended_first, report.handshake_done, report.exchanged) == (False, True, True)
    assert goodbye in ([b""], [])  # it saw the delayed end, as such or as an error


def test_tls13_closed_without_an_answer(relay, target, monkeypatch):
    """A server closes at once, without an alert or a ticket."""
    monkeypatch.setattr("harness.server.relay.ANSWER_S", 30.0)
    between = relay(target(ssl.TLSVersion.TLSv1_3, tickets=0, answer=lambda tls: tls.close()))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_3)
    report = between.finish(Deadline(40))
    assert (report.ended_first, report.exchanged) == (True, False)
    assert last_word(read_wire(report.wire)) is LastWord.NOTHING


@pytest.mark.slow
def test_tls13_alert_without_an_end(relay, target, monkeypatch):
    """After an alert nothing more is expected, whether the server closes or not."""
    monkeypatch.setattr("harness.server.relay.ANSWER_S", 2.5)

    def goodbye(tls):
        with contextlib.suppress(OSError):
            tls.unwrap()

    between = relay(target(ssl.TLSVersion.TLSv1_3, tickets=0, answer=goodbye))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_3)
    report = between.finish(Deadline(40))
    assert (report.ended_first, report.exchanged) == (True, False)


def test_tls12_certificate_required(relay, target):
    """The server's Finished never arrives, and its alert is plaintext: the refusal is seen without waiting."""
    between = relay(target(ssl.TLSVersion.TLSv1_2, verify=ssl.CERT_REQUIRED))
    start = between.open(PROFILE, Serving())
    shake_and_close(start.port, ssl.TLSVersion.TLSv1_2)
    report = between.finish(Deadline(40))
    wire = read_wire(report.wire)
    assert (report.ended_first, report.handshake_done, report.exchanged) == (False, False, False)
    assert (wire.client_certificates, [alert.name for alert in wire.alerts]) == ((), ["handshake_failure"])


def test_strangers_are_dropped_and_counted(relay, target):
    """Only the named peer is relayed."""
    between = relay(target())
    start = between.open(PROFILE, Serving(peers=("192.0.2.1",)))
    with socket.create_connection(("127.0.0.1", start.port), timeout=60) as sock:
        assert sock.recv(1) == b""
    report = between.cancel()
    assert (report.strangers, report.accepted, report.wire) == (1, False, ())


def test_no_server(relay):
    """If the relay cannot reach the server, its start fails at stage connect, and the report has the same failure."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    between = relay(port)
    start = between.open(PROFILE, Serving())
    assert (start.failure.type, start.failure.reason, start.failure.stage) == (
        "ConnectionRefusedError",
        "ECONNREFUSED",
        "connect",
    )
    assert (start.port, between.finish(Deadline(60)).failure) == (None, start.failure)


def test_one_connection(relay):
    """A server that serves one client gets the board: nothing else connects."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = relay(listener.getsockname()[1])
        start = between.open(PROFILE, Serving())
        with socket.create_connection(("127.0.0.1", start.port), timeout=60) as client:
            sock, _peer = listener.accept()
            with sock:
                client.sendall(b"hello")
                assert sock.recv(5) == b"hello"
            assert client.recv(1) == b""
        between.finish(Deadline(60))
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_reset_is_passed_on_as_one(relay):
    """A reset by the server arrives as a reset, not as a close."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = relay(listener.getsockname()[1])
        start = between.open(PROFILE, Serving())
        with socket.create_connection(("127.0.0.1", start.port), timeout=60) as client:
            sock, _peer = listener.accept()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_alert_before_the_reset_after_it(relay):
    """A board in the middle of its flight reads the alert, not the reset: the order must not be a race."""
    alert = bytes.fromhex("15030300020228")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = relay(listener.getsockname()[1])
        start = between.open(PROFILE, Serving())
        with socket.create_connection(("127.0.0.1", start.port), timeout=60) as client:
            sock, _peer = listener.accept()
            sock.sendall(alert)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
            assert client.recv(7, socket.MSG_PEEK) == alert
            for _ in range(500):
                client.sendall(b"the rest of a flight")
            assert client.recv(7) == alert
        report = between.finish(Deadline(60))
    assert (report.tcp_ends[0].sender, report.tcp_ends[0].how) == (Side.SERVER, "RST")


def test_ends_at_the_deadline(relay):
    """If both sides send nothing, the connection is ended and reported as timed out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        between = relay(listener.getsockname()[1])
        start = between.open(PROFILE, Serving())
        with socket.create_connection(("127.0.0.1", start.port), timeout=60):
            assert between.finish(Deadline(0.2)).timed_out


ALERT = b"\x15\x03\x03\x00\x02\x01\x5a"  # user_canceled, a warning (RFC 8446 section 6.1)


@pytest.mark.parametrize(("piece", "pieces"), [(ALERT * 2000, 4000), (ALERT, 200)])
def test_a_server_that_never_stops(relay, monkeypatch, piece, pieces):
    """Endless alerts, in large pieces or one at a time, end at the limit: the board sees the end, and the reading is finite."""
    monkeypatch.setattr("harness.server.relay.LIMIT_CHUNKS", 100)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as sock, contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.recv(5)
            for _ in range(pieces):
                sock.sendall(piece)
                if len(piece) == len(ALERT):
                    sock.recv(1)  # the board has this one: one record is one piece

    thread = threading.Thread(target=serve)
    thread.start()
    made = relay(listener.getsockname()[1])
    start = made.open(PROFILE, Serving())
    with socket.create_connection(("127.0.0.1", start.port), timeout=30) as board:
        board.sendall(b"hello")
        with contextlib.suppress(OSError):
            while data := board.recv(1 << 20):
                if len(data) <= len(ALERT):
                    board.sendall(b".")
    report = made.finish(Deadline(30))
    thread.join(30)
    assert len(report.wire) <= 100
    assert sum(len(chunk.data) for chunk in report.wire) <= 4 << 20
    assert not report.timed_out


def test_taken_port(relay):
    """An occupied port is reported."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=r"^the relay cannot listen on 127\.0\.0\.1: EADDRINUSE$"):
            relay(1).open(PROFILE, Serving(ports=(port, port)))


def test_never_opened(relay):
    """Waiting on a relay that was never opened is an error."""
    with pytest.raises(ServerError, match=r"^the relay was not opened$"):
        relay(1).finish(Deadline(1))
    assert relay(1).cancel() is None
    assert relay(1).describe() == {}


def test_further_connections_are_counted(relay, target):
    """Two connections from the board's address wait at once: either may be the board's, so the second is dropped and counted."""
    between = relay(target(ssl.TLSVersion.TLSv1_2))
    serve, waiting = between._serve, threading.Event()

    def late(session, server):
        waiting.wait(60)
        serve(session, server)

    between._serve = late
    start = between.open(PROFILE, Serving(peers=("127.0.0.1",)))
    with (
        socket.create_connection(("127.0.0.1", start.port)) as first,
        socket.create_connection(first.getpeername()) as second,
    ):
        waiting.set()
        second.settimeout(60)
        assert second.recv(1) == b""
        served = first.getsockname()
    report = between.finish(Deadline(60))
    assert (report.accepted, report.contested, report.strangers) == (True, 1, 0)
    assert (report.peer, report.peer_port) == served
