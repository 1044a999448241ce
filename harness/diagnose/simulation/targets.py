"""The two kinds of server that are simulated against: one with the user's files, started here for each hello, and one that runs already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from harness.diagnose.simulation.connection import Exchange, Unreachable, first_flight
from harness.model import ServerFacts, ServerFailure, ServerProfile, Stage
from harness.server import ServerHost, Serving
from harness.system.deadline import Deadline
from harness.wire.hello_replay import ReplayedHello
from harness.wire.server_flight import Flight

# The whole of one connection, how long our own server may take to report after it, and all connections to one server.
CONNECTION_S, REPORT_S, SERVER_S = 20.0, 10.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server did with one hello. `failure` and `facts` are its own, and None for a server that is not ours."""

    exchange: Exchange = field(default_factory=lambda: Exchange(flight=Flight(), wire=()))
    failure: ServerFailure | None = None
    facts: ServerFacts | None = None

    @property
    def refused_settings(self) -> bool:
        """Whether the server refused its own settings, so that no hello was sent."""
        return self.failure is not None and self.failure.stage is Stage.CONFIG


class Target(Protocol):
    """A server that answers one hello per connection."""

    connections: int

    def ask(self, hello: ReplayedHello, *, oldest: int) -> Answer:
        """Send a hello and return the answer.

        Raises:
            Unreachable: there was no TCP connection, or the server takes too long altogether.
        """


class OwnServer:
    """The user's certificate and settings, served by the harness.

    Args:
        host: where the server runs.
        profile: its settings.
    """

    def __init__(self, host: ServerHost, profile: ServerProfile) -> None:
        self._host = host
        self._profile = profile
        self.connections = 0

    def ask(self, hello: ReplayedHello, *, oldest: int) -> Answer:
        """See `Target`."""
        start = self._host.open(self._profile, Serving(handshake_timeout_s=CONNECTION_S))
        if start.failure is not None or start.address is None or start.port is None:
            return Answer(failure=start.failure, facts=start.facts)
        self.connections += 1
        exchange = first_flight(start.address, start.port, hello, oldest=oldest, deadline=Deadline(CONNECTION_S))
        report = self._host.finish(Deadline(REPORT_S))
        # The hello was accepted: that the client then leaves is our doing.
        accepted = exchange.flight.complete or exchange.flight.violation is not None
        return Answer(exchange=exchange, failure=None if accepted else report.failure, facts=start.facts)


class RunningServer:
    """A server that is not ours.

    Args:
        host: name or address.
        port: TCP port.
        deadline: of all connections together; None for the usual time.
    """

    def __init__(self, host: str, port: int, *, deadline: Deadline | None = None) -> None:
        self._target = (host, port)
        self._deadline = deadline or Deadline(SERVER_S)
        self.connections = 0

    def ask(self, hello: ReplayedHello, *, oldest: int) -> Answer:
        """See `Target`."""
        if self._deadline.expired:
            raise Unreachable(f"it did not answer all ClientHellos within {self._deadline.timeout_s:g} s")
        self.connections += 1
        host, port = self._target
        deadline = self._deadline.within(CONNECTION_S)
        return Answer(exchange=first_flight(host, port, hello, oldest=oldest, deadline=deadline))
