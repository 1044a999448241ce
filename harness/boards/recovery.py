"""Recover a board after a fault: which steps are taken, in which order, and how long each may take.

Knows the steps. Must not know what the fault was, nor what a healthy board can do: the caller checks that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.boards.hooks import hook_arguments, run_hook
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.serial.reset_circuit import has_reset_circuit
from harness.errors import BoardError, FaultKind
from harness.model import BoardSpec, RecoveryAction, RecoveryStep, StepResult
from harness.system.deadline import Deadline

# The time limit of each step, with the check of the board after it; seconds, times timeout_multiplier.
INTERRUPT_S = 20.0
RAW_REPL_S = 30.0
SOFT_RESET_S = 60.0
PORT_S = 30.0
RESET_S = 90.0
POWER_CYCLE_S = 120.0
# All of them together; without hooks, recovery waits this long for a silent board, which may be computing.
RECOVERY_S = 240.0
# A recovery that takes longer than this is announced.
QUIET_S = 1.0
# The part of a step in which the board must answer.
ANSWER_S = 10.0
HOOK_S = 60.0
NATIVE_USB = (
    "no reset hook in boards.toml, and RTS does not reset a board with native USB; a hook can run mpremote with "
    "machine.reset(), open the port at 1200 baud, or power-cycle the USB port with uhubctl"
)

# The faults at the start of a run from which a reset may free a board.
RESET_MAY_HELP = frozenset({FaultKind.SILENT, FaultKind.NO_INTERRUPT, FaultKind.TIMEOUT, FaultKind.FLOOD})
# The faults that may be transient while a board is prepared; any other is a property of the board.
MAY_PASS = frozenset({FaultKind.TIMEOUT, FaultKind.FLOOD, FaultKind.RESET, FaultKind.GARBLED, FaultKind.LOST})


class NotPossible(Exception):
    """This step is not possible with this board; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A recovery step: `act` gets the board to a raw REPL prompt, or raises BoardError or NotPossible."""

    name: RecoveryAction
    limit_s: float
    act: Callable[[Deadline], None]


def take_steps(
    steps: Iterable[Step],
    *,
    settle: Callable[[Deadline], None],
    limit_s: float = RECOVERY_S,
    goes_on: Callable[[], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[RecoveryStep, ...]:
    """Take the steps in order until one helps.

    Args:
        steps: the mildest first.
        settle: called after a step that succeeded, with the rest of its time: restores what the board had, and raises
            BoardError if the board is not healthy.
        limit_s: for all steps together; once it is over the remaining ones are skipped.
        goes_on: called once, after a step that failed when more than `QUIET_S` are over.
        clock: of all deadlines and times, in seconds.

    Returns:
        The steps taken; the last one helped, or none did. None follows once the board is known to be another one.
    """
    log, total = [], Deadline(limit_s, clock=clock)
    for step in steps:
        started, deadline = clock(), total.within(step.limit_s)
        result, reason, hopeless = StepResult.HELPED, None, False
        try:
            if total.expired:
                raise NotPossible(f"the time limit of {limit_s:g} s for all steps has expired")
            step.act(deadline)
            settle(deadline)
        except NotPossible as error:
            result, reason = StepResult.SKIPPED, str(error)
        except BoardError as error:
            result, reason = StepResult.FAILED, error.message
            hopeless = error.kind is FaultKind.REPLACED
        took_s = round(clock() - started, 3)
        log.append(RecoveryStep(step=step.name, result=result, reason=reason, deadline_s=step.limit_s, took_s=took_s))
        if result == StepResult.HELPED or hopeless:
            break
        if goes_on is not None and result == StepResult.FAILED and total.timeout_s - total.remaining_s > QUIET_S:
            goes_on()
            goes_on = None
    return tuple(log)


def switch_on(spec: BoardSpec, fault: BoardError, *, port: str, wait: Callable[[Deadline], None]) -> str:
    """Switch on a board whose port is missing at the start of the run.

    Args:
        spec: of the board, with its hook.
        fault: why the port could not be opened.
        port: the name that the port should have.
        wait: waits for the port; raises BoardError when the time is over.

    Returns:
        A note on what helped.

    Raises:
        BoardError: the same fault, with what was tried.
    """
    settings = spec.settings
    try:
        run_hook(
            hook_arguments(settings.power_cycle, port=port, board=spec.name),
            name="power_cycle",
            board=spec.label,
            deadline=Deadline(HOOK_S * settings.timeout_multiplier),
            strip_env=(settings.password_env or "",),
        )
        wait(Deadline(PORT_S * settings.timeout_multiplier))
    except BoardError as error:
        raise BoardError(f"{fault.message}; power-cycle failed: {error.message}", kind=fault.kind) from error
    return f"its port was missing at first ({fault.message}); power-cycle helped"


class Recovery:
    """The recovery steps of one board.

    Args:
        spec: of the board, with its hooks.
        link: its serial line.
        find_port: returns the name of the board's port now; None if a port that disappeared does not come back.
        patience_s: how long the board may take to enter the raw REPL.

    `tell` gets a line about a recovery that takes long.
    """

    def __init__(
        self, spec: BoardSpec, link: RawRepl, *, find_port: Callable[[], str] | None, patience_s: float = ANSWER_S
    ) -> None:
        self._spec = spec
        self._link = link
        self._find_port = find_port
        self._patience_s = patience_s
        self._is_silent = False
        self.tell: Callable[[str], None] | None = None

    def recover(
        self, settle: Callable[[Deadline], None], *, because: str, steps: Iterable[Step] | None = None
    ) -> tuple[RecoveryStep, ...]:
        """Take the steps until one helps.

        Args:
            settle: as of `take_steps`.
            because: what happened, for the announcement.
            steps: instead of all.
        """

        def goes_on() -> None:
            if self.tell is not None:
                said = because.removeprefix(f"{self._spec.label}: ")
                self.tell(f"{self._spec.label}: {said}; trying to recover it, for at most {self.limit_s:g} s")

        chosen = self.steps() if steps is None else steps
        return take_steps(chosen, settle=settle, limit_s=self.limit_s, goes_on=goes_on)

    def steps(self) -> tuple[Step, ...]:
        """All steps, the mildest first."""
        return (
            self._step(RecoveryAction.CTRL_C, INTERRUPT_S, self._interrupt),
            self._step(RecoveryAction.PORT, PORT_S, self._reopen),
            self._step(RecoveryAction.RAW_REPL, RAW_REPL_S, self._raw_repl),
            self._step(RecoveryAction.SOFT_RESET, SOFT_RESET_S, self._soft_reset),
            *self.hard_steps(),
            *self._last_step(),
        )

    def hard_steps(self) -> tuple[Step, ...]:
        """The steps that do not depend on the program on the board."""
        return (
            self._step(RecoveryAction.RESET, RESET_S, self._reset),
            self._step(RecoveryAction.POWER_CYCLE, POWER_CYCLE_S, self._power_cycle),
        )

    def _last_step(self) -> tuple[Step, ...]:
        settings = self._spec.settings
        if settings.reset or settings.power_cycle:
            return ()  # whatever the board did, its reset or power has ended it
        return (self._step(RecoveryAction.WAIT, RECOVERY_S, self._wait),)

    def recover_start(self, fault: BoardError) -> str:
        """Recover a board that did not enter the raw REPL at the start of the run, by its reset and power.

        Args:
            fault: why it could not be used.

        Returns:
            A note on what helped.

        Raises:
            BoardError: the same fault, with what was tried.
        """
        settings = self._spec.settings
        may_reset = settings.reset or settings.power_cycle or fault.kind in RESET_MAY_HELP
        log: tuple[RecoveryStep, ...] = ()
        steps = self.hard_steps() if may_reset else ()
        if self._spec.firmware is not None and fault.kind is FaultKind.LOST:
            # A board with native USB may re-enumerate only after its flash hook has ended.
            steps = (self._step(RecoveryAction.PORT, PORT_S, self._reopen), *steps)
        if steps:
            log = self.recover(self._soft_reset, because=fault.message, steps=steps)
        return f"it could not be used at first ({fault.message}); {_what_helped(log, fault)} helped"

    def recover_preparation(self, fault: BoardError, prepare: Callable[[Deadline], None]) -> str:
        """Recover a board that had a fault while it was prepared, and prepare it again.

        Args:
            fault: what happened.
            prepare: prepares the board within a deadline; raises BoardError.

        Returns:
            A note on what helped.

        Raises:
            BoardError: the same fault, with what was tried.
        """
        log = self.recover(prepare, because=fault.message)
        said = fault.message.removeprefix(f"{self._spec.label}: ")
        return f"had a fault before its first case ({said}); {_what_helped(log, fault)} helped"

    def _step(self, name: RecoveryAction, seconds: float, act: Callable[[Deadline], None]) -> Step:
        return Step(name=name, limit_s=self._scaled(seconds), act=act)

    def _scaled(self, seconds: float) -> float:
        return round(seconds * self._spec.settings.timeout_multiplier, 3)

    @property
    def limit_s(self) -> float:
        """The time limit of all steps together."""
        return self._scaled(RECOVERY_S)

    def _answer(self, deadline: Deadline) -> Deadline:
        return deadline.within(self._scaled(self._patience_s))

    def _needs_port(self) -> None:
        if self._link.gone:
            raise NotPossible("the port is missing")

    def _interrupt(self, deadline: Deadline) -> None:
        self._needs_port()
        self._link.interrupt_exec(deadline=self._answer(deadline))

    def _reopen(self, deadline: Deadline) -> None:
        if not self._link.gone:
            raise NotPossible("the port still exists")
        self._reopen_link(deadline.within(self._scaled(PORT_S / 2)))
        self._link.enter_raw_repl(deadline=self._answer(deadline))

    def _reopen_link(self, deadline: Deadline) -> None:
        if self._find_port is None:
            # The name of a pseudo-terminal may be another board's by now.
            raise NotPossible("the port is missing, and such a port does not come back under the same name")
        self._link.reopen(self._find_port, deadline=deadline)

    def _raw_repl(self, deadline: Deadline) -> None:
        self._needs_port()
        self._is_silent = False
        try:
            self._link.enter_raw_repl(deadline=self._answer(deadline))
        except BoardError as error:
            self._is_silent = error.kind in (FaultKind.SILENT, FaultKind.TIMEOUT)
            raise

    def _wait(self, deadline: Deadline) -> None:
        """Wait for a board that is in one long call of C code, as a signature with a large key is: it reads nothing until the end."""
        self._needs_port()
        if not self._is_silent:
            raise NotPossible("the board is not silent, so it is not busy with one long call")
        while True:
            try:
                self._link.enter_raw_repl(deadline=deadline)
                return
            except BoardError as error:
                # A board with native USB accepts no bytes once its buffer is full of our Ctrl-C.
                if error.kind is not FaultKind.TIMEOUT or deadline.expired:
                    raise

    def _soft_reset(self, deadline: Deadline) -> None:
        self._needs_port()
        self._link.enter_raw_repl(deadline=self._answer(deadline))
        self._link.soft_reset(deadline=deadline.within(self._scaled(2 * self._patience_s)))

    def _reset(self, deadline: Deadline) -> None:
        hook = self._spec.settings.reset
        if hook:
            self._run(hook, "reset", deadline)
        else:
            self._needs_port()
            if not has_reset_circuit(self._link.device):
                raise NotPossible(NATIVE_USB)
            if not self._link.pulse_reset():
                raise NotPossible("no reset hook in boards.toml, and this port has no DTR and RTS lines")
        self._take_again(deadline)

    def _power_cycle(self, deadline: Deadline) -> None:
        hook = self._spec.settings.power_cycle
        if not hook:
            raise NotPossible("no power_cycle hook in boards.toml")
        self._run(hook, "power_cycle", deadline)
        self._take_again(deadline)

    def _run(self, hook: tuple[str, ...], name: str, deadline: Deadline) -> None:
        words = hook_arguments(hook, port=self._link.device, board=self._spec.name)
        if self._find_port is not None:
            # The hook may need the port (esptool, mpremote), and a port that is kept open comes back under a different name.
            self._link.let_go()
        run_hook(
            words,
            name=name,
            board=self._spec.label,
            deadline=deadline.within(self._scaled(HOOK_S)),
            strip_env=(self._spec.settings.password_env or "",),
        )

    def _take_again(self, deadline: Deadline) -> None:
        """Enter the raw REPL after a reset; a board with native USB loses its port for a moment, and may get another name."""
        for first in (True, False):
            if self._link.gone:
                self._reopen_link(deadline.within(self._scaled(PORT_S / 2)))
            try:
                self._link.enter_raw_repl(deadline=self._answer(deadline))
                return
            except BoardError as error:
                if error.kind != FaultKind.LOST or not first:
                    raise


def _what_helped(log: tuple[RecoveryStep, ...], fault: BoardError) -> str:
    """Return the last step if it helped; else raise the fault with what was tried."""
    if log and log[-1].result == StepResult.HELPED:
        return log[-1].step
    tried = [f"; {step.step} failed: {step.reason}" for step in log if step.result == StepResult.FAILED]
    raise BoardError(fault.message + "".join(tried), kind=fault.kind, transcript=fault.transcript) from fault
