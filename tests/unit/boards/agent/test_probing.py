"""The probe on a real board over a line that damages it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.boards.agent.console import Console
from harness.boards.agent.probing import probe_board, run_step
from harness.boards.serial.raw_repl import Output
from harness.errors import BoardError
from harness.system.deadline import Deadline

CODE = b"print('#th machine', repr('x'))"
ANSWER = b"#th machine 'x'\r\n"


@pytest.fixture
def bad_line(console: Console, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bytes]]:
    """Damage what goes to the board or comes from it, so many times; gives what was sent."""

    def damage(
        times: int, *, there: Callable[[bytes], bytes] = bytes, back: Callable[[bytes], bytes] = bytes
    ) -> list[bytes]:
        sent: list[bytes] = []

        def exec_damaged(code: bytes, *, deadline: Deadline) -> Output:
            sent.append(code)
            if len(sent) > times:
                return real(code, deadline=deadline)
            output = real(there(code), deadline=deadline)
            return Output(stdout=back(output.stdout), stderr=output.stderr)

        real = console.link.exec
        monkeypatch.setattr(console.link, "exec", exec_damaged)
        return sent

    return damage


def test_a_board(console: Console) -> None:
    """Every step is run, and what was printed is read."""
    info = probe_board(console)
    assert (info.implementation, info.platform, info.tls_module) == ("micropython", "linux", "tls")


@pytest.mark.parametrize(("damaged", "tries"), [(1, 2), (2, 3), (9, 3)])
def test_a_step_damaged_there(console: Console, bad_line: Callable[..., list[bytes]], damaged: int, tries: int) -> None:
    """A byte lost on the way makes a syntax error of our own code: the step is sent again, three times at most."""
    sent = bad_line(damaged, there=lambda code: code[:-1])
    assert run_step(console, CODE).split() == (ANSWER.split() if damaged < 3 else [])
    assert sent == [CODE] * tries


def test_a_step_damaged_back(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """A line that the probe does not print is no answer: what it told would be missing, as if the firmware did not have it."""
    sent = bad_line(2, back=lambda text: text.replace(b"machine", b"machne"))
    assert run_step(console, CODE).split() == ANSWER.split()
    assert sent == [CODE] * 3


def test_a_step_damaged_back_each_time(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """Then nothing is said of the firmware."""
    bad_line(9, back=lambda text: text[:-3])
    with pytest.raises(
        BoardError,
        match=r"^lab-1: what the board says of itself arrives damaged, 3 times: bytes are lost or changed on the line$",
    ) as raised:
        run_step(console, CODE)
    assert raised.value.kind == "garbled"
    assert "#th machine" in raised.value.transcript
