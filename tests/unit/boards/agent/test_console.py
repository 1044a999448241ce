"""Steps on a board: which one failed, and in whose words."""

from __future__ import annotations

import pytest

from harness.boards.agent.console import Console
from harness.errors import BoardError


def test_answer(console: Console) -> None:
    """The last object counts, noise is passed over."""
    output = console.run("print('log line')\nprint('#th {\"a\": 1}')\nprint('#th {\"a\": 2}')", timeout_s=5)
    assert console.answer(output, "do it") == {"a": 2}


def test_must(console: Console) -> None:
    """Code that raises names the step and the board's own error; memory is named as the cause it is."""
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
    """Output that is no answer is shown, bounded."""
    output = console.run("print('hello' * 1000)", timeout_s=5)
    with pytest.raises(BoardError, match=r"could not do it: it printed 'hellohello") as raised:
        console.answer(output, "do it")
    assert len(raised.value.message) < 300


def test_garbled(console: Console) -> None:
    """A marked line that is no JSON object is the line's fault."""
    output = console.run("print('#th {\"a\": ')", timeout_s=5)
    with pytest.raises(BoardError, match="lab-1: the board's answer is garbled") as raised:
        console.answer(output, "do it")
    assert raised.value.kind == "garbled"


def test_broken_off(console: Console) -> None:
    """An answer that began and did not end is the line's fault too, whatever stands behind it."""
    for code in ("print('#th {\"a\": ', end='')", "print('#th ;', end='')\n1/0"):
        output = console.run(code, timeout_s=5)
        with pytest.raises(
            BoardError, match="lab-1: the board's answer is garbled: it broke off or was changed: '#th "
        ) as raised:
            console.answer(output, "do it")
        assert raised.value.kind == "garbled"


def test_slow_board(console: Console) -> None:
    """Every limit is stretched by boards.toml's multiplier."""
    assert Console(console.link, label="x", timeout_multiplier=3.0).deadline(2.0).timeout_s == 6.0
