"""Check one board step by step, from its port to one TLS session, and stop at the first step that fails.

Knows the steps, and the text of each. A run does the same in another form (`harness.run.lab`); this writes nothing to the board.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.boards.agent.memory import memory_text
from harness.boards.kinds import BOARD_KINDS
from harness.boards.locks.board_lock import Patience, patiently
from harness.boards.session import BoardSession
from harness.cases import select
from harness.errors import BoardError, FaultKind, HarnessError
from harness.expectations.needs import READS_DER_ONLY, unmet
from harness.explain.faults import explain_error
from harness.model import BoardInfo, BoardSpec, Tier
from harness.reports.text.failure_text import client_text
from harness.run.bare_board import uses_host_network
from harness.run.board_facts import NO_TLS
from harness.run.case_runner import CaseRunner
from harness.run.first_contact import first_handshake, first_tcp
from harness.run.lab import IN_PROCESS, Lab
from harness.run.options import RunOptions
from harness.system.deadline import Deadline

RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkStep:
    """One step: its name, what was found or why it failed, and what to do (`fixes`) if it did."""

    name: str
    text: str
    failed: bool = False
    fixes: tuple[str, ...] = ()


class BoardWalk:
    """The steps of one board. Use it in a `with` block, which leaves the board at its prompt.

    Args:
        spec: of the board. Its hooks are not used.
    """

    def __init__(self, spec: BoardSpec) -> None:
        self._spec = replace(spec, settings=replace(spec.settings, reset=(), power_cycle=()))
        self._lab = Lab(RunOptions(boards=(spec,)))
        self._session: BoardSession | None = None
        self._runner: CaseRunner | None = None

    def __enter__(self) -> BoardWalk:
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            if self._session is not None:
                self._session.close(deadline=Deadline(5.0))
        finally:
            self._lab.close()

    def steps(self) -> Iterator[WalkStep]:
        """Take the steps, each when it is asked for; the last one failed, or is the TLS session."""
        before: tuple[tuple[str, Callable[[], str]], ...] = (
            ("port", self._port),
            ("REPL", self._repl),
            ("identity", self._identity),
            ("memory", self._memory),
            ("filesystem", self._filesystem),
            ("agent", self._agent),
            ("clock", self._clock),
            ("network", self._network),
            ("TCP", self._tcp),
            ("TLS", self._tls),
        )
        for name, take in before:
            try:
                text = take()
            except HarnessError as error:
                said = str(error).removeprefix(f"{self._spec.label}: ")
                fixes = tuple(fix.title for fix in explain_error(error).fixes)
                yield WalkStep(name=name, text=said, failed=True, fixes=fixes)
                return
            yield WalkStep(name=name, text=text)

    def limits(self) -> list[str]:
        """What cannot work on this board, and why; empty if it was not identified."""
        if self._session is None or not self._session.info.implementation:
            return []
        return limits(self._session.info, self._lab.server(IN_PROCESS).describe())

    @property
    def _open(self) -> BoardSession:
        if self._session is None:
            raise BoardError(f"{self._spec.label}: the board is not open")
        return self._session

    @property
    def _info(self) -> BoardInfo:
        return self._open.info

    def _port(self) -> str:
        kind = BOARD_KINDS[self._spec.kind]
        self._session = patiently(lambda: kind.open(self._spec), Patience(), label=self._spec.label, poll_s=kind.poll_s)
        return self._session.link.device

    def _repl(self) -> str:
        self._open.take_over()
        cut_short = "; boot.py did not end in time and was interrupted with Ctrl-C" * self._open.link.boot_interrupted
        return f"MicroPython's raw REPL answers, also after a soft reset{cut_short}"

    def _identity(self) -> str:
        self._open.identify()
        info = self._info
        tls = f"{info.tls_module} ({info.tls_version or info.tls_library or 'version unknown'})"
        what = f"{info.implementation} {info.firmware} on {info.machine or info.platform}"
        return f"{what}, {tls if info.has_tls else 'no TLS'}"

    def _memory(self) -> str:
        free = self._info.heap_free_bytes
        return "unknown" if free is None else f"{free} bytes of heap free"

    def _filesystem(self) -> str:
        info = self._info
        if info.is_usb_drive:
            return f"not written to: the board is also a USB drive ({info.usb_mode}); a run loads the agent into RAM"
        if info.filesystem is None:
            return "none is writable; a run loads the agent into RAM"
        return f"{info.filesystem}; nothing is written to it here"

    def _agent(self) -> str:
        if not self._info.has_tls:
            raise BoardError(NO_TLS, kind=FaultKind.NO_TLS)
        self._open.load_agent(writes=False)
        return f"runs from RAM for this check; {memory_text(self._open.memory())}"

    def _clock(self) -> str:
        before = len(self._open.notes)
        self._open.set_clock()
        return "; ".join(self._open.notes[before:]) or RIGHT

    def _network(self) -> str:
        self._open.join_network()
        self._runner = self._lab.new_runner(self._open, IN_PROCESS)
        if uses_host_network(self._info):
            return "that of this machine"
        return f"address {self._info.address or 'not reported'}"

    def _tcp(self) -> str:
        runner = self._ready()
        port = first_tcp(self._open, runner)
        return f"connects to {runner.addresses.advertise}, port {port}"

    def _tls(self) -> str:
        handshake = first_handshake(self._open, self._ready())
        seen = handshake.observation
        if not handshake.connected:
            raise BoardError(
                f"no session with a server that every working client can connect to: client {client_text(seen.client)}",
                kind=FaultKind.UNHEALTHY,
            )
        agreed = (seen.negotiated.version, seen.negotiated.suite, seen.negotiated.group)
        took = f", handshake {seen.handshake_board_ms:.0f} ms" if seen.handshake_board_ms is not None else ""
        return f"session with {', '.join(value for value in agreed if value)}{took}"

    def _ready(self) -> CaseRunner:
        if self._runner is None:
            raise BoardError(f"{self._spec.label}: the board has no network")
        return self._runner


def limits(info: BoardInfo, server: Mapping[str, Any]) -> list[str]:
    """List what a board cannot do, and how many of the core cases each excludes.

    Args:
        info: what the probe found.
        server: the description of this Python, so that what it lacks does not count as a limit of the board.
    """
    if not info.has_tls:
        return [f"all core cases: {NO_TLS}"]
    cases = select(Tier.CORE)
    perfect = {"has_psk": True, "has_wrap_socket": True}
    missing = Counter(
        need.reason
        for case in cases
        if (need := unmet(case.needs, info, {**server, **perfect})) and need is not READS_DER_ONLY
    )
    return [f"{count} of {len(cases)} core cases: {reason}" for reason, count in missing.most_common()]
