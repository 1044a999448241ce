"""What a simulation found: which firmware of the table gets how far with a server, and the change that lets most connect."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.model.recipes import Recipe
from harness.model.results import Explanation, Fix
from harness.model.wire import Negotiated
from harness.model.words import Outcome, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedFirmware:
    """One release of one port as the table of firmware has it.

    `nearest` is the release whose values it takes, if the table lacks its own; `measured`: its ClientHello was captured from exactly this
    configuration, which `source` describes. `composed`: the ClientHello was put together from a configuration.
    """

    port: str
    version: str
    library: str
    source: str
    measured: bool
    composed: bool = False
    nearest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProblem:
    """Why a firmware does not accept a certificate: the flag of the vocabulary, and the reason in words.

    `always`: it refuses the certificate even without verification. `basis`: whether the rule behind it was measured or is assumed.
    `number` and `alert` are what the client then raises and sends, where the flag does not decide that.
    """

    flag: str
    text: str
    always: bool
    basis: str
    number: int | None = None
    alert: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What equal firmwares get from one server.

    `reason` is the server's `SSLError.reason` (of a server that is not ours the name of its alert), or what the client does not accept.
    `problems` are those of a client that verifies, without the refused ones. `verifies`: this firmware can verify.
    `asks_certificate`: the server requested a client certificate, so it is not decided whether it accepts the client. `unread` is what
    could not be read of the flight.
    """

    firmware: tuple[SimulatedFirmware, ...]
    outcome: Outcome
    ended_by: Side | None = None
    reason: str | None = None
    alert: str | None = None
    client_number: int | None = None
    client_flags: tuple[str, ...] | None = None
    negotiated: Negotiated = field(default_factory=Negotiated)
    retry: bool = False
    weak: tuple[str, ...] = ()
    problems: tuple[CertificateProblem, ...] = ()
    verifies: bool = True
    asks_certificate: bool = False
    unread: str | None = None
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedChange:
    """One change of the server, and how many firmwares connected with it in a second simulation.

    `stand_in`: that was against a Python server with the same keys, suites and versions, because the server itself is not ours. `recipe`
    makes the files and the server.
    """

    fix: Fix
    connecting: int
    weak: int = 0
    server_lines: tuple[str, ...] = ()
    stand_in: bool = False
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """One server with every firmware. `failure` is why it was not reached, and then `results` is empty.

    `changes` begin with the one to make; one with which more connect, if weak or discouraged, is second.
    """

    server: str
    results: tuple[Simulated, ...] = ()
    failure: str | None = None
    server_lines: tuple[str, ...] = ()
    certificate: str | None = None
    connections: int = 0
    changes: tuple[SimulatedChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def connecting(self) -> int:
        """How many firmwares connect."""
        return sum(len(item.firmware) for item in self.results if item.outcome is Outcome.CONNECTED)

    @property
    def count(self) -> int:
        """How many firmwares were simulated."""
        return sum(len(item.firmware) for item in self.results)
