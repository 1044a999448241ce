"""`tls-harness`: exit codes, one-line errors, help with examples."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import __version__, cli
from harness.errors import BoardError, ServerError

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = ("virtual", "boards", "cases", "explain", "report")


def harness(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run `python -m harness` as a process."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "harness", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"},
        **settings,
    )


def test_version():
    """`--version` prints the distribution's version and ends with 0."""
    done = harness("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"tls-harness {__version__}\n", "")


def test_help_names_every_command_and_exit_code(capsys):
    """`--help` shows the commands that exist, what pytest does, and the exit codes."""
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert [command for command in COMMANDS if f"    {command} " not in text] == []
    assert "pytest --board /dev/ttyUSB0" in text
    assert "exit codes: 0 done, 1 negative result, 2 usage error, 10 board or harness fault, 130 Ctrl-C" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_an_example(command, capsys):
    """Each command's help shows how it is used."""
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"$ tls-harness {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "tls-harness: the following arguments are required: COMMAND (see `tls-harness --help`)\n"),
        (
            ["cases", "--jso"],
            "tls-harness cases: unrecognized arguments: --jso; did you mean '--json'? (see `tls-harness cases --help`)\n",
        ),
        (
            ["diagnos"],
            "tls-harness: argument COMMAND: invalid choice: 'diagnos'; did you mean 'diagnose'? (choose from "
            "virtual, boards, diagnose, simulate, explain, cases, files, report, completion) (see `tls-harness --help`)\n",
        ),
        (
            ["virtual", "--heap", "3x"],
            "tls-harness virtual: argument --heap: invalid size '3x': expected bytes, e.g. 65536, 64K or 2M "
            "(see `tls-harness virtual --help`)\n",
        ),
    ],
    ids=["no command", "abbreviated option", "bad command", "bad value"],
)
def test_wrong_usage_is_one_line(arguments, message, capsys):
    """Wrong usage ends with 2 and one line on standard error that names the option and the value."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr() == ("", message)


def test_a_usage_error_of_a_command_is_one_line(capsys):
    """A UsageError of any stage ends with 2 as well."""
    assert cli.main(["cases", "--cases", "all"]) == 2
    assert capsys.readouterr() == ("", "tls-harness: --cases 'all': expected one of smoke, core, full\n")


@pytest.mark.parametrize(
    "error", [BoardError("the port\n is gone"), ServerError("the port\n is gone")], ids=["board", "server"]
)
def test_a_fault_is_one_line_and_code_10(error, monkeypatch, capsys):
    """A fault of a board or of the harness ends with 10 and one line, without a traceback."""

    def fail(_options):
        raise error

    monkeypatch.setattr("harness.commands.cases.run", fail)
    assert cli.main(["cases"]) == 10
    assert capsys.readouterr() == ("", "tls-harness: the port is gone\n")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_signals_unwind_and_handlers_are_restored(number, code, monkeypatch):
    """Ctrl-C, SIGTERM and SIGHUP run the cleanup, exit with 128 + n and restore the process's handlers."""
    cleaned = []

    def wait(_options):
        try:
            signal.raise_signal(number)
        finally:
            # A second Ctrl-C must not interrupt the cleanup.
            signal.raise_signal(signal.SIGINT)
            cleaned.append(number)

    monkeypatch.setattr("harness.commands.cases.run", wait)
    before = [signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    try:
        result = cli.main(["cases"])
    except SystemExit as end:
        result = end.code
    assert (result, cleaned) == (code, [number])
    assert [signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


def test_nohup_still_works(monkeypatch):
    """A SIGHUP that is ignored at the start stays ignored."""

    def hang_up(_options):
        signal.raise_signal(signal.SIGHUP)
        return 0

    monkeypatch.setattr("harness.commands.cases.run", hang_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli.main(["cases"]) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_closed_pipe_gives_no_traceback():
    """`tls-harness cases | head -0`: a closed pipe ends the program quietly, as a signal would."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "harness", "cases", "-v"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_nothing_is_coloured_in_a_pipe():
    """Text for a pipe or a file has no escape sequences."""
    for arguments in (["--help"], ["boards"], ["cases", "-v"]):
        assert "\x1b" not in harness(*arguments).stdout
