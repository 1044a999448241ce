"""One simulation of a server from beginning to end: the user's own files under a Python, or a server that is already running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.certificates.reading import key_facts
from harness.diagnose import files as reading
from harness.diagnose.given import GIVEN, GivenCertificates
from harness.diagnose.recipes import server_lines
from harness.diagnose.remote.dialling import Dialler
from harness.diagnose.remote.looking import Looking
from harness.diagnose.request import Progress, Request
from harness.diagnose.settings import Settings, as_given
from harness.diagnose.simulation.advice import best_changes
from harness.diagnose.simulation.connection import Unreachable
from harness.diagnose.simulation.simulator import Question, simulate
from harness.diagnose.simulation.stand_in import changes_like
from harness.diagnose.simulation.targets import OwnServer, RunningServer
from harness.explain.other_servers import for_any_server
from harness.firmware.table import Firmware
from harness.model import HelloFacts, ServerFacts, Simulated, SimulatedChange, Simulation, Verify
from harness.run.options import IN_PROCESS
from harness.server import ServerHost
from harness.server.local import LocalServer
from harness.server.remote import RemoteServer
from harness.wire.host_names import is_ip_address


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulating:
    """What the user asked for: the firmwares, and the settings of both sides as for a diagnosis.

    `changes`: simulate changes of an own server.
    """

    firmwares: tuple[Firmware, ...]
    request: Request
    changes: bool = True


def simulate_files(asked: Simulating, *, progress: Progress) -> Simulation:
    """Simulate against a server with the user's files.

    Args:
        asked: with `files`; `server` says where it runs.
        progress: gets one line per step.

    Raises:
        UsageError: a file or an interpreter cannot be used.
        ServerError: the server side of the harness failed.
    """
    request = asked.request
    certificates = GivenCertificates(request.files, host=request.hostname)
    with certificates:
        own = request.server == IN_PROCESS
        host: ServerHost = (
            LocalServer(materials=certificates.make)
            if own
            else RemoteServer(request.server, materials=certificates.make)
        )
        try:
            return _Own(asked, host, certificates, progress=progress).simulation()
        finally:
            host.close()


class _Own:
    """One simulation against a server of the harness."""

    def __init__(
        self, asked: Simulating, host: ServerHost, certificates: GivenCertificates, *, progress: Progress
    ) -> None:
        self._asked = asked
        self._host = host
        self._certificates = certificates
        self._progress = progress
        self._connections = 0

    def simulation(self) -> Simulation:
        """Simulate the given settings, then changes of them."""
        start, about = as_given(self._asked.request, self._certificates), self._host.describe()
        text = f"Python {about['python']}, {about['openssl']}"
        self._progress(f"simulating {len(self._asked.firmwares)} firmwares against {text}")
        results = self._against(start)
        changes: tuple[SimulatedChange, ...] = ()
        if self._asked.changes:
            self._progress("simulating changes of the server")
            changes = best_changes(start, results, simulate=self._against, certificates=self._certificates)
        return Simulation(
            server=text,
            results=results,
            server_lines=server_lines(start, self._certificates),
            certificate=described(self._certificates.make(GIVEN).chain_der),
            connections=self._connections,
            changes=changes,
        )

    def _against(self, settings: Settings) -> tuple[Simulated, ...]:
        target, name = OwnServer(self._host, settings.server), self._certificates.host
        question = Question(settings=settings, name=name, host=name, anchors=self._anchors(settings))
        found = simulate(target, self._asked.firmwares, question=question)
        self._connections += target.connections
        return found

    def _anchors(self, settings: Settings) -> tuple[bytes, ...] | None:
        """The CA certificates of a client that verifies: those of its file, and of certificates that a change generates."""
        if settings.client.verify is Verify.NONE:
            return None
        own = authorities_of(self._asked.request.files.ca) or ()
        return (*own, *(self._certificates.make(name).root_der for name in settings.client.ca))


def simulate_running(asked: Simulating, *, host: str, port: int, progress: Progress) -> Simulation:
    """Simulate against a server that is already running, one connection after the other.

    Raises:
        UsageError: a file cannot be used.
    """
    request = asked.request
    name = request.hostname or (None if is_ip_address(host) else host)
    text = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    target = RunningServer(host, port)
    dialler = Dialler(host, port)
    looking = Looking(dialler, name=name, progress=progress) if request.probe else None
    looked: list[ServerFacts] = []

    def look(hello: HelloFacts) -> ServerFacts | None:
        facts = looking.facts(hello) if looking is not None else None
        looked.extend([facts] if facts is not None else [])
        return facts

    progress(f"simulating {len(asked.firmwares)} firmwares against {text}")
    question = Question(
        settings=Settings.untouched(),
        name=name,
        host=request.hostname or host,
        anchors=authorities_of(request.files.ca),
        look=look,
    )
    try:
        results = simulate(target, asked.firmwares, question=question)
    except Unreachable as error:
        return Simulation(server=text, failure=error.reason, connections=target.connections)
    changes: tuple[SimulatedChange, ...] = ()
    if looked and asked.changes:
        progress("simulating changes with a Python server like it")
        changes = changes_like(looked[0], results, firmwares=asked.firmwares, host=name)
    return Simulation(
        server=text,
        results=tuple(map(_for_any_server, results)),
        connections=target.connections + dialler.count,
        changes=changes,
    )


def _for_any_server(result: Simulated) -> Simulated:
    if result.explanation is None:
        return result
    fixes = tuple(map(for_any_server, result.explanation.fixes))
    return replace(result, explanation=replace(result.explanation, fixes=fixes))


def authorities_of(path: Path | None) -> tuple[bytes, ...] | None:
    """Return the certificates of the client's CA file; None without one.

    Raises:
        UsageError: the file cannot be used.
    """
    return None if path is None else reading.authorities(path, option="--ca")[0]


def described(chain: Sequence[bytes]) -> str | None:
    """Describe the key of a certificate in a few words; None if it cannot be read."""
    try:
        facts = key_facts(chain)
    except (ValueError, IndexError):
        return None
    return f"{facts.type} key, {facts.curve or f'{facts.bits} bits'}"
