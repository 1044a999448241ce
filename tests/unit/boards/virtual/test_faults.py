"""The table of faults: the effect of each on bytes."""

import re
from pathlib import Path

import pytest

from harness.boards.agent.check_sum import check_sum
from harness.boards.agent.protocol import RunRequest, put_code, read_answer
from harness.boards.agent.scripts import agent_pieces
from harness.boards.virtual.faults import ANSWER_MARK, FAULTS, REQUEST_MARK


def line(text):
    """Return a line of the agent."""
    return f"#th {text} {check_sum(text.encode(), kind='c')}\r\n".encode()


LINE = line('{"kind":"result","text":"Hallo, Client!"}')
# The faults that docs/faults.md lists; the table may have more.
NAMES = {
    "silent", "flood", "drop", "corrupt", "delay", "reset", "non-utf8", "half-line", "lying", "huge-line", "unplug", "slow",
    "stuck-raw", "disk-full", "read-only", "no-memory", "wrong-clock", "no-network", "no-tls", "banner",
    "bare", "wlan-esp32-1.21", "wlan-esp32", "wlan-cyw43",
}  # fmt: skip


def test_names():
    """All documented faults exist, under their own names and with a sentence."""
    assert set(FAULTS) >= NAMES
    assert all(fault.name == name and fault.does for name, fault in FAULTS.items())


def test_stand_ins_say_that_they_are():
    """A board that imitates hardware describes itself as a stand-in."""
    stand_ins = {name for name, fault in FAULTS.items() if "stand-in" in fault.does}
    assert stand_ins == {
        "uart", "noisy", "lossy", "chatty", "boot-log", "jitter", "leak", "small-heap", "lwip-1.23", "lwip-1.24", "slow-boot",
        "bare", "wlan-esp32-1.21", "wlan-esp32", "wlan-cyw43",
    }  # fmt: skip


def test_the_page_names_the_boards_with_whole_time_limits():
    """docs/faults.md says which boards are waited for as long as a real one; the others have a tenth of that."""
    page = (Path(__file__).parents[4] / "docs" / "faults.md").read_text(encoding="utf-8")
    sentence = re.search(r"are a tenth of a real one's\. (.*?) have those of a real board", page, re.DOTALL)
    assert sentence is not None
    named = tuple(re.findall(r"`([\w.-]+)`", sentence[1]))
    whole = {name for name, fault in FAULTS.items() if fault.time_limits == 1}
    assert {name for name in FAULTS if name in named or (name.startswith("wlan-") and "wlan-" in named)} == whole
    assert {fault.time_limits for fault in FAULTS.values()} == {0.1, 1}


def test_marks_are_those_of_the_protocol():
    """A request is counted once, and neither the agent's files nor its blobs look like one."""
    assert RunRequest().code(number=1, kind="c").encode().count(REQUEST_MARK) == 1
    assert REQUEST_MARK.decode() not in "".join([*agent_pieces(), put_code("x", b"data", number=1, kind="c")])
    assert LINE.startswith(ANSWER_MARK)


@pytest.mark.parametrize("name", ["drop", "corrupt", "half-line", "huge-line"])
def test_a_corrupted_answer_is_never_taken_for_one(name):
    """A damaged answer is either no answer or one that is refused."""
    corrupted = FAULTS[name].answer(LINE)
    assert corrupted != LINE
    try:
        assert read_answer(corrupted) is None
    except ValueError:
        pass  # refused: also correct


def test_noise_before_an_answer_is_ignored():
    """Bytes that are not UTF-8 do no harm: the answer after them is complete."""
    assert read_answer(FAULTS["non-utf8"].answer(LINE)).text == "Hallo, Client!"


def test_boasting():
    """Every result of a connection becomes a session; the answer about stored data is unchanged."""
    boast = FAULTS["boasting"].answer
    refused = read_answer(boast(line('{"kind": "exception", "stage": "handshake", "type": "OSError", "n": 7}')))
    assert (refused.text, refused.number) == ("Hallo, Client!", 7)
    stored = line('{"kind": "stored", "size": 7}')
    assert boast(stored) == stored


def test_stuck_in_raw_mode():
    """Ctrl-C is passed on; the characters that end or leave raw mode are not."""
    assert FAULTS["stuck-raw"].to_board(b"\x05A\x01print(1)\x04\r\x03\x02") == b"Aprint(1)\r\x03"


def test_faults_during_a_run():
    """A fault of the environment is active from the start; one of the line is not. `lying` counts connections itself."""
    start = {name for name, fault in FAULTS.items() if not fault.in_the_middle}
    assert start == {
        "lying", "disk-full", "read-only", "no-memory", "wrong-clock", "no-network", "no-tls", "banner",
        "bare", "wlan-esp32-1.21", "wlan-esp32", "wlan-cyw43",
        "uart", "noisy", "lossy", "chatty", "boot-log", "jitter", "leak", "small-heap", "lwip-1.23", "lwip-1.24", "slow-boot",
    }  # fmt: skip
