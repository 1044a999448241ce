"""A board in use: opened, probed, with the agent loaded, the network up and the clock set; then one short exec per connection.

Knows the order of these steps and the errors when one fails. Uses `RawRepl` and the requests of `agent.protocol`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from harness.boards.agent import deployment, surroundings
from harness.boards.agent.altered import Altered
from harness.boards.agent.blobs import BlobStore
from harness.boards.agent.console import Console
from harness.boards.agent.loaded import NO_MEMORY, LoadedCode
from harness.boards.agent.memory import FreeMemory, read_memory
from harness.boards.agent.own_faults import agent_fault, is_damaged
from harness.boards.agent.probe import probe_board
from harness.boards.agent.programs import Played, ProgramLoader, play
from harness.boards.agent.protocol import Answer, AnswerKind, RunRequest, read_answer
from harness.boards.agent.request import build_request
from harness.boards.agent.same_board import must_be_same
from harness.boards.flash import FIRST_START_S, must_run_firmware
from harness.boards.recovery import MAY_PASS, Recovery
from harness.boards.serial.raw_repl import RawRepl
from harness.certificates import Certificates
from harness.errors import BoardError, FaultKind
from harness.firmware.fingerprint import library_of
from harness.model import BoardInfo, BoardSpec, ClientApi, ClientPlan, Network, RecoveryAction, RecoveryStep, StepResult
from harness.system.deadline import Deadline

# How long a board may take to enter the raw REPL: ESP boards boot for 1 to 2 s after a reset by DTR.
PATIENCE_S = 10.0


class BoardOwner(Protocol):
    """What must be released after the link: the interpreter of a virtual board, the lock of a real one."""

    def close(self) -> None:
        """Release it."""


class BoardSession:
    """One open board.

    Args:
        spec: of the board.
        link: its serial line, open.
        owner: closed after the link, if any.
        patience_s: how long the board may take to enter the raw REPL.
        find_port: returns the name of its port now; None for a port that does not come back.

    `quarantine_reason` says why the board is not used any more; `clock_behind_s` how far its clock, which cannot be set, is behind.
    """

    def __init__(
        self,
        spec: BoardSpec,
        link: RawRepl,
        *,
        owner: BoardOwner | None = None,
        patience_s: float = PATIENCE_S,
        find_port: Callable[[], str] | None = None,
    ) -> None:
        self.spec = spec
        self.link = link
        self.info = BoardInfo()
        self.notes: list[str] = []
        self.patience_s = max(patience_s, FIRST_START_S) if spec.firmware is not None else patience_s
        self.quarantine_reason: str | None = None
        self.clock_behind_s = 0
        self._clock_set_unix_s: int | None = None
        self._probed = (0.0, 0.0)
        self._recovery = Recovery(spec, link, find_port=find_port, patience_s=self.patience_s)
        self._closed = False
        self._owner = owner
        link.stretch(max(1.0, spec.settings.timeout_multiplier))
        self._console = Console(link, label=spec.label, timeout_multiplier=spec.settings.timeout_multiplier)
        self.blobs = BlobStore(self._console)
        self._code = LoadedCode(self._console, note=self._note)
        self.altered = Altered(self._console)
        self.programs = ProgramLoader(self._console)

    def scaled(self, seconds: float) -> float:
        """Seconds times the board's `timeout_multiplier`."""
        return seconds * self.spec.settings.timeout_multiplier

    def report_to(self, tell: Callable[[str], None] | None) -> None:
        """Pass progress messages, line by line, to this function."""
        self._recovery.tell = tell

    # ------------------------------------------------------------------ start

    def start(self, *, deploy: bool = True) -> None:
        """Take the board over: raw REPL, soft reset, probe; then agent, network and clock if it has TLS.

        Args:
            deploy: False stops after the probe: nothing is written to the board or changed on it.

        With `deploy`, a board that does not enter the raw REPL is reset (hooks, RTS), and one with a later fault is recovered
        once.

        Raises:
            BoardError: with the step that failed and the board's behaviour.
        """
        try:
            self.take_over()
        except BoardError as error:
            if not deploy:
                raise
            self._note(self._recovery.recover_start(error))
        try:
            self._prepare(deploy=deploy)
        except BoardError as error:
            if not (deploy and error.kind in MAY_PASS):
                raise
            self._note(self._recovery.recover_preparation(error, self._prepare_by))

    def _prepare_by(self, deadline: Deadline) -> None:
        with self._console.within(deadline):
            self._prepare(deploy=True)

    def _prepare(self, *, deploy: bool) -> None:
        """Probe, then agent, network and clock."""
        self.identify()
        if deploy and self.info.has_tls:
            self.load_agent()
            self.join_network()
            self.set_clock()

    def identify(self) -> None:
        """Find out what the board is and offers; it must be in the raw REPL.

        Raises:
            BoardError: it is not MicroPython, not the chosen firmware, or the line failed.
        """
        if self.link.boot_interrupted:
            self._note(
                "boot.py did not end in time and was interrupted with Ctrl-C: what it starts, such as WiFi, may be missing"
            )
        self._console.begin()
        self.info = self._probe()
        must_run_firmware(self.spec, self.info)

    def load_agent(self, *, writes: bool = True) -> None:
        """Load the agent; a note says why it runs from RAM.

        Args:
            writes: False loads it into RAM and writes nothing.

        Raises:
            BoardError: it cannot be loaded.
        """
        info = self.info
        self._code.load(filesystem=info.filesystem, is_usb_drive=info.is_usb_drive, writes=writes)

    def _probe(self) -> BoardInfo:
        before = surroundings.now_unix_s()
        info = probe_board(self._console)
        self._probed = before, surroundings.now_unix_s()
        return info

    def join_network(self) -> None:
        """Bring up the network that boards.toml asks for; the board's address is then in `info`.

        Raises:
            BoardError: `no-network`, with the reason.
        """
        settings = self.spec.settings
        # The run cannot wait for an interface that boot.py brought up and the board cannot report.
        unseen = settings.network == Network.BOOT and settings.address is not None
        address = None
        if settings.network != Network.NONE and not unseen:
            address, notes = surroundings.network_up(self._console, settings)
            for note in notes:
                self._note(note)
        self.info = replace(self.info, address=settings.address or address or self.info.address)

    def set_clock(self, seen: BoardInfo | None = None) -> None:
        """Set the board's clock to UTC if the latest probe found it wrong; a note says so."""
        clock = surroundings.set_clock(self._console, seen or self.info, probed=self._probed)
        if clock is not None:
            self._note(clock[0])
            self._clock_set_unix_s = clock[1]

    def info_in_use(self) -> BoardInfo:
        """`info`, with the clock's new time instead of the probed one."""
        return self.info if self._clock_set_unix_s is None else replace(self.info, clock_unix_s=self._clock_set_unix_s)

    def _note(self, text: str | None) -> None:
        """Add a note once: each recovery of a board gives the same notes."""
        if text is not None and text not in self.notes:
            self.notes.append(text)

    def take_over(self) -> None:
        """Interrupt the running program and soft-reset the board; retry once if the line damaged its answer.

        Raises:
            BoardError: with the board's behaviour.
        """
        try:
            self._reset_into_raw_repl()
        except BoardError as error:
            if error.kind is not FaultKind.GARBLED:
                raise
            self._reset_into_raw_repl()

    def _reset_into_raw_repl(self) -> None:
        self.link.enter_raw_repl(deadline=Deadline(self.scaled(self.patience_s)))
        # This frees the memory of main.py; boot.py runs again (it may bring up WiFi), main.py does not.
        self.link.soft_reset(deadline=Deadline(self.scaled(2 * self.patience_s)))

    def learn(self, **facts: Any) -> None:
        """Add facts from trials (`hello`, `reads_pem`) to `info`. A ClientHello may also show which library it is."""
        self.info = replace(self.info, **facts)
        hello = self.info.hello
        if self.info.tls_library is None and hello is not None and hello.fingerprint is not None:
            self.info = replace(self.info, tls_library=library_of(hello.fingerprint))

    def try_tcp(self, host: str, port: int) -> None:
        """Open a plain TCP connection from the board, before any TLS.

        Raises:
            BoardError: `network`, with both addresses and the common causes.
        """
        surroundings.try_tcp(self._console, host=host, port=port, own_address=self.info.address)

    # ------------------------------------------------------------------ a connection

    def begin_case(self) -> None:
        """Start a new transcript."""
        self.link.log.mark()

    def transcript(self) -> str:
        """The serial line since `begin_case`, safe to show."""
        return self.link.log.text()

    @property
    def check_kind(self) -> str:
        """The kind of checksums that the board makes."""
        return self._console.check_kind

    def prepare(self, plan: ClientPlan, certificates: Certificates) -> tuple[RunRequest, dict[str, bytes]]:
        """Turn a plan into the request for the agent and the blobs it names.

        Args:
            plan: what the board must do.
            certificates: makes the plan's certificates.

        Raises:
            Unavailable: a certificate cannot be made on this machine.
            UsageError: there is no suite of this name.
        """
        return build_request(plan, certificates, info=self.info, timeout_multiplier=self.scaled(1.0))

    def connect(self, request: RunRequest, blobs: dict[str, bytes], *, deadline: Deadline) -> Answer:
        """Let the board try one connection.

        Args:
            request: complete with host and port.
            blobs: its blobs; sent only if the board does not hold them yet.
            deadline: for all of it.

        Raises:
            BoardError: the line failed, or the agent did (`agent`).
        """
        self.refuse_if_quarantined()
        if request.api is ClientApi.ASYNCIO and not self._code.has_asyncio(filesystem=self.info.filesystem):
            return Answer(kind=AnswerKind.ERROR, missing=NO_MEMORY)
        self.blobs.provide(blobs, heap_free_bytes=self.info.heap_free_bytes, deadline=deadline)
        if request.program is not None:
            self._note(self.programs.load(request.program, self.info))
        answer = self.altered.during(
            request,
            lambda: self._console.ask(
                lambda number: request.code(number=number, kind=self._console.check_kind),
                read=read_answer,
                what="try a connection",
                deadline=deadline,
            ),
        )
        fault = agent_fault(answer)
        if fault is not None:
            self.blobs.forget()
            self._code.suspect = self._code.suspect or is_damaged(answer)
            raise BoardError(
                f"{self.spec.label}: the agent on the board {fault}", kind=FaultKind.AGENT, transcript=self.transcript()
            )
        return answer

    def memory(self) -> FreeMemory:
        """Measure free memory and its largest block; takes some milliseconds on a board. Raises as `connect` does."""
        return self._console.ask(
            lambda number: f"th_memory({number})",
            read=read_memory,
            what="measure its free memory",
            deadline=Deadline(self.scaled(20.0)),
        )

    def run_program(self, text: str, files: Mapping[str, bytes], *, deadline: Deadline) -> Played:
        """Run a whole program; its open() finds these files. Raises as `connect` does."""
        heap = self.info.heap_free_bytes
        return play(self._console, self.blobs, text, files=files, heap_free_bytes=heap, deadline=deadline)

    # ------------------------------------------------------------------ trouble and end

    def recover(
        self, *, because: str = "a line fault", check: Callable[[Deadline], None] | None = None
    ) -> tuple[RecoveryStep, ...]:
        """Recover the board after a fault, by the mildest step that helps; if none does, quarantine it. Never raises.

        Agent, network and clock are restored as by `start`, unless they are still there.

        Args:
            because: what happened and where, for the reason of a quarantine.
            check: raises BoardError within its deadline if the board is not healthy.

        Returns:
            The steps taken, in order.
        """
        if self.quarantine_reason is not None:
            return ()
        self.blobs.forget()
        why = "no step recovered it"

        def settle(deadline: Deadline) -> None:
            nonlocal why
            with self._console.within(deadline):
                try:
                    self._settle()
                except BoardError as error:
                    why = (
                        error.message.removeprefix(f"{self.spec.label}: ") if error.kind is FaultKind.REPLACED else why
                    )
                    raise
            if check is not None:
                check(deadline)

        log = self._recovery.recover(settle, because=because)
        if log[-1].result == StepResult.HELPED:
            return log
        return (*log, self.quarantine(f"{because}; {why}"))

    def quarantine(self, reason: str) -> RecoveryStep:
        """Stop using this board: every later request fails at once, with this reason."""
        self.quarantine_reason = f"{self.spec.label}: quarantined after {reason}"
        self._note(f"quarantined after {reason}")
        return RecoveryStep(
            step=RecoveryAction.QUARANTINE, result=StepResult.QUARANTINED, reason=reason, deadline_s=None, took_s=0.0
        )

    def refuse_if_quarantined(self) -> None:
        """Raise a BoardError of kind `set-aside`, with the reason, if the board is quarantined."""
        if self.quarantine_reason is not None:
            raise BoardError(self.quarantine_reason, kind=FaultKind.QUARANTINED)

    def _settle(self) -> None:
        """Restore agent, network and clock; a board whose agent still answers was not reset, and has them all."""
        if not self.info.has_tls:
            return
        self.altered.release()
        keeps_agent = self._code.still_answers() and not self.altered.pending
        if not keeps_agent:
            self._console.begin()
        must_be_same(self._console, self.info)
        if keeps_agent:
            return
        self.altered.pending = False
        self._code.reload()
        self.join_network()
        self.set_clock(self._probe())

    def clean(self) -> bool:
        """Remove what was deployed, and nothing else. Return whether there was anything."""
        return deployment.clean(self._console)

    def close(self, *, deadline: Deadline) -> None:
        """Leave the board at its friendly prompt and release the port. Safe to call twice; never raises for a board that disappeared."""
        if self._closed:
            return
        self._closed = True
        try:
            if not deadline.expired:
                self.link.leave_raw_repl(deadline=deadline.within(self.scaled(2.0)))
        except BoardError:
            pass  # unplugged: there is no prompt to leave it at
        finally:  # also after another Ctrl-C: port and interpreter must be released
            try:
                self.link.close()
            finally:
                if self._owner is not None:
                    self._owner.close()
