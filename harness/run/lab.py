"""The lab of one process: boards, servers and certificates, opened at first use and closed at the end.

Knows how to connect a board and a server: addresses, network, the plain TCP connection that comes first. Judges nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.boards.agent.same_board import (
    changed_facts,
    hardware_changes,
    identity_changes,
    identity_of,
    replaced_text,
)
from harness.boards.kinds import open_board
from harness.boards.locks.board_lock import Patience
from harness.boards.session import BoardSession
from harness.certificates import Certificates
from harness.errors import BOARD_IS_FINE, BoardError, FaultKind, HarnessError, UsageError
from harness.links.profiles import PROFILES
from harness.model import DEFAULT_CLIENT, BoardInfo, BoardSpec, ClientApi, UnexpectedPeers, as_json
from harness.oracle.prediction.hidden import hidden_settings
from harness.run.addresses import EVERY_ADDRESS, LOOPBACK, Addresses, no_peer_text, peers_of
from harness.run.bare_board import bare_text, has_way, uses_host_network
from harness.run.case_runner import CaseRunner
from harness.run.first_contact import first_contact
from harness.run.health import Health
from harness.run.options import IN_PROCESS, RunOptions
from harness.server.address import check_bind, local_address_for
from harness.server.engine_records import described_facts
from harness.server.local import LocalServer
from harness.server.remote import RemoteServer
from harness.server.slow_link import SlowLink
from harness.server.unexpected_peers import CountedServer, together
from harness.system.deadline import Deadline
from harness.system.shortages import shortage_text

OTHER_RECORD = "differs from the board in the record that --resume continues, so no case was run on it"
__all__ = ["IN_PROCESS", "Lab", "OpenBoard", "RunOptions"]

UNEXPECTED = "the harness failed with {} while it opened this board; the first test that uses the board shows where"


@dataclass(slots=True)
class OpenBoard:
    """A board of this process: its session once it is open, or the error that prevents one.

    `runners` holds for each server, client API and network the case runner, or the first error: no test waits for the same timeout twice.
    """

    spec: BoardSpec
    session: BoardSession | None = None
    error: HarnessError | None = None
    runners: dict[tuple[str, ClientApi, str], CaseRunner | HarnessError] = field(default_factory=dict)

    @property
    def info(self) -> BoardInfo | None:
        """What the probe found; None while the board is not open."""
        return self.session.info if self.session else None


class Lab:
    """Opens boards and servers once, keeps them, and closes them all.

    Args:
        options: the options of the run.
        certificates: makes the certificates that profiles name; None for the harness's own. Closed with the lab.
    """

    def __init__(self, options: RunOptions, *, certificates: Certificates | None = None) -> None:
        self.options = options
        self.certificates = certificates or Certificates()
        self.tell: Callable[[str], None] | None = None
        self._certificates = {0: self.certificates}
        self._boards: dict[str, OpenBoard] = {}
        self._first_seen: dict[str, BoardInfo] = {}
        self.recorded: Mapping[str, Mapping[str, str | None]] = {}
        self._hardware: dict[str, dict[str, str | None]] = {}
        self._servers: dict[tuple[str, int, str], CountedServer] = {}

    def server(self, name: str, *, behind_s: int = 0) -> CountedServer:
        """Return the server host of that name, started at first use.

        Args:
            name: `in-process`, or the interpreter as the user wrote it.
            behind_s: how far the clock of the board is behind; each such clock has a server of its own.

        Raises:
            UsageError: the interpreter cannot be used.
        """
        found = self._servers.get((name, behind_s, ""))
        if found is None:
            make = self._certificates_for(behind_s).make
            if name == IN_PROCESS:
                found = CountedServer(LocalServer(materials=make))
            else:
                secrets = {spec.settings.password_env or "" for spec in self.options.boards}
                found = CountedServer(RemoteServer(name, materials=make, strip_env=secrets))
            self._servers[name, behind_s, ""] = found
        return found

    def _linked(self, name: str, *, behind_s: int, link: str) -> CountedServer:
        """Return the server host of that name behind a network; behind none if it has no name. Closed before the host itself."""
        plain = self.server(name, behind_s=behind_s)
        key = (name, behind_s, link)
        if key not in self._servers:
            self._servers[key] = CountedServer(SlowLink(plain.host, PROFILES[link]))
        return self._servers[key]

    def take_unexpected_peers(self, name: str) -> UnexpectedPeers:
        """Return whose connections the server of that name has dropped since the last call."""
        return together(*(host.take_unexpected_peers() for (known, *_), host in self._servers.items() if known == name))

    def _certificates_for(self, behind_s: int) -> Certificates:
        """Return certificates that are valid at the time of a clock so far behind.

        A virtual board has its host's clock, so the certificates are shifted instead (`--board faulty:wrong-clock`).
        """
        if behind_s not in self._certificates:
            now = datetime.now(UTC) + timedelta(seconds=behind_s)
            self._certificates[behind_s] = self.certificates.at(now)
        return self._certificates[behind_s]

    def open(self, spec: BoardSpec) -> OpenBoard:
        """Open a board once; a later call returns the same board, or the same error."""
        known = self._boards.get(spec.label)
        if known is None:
            for other in [other.spec for other in self._boards.values() if other.spec.name == spec.name]:
                self.release(other)  # the same board with another firmware
            # The error stays if pytest-timeout ends the test here: the next test must not wait for the same again.
            known = self._boards[spec.label] = OpenBoard(spec=spec, error=_interrupted(spec, "it was opened"))
            try:
                session = open_board(spec, patience=Patience(seconds=self.options.board_wait_s, tell=self.tell))
                session.programs.modules = self.options.modules
                known.session = self._same_as_before(session)
                known.error = None
            except HarnessError as error:
                known.error = error
            except Exception as error:
                reason = shortage_text(error) if isinstance(error, OSError) else None
                known.error = BoardError(f"{spec.label}: {reason or UNEXPECTED.format(type(error).__name__)}")
                if reason is None:
                    raise
        return known

    def _same_as_before(self, session: BoardSession) -> BoardSession:
        """Return the session if its board is the one that this lab had under that name; close it otherwise.

        Raises:
            BoardError: `replaced`.
        """
        label, info = session.spec.label, session.info
        recorded = self._recorded_changes(session.spec, identity_of(info))
        if recorded:
            session.close(deadline=Deadline(5.0))
            raise BoardError(f"{label}: {OTHER_RECORD}: {'; '.join(recorded)}", kind=FaultKind.REPLACED)
        changes = identity_changes(self._first_seen.setdefault(label, info), info)
        identity = identity_of(info)
        changes = changes or hardware_changes(self._hardware.setdefault(session.spec.name, identity), identity)
        if changes:
            session.close(deadline=Deadline(5.0))
            raise BoardError(replaced_text(label, changes), kind=FaultKind.REPLACED)
        return session

    def _recorded_changes(self, spec: BoardSpec, now: Mapping[str, str | None]) -> tuple[str, ...]:
        """Return what differs from the board of the resumed record, there perhaps with another firmware only."""
        if spec.label in self.recorded:
            return changed_facts(self.recorded[spec.label], now)
        others = (other.label for other in self.options.boards if other.name == spec.name)
        earlier = next((self.recorded[label] for label in others if label in self.recorded), {})
        return hardware_changes(earlier, now)

    def release(self, spec: BoardSpec) -> None:
        """Leave a board at its prompt and unlock it for other runs; the next use opens it again."""
        board = self._boards.pop(spec.label, None)
        if board is not None and board.session is not None:
            board.session.close(deadline=Deadline(5.0))

    def runner(
        self, spec: BoardSpec, server_name: str, *, client: ClientApi = DEFAULT_CLIENT, link: str = ""
    ) -> CaseRunner:
        """Return the case runner for this board, server and client API, connecting board and server at first use.

        Raises:
            BoardError: the board cannot be opened, cannot join its network, or cannot reach the server.
            UsageError: the server's interpreter or an address cannot be used.
        """
        board = self.open(spec)
        if board.error is not None:
            raise board.error
        session = board.session
        if session is None:
            raise BoardError(f"{spec.label}: the board is not open", kind=FaultKind.LINK)
        key = (server_name, client, link)
        if key not in board.runners:
            session.refuse_if_quarantined()
        found = board.runners.get(key)
        if found is None:
            board.runners[key] = _interrupted(spec, "it was connected to the server")
            try:
                found = self._connected(session, server_name, client, link)
            except HarnessError as error:
                found = error
            except OSError as error:
                found = _shortage(spec, error)
            board.runners[key] = found
        if isinstance(found, HarnessError):
            raise found
        return found

    def unusable_because(self, error: Exception) -> str | None:
        """Return the label of the board that cannot be used because of this error; None for the fault of a single test."""
        for board in self._boards.values():
            quarantine = board.session.quarantine_reason if board.session is not None else None
            if any(error is known for known in (board.error, *board.runners.values())) or str(error) == quarantine:
                return board.spec.label
        return None

    def known_runner(
        self, spec: BoardSpec, server_name: str, *, client: ClientApi = DEFAULT_CLIENT, link: str = ""
    ) -> CaseRunner | None:
        """Return the runner for this board, server and client API if there is one already; open nothing."""
        board = self._boards.get(spec.label)
        found = board.runners.get((server_name, client, link)) if board is not None else None
        return found if isinstance(found, CaseRunner) and found.board.info.has_tls else None

    def abandon(
        self, spec: BoardSpec, server_name: str, *, reason: str, client: ClientApi = DEFAULT_CLIENT, link: str = ""
    ) -> Health | None:
        """End the session between this board and this server, and recover the board before the next case.

        Args:
            spec: the board.
            server_name: the server.
            reason: why it was ended.
            client: the client API of the session.
            link: the network of the session.

        Returns:
            The board's health with the recovery steps; None if the two had not been connected yet.
        """
        runner = self.known_runner(spec, server_name, client=client, link=link)
        if runner is None:
            return None
        with contextlib.suppress(HarnessError, OSError):
            runner.server.cancel()
        with contextlib.suppress(HarnessError, OSError):
            runner.health.recover(BoardError(reason, kind=FaultKind.STOPPED))
            runner.health.end([reason])
        return runner.health

    def _connected(self, session: BoardSession, server_name: str, client: ClientApi, link: str) -> CaseRunner:
        runner = self.new_runner(session, server_name, client=client, link=link)
        if session.info.has_tls:
            try:
                first_contact(session, runner)
            except BoardError as fault:
                self._recover(session, runner, fault)
                first_contact(session, runner)
        return runner

    def new_runner(
        self, session: BoardSession, server_name: str, *, client: ClientApi = DEFAULT_CLIENT, link: str = ""
    ) -> CaseRunner:
        """Return a case runner for an open board and this server, before their first contact.

        Raises:
            BoardError: `no-network`: the board cannot reach the server, with the missing lines of boards.toml.
            UsageError: the server's interpreter or an address cannot be used.
        """
        if session.info.has_tls and not has_way(session.info, self.options, session.spec.settings):
            raise BoardError(bare_text(session.spec, session.info), kind=FaultKind.NO_NETWORK)
        return CaseRunner(
            session,
            self._linked(server_name, behind_s=session.clock_behind_s, link=link),
            server_label=self.options.server_name(server_name),
            certificates=self._certificates_for(session.clock_behind_s),
            addresses=self.addresses_for(session.info, session.spec),
            link_retries=self.options.link_retries,
            client=client,
            link=PROFILES.get(link),
        )

    def _recover(self, session: BoardSession, runner: CaseRunner, fault: BoardError) -> None:
        """Recover a board after a fault before its first case.

        Raises:
            BoardError: the fault itself if no recovery step helps; the reason if the board is now quarantined.
        """
        runner.server.cancel()
        if fault.kind in (FaultKind.NETWORK, FaultKind.MEMORY, *BOARD_IS_FINE):
            raise fault
        said = fault.message.removeprefix(f"{session.spec.label}: ")
        steps = session.recover(because=f"its baseline handshake: {said}")
        session.refuse_if_quarantined()
        session.notes.append(f"had a fault before its first case ({said}); {steps[-1].step} helped")

    def addresses_for(self, info: BoardInfo, spec: BoardSpec) -> Addresses:
        """Choose the addresses: those of the options, else the one that faces the board, else (the host's own network) loopback.

        Args:
            info: of the board.
            spec: of the board: its name, and the address of this machine that boards.toml gives.

        Raises:
            BoardError: nobody could tell the board's connections from those of others.
            ServerError: this machine has no route to the board.
            UsageError: an address of the options is none of this machine.
        """
        own_network = not uses_host_network(info)
        address = info.address or (next(iter(self.options.peers), None) if own_network else None)
        given = self.options.bind or spec.settings.bind
        if given:
            bind = check_bind(given)
        elif address:
            bind = local_address_for(address)
        else:
            bind = self._bind_to_advertised() if own_network and self.options.advertise else LOOPBACK
        advertise = self.options.advertise or bind
        if advertise in EVERY_ADDRESS:  # every address of this machine, of which the board needs one
            advertise = local_address_for(address) if address else LOOPBACK
        peers = peers_of(info, given=self.options.peers, hosted=not own_network, bind=bind, advertise=advertise)
        if not peers:
            raise BoardError(no_peer_text(spec.label, bind=bind), kind=FaultKind.NO_NETWORK)
        return Addresses(bind=bind, advertise=advertise, ports=self.options.ports, peers=peers)

    def _bind_to_advertised(self) -> str:
        """Listen at the address to which a board without a known address is sent."""
        try:
            return check_bind(self.options.advertise or "")
        except UsageError:
            raise UsageError(
                f"--advertise {self.options.advertise!r}: not an address of this machine, and the board reports no address: name "
                "the address to listen on with --bind"
            ) from None

    def boards(self) -> tuple[OpenBoard, ...]:
        """Return the boards that were used so far."""
        return tuple(self._boards.values())

    def describe_server(self, name: str) -> dict[str, Any]:
        """Return the description of a server (Python, OpenSSL, flags) by its name in results, as plain JSON values."""
        programs = {short: program for program, short in self.options.server_names.items()}
        description = self.server(programs.get(name, name)).describe()
        return {"server": name, **as_json(description), "hidden": list(hidden_settings(described_facts(description)))}

    def close(self) -> None:
        """Leave every board at its prompt, stop every server, remove keys. May be called twice; a failure does not skip the rest."""
        with contextlib.ExitStack() as closing:
            for certificates in self._certificates.values():
                closing.callback(certificates.close)
            for server in self._servers.values():
                closing.callback(server.close)
            for board in self._boards.values():
                if board.session is not None:
                    closing.callback(board.session.close, deadline=Deadline(5.0))
            self._boards, self._servers = {}, {}


def _shortage(spec: BoardSpec, error: OSError) -> BoardError:
    """Turn a resource that this machine ran out of into the board's error; raise any other OSError again."""
    reason = shortage_text(error)
    if reason is None:
        raise error
    return BoardError(f"{spec.label}: {reason}")


def _interrupted(spec: BoardSpec, when: str) -> BoardError:
    return BoardError(f"{spec.label}: the test in which {when} was interrupted", kind=FaultKind.STOPPED)
