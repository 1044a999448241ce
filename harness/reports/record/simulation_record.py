"""A simulation as JSON (schema `tls-harness/simulate/1`): its types, and how it is made. Pure.

Keys may be added, none is renamed or removed: scripts are written against them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from harness.model import Outcome, Side, Simulated, SimulatedChange, Simulation
from harness.reports.record.diagnosis_record import RecipeEntry, recipe_entry
from harness.reports.record.plain import bounded
from harness.reports.record.result_types import Entry, ExplanationEntry, FixEntry
from harness.reports.record.run_record import entry_of

SCHEMA: Literal["tls-harness/simulate/1"] = "tls-harness/simulate/1"


class FirmwareEntry(Entry, frozen=True, kw_only=True):
    """One release of one port. `nearest` is the release whose values it takes; `measured`: its ClientHello was captured from exactly
    this configuration; `composed`: it was put together from a configuration.
    """

    port: str
    version: str
    library: str
    source: str
    measured: bool
    composed: bool
    nearest: str | None


class ProblemEntry(Entry, frozen=True, kw_only=True):
    """Why a client does not accept the certificate; `always`: even without verification. `basis`: `measured` or `assumed`."""

    flag: str
    text: str
    always: bool
    basis: Literal["measured", "assumed"]
    number: int | None
    alert: str | None


class NegotiatedEntry(Entry, frozen=True, kw_only=True):
    """What the server chose, null if it chose nothing."""

    version: str | None
    suite: str | None
    group: str | None


class SimulatedEntry(Entry, frozen=True, kw_only=True):
    """What equal firmwares get. `weak` lists what is weak in the session; `problems` are those of a client that verifies.

    `asks_certificate`: the server requested a client certificate, so it is not decided whether it accepts the client.
    """

    firmware: tuple[FirmwareEntry, ...]
    outcome: Outcome
    ended_by: Side | None
    reason: str | None
    alert: str | None
    client_number: int | None
    client_flags: tuple[str, ...] | None
    negotiated: NegotiatedEntry
    retry: bool
    weak: tuple[str, ...]
    problems: tuple[ProblemEntry, ...]
    verifies: bool
    asks_certificate: bool
    unread: str | None
    explanation: ExplanationEntry | None


class ChangeEntry(Entry, frozen=True, kw_only=True):
    """One change of the server, and how many firmwares connect with it; `stand_in`: simulated against a Python server like it. `recipe`
    makes the files and the server.
    """

    fix: FixEntry
    connecting: int
    weak: int
    server_lines: tuple[str, ...]
    stand_in: bool
    recipe: RecipeEntry | None


class ServerEntry(Entry, frozen=True, kw_only=True):
    """One server. `failure` says why it was not reached; `changes` begin with the one to make."""

    server: str
    failure: str | None
    firmwares: int
    connecting: int
    connections: int
    certificate: str | None
    server_lines: tuple[str, ...]
    results: tuple[SimulatedEntry, ...]
    changes: tuple[ChangeEntry, ...]
    notes: tuple[str, ...]


class SimulationRecord(Entry, frozen=True, kw_only=True):
    """What `tls-harness simulate --json` prints. `completed_sessions` is always 0: no session is completed and no data is sent."""

    schema: Literal["tls-harness/simulate/1"]
    completed_sessions: Literal[0]
    servers: tuple[ServerEntry, ...]


def simulation_record(found: Sequence[Simulation]) -> SimulationRecord:
    """Return the record of one or more servers."""
    return bounded(SimulationRecord(schema=SCHEMA, completed_sessions=0, servers=tuple(map(_server, found))))


def _server(found: Simulation) -> ServerEntry:
    return ServerEntry(
        server=found.server,
        failure=found.failure,
        firmwares=found.count,
        connecting=found.connecting,
        connections=found.connections,
        certificate=found.certificate,
        server_lines=found.server_lines,
        results=tuple(map(_result, found.results)),
        changes=tuple(map(_change, found.changes)),
        notes=found.notes,
    )


def _result(item: Simulated) -> SimulatedEntry:
    return entry_of(item, SimulatedEntry)


def _change(item: SimulatedChange) -> ChangeEntry:
    return ChangeEntry(
        fix=entry_of(item.fix, FixEntry),
        connecting=item.connecting,
        weak=item.weak,
        server_lines=item.server_lines,
        stand_in=item.stand_in,
        recipe=recipe_entry(item.recipe) if item.recipe is not None else None,
    )
