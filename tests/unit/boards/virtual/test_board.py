"""The virtual board: board-like behaviour, messages about misbehaving programs, and cleanup."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.boards.serial.raw_repl import RawRepl
from harness.boards.virtual import board as board_module
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import Interpreter, find_interpreter
from harness.errors import BoardError
from harness.system.deadline import Deadline

Start = Callable[..., VirtualBoard]


@pytest.fixture(params=[False, True], ids=["own-repl", "script-repl"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Return a function that starts a board with these files, for both kinds of raw REPL."""
    boards = []

    def make(*, heap_bytes: int | None = None, **files: str) -> VirtualBoard:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        board = VirtualBoard(find_interpreter(""), folder=tmp_path, heap_bytes=heap_bytes, script_repl=request.param)
        boards.append(board)
        return board

    yield make
    for board in boards:
        board.close()


def enter(board: VirtualBoard, *, deadline: Deadline | None = None) -> RawRepl:
    """Open the port and enter the raw REPL."""
    link = RawRepl(board.port)
    try:
        link.enter_raw_repl(deadline=deadline or Deadline(60))
    except BaseException:
        link.close()
        raise
    return link


def refused(board: VirtualBoard, *, deadline: Deadline) -> BoardError:
    """Return the error of a take-over that cannot succeed."""
    with pytest.raises(BoardError) as raised:
        enter(board, deadline=deadline)
    assert "\n" not in raised.value.message
    return raised.value


def wait_for(condition: Callable[[], object], *, timeout_s: float = 60.0) -> None:
    """Wait until a condition outside this process holds."""
    deadline = Deadline(timeout_s)
    while not condition():
        assert not deadline.expired, "it did not happen in time"
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Return whether a process runs; a zombie does not, and one can end while its file is read. Linux only."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ask(link: RawRepl, code: bytes) -> bytes:
    """Run code that must not fail."""
    output = link.exec(code, deadline=Deadline(60))
    assert output.stderr == b""
    return output.stdout


@pytest.mark.parametrize(("heap_bytes", "least", "most"), [(300_000, 250_000, 300_000), (None, 450_000, 524_288)])
def test_heap(start: Start, heap_bytes: int | None, least: int, most: int) -> None:
    """The heap size is the one given, else similar to a board's."""
    link = enter(start(heap_bytes=heap_bytes))
    try:
        total = int(ask(link, b"import gc\nprint(gc.mem_free() + gc.mem_alloc())"))
    finally:
        link.close()
    assert least < total <= most


def test_own_files_only(start: Start, tmp_path: Path) -> None:
    """Its directory is its filesystem; it has neither the environment nor the modules of the harness."""
    link = enter(start())
    try:
        assert ask(link, b"import os\nprint(os.getcwd())").strip() == str(tmp_path).encode()
        assert ask(link, b"print(os.getenv('PYTEST_CURRENT_TEST'))").strip() == b"None"
    finally:
        link.close()


def test_main_is_interrupted(start: Start) -> None:
    """A running main.py is interrupted with Ctrl-C; its globals remain."""
    link = enter(start(boot="b = 1\n", main="m = b + 1\nwhile True: pass\n"))
    try:
        assert ask(link, b"print(m)") == b"2\n"
    finally:
        link.close()


def test_slow_boot_is_waited_for(start: Start) -> None:
    """A board that boots slowly and prints a log is used as soon as it reads."""
    boot = (
        "import time\nprint('rst:0x1 (POWERON_RESET),boot:0x13')\nend = time.time() + 1\n"
        "while time.time() < end:\n try: time.sleep(0.1)\n except KeyboardInterrupt: pass\n"
    )
    link = enter(start(boot=boot))
    try:
        assert ask(link, b"print(1)") == b"1\n"
    finally:
        link.close()


def test_program_that_catches_ctrl_c(start: Start) -> None:
    """A program that prints and ignores Ctrl-C is reported, with what to do."""
    main = "import time\nwhile True:\n try:\n  print('tick')\n  time.sleep(0.001)\n except KeyboardInterrupt: pass\n"
    board = start(main=main)
    wait_for(lambda: board._to_tool)
    error = refused(board, deadline=Deadline(1.2))
    assert error.kind == "no-interrupt"
    assert "prints continuously and ignores Ctrl-C" in error.message


def test_silent_program_that_catches_ctrl_c(start: Start) -> None:
    """A program that prints nothing looks like a missing board, and the message says so."""
    main = "import time\nwhile True:\n try:\n  time.sleep(1)\n except KeyboardInterrupt: pass\n"
    error = refused(start(main=main), deadline=Deadline(0.8))
    assert error.kind == "silent"
    assert "catches KeyboardInterrupt looks the same" in error.message


def test_program_that_ends_the_interpreter_at_once(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A main.py that resets the board at every start is a reset loop."""
    monkeypatch.setattr(
        board_module, "LOOP_AGE_S", 60.0
    )  # a busy machine starts an interpreter in more than one second
    main = "import sys\ntry:\n sys.exit(0)\nexcept KeyboardInterrupt:\n sys.exit(0)\n"
    board = start(main=main)
    wait_for(lambda: board._quick_ends > 3)
    # Enough time for some more resets.
    error = refused(board, deadline=Deadline(5, clock=lambda: float(board._quick_ends)))
    assert error.kind == "reset-loop"
    assert "in a reset loop" in error.message


def test_program_that_prints_noise(start: Start) -> None:
    """Bytes that are not text suggest a wrong baud rate."""
    main = "import sys\nwhile True:\n try:\n  sys.stdout.buffer.write(bytes(range(128, 256)))\n except KeyboardInterrupt: pass\n"
    board = start(main=main)
    wait_for(lambda: board._to_tool)
    error = refused(board, deadline=Deadline(0.7))
    assert error.kind == "not-micropython"
    assert "baud" in error.message


def test_program_that_never_stops_printing(start: Start) -> None:
    """A program that prints endlessly but can be interrupted does no harm."""
    link = enter(start(main="while True: print('x' * 500)\n"))
    try:
        assert ask(link, b"print(1)") == b"1\n"
    finally:
        link.close()


def test_reset_during_an_exec(start: Start) -> None:
    """A board that disappears during an exec is noticed at once, not at the deadline."""
    board = start()
    link = enter(board)
    try:
        process = board._process
        assert process is not None
        threading.Timer(0.2, process.kill).start()
        never = Deadline(20, clock=lambda: 0.0)
        with pytest.raises(BoardError, match="the interpreter of the virtual board ended \\(SIGKILL\\)") as raised:
            link.exec(b"while True: pass", deadline=never)
        assert raised.value.kind == "reset"
        link.enter_raw_repl(deadline=Deadline(60))
        assert ask(link, b"print(1)") == b"1\n"
    finally:
        link.close()


def test_reset_between_two_execs(start: Start) -> None:
    """A board that restarted is not mistaken for one with wrong answers."""
    board = start()
    link = enter(board)
    try:
        process = board._process
        assert process is not None
        process.kill()
        wait_for(lambda: b">>> " in bytes(board._to_tool) or link._port.inWaiting() > 100)
        with pytest.raises(BoardError, match="the interpreter of the virtual board ended") as raised:
            link.exec(b"print(1)", deadline=Deadline(60))
        assert raised.value.kind == "reset"
    finally:
        link.close()


def test_boot_that_hangs_after_a_soft_reset(start: Start, tmp_path: Path) -> None:
    """A boot.py that takes half of the time limit gets a Ctrl-C, which also works before the banner of the raw REPL."""
    link = enter(start())
    (tmp_path / "boot.py").write_text("print('booting')\nwhile True: pass\n")
    try:
        link.soft_reset(deadline=Deadline(4))
        assert link.boot_interrupted
        assert ask(link, b"print(1)") == b"1\n"
    finally:
        link.close()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("/bin/true", r"it ended and printed nothing"),
        ("/bin/cat", r"it ended; its last line is .*cat"),
        (sys.executable, r"it is another program"),
    ],
)
def test_programs_that_are_not_micropython(program: str, said: str) -> None:
    """A program named by mistake is reported in one line, with what is expected."""
    with pytest.raises(BoardError, match=f"no MicroPython prompt: {said}.*unix port") as raised:
        VirtualBoard(Interpreter(name=program, launch=("exec", program)), start_s=0.5)
    assert raised.value.kind == "not-micropython"
    assert "\n" not in raised.value.message


def test_program_that_prints_nothing(tmp_path: Path) -> None:
    """A program that only waits ends in a timeout."""
    program = tmp_path / "micropython"
    program.write_text("#!/bin/sh\nexec cat\n", encoding="utf-8")
    program.chmod(0o755)
    with pytest.raises(
        BoardError, match=r"no MicroPython prompt: it did not show one within 0\.5 s and printed nothing"
    ):
        VirtualBoard(Interpreter(name=str(program), launch=("exec", str(program))), start_s=0.5)


def test_program_for_another_machine(tmp_path: Path) -> None:
    """A file that the kernel cannot start is reported as such."""
    program = tmp_path / "micropython"
    program.write_bytes(b"\x7fELF nothing that runs")
    program.chmod(0o755)
    with pytest.raises(BoardError, match=r"it ended; its last line is .*Exec format error.*for this machine"):
        VirtualBoard(Interpreter(name=str(program), launch=("exec", str(program))))


def test_nothing_is_left(start: Start) -> None:
    """Closing releases every descriptor and thread, and ends the interpreter."""
    start().close()
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    board = start()
    process = board._process
    assert process is not None
    link = enter(board)
    link.close()
    board.close()
    board.close()
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (descriptors, threads)
    assert process.poll() is not None


def test_private_folder_is_removed() -> None:
    """A board removes the folder it made itself; a folder passed to it stays."""
    board = VirtualBoard(find_interpreter(""))
    folder = board.folder
    assert folder.is_dir()
    board.close()
    assert not folder.exists()


HARNESS = """\
import sys, time
from harness.boards.virtual.interpreter import find_interpreter
from harness.boards.virtual.board import VirtualBoard
board = VirtualBoard(find_interpreter(""))
print(board._process.pid, board.folder, flush=True)
time.sleep(60)
"""


@pytest.fixture
def other_harness() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process with a virtual board, and the pid of its interpreter."""
    process = subprocess.Popen(
        [sys.executable, "-c", HARNESS], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    pid, folder = process.stdout.readline().split()
    yield process, int(pid)
    process.kill()
    process.wait()
    process.stdout.close()
    shutil.rmtree(folder, ignore_errors=True)  # or the next board's cleanup was faster


def test_a_killed_harness_ends_its_board(other_harness: tuple[subprocess.Popen[str], int]) -> None:
    """However the harness ends, the interpreter gets SIGHUP from its terminal and ends, too."""
    process, pid = other_harness
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not runs(pid))


def test_ctrl_c_at_the_terminal_does_not_reach_the_board(other_harness: tuple[subprocess.Popen[str], int]) -> None:
    """SIGINT for the process group of the harness does not reach the interpreter, which must be left at its prompt."""
    process, pid = other_harness
    assert os.getpgid(pid) != os.getpgid(process.pid)
    assert os.getsid(pid) != os.getsid(process.pid)


def test_descriptor_0_is_not_the_line(tmp_path: Path) -> None:
    """MicroPython 1.20 to 1.22 close descriptor 0 after an open() that failed; the prompt from a script reads another one."""
    board = VirtualBoard(find_interpreter(""), folder=tmp_path, script_repl=True)
    try:
        link = enter(board)
        assert ask(link, b"f = open(0, 'rb')\nf.close()\nprint('closed')").strip() == b"closed"
        assert ask(link, b"print('still here')").strip() == b"still here"
        link.close()
    finally:
        board.close()


def test_an_exit_code_is_reported(start: Start) -> None:
    """A virtual board's interpreter that ends by itself is reported with its exit code, never as a watchdog."""
    link = enter(start())
    try:
        link.exec(b"import sys\nsys.exit(3)", deadline=Deadline(60))
        with pytest.raises(BoardError, match=r"the interpreter of the virtual board ended \(exit code 3\)"):
            link.exec(b"print(1)", deadline=Deadline(60))
        link.enter_raw_repl(deadline=Deadline(60))
        assert ask(link, b"print(1)") == b"1\n"
    finally:
        link.close()
