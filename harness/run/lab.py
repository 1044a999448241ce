"""The lab of one process: boards, servers and certificates, each opened at its first use and closed at the end.

Knows how to bring a board and a server together (addresses, network, the first plain TCP connection). Judges nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.boards.kinds import open_board
from harness.boards.locks.board_lock import Patience
from harness.boards.session import BoardSession
from harness.certificates import Certificates
from harness.errors import BoardError, FaultKind, HarnessError
from harness.firmware.hello_notes import hello_notes
from harness.model import BoardInfo, BoardSpec, ServerProfile, ServerReport, Strangers
from harness.run.addresses import Reach
from harness.run.case_runner import CaseRunner
from harness.run.health import Health
from harness.run.options import IN_PROCESS, RunOptions
from harness.server import Serving
from harness.server.address import check_bind, local_address_for
from harness.server.local import LocalServer
from harness.server.remote import RemoteServer
from harness.server.strangers import CountedServer, together
from harness.system.deadline import Deadline
from harness.system.shortages import shortage_text

__all__ = ["IN_PROCESS", "Lab", "OpenBoard", "RunOptions"]

UNEXPECTED = "the harness itself failed with {} when it opened this board; the first test that wanted it shows where"
LOOPBACK = "127.0.0.1"
# The first server is closed as soon as the right board connects; this long is waited for it to say who connected.
SETTLE_S = 5.0


@dataclass(slots=True)
class OpenBoard:
    """A board of this process: its session once it is open, or the error that keeps it from being one.

    `runners` holds, by server, what runs cases or the first reason why nothing can: nobody waits for the same time-out twice.
    """

    spec: BoardSpec
    session: BoardSession | None = None
    error: HarnessError | None = None
    runners: dict[str, CaseRunner | HarnessError] = field(default_factory=dict)

    @property
    def info(self) -> BoardInfo | None:
        """What the probe found; None while it is not open."""
        return self.session.info if self.session else None


class Lab:
    """Opens what is asked for once, keeps it, closes it all.

    Args:
        options: of the run.
        certificates: what names of certificates stand for; default the harness's own. Closed with the lab.
    """

    def __init__(self, options: RunOptions, *, certificates: Certificates | None = None) -> None:
        self.options = options
        self.certificates = certificates or Certificates()
        self.tell: Callable[[str], None] | None = None
        self._certificates = {0: self.certificates}
        self._boards: dict[str, OpenBoard] = {}
        self._servers: dict[tuple[str, int], CountedServer] = {}

    def server(self, name: str, *, behind_s: int = 0) -> CountedServer:
        """The server host of that name, started at first use; one more for boards whose clock is so far behind.

        Raises:
            UsageError: the interpreter is not usable.
        """
        found = self._servers.get((name, behind_s))
        if found is None:
            make = self._certificates_for(behind_s).make
            if name == IN_PROCESS:
                found = CountedServer(LocalServer(materials=make))
            else:
                secrets = {spec.settings.password_env or "" for spec in self.options.boards}
                found = CountedServer(RemoteServer(name, materials=make, without=secrets))
            self._servers[name, behind_s] = found
        return found

    def take_strangers(self, name: str) -> Strangers:
        """Whose connections the server of that name has dropped since this was asked last, whatever it was open for."""
        return together(*(host.take_strangers() for (known, _), host in self._servers.items() if known == name))

    def _certificates_for(self, behind_s: int) -> Certificates:
        """Certificates as a board meets them whose clock is so far behind.

        A virtual board has its host's clock, so the certificates are moved instead (`--board faulty:wrong-clock`).
        """
        if behind_s not in self._certificates:
            now = datetime.now(UTC) + timedelta(seconds=behind_s)
            self._certificates[behind_s] = self.certificates.at(now)
        return self._certificates[behind_s]

    def open(self, spec: BoardSpec) -> OpenBoard:
        """Open a board once; a second call gives the same, also if it failed (its error is remembered)."""
        known = self._boards.get(spec.label)
        if known is None:
            # The error stays if pytest-timeout ends the test here: the next one must not wait for the same again.
            known = self._boards[spec.label] = OpenBoard(spec=spec, error=_broken_off(spec, "it was opened"))
            try:
                known.session = open_board(spec, patience=Patience(seconds=self.options.board_wait_s, tell=self.tell))
                known.error = None
            except HarnessError as error:
                known.error = error
            except Exception as error:
                reason = shortage_text(error) if isinstance(error, OSError) else None
                known.error = BoardError(f"{spec.label}: {reason or UNEXPECTED.format(type(error).__name__)}")
                if reason is None:
                    raise
        return known

    def release(self, spec: BoardSpec) -> None:
        """Leave a board at its prompt and give it back, so that others may have it; asked for again, it is opened again."""
        board = self._boards.pop(spec.label, None)
        if board is not None and board.session is not None:
            board.session.close(deadline=Deadline(5.0))

    def runner(self, spec: BoardSpec, server_name: str) -> CaseRunner:
        """A runner of cases for this board and server.

        Raises:
            BoardError: the board cannot be opened, brought into the network, or does not reach the server.
            UsageError: the server's interpreter or an address is not usable.
        """
        board = self.open(spec)
        if board.error is not None:
            raise board.error
        session = board.session
        if session is None:
            raise BoardError(f"{spec.label}: the board is not open", kind=FaultKind.LINK)
        if server_name not in board.runners:
            session.refuse_if_set_aside()
        found = board.runners.get(server_name)
        if found is None:
            board.runners[server_name] = _broken_off(spec, "it and the server came together")
            try:
                found = self._bring_together(session, server_name)
            except HarnessError as error:
                found = error
            except OSError as error:
                found = _shortage(spec, error)
            board.runners[server_name] = found
        if isinstance(found, HarnessError):
            raise found
        return found

    def known_runner(self, spec: BoardSpec, server_name: str) -> CaseRunner | None:
        """The runner for this board and server if there is one already; nothing is opened."""
        board = self._boards.get(spec.label)
        found = board.runners.get(server_name) if board is not None else None
        return found if isinstance(found, CaseRunner) and found.board.info.has_tls else None

    def abandon(self, spec: BoardSpec, server_name: str, *, reason: str) -> Health | None:
        """End what was going on between this board and this server; the board must be found well before the next case.

        Returns:
            What was tried to bring it back; None if the two had not come together yet.
        """
        runner = self.known_runner(spec, server_name)
        if runner is None:
            return None
        with contextlib.suppress(HarnessError, OSError):
            runner.server.cancel()
        with contextlib.suppress(HarnessError, OSError):
            runner.health.bring_back(BoardError(reason, kind=FaultKind.STOPPED))
            runner.health.end([reason])
        return runner.health

    def _bring_together(self, session: BoardSession, server_name: str) -> CaseRunner:
        runner = CaseRunner(
            session,
            self.server(server_name, behind_s=session.clock_behind_s),
            server_label=self.options.server_name(server_name),
            certificates=self._certificates_for(session.clock_behind_s),
            reach=self._reach(session),
            link_retries=self.options.link_retries,
        )
        if session.info.has_tls:
            try:
                self._first_contact(session, runner)
            except BoardError as fault:
                self._after_a_fault(session, runner, fault)
                self._first_contact(session, runner)
        return runner

    def _after_a_fault(self, session: BoardSession, runner: CaseRunner, fault: BoardError) -> None:
        """Bring a board back that met a fault before its first case, so that it may try once more.

        Raises:
            BoardError: the fault itself, where the network is at fault and not the board; that the board is set aside.
        """
        runner.server.cancel()
        if fault.kind == FaultKind.NETWORK:
            raise fault
        said = fault.message.removeprefix(f"{session.spec.label}: ")
        steps = session.recover(because=f"its first session: {said}")
        session.refuse_if_set_aside()
        session.notes.append(f"met a fault before its first case ({said}); {steps[-1].step} helped")

    def _reach(self, session: BoardSession) -> Reach:
        """Where to listen: as told, else on the address that faces the board, else (no network of its own) on loopback."""
        address = session.info.address
        told = self.options.bind or session.spec.settings.bind
        bind = check_bind(told) if told else local_address_for(address) if address else LOOPBACK
        peers: tuple[str, ...] | None = self.options.peers or None
        if peers is None:
            peers = (address,) if address else (LOOPBACK,) if bind == LOOPBACK else None
        advertise = self.options.advertise or bind
        if advertise in ("0.0.0.0", "::"):  # every address of this machine: the board needs one of them
            advertise = local_address_for(address) if address else LOOPBACK
        return Reach(bind=bind, advertise=advertise, ports=self.options.ports, peers=peers)

    def _first_contact(self, session: BoardSession, runner: CaseRunner) -> None:
        """Plain TCP first: if that fails, no word about TLS. Then the session that anybody can have, and its ClientHello."""
        start = runner.server.open(
            ServerProfile(behaviour={"name": "not-tls.close-at-accept"}),
            Serving(bind=runner.reach.bind, ports=runner.reach.ports, peers=runner.reach.peers),
        )
        try:
            session.try_tcp(runner.reach.advertise, start.port or 0)
        except HarnessError:
            runner.server.cancel()
            raise
        report = runner.server.finish(Deadline(session.scaled(SETTLE_S)))
        if not report.accepted:
            raise BoardError(_stranger_text(session, runner.reach, report), kind=FaultKind.NETWORK)
        tried = runner.first_session()
        if session.info.hello is None:
            hello, when = tried.observation.client_hello, int(tried.report.started_unix_s)
            session.learn(hello=hello, hello_unix_s=when or None)
            session.notes += hello_notes(session.info)

    def boards(self) -> tuple[OpenBoard, ...]:
        """The boards touched so far."""
        return tuple(self._boards.values())

    def describe_server(self, name: str) -> dict[str, Any]:
        """What the server of this name in results says of itself."""
        programs = {short: program for program, short in self.options.server_names.items()}
        return {"server": name, **self.server(programs.get(name, name)).describe()}

    def close(self) -> None:
        """Leave every board at its prompt, stop every server, remove keys. Safe to call twice; one that fails does not keep the rest."""
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
    """Make a machine that ran out of something the reason why this board cannot be used; anything else is a fault of ours."""
    reason = shortage_text(error)
    if reason is None:
        raise error
    return BoardError(f"{spec.label}: {reason}")


def _broken_off(spec: BoardSpec, when: str) -> BoardError:
    return BoardError(f"{spec.label}: the test in which {when} broke off", kind=FaultKind.STOPPED)


def _stranger_text(session: BoardSession, reach: Reach, report: ServerReport) -> str:
    """Name both addresses: where the board was sent, and where its connection seemed to come from."""
    label, told = session.spec.label, f"{reach.advertise}:{report.local_port}"
    own = session.info.address or "without an address of its own"
    if report.strangers:
        return (
            f"{label}: the board ({own}) was sent to {told}, and a connection came from {report.peer}, but only "
            f"{', '.join(reach.peers or ())} is answered: NAT between them? name the address that connections come from with --peer"
        )
    return (
        f"{label}: the board ({own}) opened a TCP connection to {told}, but this server ({reach.bind}) saw none: "
        "something else answers there (--advertise, --bind), or a proxy stands between them"
    )
