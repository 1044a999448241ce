"""Another program connects to the server before the board does: a race on a real socket, from the board's own address."""

import socket
import struct
import threading
from dataclasses import replace

import pytest

from harness.cases import find_case
from harness.errors import BoardError
from harness.model import ClientPlan, Stage, UnexpectedPeers, VerdictWord
from harness.run.handshake import PERMISSIVE_SERVER
from harness.run.health import FAULTS_IN_A_ROW


@pytest.fixture
def handshakes(lab, spec):
    """Handshakes of the virtual board with the server in this process."""
    return lab.runner(spec, "in-process").handshakes


def wait_until_closed(port):
    """Connect until the listener is closed: a connection that still waits when it is closed is reset instead of refused."""
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass


@pytest.fixture
def race(handshakes, monkeypatch):
    """Let another program connect first this many times; return its connections."""
    taken, opened = [], handshakes.server.open

    def start(times):
        def open_and_connect(profile, serving):
            start = opened(profile, serving)
            if len(taken) < times:
                taken.append(socket.create_connection((handshakes.addresses.advertise, start.port)))
                wait_until_closed(start.port)
            return start

        monkeypatch.setattr(handshakes.server, "open", open_and_connect)
        return taken

    yield start
    for connection in taken:
        connection.close()


def test_f1_taken_once(handshakes, race):
    """If the board could not connect because the server accepted another program, the handshake is repeated."""
    taken = race(1)
    assert handshakes.make(PERMISSIVE_SERVER, ClientPlan()).connected
    assert len(taken) == 1


def test_f1_taken_twice(handshakes, race):
    """Then it contradicts the server's record, which says who connected; it is no failure of TLS, and the other program is counted."""
    handshakes.server.take_unexpected_peers()
    taken = race(2)
    handshake = handshakes.attempt(PERMISSIVE_SERVER, ClientPlan())
    assert (handshake.is_taken, handshake.observation.stage) == (True, Stage.CONNECT)
    host, port = taken[1].getsockname()
    assert handshake.doubt.kind == "peer"
    assert (
        f"accepted a connection from {host}:{port}: another program at that address connected" in handshake.doubt.text
    )
    assert (handshake.observation.strangers, handshake.observation.stranger_addresses) == (1, (host,))
    assert handshakes.server.take_unexpected_peers() == UnexpectedPeers(count=2, addresses=(host,))


def reset_the_next(port):
    """Take the board's connection at this port and reset it once it has sent its ClientHello.

    The kernel does so with a connection that still waits behind the accepted one when the listener is closed.
    """
    listener = socket.create_server(("127.0.0.1", port))

    def reset():
        with listener:
            board, _address = listener.accept()
        board.recv(1)
        board.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        board.close()

    threading.Thread(target=reset).start()


def test_f1_taken_a_moment_before(handshakes, race, monkeypatch):
    """A board whose connection waited behind the accepted one is reset in its handshake: the connection is another program's, too."""
    taken, opened = race(2), handshakes.server.open

    def open_and_reset(profile, serving):
        start = opened(profile, serving)
        taken[-1].close()
        reset_the_next(start.port)
        return start

    monkeypatch.setattr(handshakes.server, "open", open_and_reset)
    handshake = handshakes.attempt(PERMISSIVE_SERVER, ClientPlan())
    assert (len(taken), handshake.is_taken, handshake.observation.stage) == (2, True, Stage.HANDSHAKE)
    assert handshake.doubt.kind == "peer"
    assert (
        "the board lost its connection before the server received anything, but the server at 127.0.0.1:"
        in handshake.doubt.text
    )
    assert handshake.observation.strangers == 1


def test_taken_is_no_fault_of_the_board(handshakes, race, lab, spec):
    """Such a case is an error, and the board is neither recovered nor quarantined: the next case runs as usual."""
    runner = lab.runner(spec, "in-process")
    race(2 * (FAULTS_IN_A_ROW + 1))
    for _ in range(FAULTS_IN_A_ROW + 1):
        result = runner.run(find_case("seed/ca-verified"))
        assert (result.verdict.word, result.explanation.rule, result.recovery) == ("error", "fault/peer", ())
    assert runner.board.quarantine_reason is None
    assert runner.run(find_case("seed/ca-verified")).verdict.word is VerdictWord.PASS


OTHER_NUMBER = """
th_own = th_attempt
def th_attempt(req, blob):
    req["text"] = "Hallo, Server! 000000001"
    return th_own(req, blob)
"""


def test_a_session_of_another_exec(lab, spec):
    """A session without the number of this exec is an error, for the case and for a test's own connection; a test's own text has none."""
    runner, case = lab.runner(spec, "in-process"), find_case("seed/ca-verified")
    runner.board._console.must(OTHER_NUMBER, "take another number")
    with pytest.raises(BoardError, match="another board or program at that address connected in the board's place"):
        runner.handshakes.baseline()
    result = runner.run(case)
    handshake = runner.last
    assert (result.verdict.word, result.verdict.reason) == (
        VerdictWord.ERROR,
        f"unix: the server at 127.0.0.1:{handshake.report.local_port} received 'Hallo, Server! 000000001' from "
        f"127.0.0.1:{handshake.report.peer_port}, without the number of this exec, {handshake.answer.number}: another board or "
        "program at that address connected in the board's place",
    )
    runner.board._console.must("th_attempt = th_own", "take its own number")
    assert runner.run(case).verdict.word is VerdictWord.PASS
    assert (
        runner.run(replace(case, client=replace(case.client, text="Hello"))).observation.received_by_server == "Hello"
    )
