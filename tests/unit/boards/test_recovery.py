"""The recovery steps: their order, time limits and log. What each step does to a board: test_session.py and tests/faults."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.boards.recovery import NotPossible, Recovery, Step, switch_on, take_steps
from harness.boards.serial.raw_repl import RawRepl
from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind
from harness.model import BoardSettings, BoardSpec, FirmwareChoice
from harness.system.deadline import Deadline


class Clock:
    """A clock that only the test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def step(
    name: str,
    error: Exception | None = None,
    *,
    limit_s: float = 5.0,
    takes_s: float = 0.0,
    clock: Clock | None = None,
) -> Step:
    """Return a step with this result, after its time on the clock."""

    def act(deadline: Deadline) -> None:
        assert deadline.timeout_s == limit_s
        if clock is not None:
            clock.now += takes_s
        if error is not None:
            raise error

    return Step(name=name, limit_s=limit_s, act=act)


def test_a_long_recovery_is_announced(
    monkeypatch: pytest.MonkeyPatch, new_session: Callable[..., BoardSession]
) -> None:
    """It is announced once, after a failed step, if recovery takes long; not if the first step helps or all steps are quick."""
    told: list[str] = []
    session = new_session(timeout_multiplier=0.5)
    steps = session._recovery
    session.report_to(told.append)
    silent, settle = BoardError("no answer", kind="silent"), lambda deadline: None
    tries = [step("a", silent), step("b", NotPossible("no hook")), step("c", silent), step("d")]
    assert steps.recover(settle, because="lab-1: seed/x: silence", steps=tries)[-1].result == "helped"
    assert told == []
    monkeypatch.setattr("harness.boards.recovery.QUIET_S", 0.0)
    steps.recover(settle, because="lab-1: seed/x: silence", steps=tries)
    assert told == ["lab-1: seed/x: silence; trying to recover it, for at most 120 s"]
    steps.recover(settle, because="seed/y: silence", steps=tries[1:2] + tries[3:])
    session.report_to(None)
    steps.recover(settle, because="seed/y: silence", steps=tries)
    assert len(told) == 1


def test_steps_in_order() -> None:
    """Steps are taken in order until one helps; each is logged with its deadline, its time, and its reason for failing."""
    silent, sick = BoardError("no answer", kind="silent"), [BoardError("still sick", kind="sick")]
    clock, settled = Clock(), []

    def settle(deadline: Deadline) -> None:
        settled.append(deadline.remaining_s)
        clock.now += 0.5
        if sick:
            raise sick.pop()

    steps = [
        step("a", silent, takes_s=4.0, clock=clock),
        step("b", NotPossible("no hook")),
        step("c", limit_s=7.0, takes_s=2.0, clock=clock),
        step("d", clock=clock),
        step("e"),
    ]
    log = take_steps(steps, settle=settle, clock=clock)
    assert [(item.step, item.result, item.reason, item.deadline_s, item.took_s) for item in log] == [
        ("a", "failed", "no answer", 5.0, 4.0),
        ("b", "skipped", "no hook", 5.0, 0.0),
        ("c", "failed", "still sick", 7.0, 2.5),
        ("d", "helped", None, 5.0, 0.5),
    ]
    assert settled == [5.0, 5.0]


def test_all_steps_together_have_a_limit() -> None:
    """Later steps are skipped: the total must end before pytest's own timeout."""
    log = take_steps([step("a", limit_s=0.0)], settle=lambda deadline: None, limit_s=0.0)
    assert [(item.result, item.reason) for item in log] == [
        ("skipped", "the time limit of 0 s for all steps has expired")
    ]


def test_a_step_ends_with_the_total() -> None:
    """Each step is also limited by the rest of the total time."""
    clock, given = Clock(), []

    def act(deadline: Deadline) -> None:
        given.append(deadline.timeout_s)
        clock.now += 50.0
        raise BoardError("no answer", kind="silent")

    steps = [Step(name=name, limit_s=90.0, act=act) for name in ("a", "b", "c")]
    log = take_steps(steps, settle=lambda deadline: None, limit_s=60.0, clock=clock)
    assert given == [60.0, 10.0]
    assert (log[2].result, log[2].reason) == ("skipped", "the time limit of 60 s for all steps has expired")


def test_a_fault_of_the_harness_is_not_swallowed() -> None:
    """Only faults of the board count as a step that failed."""
    with pytest.raises(ZeroDivisionError):
        take_steps([step("a", ZeroDivisionError())], settle=lambda deadline: None)


def test_order_and_deadlines(new_session: Callable[..., BoardSession]) -> None:
    """The mildest step comes first; a slow board (timeout_multiplier) has more time for each."""
    session = new_session(timeout_multiplier=2.0)
    steps = Recovery(session.spec, session.link, find_port=None).steps()
    assert [(item.name, item.limit_s) for item in steps] == [
        ("ctrl-c", 40.0),
        ("port", 60.0),
        ("raw-repl", 60.0),
        ("soft-reset", 120.0),
        ("reset", 180.0),
        ("power-cycle", 240.0),
        ("wait", 480.0),
    ]
    hooked = new_session(reset=("true",))
    assert [item.name for item in Recovery(hooked.spec, hooked.link, find_port=None).steps()][-1] == "power-cycle"


class Busy:
    """A line to a board that reads nothing until a given time, and whose port has no modem lines.

    `kind` is the fault of entering the raw REPL until then; after `full` attempts the port accepts no more bytes.
    """

    device, gone = "/dev/pts/0", False

    def __init__(self, clock: Clock, *, until: float, kind: str = "silent", full: int = 1000) -> None:
        self._clock, self._until, self._kind, self._full = clock, until, kind, full

    def _ask(self, deadline: Deadline, kind: str) -> None:
        self._full -= 1
        taken = deadline.remaining_s if self._full > 0 else min(5.0, deadline.remaining_s)
        self._clock.now += min(taken, max(0.0, self._until - self._clock.now))
        if self._clock.now < self._until:
            raise BoardError("no answer at all", kind=kind if self._full > 0 else "timeout")

    def interrupt_exec(self, *, deadline: Deadline) -> None:
        self._ask(deadline, "no-interrupt")

    def enter_raw_repl(self, *, deadline: Deadline) -> None:
        self._ask(deadline, self._kind)

    def soft_reset(self, *, deadline: Deadline) -> None:
        pass

    def pulse_reset(self) -> bool:
        return False


def recovered(link: Busy, clock: Clock, **settings: object) -> list[tuple[str, str]]:
    """Take all steps; return the steps that were taken and their results."""
    spec = BoardSpec(text="u0", kind="serial", target="u0", label="u0", settings=BoardSettings(**settings))  # type: ignore[arg-type]
    recovery = Recovery(spec, link, find_port=None, patience_s=10.0)  # type: ignore[arg-type]  # what the recovery uses of a RawRepl
    log = take_steps(recovery.steps(), settle=lambda deadline: None, limit_s=recovery.limit_s, clock=clock)
    return [(item.step, item.result) for item in log if item.result != "skipped"]


FAILED = [("ctrl-c", "failed"), ("raw-repl", "failed"), ("soft-reset", "failed")]


@pytest.mark.parametrize("full", [1000, 6])
@pytest.mark.parametrize(("multiplier", "until"), [(1.0, 75.0), (1.0, 235.0), (3.0, 700.0)])
def test_d6_a_board_that_computes_is_waited_for(multiplier: float, until: float, full: int) -> None:
    """Without hooks a silent board has the whole recovery time, also if its port takes no more bytes meanwhile."""
    clock = Clock()
    log = recovered(Busy(clock, until=until, full=full), clock, timeout_multiplier=multiplier)
    assert (log, clock.now) == ([*FAILED, ("wait", "helped")], until)


def test_a_board_that_never_ends() -> None:
    """The wait ends with the recovery time."""
    clock = Clock()
    assert recovered(Busy(clock, until=1e6), clock) == [*FAILED, ("wait", "failed")]
    assert clock.now == 240.0


def test_a_board_that_answers_is_not_waited_for() -> None:
    """A board that prints, or restarts, is not busy with one long call."""
    clock = Clock()
    assert recovered(Busy(clock, until=1e6, kind="reset-loop"), clock) == FAILED
    assert clock.now == 30.0


@pytest.mark.parametrize("hook", ["reset", "power_cycle"])
def test_a_board_with_a_hook_is_not_waited_for(hook: str) -> None:
    """A reset from outside ends every call; waiting after it would be useless."""
    clock = Clock()
    log = recovered(Busy(clock, until=1e6), clock, **{hook: ("false",)})
    assert log == [*FAILED, (hook.replace("_", "-"), "failed")]


def test_f17_native_usb_has_no_reset_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pulse on RTS where it resets nothing; the reason names what would."""
    monkeypatch.setattr("harness.boards.recovery.has_reset_circuit", lambda device: device != "/dev/pts/0")
    clock = Clock()
    spec = BoardSpec(text="u0", kind="serial", target="u0", label="u0")
    recovery = Recovery(spec, Busy(clock, until=0.0), find_port=None)  # type: ignore[arg-type]  # as above
    (reset, _power) = take_steps(recovery.hard_steps(), settle=lambda deadline: None, clock=clock)
    assert (reset.step, reset.result, reset.reason) == (
        "reset",
        "skipped",
        "no reset hook in boards.toml, and RTS does not reset a board with native USB; a hook can run mpremote with "
        "machine.reset(), open the port at 1200 baud, or power-cycle the USB port with uhubctl",
    )


def test_hooks(new_session: Callable[..., BoardSession], tmp_path: Path) -> None:
    """Without hooks and lines such a step is skipped with the reason; with them they get port and name, and may fail."""
    session = new_session()
    settle = session._recovery.hard_steps()
    reasons = [item.reason for item in take_steps(settle, settle=lambda deadline: None)]
    assert reasons == [
        "no reset hook in boards.toml, and this port has no DTR and RTS lines",
        "no power_cycle hook in boards.toml",
    ]
    place = tmp_path / "words"
    code = "import sys; open(sys.argv[1], 'w').write(' '.join(sys.argv[2:])); sys.exit(sys.argv[2] == '0')"
    session = new_session(
        reset=(sys.executable, "-c", code, str(place), "0", "{port}"),
        power_cycle=(sys.executable, "-c", code, str(place), "1", "{port}", "{board}"),
    )
    log = take_steps(session._recovery.hard_steps(), settle=lambda deadline: None)
    assert [(item.step, item.result) for item in log] == [("reset", "failed"), ("power-cycle", "helped")]
    assert log[0].reason is not None
    assert log[0].reason.startswith(f"lab-1: the reset hook {sys.executable!r} ended with status 1")
    assert place.read_text() == f"1 {session.link.device} lab-1"


def test_a_hook_has_the_port_to_itself(new_session: Callable[..., BoardSession]) -> None:
    """esptool and mpremote need to lock it; afterwards it is opened again, under its current name."""
    code = "import fcntl, sys; fcntl.flock(open(sys.argv[1], 'rb+', 0), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    session = new_session(reset=(sys.executable, "-c", code, "{port}"))
    device = session.link.device
    recovery = Recovery(session.spec, session.link, find_port=lambda: device)
    log = take_steps(recovery.hard_steps(), settle=lambda deadline: None)
    assert [(item.step, item.result, item.reason) for item in log] == [("reset", "helped", None)]
    # If the port cannot be found again it stays open: the hook is refused, with the reason.
    (first, *_) = take_steps(session._recovery.hard_steps(), settle=lambda deadline: None)
    assert first.result == "failed"
    assert "BlockingIOError" in str(first.reason)


def test_a_board_that_is_stuck_at_first(
    monkeypatch: pytest.MonkeyPatch, new_session: Callable[..., BoardSession], folder: Path
) -> None:
    """A board that does not enter the raw REPL is reset, with a note; a probe resets nothing."""
    place = folder / "main.py"
    enter = RawRepl.enter_raw_repl

    def impatiently(link: RawRepl, *, deadline: Deadline) -> bytes:
        return enter(link, deadline=deadline.within(0.7) if place.exists() else deadline)

    monkeypatch.setattr(RawRepl, "enter_raw_repl", impatiently)
    stuck = "import micropython, time\nmicropython.kbd_intr(-1)\nwhile True: time.sleep(1)\n"
    code = "import os, sys; os.remove(sys.argv[1]); os.kill(int(open(sys.argv[2]).read()), 9)"
    place.write_text(stuck)
    session = new_session(reset=(sys.executable, "-c", code, str(place), str(folder / "number")))
    (folder / "number").write_text(str(session._owner._interpreter_id()))  # type: ignore[union-attr]  # a virtual board
    with pytest.raises(BoardError, match="no answer at all"):
        session.start(deploy=False)
    session.start()
    assert session.info.has_tls
    (note,) = session.notes
    assert note.startswith("it could not be used at first (/dev/")
    assert note.endswith("; reset helped")
    os.kill(session._owner._interpreter_id(), 0)  # type: ignore[union-attr]


class Gone(Busy):
    """A line to a board with native USB, which is missing after flashing until it is opened again."""

    gone = True

    def reopen(self, find: Callable[[], str], *, deadline: Deadline) -> None:
        self.device, self.gone = find(), False


@pytest.mark.parametrize(
    ("firmware", "kind", "note"),
    [
        (FirmwareChoice(text="1.28", version="1.28"), "lost", "it could not be used at first (u0: lost); port helped"),
        (None, "lost", None),
        (FirmwareChoice(text="1.28", version="1.28"), "garbled", None),
    ],
)
def test_a_port_that_disappears_after_flashing(firmware: FirmwareChoice | None, kind: str, note: str | None) -> None:
    """A board may re-enumerate only after its flash hook has ended: then its port is opened again. Any other fault is raised."""
    link = Gone(Clock(), until=0.0)
    spec = BoardSpec(text="u0", kind="serial", target="u0", label="u0", firmware=firmware)
    recovery = Recovery(spec, link, find_port=lambda: "/dev/ttyACM1")  # type: ignore[arg-type]  # as above
    if note is not None:
        assert recovery.recover_start(BoardError("u0: lost", kind=kind)) == note
        assert (link.gone, link.device) == (False, "/dev/ttyACM1")
        return
    with pytest.raises(BoardError, match=r"^u0: lost$"):
        recovery.recover_start(BoardError("u0: lost", kind=kind))


def test_failed_steps_are_reported(new_session: Callable[..., BoardSession]) -> None:
    """A reset that does not help is part of the reason; a fault that no reset can fix is raised unchanged."""
    session = new_session(reset=(sys.executable, "-c", "print('no hub'); raise SystemExit(2)"))
    with pytest.raises(
        BoardError, match=r"^lab-1: mute; reset failed: lab-1: the reset hook .* it printed: no hub$"
    ) as raised:
        session._recovery.recover_start(BoardError("lab-1: mute", kind="silent"))
    assert raised.value.kind == "silent"
    with pytest.raises(BoardError, match=r"^lab-1: mute$"):
        new_session()._recovery.recover_start(BoardError("lab-1: mute", kind="silent"))


class Leaving:
    """A line whose port disappears this many times during entering the raw REPL, as with native USB after a reset."""

    device = "/dev/ttyACM0"

    def __init__(self, times: int) -> None:
        self.gone = False
        self.opened: list[str] = []
        self._times = times

    def let_go(self) -> None:
        self.gone = True

    def reopen(self, find: Callable[[], str], *, deadline: Deadline) -> None:
        self.device, self.gone = find(), False
        self.opened.append(self.device)

    def enter_raw_repl(self, *, deadline: Deadline) -> None:
        self._times -= 1
        if self._times >= 0:
            self.gone = True
            raise BoardError("the port disappeared", kind="lost")


@pytest.mark.parametrize(("times", "result"), [(0, "helped"), (1, "helped"), (2, "failed")])
def test_a_port_that_leaves_after_the_hook(times: int, result: str) -> None:
    """A hook may end before the board has left its port: the old one is opened and lost, and the new one is used; once."""
    names = iter(["/dev/ttyACM0", "/dev/ttyACM1"])
    link = Leaving(times)
    settings = BoardSettings(reset=(sys.executable, "-c", ""))
    spec = BoardSpec(text="pico", kind="serial", target="u0", label="pico", settings=settings)
    recovery = Recovery(spec, link, find_port=lambda: next(names))  # type: ignore[arg-type]  # what the recovery uses of a RawRepl
    (step, *_) = take_steps(recovery.hard_steps(), settle=lambda deadline: None)
    assert (step.step, step.result) == ("reset", result)
    assert link.opened == ["/dev/ttyACM0", "/dev/ttyACM1"][: 1 + (times > 0)]


def test_switching_on_a_board_whose_port_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The hook does not get the WiFi password; if the port stays missing, the first fault names what was tried."""
    monkeypatch.setenv("LAB_WIFI", "secret")
    place = tmp_path / "seen"
    code = "import os, sys; open(sys.argv[1], 'w').write(os.environ.get('LAB_WIFI', 'absent'))"
    settings = BoardSettings(power_cycle=(sys.executable, "-c", code, str(place)), password_env="LAB_WIFI")
    spec = BoardSpec(text="pico", kind="serial", target="u0", label="pico", settings=settings)
    fault = BoardError("no port u0", kind=FaultKind.LOST)
    said = switch_on(spec, fault, port="u0", wait=lambda deadline: None)
    assert said == "its port was missing at first (no port u0); power-cycle helped"
    assert place.read_text() == "absent"

    def never(deadline: Deadline) -> None:
        raise BoardError("still no port", kind=FaultKind.TIMEOUT)

    with pytest.raises(BoardError, match=r"^no port u0; power-cycle failed: still no port$") as raised:
        switch_on(spec, fault, port="u0", wait=never)
    assert raised.value.kind == FaultKind.LOST
