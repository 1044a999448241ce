"""One damaged byte, anywhere in an exchange, in both directions, gives the same answer or an error in time, never another answer.

Every single flipped bit and every single lost byte is tested in memory, and some of them over a real pseudo-terminal.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

from harness.boards import session as session_module
from harness.boards.agent import console as console_module
from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.console import Console
from harness.boards.agent.protocol import Answer, RunRequest, blob_name
from harness.boards.serial import raw_repl
from harness.boards.session import BoardSession
from harness.boards.virtual.faults import Fault
from harness.boards.virtual.faulty import FaultyBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.boards.virtual.wires import Wires
from harness.errors import BoardError
from harness.model import BoardSettings, BoardSpec
from harness.system.deadline import Deadline


def _load(name: str) -> ModuleType:
    """Import a module from this folder, which is not a package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


memory_board = _load("memory_board")
Damage, Direction, MemoryPort = memory_board.Damage, memory_board.Direction, memory_board.MemoryPort
LIMIT_S = 3.0
EXEC_S = 45.0
CERTIFICATE = bytes(range(256)) + b"a certificate in DER form"
BLOBS = {blob_name(CERTIFICATE): CERTIFICATE}
REQUEST = RunRequest(host="192.0.2.1", port=8443, name="lab.test", verify=2, ca=tuple(BLOBS), recv=20)
# The blob has the next number, the request the one after it.
LAST_NUMBER = 123_456_787
SPEC = BoardSpec(text="memory", kind="serial", target="memory", label="lab-1")
SAMPLE = 400
OVER_A_TERMINAL = 200
# Of these, so many may end in an error: a damaged request is sent again, a damaged answer is printed again.
FEW = 20
# The additional time on a busy machine.
BUSY_S = 5.0
SEED = 11


@pytest.fixture(autouse=True)
def no_search_for_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for MicroPython's modules through all folders, for each damage, would take half of the time."""
    for name in ("ubinascii", "uhashlib", "ujson", "uselect", "usocket", "utime", "esp32", "ussl"):
        monkeypatch.setitem(sys.modules, name, None)


def exchange(port: MemoryPort, patch: pytest.MonkeyPatch) -> Answer:
    """Store a blob, request a connection and read the answer."""
    patch.setattr(raw_repl, "open_port", lambda _device, **_settings: port)
    session = BoardSession(SPEC, raw_repl.RawRepl("memory"))
    session._console.check_kind = "c"
    session._console._number = LAST_NUMBER
    return session.connect(REQUEST, dict(BLOBS), deadline=Deadline(EXEC_S, clock=lambda: port.now))


def all_damages(patch: pytest.MonkeyPatch) -> list[Damage]:
    """Return each bit flip and each byte loss of an exchange."""
    port = MemoryPort()
    exchange(port, patch)
    return port.line.all_damages


def verdict(damage: Damage, *, good: Answer, patch: pytest.MonkeyPatch) -> str:
    """Return what is wrong with the result of an exchange with this damage; "" if nothing is."""
    port = MemoryPort(damage)
    try:
        answer = exchange(port, patch)
    except BoardError:
        wrong = ""
    else:
        wrong = "" if answer == good else f"another answer: {answer}"
    if port.now > LIMIT_S:
        wrong += f" after {port.now:.2f} s"
    if any(run != good_run(good) for run in port.runs):
        wrong += f" ran something else: {port.runs}"
    if len(port.runs) > 1:
        wrong += f" ran {len(port.runs)} times"
    return wrong


def good_run(good: Answer) -> dict[str, object]:
    """Return the request as the agent runs it."""
    return {
        "host": "192.0.2.1", "port": 8443, "n": good.number, "name": "lab.test", "verify": 2, "ca": list(BLOBS),
        "recv": 20,
    }  # fmt: skip


def check(damages: list[Damage], patch: pytest.MonkeyPatch) -> None:
    """Check that each gives the same answer or an error in time, and that each request runs at most once."""
    good = exchange(MemoryPort(), patch)
    found = {damage: wrong for damage in damages if (wrong := verdict(damage, good=good, patch=patch))}
    assert [f"{damage} {wrong}" for damage, wrong in found.items()] == []


def test_an_exchange_without_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without damage it takes no time, and the answer contains everything that the agent received."""
    port = MemoryPort()
    answer = exchange(port, monkeypatch)
    assert (answer.kind, answer.number, port.now) == ("result", 123_456_789, 0.0)
    assert answer.text == (
        f"ca={list(BLOBS)} host=192.0.2.1 name=lab.test port=8443 recv=20 verify=2 " + check_sum(CERTIFICATE, kind="c")
    )
    assert port.runs == [good_run(answer)]
    assert all(wire.sent > 250 for wire in port.line.wires.values())


def test_a_damaged_answer_is_printed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever bit of the answer's line is flipped, and whatever byte of it is lost, it arrives whole in the end; it is made once."""
    good = exchange(port := MemoryPort(), monkeypatch)
    end = port.line.wires[Direction.FROM_BOARD].sent - len(b"\r\n\x04\x04>")
    for place in range(end - len(str(good.text)), end):
        for bit in (*range(8), None):
            other = MemoryPort(Damage(Direction.FROM_BOARD, place, bit))
            assert exchange(other, monkeypatch) == good, (place, bit)
            assert (len(other.runs), other.now <= LIMIT_S) == (1, True)


def test_f9_rb07_some_damaged_exchanges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample of all damages."""
    check(Random(SEED).sample(all_damages(monkeypatch), SAMPLE), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("bit", [*range(8), None])
def test_f9_rb07_every_damaged_exchange(monkeypatch: pytest.MonkeyPatch, direction: Direction, bit: int | None) -> None:
    """Each flipped bit and each lost byte, in both directions."""
    some = [one for one in all_damages(monkeypatch) if (one.direction, one.bit) == (direction, bit)]
    assert len(some) > 250
    check(some, monkeypatch)


def begin(port: MemoryPort, patch: pytest.MonkeyPatch) -> dict[str, object]:
    """Load the checksums and return the board's functions."""
    patch.setattr(raw_repl, "open_port", lambda _device, **_settings: port)
    patch.setattr(console_module, "Deadline", partial(Deadline, clock=lambda: port.now))
    Console(raw_repl.RawRepl("memory"), label="lab-1").begin()
    codes = {name: made.__code__ for name, made in port.names.items() if hasattr(made, "__code__")}
    return {name: (code.co_code, code.co_consts, code.co_names) for name, code in codes.items()}


def check_begin(damages: list[Damage], patch: pytest.MonkeyPatch) -> None:
    """Check that the loaded code is correct in the end, whatever was damaged."""
    good = begin(MemoryPort(), patch)
    found = []
    for damage in damages:
        try:
            loaded = begin(MemoryPort(damage), patch)
        except BoardError:
            continue
        # A name with damage may remain in addition to the correct one.
        if {name: loaded.get(name) for name in good} != good:
            found.append(str(damage))
    assert found == []


def begin_damages(patch: pytest.MonkeyPatch) -> list[Damage]:
    """Return each bit flip and each byte loss while the checksums are loaded."""
    port = MemoryPort()
    begin(port, patch)
    return port.line.all_damages


def test_some_damaged_check_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage to the checksum code itself is detected: a sample."""
    check_begin(Random(SEED).sample(begin_damages(monkeypatch), SAMPLE), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("bit", [*range(8), None])
def test_all_damaged_check_sums(monkeypatch: pytest.MonkeyPatch, bit: int | None) -> None:
    """Damage to the checksum code itself is detected."""
    check_begin([damage for damage in begin_damages(monkeypatch) if damage.bit == bit], monkeypatch)


def take_over(port: MemoryPort, patch: pytest.MonkeyPatch, *, multiplier: float = 1.0) -> None:
    """Take over the board as at the start of a run, in simulated time."""
    spec = replace(SPEC, settings=BoardSettings(timeout_multiplier=multiplier))
    patch.setattr(raw_repl, "open_port", lambda _device, **_settings: port)
    patch.setattr(session_module, "Deadline", partial(Deadline, clock=lambda: port.now))
    BoardSession(spec, raw_repl.RawRepl("memory")).take_over()


@pytest.mark.parametrize("multiplier", [1.0, 0.2])
def test_taking_over_is_tried_twice(monkeypatch: pytest.MonkeyPatch, multiplier: float) -> None:
    """Whichever byte is damaged, the board is taken over, and a damaged banner costs at most the protocol's time limit.

    With short time limits, too, a damaged banner is not taken for a boot.py that does not end.
    """
    port = MemoryPort()
    take_over(port, monkeypatch)
    assert port.now == 0.0
    found = []
    for damage in port.line.all_damages:
        other = MemoryPort(damage)
        take_over(other, monkeypatch, multiplier=multiplier)
        if other.now > LIMIT_S:
            found.append(f"{damage} after {other.now:.2f} s")
    assert found == []


def test_log_lines_while_a_board_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log line of the firmware, anywhere in the output, costs no more."""
    port = MemoryPort()
    take_over(port, monkeypatch)
    for place in range(port.line.wires[Direction.FROM_BOARD].sent):
        other = MemoryPort(Damage(Direction.FROM_BOARD, place, memory_board.LOG))
        take_over(other, monkeypatch)
        assert other.now <= LIMIT_S, place


@pytest.mark.slow
def test_f9_rb07_some_damaged_exchanges_over_a_terminal() -> None:
    """200 damages on a real interpreter behind a pseudo-terminal: the same answer or an error in time, and the board is usable again."""
    line = memory_board.DamagedLine()
    wires = Wires(to_board=line.wires[Direction.TO_BOARD], from_board=line.wires[Direction.FROM_BOARD])
    board = FaultyBoard(Fault(name="one", does="", wires=lambda _seed: wires), find_interpreter(""))
    session = BoardSession(SPEC, raw_repl.RawRepl(board.port), owner=board)
    found, errors = [], 0
    try:
        session.start()
        session._console.must(memory_board.ATTEMPT, "take the test's attempt")
        line.arm(None)
        good = connect_again(session)
        for damage in Random(SEED).sample(line.all_damages, OVER_A_TERMINAL):
            line.arm(damage)
            begin = time.monotonic()
            try:
                answer = connect_again(session)
            except BoardError:
                answer, errors = good, errors + 1
            took_s = time.monotonic() - begin
            wait_for(partial(line.has_carried, damage))
            if answer != good or took_s > LIMIT_S + BUSY_S:
                found.append(f"{damage}: {answer} after {took_s:.2f} s")
            session.recover()
            assert session.quarantine_reason is None, damage
            session._console.must(memory_board.ATTEMPT, "take the test's attempt")
    finally:
        session.close(deadline=Deadline(5))
    assert found == []
    assert errors < FEW


def wait_for(happened: Callable[[], bool]) -> None:
    """Wait until the damage has happened: an exchange does not read the prompt's last byte, which the terminal carries a moment later."""
    deadline = Deadline(BUSY_S)
    while not happened():
        assert not deadline.expired, "the byte to damage was never sent"
        time.sleep(0.01)


def connect_again(session: BoardSession) -> Answer:
    """Return the exchange on a board without blobs, without the request number, which differs each time."""
    session.blobs.forget()
    return replace(session.connect(REQUEST, dict(BLOBS), deadline=Deadline(EXEC_S)), number=None)
