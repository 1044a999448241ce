"""Servers that cannot be reached: the failure has the name that the system gives it."""

import errno
import socket

import pytest

from harness.model import ServerFailure, Stage
from harness.server.target import dial, look_up, not_reached


def test_look_up():
    """Look up addresses with and without a server, and an unknown host name."""
    assert look_up("127.0.0.1", 1) is None
    assert look_up("no-such-host.invalid", 1).reason.startswith("EAI_")


def test_an_opening_that_fails():
    """The connection is closed, and the error is passed on; with an opening that works the connection is returned."""
    opened = []

    def refuse(sock):
        opened.append(sock)
        raise ConnectionRefusedError("no")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        with pytest.raises(ConnectionRefusedError, match=r"^no$"):
            dial(listener.getsockname(), opening=refuse, timeout_s=60)
        with dial(listener.getsockname(), opening=opened.append, timeout_s=60) as sock:
            assert (opened[0].fileno(), opened[1]) == (-1, sock)


@pytest.mark.parametrize(
    ("error", "number", "reason"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), errno.ECONNREFUSED, "ECONNREFUSED"),
        (TimeoutError("timed out"), errno.ETIMEDOUT, "ETIMEDOUT"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), socket.EAI_NONAME, "EAI_NONAME"),
    ],
)
def test_names_of_failures(error, number, reason):
    """The resolver's names for the resolver's errors, the system's for the others; a timeout has no number of its own."""
    expected = ServerFailure(type=type(error).__name__, reason=reason, errno=number, stage=Stage.CONNECT)
    assert not_reached(error) == expected
