"""Steps on a board: the error names the step that failed, with the board's own error."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.boards.agent.console import Console
from harness.boards.agent.protocol import FIRST_NUMBERS
from harness.boards.serial.raw_repl import Output
from harness.errors import BoardError
from harness.system.deadline import Deadline


def test_answer(console: Console) -> None:
    """The last object counts; noise is ignored."""
    say = "def say(text): print('#th ' + text + ' ' + th_sum(text.encode()))\n"
    output = console.run(say + "print('log line')\nsay('{\"a\": 1}')\nsay('{\"a\": 2}')", timeout_s=60)
    assert console.answer(output, "do it") == {"a": 2}


def test_must(console: Console) -> None:
    """If code raises, the error names the step and the board's own error, and memory if that is the cause."""
    console.must("x = 1", "do it")
    with pytest.raises(
        BoardError, match=r"lab-1: the board could not do it: ZeroDivisionError: divide by zero\.$"
    ) as raised:
        console.must("1/0", "do it")
    assert raised.value.kind == "agent"
    assert "Traceback" in raised.value.transcript
    with pytest.raises(BoardError, match=r"MemoryError: .*\. The board has too little free memory\.$") as short:
        console.must("x = bytearray(1 << 40)", "do it")
    assert short.value.kind == "memory"


def test_no_answer(console: Console) -> None:
    """Output that is not an answer is shown, bounded."""
    output = console.run("print('hello' * 1000)", timeout_s=60)
    with pytest.raises(BoardError, match=r"could not do it: it printed 'hellohello") as raised:
        console.answer(output, "do it")
    assert len(raised.value.message) < 300


def test_code_that_arrives_damaged_has_not_run(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent again, at most three times; the board counts how often it ran."""
    real, sent = console.link.exec, []

    def damaging(code: bytes, *, deadline: Deadline) -> Output:
        sent.append(code)
        return real(code.replace(b"ran = 1", b"ran = 2") if len(sent) < 3 else code, deadline=deadline)

    monkeypatch.setattr(console.link, "exec", damaging)
    console.must("ran = 1", "run")
    assert len(sent) == 3
    monkeypatch.setattr(console.link, "exec", real)
    assert console.run("print(ran)", timeout_s=60).stdout.strip() == b"1"
    monkeypatch.setattr(console.link, "exec", lambda code, *, deadline: real(code[:-9] + b"'0')", deadline=deadline))
    with pytest.raises(BoardError, match=r"^lab-1: data sent to the board arrived damaged 3 times: ") as raised:
        console.must("ran = 3", "run")
    assert raised.value.kind == "garbled"


@dataclass(frozen=True)
class Said:
    """An answer for these tests: the number of its request, and whether the request arrived damaged."""

    number: int | None
    damaged: bool = False


def test_an_answer_belongs_to_its_request(console: Console) -> None:
    """A request that arrived damaged is sent again; an answer with the number of another request is refused."""
    answers = [Said(1, damaged=True), Said(1), Said(1)]
    asked: list[int] = []

    def ask() -> Said:
        return console.ask(
            lambda number: asked.append(number) or "pass",
            read=lambda _printed: answers.pop(0),
            what="answer",
            deadline=Deadline(60),
        )

    assert ask() == Said(1)
    with pytest.raises(BoardError, match=r"garbled: it belongs to request 1, not to 2$") as raised:
        ask()
    assert (raised.value.kind, asked) == ("garbled", [1, 2])
    answers[:] = [Said(3, damaged=True)] * 3
    with pytest.raises(BoardError, match=r"^lab-1: data sent to the board arrived damaged 3 times: ") as raised:
        ask()
    assert (raised.value.kind, answers) == ("garbled", [])


@pytest.mark.parametrize(
    ("answers", "said", "times"),
    [
        ([None, Said(1)], Said(1), 2),  # its mark was damaged
        ([ValueError("no fit"), Said(1)], Said(1), 2),
        ([ValueError("no fit"), None, Said(1)], Said(1), 3),
        ([ValueError("no fit"), Said(1, damaged=True), Said(1)], Said(1), 3),  # so the request is sent again
        ([ValueError("no fit"), ValueError("worse"), None], "garbled: worse", 3),
        ([None, None, None], "the board could not answer: it printed ''", 3),
        ([ValueError("no fit"), Said(9)], "garbled: it belongs to request 9, not to 1", 2),
    ],
)
def test_a_damaged_answer_is_asked_for_again(console: Console, answers: list[object], said: object, times: int) -> None:
    """The agent prints it again, twice at most; the request is not run again."""
    read: list[bytes] = []

    def next_answer(printed: bytes) -> Said | None:
        read.append(printed)
        answer = answers[len(read) - 1]
        if isinstance(answer, ValueError):
            raise answer
        return answer

    def ask() -> Said:
        return console.ask(lambda _number: "pass", read=next_answer, what="answer", deadline=Deadline(10))

    if isinstance(said, Said):
        assert ask() == said
    else:
        with pytest.raises(BoardError) as raised:
            ask()
        assert said in str(raised.value)
    assert len(read) == times


def test_a_call_with_a_damaged_name_is_sent_again(console: Console) -> None:
    """It has not run: the agent reports its own NameError in an answer. One that stays is reported."""
    console.link.log.mark()
    with pytest.raises(BoardError, match=r"the board could not answer: NameError: name 'th_nun' isn't defined\.$"):
        console.ask(lambda _number: "th_nun(1)", read=lambda _printed: None, what="answer", deadline=Deadline(10))
    assert console.link.log.text().count("th_nun(1)") == 3


def test_no_two_sessions_share_a_number(console: Console) -> None:
    """The numbers of a session begin at random: a server's record tells two boards at one address apart."""
    begun = {Console(console.link, label="x")._number for _ in range(4)}
    assert len(begun) == 4
    assert all(number in FIRST_NUMBERS for number in begun)


def test_garbled(console: Console) -> None:
    """A marked line that is not a JSON object is a line fault."""
    output = console.run("print('#th {\"a\": ')", timeout_s=60)
    with pytest.raises(BoardError, match="lab-1: the board's answer is garbled") as raised:
        console.answer(output, "do it")
    assert raised.value.kind == "garbled"


def test_cut_off(console: Console) -> None:
    """An answer that began and did not end is also a line fault, whatever follows it."""
    for code in ("print('#th {\"a\": ', end='')", "print('#th ;', end='')\n1/0"):
        output = console.run(code, timeout_s=60)
        with pytest.raises(
            BoardError, match="lab-1: the board's answer is garbled: it broke off or was changed: '#th "
        ) as raised:
            console.answer(output, "do it")
        assert raised.value.kind == "garbled"


def test_slow_board(console: Console) -> None:
    """Every time limit is multiplied by boards.toml's multiplier."""
    assert Console(console.link, label="x", timeout_multiplier=3.0).deadline(2.0).timeout_s == 6.0
