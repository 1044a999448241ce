"""The faulty board itself: when a fault occurs, what ends it, and cleanup. The harness's reaction: tests/faults."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual.faults import FAULTS, POWER_WORD, RESET_WORD, ROM_LOG
from harness.boards.virtual.faulty import SEED_VARIABLE, FaultyBoard, Lane, seed, unread_bytes
from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import BoardError, UsageError
from harness.system.deadline import Deadline

AGENT = b"def th_run(text): print('#th ' + text)"
CALL = b"th_run('{\"host\":1}')"
GOOD = b'#th {"host":1}\n'


class Bench:
    """A faulty board with a one-line agent, and a line to it."""

    def __init__(self, name: str, **changes: float) -> None:
        fault = replace(FAULTS[name], **changes)  # type: ignore[arg-type]
        self.board = FaultyBoard(fault, find_interpreter(""))
        self.link = RawRepl(self.board.port)
        self.prepare()

    def prepare(self) -> None:
        self.link.enter_raw_repl(deadline=Deadline(60))
        self.link.exec(AGENT, deadline=Deadline(60))

    def call(self, *, seconds: float = 60) -> bytes:
        output = self.link.exec(CALL, deadline=Deadline(seconds))
        return output.stdout + output.stderr

    def close(self) -> None:
        self.link.close()
        self.board.close()


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    """Make benches that are closed at the end."""
    made = []

    def new(name: str, **changes: float) -> Bench:
        made.append(Bench(name, **changes))
        return made[-1]

    yield new
    for one in made:
        one.close()


def test_occurs_at_the_third_call(bench: Callable[..., Bench]) -> None:
    """With the same call each time, two answers are complete, the third is half, the fourth is complete again."""
    made = bench("half-line")
    assert [made.call() for _ in range(4)] == [GOOD, GOOD, GOOD[: len(GOOD) // 2], GOOD]


def test_ctrl_c_ends_a_flood(bench: Callable[..., Bench]) -> None:
    """It prints until it is interrupted, and not a byte longer."""
    made = bench("flood")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="and did not stop"):
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
def test_switches(bench: Callable[..., Bench], name: str, word: bytes, helps: bool) -> None:
    """The stand-ins for the lab's switches restart the board, and end the faults that such a switch would end."""
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


def test_a_stale_answer(bench: Callable[..., Bench]) -> None:
    """It arrives with the next request, and is not taken for the answer to that."""
    made = bench("stale-answer")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="did not answer"):
        made.call(seconds=0.3)
    made.link.interrupt_exec(deadline=Deadline(60))
    assert made.link.exec(b"print(1234)", deadline=Deadline(60)).stdout == b"1234\n"
    assert made.call() == GOOD


def test_left_raw(bench: Callable[..., Bench]) -> None:
    """The answer is complete; after it the board is at its friendly prompt."""
    made = bench("left-raw")
    assert [made.call() for _ in range(3)] == [GOOD] * 3
    with pytest.raises(BoardError):
        made.call()
    made.prepare()
    assert made.call() == GOOD


def test_echo(bench: Callable[..., Bench]) -> None:
    """It returns what it receives, and is not mistaken for a board."""
    made = bench("echo")
    made.call()
    made.call()
    with pytest.raises(BoardError, match="did not answer"):
        made.call(seconds=0.3)
    with pytest.raises(BoardError, match="it only echoes what it is sent"):
        made.link.enter_raw_repl(deadline=Deadline(1))


def test_reset_loop(bench: Callable[..., Bench]) -> None:
    """It restarts until its power is switched, and is reported as a reset loop."""
    made = bench("reset-loop")
    made.call()
    made.call()
    with pytest.raises(
        BoardError, match=r": the interpreter of the virtual board ended \(SIGKILL\) and was started again$"
    ):
        made.link.exec(CALL + b"\nwhile True: pass", deadline=Deadline(60))
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
def test_disks(bench: Callable[..., Bench], name: str, number: bytes) -> None:
    """A real filesystem in the interpreter refuses to write with ENOSPC or EROFS, after each soft reset.

    The first Ctrl-C may interrupt the boot.py that mounts it: the harness soft-resets before it uses a board.
    """
    made = bench(name)
    for _ in range(2):
        made.link.soft_reset(deadline=Deadline(60))
        assert made.link.exec(FILLS_A_FILE, deadline=Deadline(60)).stdout == number


def test_replug(bench: Callable[..., Bench]) -> None:
    """The old port is dead, the link refers to the new one, and the board's state is unchanged."""
    made = bench("replug")
    before = os.path.realpath(made.board.port)
    made.call()
    made.call()
    with pytest.raises(BoardError, match="the port disappeared"):
        made.call()
    assert os.path.realpath(made.board.port) != before
    made.link.reopen(lambda: made.board.port, deadline=Deadline(60))
    assert made.link.device == os.path.realpath(made.board.port)
    made.link.enter_raw_repl(deadline=Deadline(60))
    assert made.call() == GOOD


@pytest.mark.parametrize("name", ["unplug", "slow", "lying"])
def test_nothing_is_left(name: str) -> None:
    """Descriptors, threads and files are released by close, also during the fault."""
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
    """A line without a speed delivers everything in pieces; one with a speed delivers each byte at its time, also to a late reader."""
    lane = Lane()
    assert lane.due() is None
    lane.add(b"abcdef", due=1.0)
    lane.add(b"", due=1.0)
    assert (len(lane), lane.due(), lane.ready(0.9, bytes_per_s=None)) == (6, 1.0, b"")
    assert lane.ready(1.0, bytes_per_s=2) == b"a"
    lane.left(1, bytes_per_s=2)
    assert (lane.due(), lane.ready(1.4, bytes_per_s=2)) == (1.5, b"")
    assert lane.ready(2.6, bytes_per_s=2) == b"bcd"
    lane.left(3, bytes_per_s=2)
    assert (lane.due(), lane.ready(3.0, bytes_per_s=None)) == (3.0, b"ef")
    lane.left(2, bytes_per_s=None)
    assert (lane.due(), len(lane)) == (None, 0)


# ----------------------------------------------------------------------------------------------- stand-ins of real lines

READS_LATE = b"""\
import sys, select, time, os
poller = select.poll(); poller.register(sys.stdin, select.POLLIN)
count, quiet = 0, 0
while 'read' not in os.listdir(): time.sleep_ms(10)
while quiet < 5:
    if poller.poll(50): sys.stdin.buffer.read(1); count += 1; quiet = 0
    else: quiet += 1
print(count)
"""


@pytest.mark.parametrize("sent", [259, 4000])
def test_rb16_a_uart_drops_what_does_not_fit(bench: Callable[..., Bench], sent: int) -> None:
    """Of what comes while the board reads nothing it has 259 bytes, and some more: the kernel counts them a few ms late."""
    made = bench("uart")
    tool = os.open(made.board.port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(tool, b"\x05A\x01")
        assert read_through(tool, b"\x01\x80\x00\x01")
        os.write(tool, READS_LATE[:200])
        assert read_through(tool, b"\x01")
        os.write(tool, READS_LATE[200:] + b"\x04")
        assert read_through(tool, b"\x04")
        os.write(tool, b"x" * sent)
        arrival = Deadline(60)
        while (unread_bytes(made.board._virtual.terminal) < 259 or made.board._to_board) and not arrival.expired:
            select.select([], [], [], 0.01)
        (Path(made.board.port).parent / "files" / "read").touch()
        assert 259 <= int(read_through(tool, b"\x04\x04>").partition(b"\n")[0]) < min(sent + 1, 4000)
    finally:
        os.close(tool)


def read_through(descriptor: int, ending: bytes) -> bytes:
    """Return up to some bytes, read as they arrive."""
    seen = b""
    while not seen.endswith(ending):
        seen += os.read(descriptor, 1)
    return seen


def test_rb16_a_uart_is_as_slow_as_its_baud_rate(bench: Callable[..., Bench]) -> None:
    """115200 baud carry 11520 bytes a second: 3000 bytes need a quarter of a second."""
    made = bench("uart")
    begin = time.monotonic()
    assert made.link.exec(b"print('x' * 3000)", deadline=Deadline(60)).stdout == b"x" * 3000 + b"\n"
    assert time.monotonic() - begin >= 0.26


def test_rb16_a_long_code_arrives_whole_over_a_uart(bench: Callable[..., Bench]) -> None:
    """Two windows of raw paste and the end mark are 257 bytes: nothing is dropped."""
    made = bench("uart")
    text = "x" * 2000
    assert made.link.exec(b"print(len(%r))" % text.encode(), deadline=Deadline(60)).stdout == b"2000\n"


def test_rb16_opening_resets(bench: Callable[..., Bench]) -> None:
    """Each opening resets the board; it prints its ROM log, does not read for a while, then boots."""
    made = bench("boot-log", deaf_s=0.3)
    made.link.exec(b"kept = 1", deadline=Deadline(60))
    made.link.close()
    noticed = Deadline(60)
    while made.board.in_use and not noticed.expired:
        select.select([], [], [], 0.01)
    made.link = RawRepl(made.board.port)
    said = made.link.enter_raw_repl(deadline=Deadline(60))
    assert said.startswith(ROM_LOG)
    assert b"NameError" in made.link.exec(b"print(kept)", deadline=Deadline(60)).stderr


@pytest.mark.parametrize("name", ["noisy", "lossy"])
def test_a_bad_line_damages_data(monkeypatch: pytest.MonkeyPatch, bench: Callable[..., Bench], name: str) -> None:
    """Of 50,000 bytes some arrive damaged; the seed comes from the environment."""
    monkeypatch.setenv(SEED_VARIABLE, "7")
    made = bench(name)
    said = made.link.exec(b"for _ in range(50): print('x' * 999)", deadline=Deadline(60)).stdout
    assert said != (b"x" * 999 + b"\n") * 50
    assert abs(len(said) - 50_000) < 20


def test_the_seed_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any text but digits is refused."""
    monkeypatch.delenv(SEED_VARIABLE, raising=False)
    assert seed() == 1
    monkeypatch.setenv(SEED_VARIABLE, "x")
    with pytest.raises(UsageError, match=r"^TLS_HARNESS_LINE_SEED='x': expected a non-negative integer$"):
        seed()


def test_a_closed_terminal_has_nothing_unread() -> None:
    """This is the state between two starts of the interpreter."""
    assert unread_bytes("/dev/pts/none") == 0
