"""The ways to one server that is already running: directly, at another port, or through STARTTLS; each has a probe of its own.

Knows how the relay and the probes reach the server. Must not know what is tried, nor why.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.diagnose.remote.dialling import start_tls
from harness.diagnose.remote.probe import Probe
from harness.diagnose.settings import Route
from harness.server.relay import Relay
from harness.server.target import Opening
from harness.system.deadline import Deadline
from harness.wire.plain_protocols import PlainProtocol

# The whole dialogue before TLS: some mail servers make a client wait for their greeting.
_STARTTLS_S = 15.0


class Ways:
    """Sends the relay one of them, at first directly.

    Args:
        relay: to the server as the user named it.
        name: for SNI, None for none.
        probes: whether this machine may ask the server.
        progress: gets a line per step.
    """

    def __init__(self, relay: Relay, *, name: str | None, probes: bool, progress: Callable[[str], None]) -> None:
        self._relay = relay
        self._target = relay.target
        self._name = name
        self._may_probe = probes
        self._progress = progress
        self._probes: dict[Route, Probe] = {}
        self._route = Route()

    def take(self, route: Route) -> Probe | None:
        """Let the next connections go this way, and return its probe; None without probes."""
        host, port = self._target
        self._route = route
        self._relay.target = (host, route.port or port)
        self._relay.opening = _opening(route.starttls) if route.starttls is not None else None
        return self.probe

    @property
    def probe(self) -> Probe | None:
        """The probe of the present way; None if this machine must not ask."""
        if not self._may_probe:
            return None
        if self._route not in self._probes:
            self._probes[self._route] = Probe(
                *self._relay.target, name=self._name, progress=self._progress, starttls=self._route.starttls
            )
        return self._probes[self._route]

    @property
    def asked(self) -> int | None:
        """In how many connections this machine probed the server; None if it must not."""
        return sum(probe.count for probe in self._probes.values()) if self._may_probe else None


def _opening(protocol: PlainProtocol) -> Opening:
    return lambda connection: start_tls(connection, protocol, deadline=Deadline(_STARTTLS_S))
