"""The settings of the board in a test, and servers that are running already."""

import re
import socket
import ssl
import threading

import pytest

from harness.certificates import Certificates
from harness.errors import ServerError, UsageError
from harness.model import PROGRAMS, ServerProfile
from harness.pytest_plugin.client_settings import client_plan
from harness.pytest_plugin.expect import Expect
from harness.pytest_plugin.fixtures import Board

OWN = ServerProfile(certificates=("server-p256",))


@pytest.fixture
def board(lab, spec):
    """Return the virtual board as the `board` fixture does."""
    return Board(lab, spec, "in-process")


@pytest.fixture
def running(lab):
    """Run a server that the harness does not run: it answers one line per connection; return its address."""
    material = lab.certificates.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(material.chain_file, material.key_file)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _peer = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as tls:
                    tls.recv(100)
                    tls.sendall(b"welcome\r\n")
            except OSError:
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_running_server(board, running):
    """The board connects through the relay: text and answer pass, and the wire is recorded."""
    seen = board.connect(running, text="GET /", server_hostname="tls.test", verify="required", ca="ca-p256")
    Expect().connected(seen)
    assert seen.received_by_client == "w"
    assert seen.negotiated.suite is not None
    Expect().connected(board.connect(running, server_hostname="tls.test"))


def test_a_running_server_is_refused(board, running):
    """The board's own error and the alert are compared; the server's error is not known."""
    seen = board.connect(running, server_hostname="tls.test", verify="required", ca="ca-other")
    Expect().refused(seen, by="client", alert="unknown_ca", client="not_trusted")


def test_no_server_there(board):
    """A server that this machine does not reach is a fault, not a result of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    message = f"board.connect('127.0.0.1:{port}'): this machine does not reach the server: ECONNREFUSED"
    with pytest.raises(ServerError, match=f"^{re.escape(message)}$"):
        board.connect(f"127.0.0.1:{port}")


@pytest.mark.parametrize("target", ["server-p256", None, 8883])
def test_not_a_server(target):
    """A name of a profile is no server: the message has both forms."""
    message = (
        f"board.connect({target!r}): expected a server from tls_server(...), or 'host:port' of one that is running"
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        client_plan(target, Certificates(), {})


def test_a_wrong_target():
    """What looks like a target must be one."""
    with pytest.raises(
        UsageError, match=re.escape("board.connect() 'broker:mqtt': expected HOST:PORT, e.g. broker.example:8883")
    ):
        client_plan("broker:mqtt", Certificates(), {})


def test_defaults_for_a_running_server():
    """The board asks for the host by its name, and closes after the handshake unless it has something to say."""
    plan = client_plan("broker.example:8883", Certificates(), {})
    assert (plan.server_hostname, plan.close_first, plan.any_answer) == ("broker.example", True, False)
    plan = client_plan("192.0.2.7:443", Certificates(), {"text": "GET /"})
    assert (plan.server_hostname, plan.close_first, plan.any_answer, plan.receive_bytes) == (None, False, True, 1)
    assert client_plan("192.0.2.7:443", Certificates(), {"read_to_end": True}).close_first is False


def test_defaults_for_a_profile():
    """The name of the harness's profiles is `tls.test`."""
    assert client_plan(OWN, Certificates(), {}).server_hostname == "tls.test"


def test_an_unknown_setting():
    """The nearest setting is named."""
    message = (
        "board.connect(): unknown setting 'hostname'; did you mean 'server_hostname'?; expected one of key, verify, "
    )
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        client_plan(OWN, Certificates(), {"hostname": "x"})


def test_a_program_connects(board):
    """A test may have a program of the board connect, and compare what it saw."""
    seen = board.connect(OWN, program="requests", receive_bytes=20)
    Expect().connected(seen)
    assert seen.received_by_client == "0123456789abcdef0123"


def test_a_program_and_a_running_server():
    """A program asks for a name, and what the server answers is the server's business; the agent's own end has no meaning for it."""
    plan = client_plan("broker.test:8883", Certificates(), {"program": "umqtt-context"})
    assert (plan.server_hostname, plan.any_answer, plan.close_first) == ("broker.test", True, False)
    assert client_plan("192.0.2.7:443", Certificates(), {"program": "requests"}).server_hostname == "192.0.2.7"


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            {"program": "request"},
            f"board.connect(program=...): 'request' is not one of {', '.join(PROGRAMS)}; did you mean 'requests'?",
        ),
        (
            {"program": 5},
            f"board.connect(program=...): 5 is not one of {', '.join(PROGRAMS)}",
        ),
        (
            {"program": "requests", "text": "x"},
            "board.connect(program='requests'): programs do not accept the setting 'text'",
        ),
        (
            {"program": "requests", "suites": []},
            "board.connect(program='requests'): programs do not accept the setting 'suites'",
        ),
    ],
)
def test_a_wrong_program_is_refused(plan, message):
    """A program that does not exist, and a setting that it would ignore, are refused at once."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}$"):
        client_plan(OWN, Certificates(), plan)
