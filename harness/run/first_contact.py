"""The first contact of a board and a server: plain TCP, then the baseline handshake. If TCP fails, TLS is not tested.

Knows both sides. Must not judge a case.
"""

from __future__ import annotations

import secrets

from harness.boards.agent.memory import memory_text
from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind
from harness.firmware.hello_notes import hello_notes
from harness.model import ClientPlan, ServerProfile, ServerReport, Side
from harness.oracle.out_of_memory import is_out_of_memory
from harness.run.addresses import Addresses
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake
from harness.server import Serving
from harness.system.deadline import Deadline

# How long to wait for the report of the first server, which ends as soon as the board connects.
SETTLE_S = 5.0


def first_contact(session: BoardSession, runner: CaseRunner) -> None:
    """Try plain TCP, then the baseline handshake.

    Raises:
        BoardError: as `first_tcp` and `first_handshake`.
    """
    first_tcp(session, runner)
    first_handshake(session, runner)


def first_tcp(session: BoardSession, runner: CaseRunner) -> int:
    """Open a plain TCP connection from the board to a server of ours; again, once, if the server accepted it and the board failed.

    The server sends one random byte and gets it back, which shows each end who the other is; it closes only after the board has.

    Returns:
        The port of the server.

    Raises:
        BoardError: `network`: there is no connection, or it is to another server; or the line failed.
    """
    try:
        return _tcp(session, runner)
    except _Accepted:
        return _tcp(session, runner)


class _Accepted(BoardError):
    """The board reports no connection, but the server accepted it."""


def _tcp(session: BoardSession, runner: CaseRunner) -> int:
    proof = secrets.token_bytes(1)
    start = runner.server.open(
        ServerProfile(behaviour={"name": "first-contact", "data": proof.hex()}),
        Serving(bind=runner.addresses.bind, ports=runner.addresses.ports, peers=runner.addresses.peers),
    )
    try:
        session.try_tcp(runner.addresses.advertise, start.port or 0)
    except BoardError as fault:
        dropped = runner.server.cancel()
        if fault.kind is FaultKind.NETWORK and dropped is not None and dropped.strangers:
            raise BoardError(_other_peer_text(session, runner.addresses, dropped), kind=FaultKind.NETWORK) from fault
        if fault.kind is FaultKind.NETWORK and dropped is not None and dropped.accepted:
            raise _Accepted(fault.message, kind=fault.kind, transcript=fault.transcript) from fault
        raise
    longer_s = runner.handshakes.longer_s(ClientPlan())
    report = runner.server.finish(Deadline(session.scaled(SETTLE_S) + longer_s))
    sent_back = b"".join(chunk.data for chunk in report.wire if chunk.sender is Side.CLIENT)
    if not report.accepted or sent_back != proof:
        raise BoardError(_other_peer_text(session, runner.addresses, report), kind=FaultKind.NETWORK)
    return report.local_port or 0


def first_handshake(session: BoardSession, runner: CaseRunner) -> Handshake:
    """Make the baseline handshake, and keep the board's ClientHello.

    Raises:
        BoardError: `memory`: too little for TLS; or the line failed.
    """
    handshake = runner.baseline_handshake()
    failure = handshake.observation.client
    if not handshake.connected and failure is not None and is_out_of_memory(failure):
        raise BoardError(
            f"{session.spec.label}: the board has too little memory for TLS: {memory_text(session.memory())}",
            kind=FaultKind.MEMORY,
        )
    if session.info.hello is None:
        hello, when = handshake.observation.client_hello, int(handshake.report.started_unix_s)
        session.learn(hello=hello, hello_unix_s=when or None)
        session.notes += hello_notes(session.info)
    return handshake


def _other_peer_text(session: BoardSession, addresses: Addresses, report: ServerReport) -> str:
    """Name both addresses: where the board connected to, and where its connection came from."""
    label, target = session.spec.label, f"{addresses.advertise}:{report.local_port}"
    own = session.info.address or "address unknown"
    if report.strangers:
        return (
            f"{label}: the board ({own}) connected to {target}, but the connection came from {report.peer} and only "
            f"{', '.join(addresses.peers or ())} may connect: behind NAT, specify the address that connections come from with --peer"
        )
    return (
        f"{label}: the board ({own}) opened a TCP connection to {target}, but this server ({addresses.bind}) accepted none: "
        "another server answers there (check --advertise and --bind), or a proxy is in between"
    )
