"""Another program connects to the server before the board does: a race on a real socket, from the board's own address."""

import socket

import pytest

from harness.model import ClientPlan, Stage
from harness.run.handshake import PERMISSIVE_SERVER, contradiction


@pytest.fixture
def handshakes(lab, spec):
    """Handshakes of the virtual board with the server in this process."""
    return lab.runner(spec, "in-process").handshakes


@pytest.fixture
def race(handshakes, monkeypatch):
    """Have another program win so many times; gives its connections."""
    taken, opened = [], handshakes.server.open

    def start(times):
        def open_and_connect(profile, serving):
            start = opened(profile, serving)
            if len(taken) < times:
                taken.append(socket.create_connection((handshakes.addresses.advertise, start.port)))
            return start

        monkeypatch.setattr(handshakes.server, "open", open_and_connect)
        return taken

    yield start
    for connection in taken:
        connection.close()


def test_taken_once(handshakes, race):
    """The board could not connect and the server accepted another program: the handshake is made again."""
    taken = race(1)
    assert handshakes.make(PERMISSIVE_SERVER, ClientPlan()).connected
    assert len(taken) == 1


def test_taken_twice(handshakes, race):
    """Then it contradicts the server's record, which says who connected; it is no failure of TLS."""
    taken = race(2)
    handshake = handshakes.make(PERMISSIVE_SERVER, ClientPlan())
    assert (handshake.is_taken, handshake.observation.stage) == (True, Stage.CONNECT)
    host, port = taken[1].getsockname()
    said = contradiction(handshake, address="192.0.2.1")
    assert f"accepted a connection from {host}:{port}: another program at that address connected in the board" in said
