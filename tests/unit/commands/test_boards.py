"""`tls-harness boards`: the list, probing, cleaning, and their errors."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import tty
from pathlib import Path

import pytest

from harness import cli
from harness.boards.kinds import open_board
from harness.boards.locks.board_lock import ourselves
from harness.boards.serial.ports import SerialPort
from harness.boards.spec import parse_board
from harness.boards.virtual.interpreter import PACKAGE
from harness.commands.boards import Probed, Virtual, port_lines, ports_json, probed_lines, virtual_lines
from harness.model import BoardInfo
from harness.system.deadline import Deadline

ROOT = Path(__file__).resolve().parents[3]
LAB = """
[board.desk]
spec = "/dev/ttyUSB77"
wifi = {ssid = "lab", password = {env = "LAB_PASSWORD"}}
tags = ["esp32", "psram"]

[board.soft]
spec = "unix"
heap_bytes = 400000
reset = ["true", "{board}"]
power_cycle = ["true"]
"""


@pytest.fixture(autouse=True)
def empty_directory(tmp_path, monkeypatch):
    """Run in an empty directory, without a boards.toml or a password of this checkout."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAB_PASSWORD", "the secret itself")


def files(folder: Path) -> list[str]:
    """The files of a folder, at any depth."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# ----------------------------------------------------------------------------------------------- the list


def test_the_list(interpreter, capsys):
    """Ports, configured boards with their network, the interpreter of `unix`; no secret."""
    Path("boards.toml").write_text(LAB, encoding="utf-8")
    assert cli.main(["boards"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "serial ports"
    assert lines[lines.index("boards.toml") :] == [
        "boards.toml",
        "  desk  /dev/ttyUSB77  network wifi  lab  tags esp32,psram                           missing: no such port",
        "  soft  unix           network none                         hooks reset,power_cycle  virtual",
        "virtual board",
        f"  unix  {interpreter.name}",
    ]
    assert (err, "the secret itself" in out) == ("", False)


def test_the_list_as_json(interpreter, capsys):
    """--json has the same, and names the variable of the password, never its value."""
    Path("lab.toml").write_text(LAB, encoding="utf-8")
    assert cli.main(["boards", "--json", "--boards", "lab.toml"]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert set(data) == {"ports", "configured", "virtual"}
    assert [(board["board"], board["spec"], board["kind"]) for board in data["configured"]] == [
        ("desk", "/dev/ttyUSB77", "serial"),
        ("soft", "unix", "unix"),
    ]
    assert [board["state"] for board in data["configured"]] == ["missing", "virtual"]
    assert data["configured"][0]["settings"]["tags"] == ["esp32", "psram"]
    assert data["configured"][1]["settings"]["reset"] == ["true", "{board}"]
    assert data["configured"][0]["settings"]["password_env"] == "LAB_PASSWORD"
    assert data["virtual"] == {"spec": "unix", "available": True, "interpreter": interpreter.name, "reason": None}
    assert (err, "the secret itself" in out) == ("", False)


PORTS = [
    SerialPort(
        device="/dev/ttyUSB0",
        description="CP2102 USB to UART",
        usb_id="10c4:ea60",
        serial_number="0001",
        by_id="/dev/serial/by-id/usb-cp2102-0001",
        location="1-1.4",
    ),
    SerialPort(device="/dev/ttyS77", description="", usb_id=None, serial_number=None, by_id=None),
]


def test_a_port_shows_what_board_specs_accept():
    """A port is one line with device, USB identity, `id:SERIAL` and by-id path, most of which are board specs."""
    assert port_lines(PORTS) == [
        "serial ports",
        "  /dev/ttyUSB0  10c4:ea60  CP2102 USB to UART  id:0001  /dev/serial/by-id/usb-cp2102-0001  missing: no such port",
        "  /dev/ttyS77   -          -                                                               missing: no such port",
    ]
    assert port_lines([]) == ["serial ports", "  none"]
    assert ports_json(PORTS)[0] == {
        "device": "/dev/ttyUSB0",
        "description": "CP2102 USB to UART",
        "usb_id": "10c4:ea60",
        "serial_number": "0001",
        "by_id": "/dev/serial/by-id/usb-cp2102-0001",
        "location": "1-1.4",
        "state": "missing",
        "holder": None,
        "reason": "no such port",
    }


def test_the_user_of_a_board(virtual_board, capsys):
    """A board in use shows the pid, user and command of the run, in text and JSON; afterwards it is free."""
    Path("boards.toml").write_text(f'[board.desk]\nspec = "{virtual_board.port}"\n', encoding="utf-8")
    session = open_board(parse_board(virtual_board.port, {}), deploy=False)
    assert cli.main(["boards"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  desk "))
    me = ourselves()
    assert f"in use by pid {os.getpid()} ({me.user}) since 2" in line
    assert line.endswith(f"UTC: {me.command}")
    assert cli.main(["boards", "--json"]) == 0
    (board,) = json.loads(capsys.readouterr().out)["configured"]
    assert (board["state"], board["holder"]["pid"], board["holder"]["command"]) == ("in-use", os.getpid(), me.command)
    session.close(deadline=Deadline(60))
    assert cli.main(["boards", "--json"]) == 0
    (board,) = json.loads(capsys.readouterr().out)["configured"]
    assert (board["state"], board["holder"]) == ("free", None)


def test_a_machine_without_an_interpreter(monkeypatch, capsys):
    """A missing interpreter for `unix` is one line in the list, and not a failure."""
    monkeypatch.setenv("MICROPYTHON", "/no/such/micropython")
    assert cli.main(["boards"]) == 0
    reason = (
        "$MICROPYTHON = /no/such/micropython: no such file; expected the path of a MicroPython unix-port interpreter"
    )
    assert capsys.readouterr().out.splitlines()[-2:] == ["virtual board", f"  {reason}"]
    assert virtual_lines(Virtual(interpreter=None, reason=reason)) == ["virtual board", f"  {reason}"]


# ----------------------------------------------------------------------------------------------- probe


def test_probe_of_a_board_writes_nothing(virtual_board, capsys):
    """--probe of several boards prints what each is and supports, and leaves its filesystem unchanged."""
    assert cli.main(["boards", "--probe", virtual_board.port, "unix"]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith(f"pts{virtual_board.port.rpartition('/')[2]} ({virtual_board.port}): micropython 1.")
    assert lines[1].startswith("  TLS      ")
    assert "load_verify_locations" in lines[1]
    assert (err, files(virtual_board.folder)) == ("", [])


def test_a_probed_board_is_at_its_prompt_afterwards(virtual_board):
    """Two probes in a row find the same board: the first released the port and left the raw REPL."""
    assert [cli.main(["boards", "--probe", virtual_board.port]) for _ in range(2)] == [0, 0]


def test_probe_opens_configured_boards_and_unix(interpreter, capsys):
    """--probe without a spec opens all boards of boards.toml and `unix`; one that cannot be opened does not stop the rest."""
    Path("boards.toml").write_text(LAB, encoding="utf-8")
    assert cli.main(["boards", "--probe", "--json"]) == 10
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert [board["board"] for board in data["boards"]] == ["desk", "soft", "unix"]
    assert [board["error"] is None for board in data["boards"]] == [False, True, True]
    assert data["boards"][1]["facts"]["implementation"] == "micropython"
    assert err == f"tls-harness: {data['boards'][0]['error']}\n"
    assert err.startswith("tls-harness: /dev/ttyUSB77: no such port")


def test_a_board_that_cannot_be_opened_is_named(capsys):
    """Of several boards, a missing port is a fault: one line on standard error, exit code 10, and a line that it is not usable."""
    assert cli.main(["boards", "--probe", "/dev/ttyUSB77", "/dev/ttyUSB78"]) == 10
    out, err = capsys.readouterr()
    assert out == "ttyUSB77 (/dev/ttyUSB77): not usable\nttyUSB78 (/dev/ttyUSB78): not usable\n"
    assert err.startswith("tls-harness: /dev/ttyUSB77: no such port; ports here: ")
    assert err.count("\n") == 2


def test_a_board_without_tls():
    """Firmware without a TLS module is reported."""
    info = BoardInfo(
        implementation="micropython", version=(1, 9, 2), machine="micro:bit with nRF51822", heap_free_bytes=9000
    )
    assert probed_lines(Probed(spec=parse_board("/dev/ttyACM0", {}), info=info, error=None, notes=("a note",))) == [
        "ttyACM0 (/dev/ttyACM0): micropython 1.9.2 on micro:bit with nRF51822",
        "  TLS      none: no ssl, tls or ussl module in this firmware",
        "  heap     9000 bytes free",
        "  address  none (see `network` in boards.toml)",
        "  note     a note",
    ]


def test_the_default_probe_starts_no_program_of_the_file(interpreter, tmp_path, capsys):
    """boards.toml of a folder may come from anywhere: what it names is started only if it is named on the command line."""
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\ntouch started\n")
    program.chmod(0o755)
    Path("boards.toml").write_text('[board.desk]\nspec = "unix:./program"\n')
    Path("program").write_bytes(program.read_bytes())
    Path("program").chmod(0o755)
    assert cli.main(["boards", "--probe"]) == 0
    assert not Path("started").exists()
    assert capsys.readouterr().err == (
        "tls-harness: desk: not probed, because its spec in boards.toml starts ./program; to start it: tls-harness boards --probe desk\n"
    )


def test_the_default_probe_names_the_interpreter_that_is_packaged(interpreter, capsys):
    """`boards --probe` in an empty directory probes the virtual board."""
    assert cli.main(["boards", "--probe"]) == 0
    assert capsys.readouterr().out.startswith("unix: micropython ")
    assert interpreter.name == PACKAGE or Path(interpreter.name).is_absolute()


def test_ctrl_c_in_the_middle_of_a_probe():
    """Ctrl-C while a board stays silent: exit code 130 at once, only the steps before printed, the port released."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    port = os.ttyname(slave)
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "harness", "boards", "--probe", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        ready, _, _ = select.select([master], [], [], 20)  # it asks for the raw REPL
        assert ready == [master]
        process.send_signal(signal.SIGINT)
        told = f"pts{port.rpartition('/')[2]} ({port})\n  port        {port}\n"
        assert (process.communicate(timeout=60), process.returncode) == ((told, ""), 130)
        fcntl.flock(slave, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the lock of an exclusive open
    finally:
        process.kill()
        process.communicate()
        os.close(master)
        os.close(slave)


# ----------------------------------------------------------------------------------------------- clean


def test_clean_removes_what_was_deployed_and_nothing_else(virtual_board, capsys):
    """After a run, --clean removes the harness's directory and keeps the user's files; a second --clean finds nothing."""
    (virtual_board.folder / "main.py").write_text("print('mine')", encoding="ascii")
    (virtual_board.folder / "lib").mkdir()
    before = files(virtual_board.folder)
    open_board(parse_board(virtual_board.port, {})).close(deadline=Deadline(60))
    assert set(files(virtual_board.folder)) > set(before)
    assert cli.main(["boards", "--clean", virtual_board.port]) == 0
    assert capsys.readouterr() == (f"pts{virtual_board.port.rpartition('/')[2]}: removed what was deployed\n", "")
    assert files(virtual_board.folder) == before
    assert cli.main(["boards", "--clean", virtual_board.port, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "board": f"pts{virtual_board.port.rpartition('/')[2]}",
        "removed": False,
    }


# ----------------------------------------------------------------------------------------------- wrong usage


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["u0"], "'u0': add --probe to probe this board; without it no board may be named"),
        (
            ["--clean", "u0", "--probe"],
            "--clean: accepts exactly one board, and no --probe or further boards",
        ),
        (["--probe", "u0", "u0"], "--board 'u0': the same board as 'u0'; each board may be given only once"),
        (["--boards", "no.toml"], "--boards no.toml: cannot be read (No such file or directory)"),
    ],
    ids=["spec without probe", "clean and probe", "twice", "no file"],
)
def test_wrong_usage(arguments, message, capsys):
    """Options that exclude each other end with exit code 2 and one line."""
    assert cli.main(["boards", *arguments]) == 2
    assert capsys.readouterr() == ("", f"tls-harness: {message}\n")


@pytest.mark.parametrize("option", ["--probe", "--clean"])
def test_an_unknown_spec(option, capsys):
    """An unknown spec is refused with the accepted ones."""
    assert cli.main(["boards", option, "nonsense"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("tls-harness: --board 'nonsense': not a board; expected a device path, COM3, u0")
