"""Tests of harness/server/one_peer.py: one connection from an expected address; all others are dropped and counted."""

from __future__ import annotations

import errno
import socket
import time

import pytest

from harness.server import Serving
from harness.server.engine.engine import MAX_STRANGERS_NAMED
from harness.server.engine.tls_link import Waiter
from harness.server.one_peer import OnePeer


@pytest.fixture
def waiter():
    """A waiter, closed at the end."""
    made = Waiter()
    yield made
    made.close()


def test_the_board_is_accepted_and_all_others_are_dropped(waiter) -> None:
    """Strangers are named, others from the board's address are contested, and nothing listens afterwards."""
    door = OnePeer.at(Serving(peers=("127.0.0.1",)))
    clients = [
        socket.create_connection(door.local, source_address=(source, 0))
        for source in ("127.0.0.2", "127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1")
    ]
    try:
        board = door.accept(waiter, end=time.monotonic() + 60)
        assert board is not None
        with board:
            assert board.getpeername() == clients[2].getsockname() == door.peer
        assert (door.accepted, door.strangers, door.stranger_addresses, door.contested) == (True, 2, ["127.0.0.2"], 2)
        assert door.listener.fileno() == -1
    finally:
        for client in clients:
            client.close()


def test_nobody_connects(waiter) -> None:
    """At the end of the time there is no connection."""
    door = OnePeer.at(Serving(peers=("127.0.0.1",)))
    with door.listener:
        assert door.accept(waiter, end=time.monotonic()) is None
    assert (door.accepted, door.peer) == (False, None)


def test_few_strangers_are_named(waiter) -> None:
    """All are counted, the first few are named; the address of the last one is kept until the board connects."""
    door = OnePeer.at(Serving(peers=("192.0.2.1",)))
    clients = [socket.create_connection(door.local, source_address=(f"127.0.0.{number}", 0)) for number in range(2, 14)]
    with door.listener:
        assert door.accept(waiter, end=time.monotonic() + 0.01) is None
    assert (door.strangers, len(door.stranger_addresses)) == (len(clients), MAX_STRANGERS_NAMED)
    assert door.peer == clients[-1].getsockname()
    for client in clients:
        client.close()


def test_no_free_port() -> None:
    """If no port of the range is free, the error says so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(OSError) as caught:  # noqa: PT011 (the number is checked)
            OnePeer.at(Serving(ports=(port, port)))
    assert caught.value.errno == errno.EADDRINUSE
