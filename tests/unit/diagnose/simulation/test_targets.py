"""The two kinds of server: what they report of one hello."""

from __future__ import annotations

import ssl

import pytest

from harness.diagnose.simulation.connection import Unreachable
from harness.diagnose.simulation.targets import OwnServer, RunningServer
from harness.model import ServerProfile
from harness.system.deadline import Deadline
from harness.wire.hello_replay import ReplayedHello


def test_own_server(local_server, row) -> None:
    """Our own server gives its settings, and its own error for a refusal only."""
    target = OwnServer(local_server, ServerProfile(certificates=("server-p256",)))
    accepted = target.ask(ReplayedHello(row("rp2", "1.28.0").hello.data, name="x"), oldest=0x0303)
    refused = target.ask(ReplayedHello(row("esp8266", "1.28.0").hello.data, name="x"), oldest=0x0301)
    assert (accepted.exchange.flight.complete, accepted.failure) == (True, None)
    assert accepted.facts is not None
    assert refused.failure is not None
    assert (refused.failure.reason, refused.refused_settings, target.connections) == ("NO_SHARED_CIPHER", False, 2)


def test_own_server_that_refuses_its_settings(local_server, row) -> None:
    """Nothing is sent to a server that does not start."""
    target = OwnServer(local_server, ServerProfile(certificates=("server-p256",), ciphers="nonsense"))
    found = target.ask(ReplayedHello(row("rp2", "1.28.0").hello.data, name="x"), oldest=0x0303)
    assert (found.refused_settings, found.exchange.wire, target.connections) == (True, (), 0)


def test_running_server(certificates, row, tls_listener) -> None:
    """Of a foreign server only its bytes are known."""
    made = certificates.make("server-p256")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.chain_file, made.key_file)
    target = RunningServer("127.0.0.1", tls_listener(context, lambda tls: None))
    found = target.ask(ReplayedHello(row("rp2", "1.28.0").hello.data, name="x"), oldest=0x0303)
    assert (found.exchange.flight.complete, found.failure, found.facts, target.connections) == (True, None, None, 1)


def test_time_for_all_connections(row) -> None:
    """A server that takes too long altogether is given up, however many hellos are left."""
    target = RunningServer("127.0.0.1", 1, deadline=Deadline(0))
    with pytest.raises(Unreachable, match=r"^it did not answer all ClientHellos within 0 s$"):
        target.ask(ReplayedHello(row("rp2", "1.28.0").hello.data, name="x"), oldest=0x0303)
    assert target.connections == 0
