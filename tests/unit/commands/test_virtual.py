"""`tls-harness virtual`: a board for mpremote and other tools, which cleans up when it ends."""

import argparse
import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import cli
from harness.boards.virtual.board import HEAP_BYTES
from harness.boards.virtual.faults import FAULTS
from harness.boards.virtual.interpreter import find_interpreter
from harness.commands.virtual import heap_size
from harness.errors import HarnessError

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module", autouse=True)
def interpreter():
    """Return the default interpreter; skip without one."""
    try:
        return find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))


@contextlib.contextmanager
def virtual(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start `tls-harness virtual` and yield the process and its port; kill it if the test did not end it."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "harness", "virtual", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.startswith("/"), process.communicate(timeout=60)
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def mpremote(port: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run mpremote on a port."""
    return subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    listing = subprocess.run(["ps", "-o", "pid=,ppid=", "-A"], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listing.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def is_there(pid: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_mpremote_runs_code_on_it():
    """`mpremote connect PORT exec ...` works on the printed port, twice in a row."""
    with virtual() as (_process, port):
        for text in ("first", "second"):
            done = mpremote(port, "exec", f"import sys; print({text!r}, sys.implementation.name)")
            assert (done.returncode, done.stdout.split()) == (0, [text, "micropython"]), done.stderr


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_ends_it_and_leaves_nothing(number, code):
    """Ctrl-C or SIGTERM ends it with 128 + n and no traceback, and leaves no interpreter, port or directory."""
    with virtual() as (process, port):
        started = children(process.pid)
        assert started
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        lines = err.splitlines()
        folder = Path(lines[0].partition("files in ")[2].partition(";")[0])
        assert (process.returncode, out) == (code, "")
        assert len(lines) == 2
        assert [pid for pid in started if is_there(pid)] == []
        assert folder.name.startswith("tls-harness-board-")
        assert not folder.exists()
        assert port in lines[1]


def test_ctrl_c_while_code_runs_on_it():
    """A board in an endless loop is ended too."""
    with virtual() as (process, port):
        done = mpremote(port, "exec", "--no-follow", "while True: pass")
        assert done.returncode == 0, done.stderr
        started = children(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
        assert [pid for pid in started if is_there(pid)] == []


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="waiting for a process that is not a child needs Linux's pidfd"
)
def test_sigkill_ends_the_interpreter_too():
    """If the command is killed, its interpreter ends too, because its terminal is gone."""
    with virtual() as (process, _port):
        (interpreter_pid,) = children(process.pid)
        watched = os.pidfd_open(interpreter_pid)
        try:
            process.kill()
            process.wait()
            ready, _, _ = select.select([watched], [], [], 10)
            assert ready == [watched]
        finally:
            os.close(watched)


def test_the_folder_is_its_filesystem_and_is_kept(tmp_path):
    """--folder is created, used as the board's filesystem, and kept; its boot.py runs."""
    folder = tmp_path / "board"
    with virtual("--folder", str(folder)) as (process, port):
        done = mpremote(port, "exec", "open('boot.py', 'w').write('answer = 1234')")
        assert done.returncode == 0, done.stderr
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
    assert (folder / "boot.py").read_text(encoding="ascii") == "answer = 1234"
    with virtual("--folder", str(folder)) as (_process, port):
        assert mpremote(port, "resume", "exec", "print(answer)").stdout.strip() == "1234"


def test_a_faulty_board():
    """Any tool can use a board with a fault; the output names the fault and the commands for its two hooks."""
    with virtual("faulty:stuck-raw") as (process, port):
        done = mpremote(port, "exec", "print(1234)")
        assert (done.returncode, done.stdout.split()) == (0, ["1234"]), done.stderr
        subprocess.run(["sh", "-c", f"printf '\\0reset\\0' > {port}"], check=True)
        process.send_signal(signal.SIGTERM)
        _out, err = process.communicate(timeout=60)
    lines = err.splitlines()
    assert lines[0] == f"faulty board stuck-raw, from its connection 3 on: {FAULTS['stuck-raw'].does}"
    assert lines[1] == f"its reset hook: printf '\\0reset\\0' > {port}"
    assert lines[2] == f"its power_cycle hook: printf '\\0power\\0' > {port}"
    assert not Path(port).parent.exists()


def test_the_default_heap_is_in_the_help(capsys):
    """--help names the default heap of a virtual board."""
    with pytest.raises(SystemExit):
        cli.main(["virtual", "--help"])
    assert f"(default: {HEAP_BYTES // 1024}K)" in " ".join(capsys.readouterr().out.split())


def test_the_heap_has_the_requested_size():
    """--heap sets the interpreter's heap."""
    with virtual("--heap", "300K") as (_process, port):
        done = mpremote(port, "exec", "import gc; print(gc.mem_alloc() + gc.mem_free())")
        assert 280 * 1024 < int(done.stdout) <= 300 * 1024


@pytest.mark.parametrize(("text", "size"), [("65536", 65536), ("64K", 65536), ("64k", 65536), ("2M", 2097152)])
def test_heap_sizes(text, size):
    """Sizes are bytes, with K or M for 1024 and 1024 * 1024."""
    assert heap_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5M", "64KB", "K", "six"])
def test_invalid_sizes(text):
    """Any other text is refused, with the accepted form."""
    with pytest.raises(argparse.ArgumentTypeError, match=r"^invalid size .*: expected bytes, e\.g\. 65536, 64K or 2M$"):
        heap_size(text)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["/dev/ttyUSB0"],
            2,
            "virtual '/dev/ttyUSB0': not a virtual board; expected unix, unix:/path/to/micropython or faulty:NAME",
        ),
        (
            ["faulty:no-wlan"],
            2,
            f"virtual 'faulty:no-wlan': unknown fault; expected faulty:NAME with NAME one of {', '.join(FAULTS)}",
        ),
        (
            ["faulty:slow", "--folder", "files"],
            2,
            "--folder files: a faulty board has its own files; omit the option",
        ),
        (
            ["unix:/no/such/micropython"],
            2,
            "--board unix:/no/such/micropython: no such file; expected the path of a MicroPython unix-port interpreter",
        ),
        (
            ["unix:/"],
            2,
            "--board unix:/: not an executable program; expected the path of a MicroPython unix-port interpreter",
        ),
        (
            ["--folder", "/no/such/place"],
            2,
            "--folder /no/such/place: cannot be used as a directory (No such file or directory)",
        ),
    ],
    ids=["serial", "no such fault", "faulty folder", "missing", "no program", "folder"],
)
def test_an_unusable_spec_or_folder(arguments, code, message, capsys):
    """A spec or a folder that cannot be used ends with one line."""
    assert cli.main(["virtual", *arguments]) == code
    assert capsys.readouterr() == ("", f"tls-harness: {message}\n")


def test_a_program_without_micropython_is_a_fault(capsys):
    """A program without MicroPython's prompt is reported with its output and exit code 10."""
    assert cli.main(["virtual", "unix:/bin/true"]) == 10
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("tls-harness: /bin/true: no MicroPython prompt: it ended")
    assert err.count("\n") == 1


def test_the_port_is_a_terminal():
    """The printed port can be opened as a serial port."""
    with virtual() as (_process, port):
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
        try:
            assert len(termios.tcgetattr(descriptor)) == 7
        finally:
            os.close(descriptor)
