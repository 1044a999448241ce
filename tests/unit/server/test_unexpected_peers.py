"""Tests of harness/server/unexpected_peers.py: dropped connections are counted over all sessions of a server."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import ServerProfile, ServerReport, UnexpectedPeers
from harness.server import ServerHost, ServerStart, Serving
from harness.server.engine import engine
from harness.server.local import LocalServer
from harness.server.unexpected_peers import MAX_NAMED, CountedServer, together
from harness.system.deadline import Deadline


class Prepared:
    """A host with a prepared next report; None if nothing is open."""

    def __init__(self) -> None:
        self.report: ServerReport | None = None
        self.closed = False

    def describe(self) -> Mapping[str, Any]:
        return {"python": "3.11.7"}

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        return ServerStart(address=serving.bind, port=4433, facts=None, failure=None)

    def finish(self, deadline: Deadline) -> ServerReport:
        assert self.report is not None
        return self.report

    def cancel(self) -> ServerReport | None:
        return self.report

    def close(self) -> None:
        self.closed = True


def met(count: int, *addresses: str) -> ServerReport:
    """A report with nothing but unexpected peers."""
    return ServerReport(facts=None, failure=None, strangers=count, stranger_addresses=addresses)


def test_all_sessions_count_until_the_next_call() -> None:
    """Finished and cancelled sessions count, each address once, until the next call; everything else is passed to the host."""
    inner = Prepared()
    host: ServerHost = CountedServer(inner)
    counted = CountedServer(inner)
    assert counted.take_unexpected_peers() == UnexpectedPeers()
    assert counted.cancel() is None
    inner.report = met(2, "192.0.2.1")
    assert counted.finish(Deadline(1.0)) is inner.report
    inner.report = met(1, "192.0.2.2", "192.0.2.1")
    assert counted.cancel() is inner.report
    assert counted.take_unexpected_peers() == UnexpectedPeers(count=3, addresses=("192.0.2.1", "192.0.2.2"))
    assert counted.take_unexpected_peers() == UnexpectedPeers()
    assert host.describe() == {"python": "3.11.7"}
    assert host.open(ServerProfile(), Serving(bind="192.0.2.9")).address == "192.0.2.9"
    host.close()
    assert inner.closed


def test_few_are_named() -> None:
    """All peers are counted, and the first few are named."""
    many = UnexpectedPeers(count=20, addresses=tuple(f"192.0.2.{number}" for number in range(20)))
    both = together(UnexpectedPeers(count=1, addresses=("198.51.100.1",)), many)
    assert (both.count, len(both.addresses), both.addresses[0]) == (21, MAX_NAMED, "198.51.100.1")
    assert together() == UnexpectedPeers()


def test_a_cancelled_session_counts(certificates: Certificates) -> None:
    """The connection of an unexpected peer counts even if the session is cancelled."""
    counted = CountedServer(LocalServer(materials=certificates.make))
    try:
        start = counted.open(ServerProfile(certificates=("server-p256",)), Serving(peers=("127.0.0.1",)))
        with socket.create_connection(("127.0.0.1", start.port or 0), source_address=("127.0.0.2", 0)) as line:
            assert line.recv(1) == b""
        counted.cancel()
        assert counted.take_unexpected_peers() == UnexpectedPeers(count=1, addresses=("127.0.0.2",))
    finally:
        counted.close()


def test_clients_that_connect_together(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first from the board's address is answered; how many more of them waited by then is reported, and not dropped silently."""
    usual, waiting = engine.listen, []

    def crowded(address: str, ports: tuple[int, int] | None) -> socket.socket:
        listener = usual(address, ports)
        for source in ("127.0.0.2", "127.0.0.1", "127.0.0.1", "127.0.0.1"):
            waiting.append(socket.create_connection(listener.getsockname(), source_address=(source, 0)))
        return listener

    monkeypatch.setattr(engine, "listen", crowded)
    counted = CountedServer(LocalServer(materials=certificates.make))
    try:
        serving = Serving(peers=("127.0.0.1",), handshake_timeout_s=0.05)
        counted.open(ServerProfile(certificates=("server-p256",)), serving)
        report = counted.finish(Deadline(60))
        assert (report.accepted, report.contested, report.strangers) == (True, 2, 1)
        assert report.peer_port == waiting[1].getsockname()[1]
    finally:
        counted.close()
        for client in waiting:
            client.close()
