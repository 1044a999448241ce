"""Counting dropped connections over all sessions of a server."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from harness.certificates import Certificates
from harness.model import ServerProfile, ServerReport, Strangers
from harness.server import ServerHost, ServerStart, Serving
from harness.server.local import LocalServer
from harness.server.strangers import MAX_NAMED, CountedServer, together
from harness.system.deadline import Deadline


class Told:
    """A host whose next report is told beforehand; None: nothing is open."""

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
    """A report that says only this."""
    return ServerReport(facts=None, failure=None, strangers=count, stranger_addresses=addresses)


def test_all_sessions_count_until_somebody_asks() -> None:
    """Finished and cancelled ones, each address once; then it begins anew. All else is the host's."""
    told = Told()
    host: ServerHost = CountedServer(told)
    counted = CountedServer(told)
    assert counted.take_strangers() == Strangers()
    assert counted.cancel() is None
    told.report = met(2, "192.0.2.1")
    assert counted.finish(Deadline(1.0)) is told.report
    told.report = met(1, "192.0.2.2", "192.0.2.1")
    assert counted.cancel() is told.report
    assert counted.take_strangers() == Strangers(count=3, addresses=("192.0.2.1", "192.0.2.2"))
    assert counted.take_strangers() == Strangers()
    assert host.describe() == {"python": "3.11.7"}
    assert host.open(ServerProfile(), Serving(bind="192.0.2.9")).address == "192.0.2.9"
    host.close()
    assert told.closed


def test_few_are_named() -> None:
    """All are counted, the first few are named."""
    many = Strangers(count=20, addresses=tuple(f"192.0.2.{number}" for number in range(20)))
    both = together(Strangers(count=1, addresses=("198.51.100.1",)), many)
    assert (both.count, len(both.addresses), both.addresses[0]) == (21, MAX_NAMED, "198.51.100.1")
    assert together() == Strangers()


def test_a_session_that_nobody_else_joins(certificates: Certificates) -> None:
    """A real server that is cancelled after a stranger came: the connection counts although there is no result of it."""
    counted = CountedServer(LocalServer(materials=certificates.make))
    try:
        start = counted.open(ServerProfile(certificates=("server-p256",)), Serving(peers=("127.0.0.1",)))
        with socket.create_connection(("127.0.0.1", start.port or 0), source_address=("127.0.0.2", 0)) as line:
            assert line.recv(1) == b""
        counted.cancel()
        assert counted.take_strangers() == Strangers(count=1, addresses=("127.0.0.2",))
    finally:
        counted.close()
