"""Test `--firmware`: a board behind a serial port whose flash hook swaps the interpreter, and virtual boards."""

import json
import os
import shlex
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.boards.kinds import open_board
from harness.boards.spec import parse_board
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import Interpreter, find_interpreter
from harness.system.deadline import Deadline

# What a flashing tool does: it locks the port, fails or not, and replaces what the board runs.
FLASH = """\
import json, os, sys, serial
port, board, version, file, running, log = sys.argv[1:]
with open(log, "a") as done:
    done.write(json.dumps([port, board, version, os.path.basename(file)]) + "\\n")
serial.Serial(port, exclusive=True).close()
if os.path.getsize(file) == 0:
    print("no such chip")
    sys.exit(2)
os.symlink(file, running + ".new")
os.replace(running + ".new", running)
"""
LAB = """\
[board.bench]
spec = {port}
flash = {flash}

[board.bare]
spec = "/dev/ttyUSB7"
"""


@dataclass
class Bench:
    """A board at a serial port of this machine. `running` is its interpreter, which a soft reset starts again."""

    folder: Path
    running: Path
    log: Path

    def flashed(self) -> list[list[str]]:
        """Return what the hook was called with: port, board, version, file."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


def firmware_file(path: Path, interpreter: Interpreter) -> Path:
    """Write a program that starts an interpreter, in the role of a firmware file."""
    path.write_text(f'#!/bin/sh\nexec {shlex.join(interpreter.command())} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def version() -> str:
    """The version of the default interpreter."""
    session = open_board(parse_board("unix", {}), deploy=False)
    session.close(deadline=Deadline(60))
    return session.info.firmware


@pytest.fixture
def bench(suite):
    """A board in boards.toml whose port is a link, as udev makes them, and firmware files for its hook."""
    folder = suite.folder
    running, log, port = folder / "running", folder / "log", folder / "port"
    running.symlink_to(firmware_file(folder / "a.bin", find_interpreter("")))
    (folder / "empty.bin").write_bytes(b"")
    board = VirtualBoard(Interpreter(name="bench", launch=("exec", str(running))), script_repl=True)
    port.symlink_to(board.port)
    words = [sys.executable, "-c", FLASH, "{port}", "{board}", "{firmware}", "{file}", str(running), str(log)]
    suite.write("boards.toml", LAB.format(port=json.dumps(str(port)), flash=json.dumps(words)))
    yield Bench(folder, running, log)
    board.close()


def test_each_firmware_in_turn(suite, bench, version):
    """A failed hook and another version are errors of their columns alone; the next firmware is flashed and tested."""
    ran = suite.run(
        *suite.quick,
        *(
            "--board",
            "bench",
            "--firmware",
            "1.0=empty.bin",
            "--firmware",
            "1.1=a.bin",
            "--firmware",
            f"{version}=a.bin",
        ),
    )
    assert ran.status == 10, ran.text
    port = str(bench.folder / "port")
    assert bench.flashed() == [
        [port, "bench", "1.0", "empty.bin"],
        [port, "bench", "1.1", "a.bin"],
        [port, "bench", version, "a.bin"],
    ]
    found = [(result["board"], result["firmware"], result["verdict"]) for result in ran.record()["results"]]
    names = ["bench@1.0", "bench@1.1", f"bench@{version}"]
    assert found == [
        (name, name.partition("@")[2], verdict)
        for name, verdict in zip(names, ("error", "error", "pass"), strict=True)
        for _ in range(2)
    ]
    assert [(board["board"], board["spec"], board["firmware"]) for board in ran.record()["boards"]] == [
        (names[0], "bench", None),
        (names[1], "bench", None),
        (names[2], "bench", version),
    ]
    failed = (
        f"bench@1.0: the flash hook {sys.executable!r} ended with status 2; it printed: no such chip; "
        "the board may have no working firmware now"
    )
    wrong = (
        f"bench@1.1: after its flash hook the board runs micropython {version}, expected 1.1.0; no case was run with it"
    )
    for reason in (failed, wrong):
        assert f"no case could be tried on board {reason.partition(':')[0]}: {reason}" in ran.lines
    assert ran.line(f"bench@{version} ").split()[1:] == ["in-process", "seed", "2", "-"]
    rerun = ran.record()["results"][-1]["rerun"]
    assert f"test_case[bench@{version}-seed/" in rerun
    assert f" --board bench --firmware {version}=a.bin " in rerun


def test_two_interpreters_by_the_hook(suite, bench, version):
    """What runs is what was flashed: each column has the version and the ClientHello of its own firmware."""
    old = os.environ.get("MICROPYTHON_OLD")
    if not old:
        pytest.skip("$MICROPYTHON_OLD names no other interpreter (`python3 tools/fetch_debian.py` gets Debian's)")
    firmware_file(bench.folder / "old.bin", find_interpreter(old))
    ran = suite.run(
        *("--cases", "smoke", "-k", "ca-verified", "--board", "bench"),
        *("--firmware", "1.25=old.bin", "--firmware", f"{version}=a.bin"),
    )
    assert ran.status == 0, ran.text
    assert [(board["board"], board["firmware"]) for board in ran.record()["boards"]] == [
        ("bench@1.25", "1.25.0"),
        (f"bench@{version}", version),
    ]
    assert [result["board"] for result in ran.record()["results"]] == ["bench@1.25", f"bench@{version}"]
    assert [words[3] for words in bench.flashed()] == ["old.bin", "a.bin"]


def test_virtual_boards_and_two_servers(suite, tmp_path):
    """Node ids name the firmware, and all tests of one firmware are together, whatever the other axes are."""
    program = firmware_file(tmp_path / "mp", find_interpreter(""))
    ran = suite.run(
        *("--collect-only", "-q", "-k", "rsa-1024-key", "--server", sys.executable, "--server", "in-process"),
        *("--board", "unix", "--board", "faulty:slow", "--firmware", f"1.25=unix:{program}", "--firmware", "1.28=unix"),
    )
    ids = [line for line in ran.lines if line.startswith("test_mine.py")]
    python = f"python{'.'.join(map(str, sys.version_info[:3]))}"
    names = [f"{board}@{firmware}" for board in ("unix", "faulty:slow") for firmware in ("1.25", "1.28")]
    both = [
        {f"test_mine.py::test_case[{name}{server}-seed/rsa-1024-key]" for server in ("", f"-{python}")}
        for name in names
    ]
    assert [set(ids[place : place + 2]) for place in range(0, len(ids), 2)] == both


WAITS = """\
import subprocess, sys, time
pipe = open(sys.argv[1], 'wb', 0)
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], pass_fds=[pipe.fileno()])
pipe.write(b'x')
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("more", [(), ("-n", "1")])
def test_ctrl_c_while_a_board_is_flashed(suite, children, more):
    """The hook and its children end, and the board that has half a firmware now is named."""
    pipe = suite.folder / "pipe"
    os.mkfifo(pipe)
    hook = json.dumps([sys.executable, "-c", WAITS, str(pipe), "{firmware}"])
    suite.write("boards.toml", f'[board.bench]\nspec = "unix"\nflash = {hook}\n')
    process = suite.start(*suite.quick, "--board", "bench", "--firmware", "1.28.0", *more)
    with open(pipe, "rb", buffering=0) as reading:
        assert reading.read(1) == b"x"
        process.send_signal(signal.SIGINT)
        ran = suite.end(process)
        assert reading.read(1) == b""
    assert ran.status == 2, ran.text
    said = (
        "bench@1.28.0: interrupted while its flash hook was writing 1.28.0 to it: the board may have no working firmware "
        "now; flash it again"
    )
    assert said in ran.lines
    assert children(process.pid) == []


def test_wrong_values(suite, bench):
    """One line with the option, the value and what is accepted, before anything is opened; also for the other two sources."""
    accepted = "VERSION, VERSION=FILE for the board's flash hook, or VERSION=unix:PATH for virtual boards, e.g. 1.28.0"
    assert suite.refused("--firmware", "new") == f"--firmware 'new': expected {accepted}"
    assert suite.refused("--firmware", "1.28=no.bin", "--board", "bench") == (
        f"--firmware '1.28=no.bin': no readable file 'no.bin'; expected {accepted}"
    )
    assert suite.refused("--firmware", "1.28", "--board", "bare") == (
        "--firmware '1.28': board bare has no flash hook; expected a line flash = [...] in boards.toml: the command that "
        "flashes it, with {port}, {board}, {firmware}, {file}"
    )
    suite.write("pytest.ini", "[pytest]\ntls_firmware = 1.28=unix 1.28.0=unix\n")
    assert suite.refused() == (
        "--firmware '1.28.0=unix': the same version as '1.28=unix'; each firmware may be given only once "
        "(from tls_firmware in pytest.ini)"
    )
    assert bench.flashed() == []
