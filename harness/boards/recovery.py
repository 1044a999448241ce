"""The ladder: what is tried, and in which order, to get a board back after a fault; each step with its deadline and its time.

Knows the steps and when one is over. Must not know what the fault was, nor what a board in order has to be able to do: it is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from harness.boards.hooks import hook_arguments, run_hook
from harness.boards.serial.raw_repl import Link
from harness.errors import BoardError, FaultKind
from harness.model import BoardSpec, RecoveryAction, RecoveryStep, StepResult
from harness.system.deadline import Deadline

# How long each step has, and the board after it, to show that it is well; seconds, stretched by timeout_multiplier.
INTERRUPT_S = 20.0
RAW_REPL_S = 30.0
SOFT_RESET_S = 60.0
PORT_S = 30.0
RESET_S = 90.0
POWER_CYCLE_S = 120.0
# All of them together.
LADDER_S = 240.0
# Somebody who watches is told why nothing happens, if it takes longer than this.
QUIET_S = 1.0
# Of these, the part in which the board must answer at all.
ANSWER_S = 10.0
HOOK_S = 60.0

# What a board was seen doing at first from which its reset wire may free it.
RESET_MAY_HELP = frozenset({FaultKind.SILENT, FaultKind.NO_INTERRUPT, FaultKind.TIMEOUT, FaultKind.FLOOD})
# What may strike once while a board is prepared; anything else is what the board is, or lacks.
MAY_PASS = frozenset({FaultKind.TIMEOUT, FaultKind.FLOOD, FaultKind.RESET, FaultKind.GARBLED, FaultKind.LOST})


class NotPossible(Exception):
    """This step cannot be taken with this board; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung: `act` gets the board to a raw REPL prompt, or raises BoardError or NotPossible."""

    name: RecoveryAction
    limit_s: float
    act: Callable[[Deadline], None]


def climb(
    steps: Iterable[Step],
    *,
    settle: Callable[[Deadline], None],
    limit_s: float = LADDER_S,
    goes_on: Callable[[], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[RecoveryStep, ...]:
    """Take the steps in order until one helps.

    Args:
        steps: the ladder.
        settle: called after a step that was done, with what is left of its time: brings back what the board had, and raises
            BoardError if it is not well.
        limit_s: for all steps together; one whose time is gone is skipped.
        goes_on: called once, when a step failed and more than `QUIET_S` have gone.
        clock: of all deadlines and times, in seconds.

    Returns:
        What was tried; the last one helped, or none did.
    """
    log, total = [], Deadline(limit_s, clock=clock)
    for step in steps:
        started, deadline = clock(), total.within(step.limit_s)
        result, reason = StepResult.HELPED, None
        try:
            if total.expired:
                raise NotPossible(f"the {limit_s:g} s for all steps are over")
            step.act(deadline)
            settle(deadline)
        except NotPossible as error:
            result, reason = StepResult.SKIPPED, str(error)
        except BoardError as error:
            result, reason = StepResult.FAILED, error.message
        took_s = round(clock() - started, 3)
        log.append(RecoveryStep(step=step.name, result=result, reason=reason, deadline_s=step.limit_s, took_s=took_s))
        if result == StepResult.HELPED:
            break
        if goes_on is not None and result == StepResult.FAILED and total.timeout_s - total.remaining_s > QUIET_S:
            goes_on()
            goes_on = None
    return tuple(log)


def switch_on(spec: BoardSpec, fault: BoardError, *, port: str, wait: Callable[[Deadline], None]) -> str:
    """Switch the power of a board whose port is missing when the run begins.

    Args:
        spec: for its hook, its name and how slow it is.
        fault: what was said of the port.
        port: what the port should be called.
        wait: until it is there; raises BoardError when the time is over.

    Returns:
        What helped, for a note.

    Raises:
        BoardError: the same fault, with what was tried.
    """
    settings = spec.settings
    try:
        run_hook(
            hook_arguments(settings.power_cycle, port=port, board=spec.label),
            name="power_cycle",
            board=spec.label,
            deadline=Deadline(HOOK_S * settings.timeout_multiplier),
            without=(settings.password_env or "",),
        )
        wait(Deadline(PORT_S * settings.timeout_multiplier))
    except BoardError as error:
        raise BoardError(f"{fault.message}; power-cycle failed: {error.message}", kind=fault.kind) from error
    return f"its port was not there at first ({fault.message}); power-cycle helped"


class Ladder:
    """The steps for one board.

    Args:
        spec: for its hooks, its name and how slow it is.
        link: its line.
        find_port: what the board's port is called now; None where one that is gone stays away.
        patience_s: how long it may take to come into the raw REPL.

    `tell` is given a line for somebody who watches, where it takes long.
    """

    def __init__(
        self, spec: BoardSpec, link: Link, *, find_port: Callable[[], str] | None, patience_s: float = ANSWER_S
    ) -> None:
        self._spec = spec
        self._link = link
        self._find_port = find_port
        self._patience_s = patience_s
        self.tell: Callable[[str], None] | None = None

    def climb(
        self, settle: Callable[[Deadline], None], *, because: str, steps: Iterable[Step] | None = None
    ) -> tuple[RecoveryStep, ...]:
        """Take all steps, or these, until one helps.

        Args:
            settle: as of `climb`.
            because: what happened, for who watches.
            steps: instead of all.
        """

        def goes_on() -> None:
            if self.tell is not None:
                said = because.removeprefix(f"{self._spec.label}: ")
                self.tell(f"{self._spec.label}: {said}; trying to bring it back, for {self.limit_s:g} s at most")

        return climb(self.steps() if steps is None else steps, settle=settle, limit_s=self.limit_s, goes_on=goes_on)

    def steps(self) -> tuple[Step, ...]:
        """All of them, the mildest first."""
        return (
            self._step(RecoveryAction.CTRL_C, INTERRUPT_S, self._interrupt),
            self._step(RecoveryAction.PORT, PORT_S, self._reopen),
            self._step(RecoveryAction.RAW_REPL, RAW_REPL_S, self._raw_repl),
            self._step(RecoveryAction.SOFT_RESET, SOFT_RESET_S, self._soft_reset),
            *self.hard_steps(),
        )

    def hard_steps(self) -> tuple[Step, ...]:
        """Those that need nothing of the board's own program."""
        return (
            self._step(RecoveryAction.RESET, RESET_S, self._reset),
            self._step(RecoveryAction.POWER_CYCLE, POWER_CYCLE_S, self._power_cycle),
        )

    def from_outside(self, fault: BoardError) -> str:
        """Reset a board that did not let itself be taken over, and soft reset it as after a take-over.

        Args:
            fault: what was seen of it.

        Returns:
            What helped, for a note.

        Raises:
            BoardError: the same fault, with what was tried.
        """
        settings = self._spec.settings
        log: tuple[RecoveryStep, ...] = ()
        if settings.reset or settings.power_cycle or fault.kind in RESET_MAY_HELP:
            log = self.climb(self._soft_reset, because=fault.message, steps=self.hard_steps())
        return f"it could not be used at first ({fault.message}); {_what_helped(log, fault)} helped"

    def once_more(self, fault: BoardError, prepare: Callable[[Deadline], None]) -> str:
        """Bring back a board that met a fault while it was prepared, and prepare it again.

        Args:
            fault: what was seen.
            prepare: all of it, by then; raises BoardError as the first time.

        Returns:
            What helped, for a note.

        Raises:
            BoardError: the same fault, with what was tried.
        """
        log = self.climb(prepare, because=fault.message)
        said = fault.message.removeprefix(f"{self._spec.label}: ")
        return f"met a fault before its first case ({said}); {_what_helped(log, fault)} helped"

    def _step(self, name: RecoveryAction, seconds: float, act: Callable[[Deadline], None]) -> Step:
        return Step(name=name, limit_s=self._scaled(seconds), act=act)

    def _scaled(self, seconds: float) -> float:
        return round(seconds * self._spec.settings.timeout_multiplier, 3)

    @property
    def limit_s(self) -> float:
        """For all steps together."""
        return self._scaled(LADDER_S)

    def _answer(self, deadline: Deadline) -> Deadline:
        return deadline.within(self._scaled(self._patience_s))

    def _needs_port(self) -> None:
        if self._link.gone:
            raise NotPossible("the port is gone")

    def _interrupt(self, deadline: Deadline) -> None:
        self._needs_port()
        self._link.interrupt_exec(deadline=self._answer(deadline))

    def _reopen(self, deadline: Deadline) -> None:
        if not self._link.gone:
            raise NotPossible("the port is there")
        self._reopen_link(deadline.within(self._scaled(PORT_S / 2)))
        self._link.enter_raw_repl(deadline=self._answer(deadline))

    def _reopen_link(self, deadline: Deadline) -> None:
        if self._find_port is None:
            # A pseudo-terminal's name may be another board's by now.
            raise NotPossible("the port is gone, and such a port does not come back under its name")
        self._link.reopen(self._find_port, deadline=deadline)

    def _raw_repl(self, deadline: Deadline) -> None:
        self._needs_port()
        self._link.enter_raw_repl(deadline=self._answer(deadline))

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
        words = hook_arguments(hook, port=self._link.device, board=self._spec.label)
        if self._find_port is not None:
            # The hook may need the port (esptool, mpremote); and one that stays open is called otherwise when it comes back.
            self._link.let_go()
        run_hook(
            words,
            name=name,
            board=self._spec.label,
            deadline=deadline.within(self._scaled(HOOK_S)),
            without=(self._spec.settings.password_env or "",),
        )

    def _take_again(self, deadline: Deadline) -> None:
        """After a reset from outside: a board with USB of its own leaves its port meanwhile, and maybe has another one."""
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
    """The last step, if it helped; else raise the fault with what was tried."""
    if log and log[-1].result == StepResult.HELPED:
        return log[-1].step
    tried = [f"; {step.step} failed: {step.reason}" for step in log if step.result == StepResult.FAILED]
    raise BoardError(fault.message + "".join(tried), kind=fault.kind, transcript=fault.transcript) from fault
