"""The probe on a real board over a line that damages it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.boards.agent.console import Console
from harness.boards.agent.probing import probe_board, run_step
from harness.boards.serial.raw_repl import Output
from harness.errors import BoardError
from harness.system.deadline import Deadline

CODE = "th_p('machine', 'x')"


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


def facts(printed: bytes) -> list[bytes]:
    """The facts of a step, without its last line."""
    return [line.strip() for line in printed.splitlines() if b"#th end" not in line]


@pytest.mark.parametrize("damage", [lambda code: code[:-1], lambda code: code.replace(b"machine", b"machime")])
def test_a_step_damaged_there(
    console: Console, bad_line: Callable[..., list[bytes]], damage: Callable[[bytes], bytes]
) -> None:
    """A step that arrives as no Python, or as other Python, has not run: it is sent again."""
    sent = bad_line(2, there=damage)
    assert facts(run_step(console, CODE)) == [b"#th machine 'x'"]
    assert len(sent) == 3


def test_a_step_damaged_there_each_time(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """Three times at most; then nothing is said of the firmware."""
    bad_line(9, there=lambda code: code[:-1])
    with pytest.raises(BoardError, match=r"^lab-1: what is sent to the board arrives damaged, 3 times: ") as raised:
        run_step(console, CODE)
    assert raised.value.kind == "garbled"


def test_a_step_damaged_back(console: Console, bad_line: Callable[..., list[bytes]]) -> None:
    """What a damaged line said would be missing, as if the firmware did not have it: the step runs again."""
    sent = bad_line(2, back=lambda text: text.replace(b"machine", b"machne"))
    assert facts(run_step(console, CODE)) == [b"#th machine 'x'"]
    assert len(sent) == 3


def test_a_step_that_raises_is_whole(console: Console) -> None:
    """A module that is missing costs the facts behind it, and is no damage."""
    assert facts(run_step(console, "th_p('a', 1)\nimport nowhere\nth_p('b', 2)")) == [
        b"#th a 1",
        b"#th failed \"<class 'ImportError'>\"",
    ]


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
