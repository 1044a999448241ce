"""The faulty board by itself: when a fault strikes, what ends it, and that nothing is left. What the harness does: tests/faults."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual.faults import FAULTS, POWER_WORD, RESET_WORD
from harness.boards.virtual.faulty import FaultyBoard, Lane
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError
from harness.system.deadline import Deadline

AGENT = b"def th_run(text): print('#th ' + text)"
CALL = b"th_run('{\"host\":1}')"
GOOD = b'#th {"host":1}\n'


class Bench:
    """A faulty board and a line to it, an agent of one line on it."""

    def __init__(self, name: str) -> None:
        self.board = FaultyBoard(FAULTS[name], find_interpreter(""))
        self.link = RawRepl(self.board.port)
        self.prepare()

    def prepare(self) -> None:
        self.link.enter_raw_repl(deadline=Deadline(60))
        self.link.exec(AGENT, deadline=Deadline(60))

    def call(self, *, seconds: float = 5) -> bytes:
        return self.link.exec(CALL, deadline=Deadline(seconds)).stdout

    def close(self) -> None:
        self.link.close()
        self.board.close()


@pytest.fixture
def bench() -> Iterator[Callable[[str], Bench]]:
    """Make benches that are closed at the end."""
    made = []

    def new(name: str) -> Bench:
        made.append(Bench(name))
        return made[-1]

    yield new
    for one in made:
        one.close()


def test_strikes_at_the_third_call(bench: Callable[[str], Bench]) -> None:
    """The same call each time: two answers are whole, the third is half, the fourth is whole again."""
    made = bench("half-line")
    assert [made.call() for _ in range(4)] == [GOOD, GOOD, GOOD[: len(GOOD) // 2], GOOD]


def test_ctrl_c_ends_a_flood(bench: Callable[[str], Bench]) -> None:
    """It prints until it is interrupted, not one piece longer."""
    made = bench("flood")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="without an end"):
        made.call()
    made.link.interrupt_exec(deadline=Deadline(60))
    assert made.call() == GOOD


@pytest.mark.parametrize(
    ("name", "word", "helps"),
    [
        ("silent", RESET_WORD, False),
        ("ctrl-c-ignored", RESET_WORD, True),
        ("silent", POWER_WORD, True),
        ("stuck-raw", RESET_WORD, True),
    ],
)
def test_switches(bench: Callable[[str], Bench], name: str, word: bytes, helps: bool) -> None:
    """What stands in for the lab's switches restarts the board, and ends what such a switch would end."""
    made = bench(name)
    made.call()
    made.call()
    with pytest.raises(BoardError, match="did not answer"):
        made.call(seconds=0.2)
    Path(made.board.port).write_bytes(word)
    if helps:
        made.prepare()
        assert made.call() == GOOD
    else:
        with pytest.raises(BoardError, match="no answer at all"):
            made.link.enter_raw_repl(deadline=Deadline(1))


def test_a_stale_answer(bench: Callable[[str], Bench]) -> None:
    """It comes when the next question is asked, and is not taken for its answer."""
    made = bench("stale-answer")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="did not answer"):
        made.call(seconds=0.3)
    made.link.interrupt_exec(deadline=Deadline(60))
    assert made.link.exec(b"print(1234)", deadline=Deadline(60)).stdout == b"1234\n"
    assert made.call() == GOOD


def test_left_raw(bench: Callable[[str], Bench]) -> None:
    """The answer is whole; behind it the board is at its friendly prompt."""
    made = bench("left-raw")
    assert [made.call() for _ in range(3)] == [GOOD] * 3
    with pytest.raises(BoardError):
        made.call()
    made.prepare()
    assert made.call() == GOOD


def test_echo(bench: Callable[[str], Bench]) -> None:
    """It is not mistaken for a board: it returns what it is sent."""
    made = bench("echo")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="did not answer"):
        made.call(seconds=0.3)
    with pytest.raises(BoardError, match="it only echoes what it is sent"):
        made.link.enter_raw_repl(deadline=Deadline(1))


def test_reset_loop(bench: Callable[[str], Bench]) -> None:
    """It restarts until its power is switched, and is named."""
    made = bench("reset-loop")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="the interpreter of the virtual board ended"):
        made.link.exec(CALL + b"\nwhile True: pass", deadline=Deadline(10))
    Path(made.board.port).write_bytes(POWER_WORD)
    made.prepare()
    assert made.call() == GOOD


FILLS_A_FILE = b"""\
try:
    with open('mine', 'w') as f: f.write('x' * 5000)
    print('written')
except OSError as e: print(e.args[0])
"""


@pytest.mark.parametrize(("name", "number"), [("disk-full", b"28\n"), ("read-only", b"30\n")])
def test_disks(bench: Callable[[str], Bench], name: str, number: bytes) -> None:
    """A real filesystem of the interpreter's refuses to write: ENOSPC, EROFS; also after a soft reset."""
    made = bench(name)
    for _ in range(2):
        assert made.link.exec(FILLS_A_FILE, deadline=Deadline(60)).stdout == number
        made.link.soft_reset(deadline=Deadline(60))


def test_replug(bench: Callable[[str], Bench]) -> None:
    """The old port is dead, the link leads to the new one, and the board behind it is as it was."""
    made = bench("replug")
    before = os.path.realpath(made.board.port)
    made.call()
    made.call()
    with pytest.raises(BoardError, match="the port went away"):
        made.call()
    assert os.path.realpath(made.board.port) != before
    made.link.reopen(lambda: made.board.port, deadline=Deadline(60))
    assert made.link.device == os.path.realpath(made.board.port)
    made.link.enter_raw_repl(deadline=Deadline(60))
    assert made.call() == GOOD


@pytest.mark.parametrize("name", ["unplug", "slow", "lying"])
def test_nothing_is_left(name: str) -> None:
    """Descriptors, threads and files are gone after close, also with the fault under way."""
    folders = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0
    threads = threading.active_count()
    made = Bench(name)
    place = Path(made.board.port).parent
    if name != "lying":
        made.call()
        made.call()
        with pytest.raises(BoardError):
            made.call(seconds=0.3)
    made.close()
    made.board.close()
    assert not place.exists()
    assert threading.active_count() == threads
    assert (len(os.listdir("/proc/self/fd")) if folders else 0) <= folders


def test_lane() -> None:
    """A slow line lets one byte out at its time, a late one holds back, a good one gives all in pieces."""
    lane = Lane()
    assert lane.due() is None
    lane.add(b"abc", due=1.0)
    lane.add(b"", due=1.0)
    assert (len(lane), lane.due(), lane.ready(0.9, slow=False)) == (3, 1.0, b"")
    assert lane.ready(1.0, slow=True) == b"a"
    lane.left(1, free_from=1.5)
    assert (lane.due(), lane.ready(1.4, slow=True), lane.ready(1.5, slow=False)) == (1.5, b"", b"bc")
    lane.left(2, free_from=1.5)
    assert (lane.due(), len(lane)) == (None, 0)
