"""Test the harness as on Windows, without pty, fcntl, termios, grp, pwd and resource. Serial boards work; `unix` gives a reason.

The modules are blocked in a process of its own (`sys.modules[name] = None` makes an import raise ImportError), everything else is real.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCKED = ("pty", "tty", "fcntl", "termios", "grp", "pwd", "resource")
BLOCK = f"import sys\nfor name in {BLOCKED!r}: sys.modules[name] = None\n"
AS_MODULE = (
    BLOCK
    + "import runpy\nsys.argv[:] = sys.argv[1:]\nrunpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
)
CANNOT = "unix: virtual boards need a pseudo-terminal, which Windows does not have; use WSL or a serial board"


def python(code: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run code in a process of its own, with warnings as errors."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    environment |= {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "140"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_module_can_be_imported():
    """No module of the harness needs a POSIX module to be imported."""
    code = BLOCK + (
        "import importlib, pkgutil, harness\n"
        "names = [m.name for m in pkgutil.walk_packages(harness.__path__, 'harness.') if not m.name.endswith('__main__')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(*names)\n"
    )
    done = python(code)
    assert (done.returncode, done.stderr) == (0, "")
    files = [path.relative_to(ROOT).with_suffix("") for path in (ROOT / "harness").rglob("*.py")]
    modules = {".".join(path.parts).removesuffix(".__init__") for path in files} - {"harness", "harness.__main__"}
    assert set(done.stdout.split()) == modules


COMMANDS = ("virtual", "boards", "cases", "diagnose", "explain", "report")
HELP = f"""
import contextlib
from harness.cli import main
for words in ([], *([name] for name in {COMMANDS!r})):
    with contextlib.suppress(SystemExit):
        main([*words, "--help"])
"""


def test_help_of_the_command_line():
    """`tls-harness [COMMAND] --help` works."""
    done = python(BLOCK + HELP)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("usage: ") == 1 + len(COMMANDS)


def test_boards_lists_ports_and_says_that_unix_cannot():
    """`tls-harness boards` works and reports in one line that there is no virtual board."""
    done = python(AS_MODULE, "harness", "boards")
    assert (done.returncode, done.stderr) == (0, "")
    # pyserial checks os.name: on a POSIX system it imports termios, on Windows it does not.
    ports = "  no serial ports: cannot import pyserial (fcntl is missing)"
    assert done.stdout.splitlines() == ["serial ports", ports, "virtual board", f"  {CANNOT}"]


def test_boards_as_json_says_that_unix_cannot():
    """`tls-harness boards --json` has the same reason as a value."""
    done = python(AS_MODULE, "harness", "boards", "--json")
    assert (done.returncode, done.stderr) == (
        0,
        "tls-harness: no serial ports: cannot import pyserial (fcntl is missing)\n",
    )
    assert json.loads(done.stdout)["virtual"] == {
        "spec": "unix",
        "available": False,
        "interpreter": None,
        "reason": CANNOT,
    }


def test_probing_without_a_board_skips_unix(tmp_path):
    """`tls-harness boards --probe` of a lab without boards has nothing to open, says why, and does not fail."""
    done = python(AS_MODULE, "harness", "boards", "--probe", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{CANNOT}\n", "")


@pytest.mark.parametrize("arguments", [["virtual"], ["boards", "--clean", "unix"]], ids=lambda words: words[0])
def test_asking_for_unix_is_one_line_and_a_fault(arguments):
    """A command that needs the virtual board ends with exit code 10 and one line."""
    done = python(AS_MODULE, "harness", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (10, "", f"tls-harness: {CANNOT}\n")


def test_pytest_help():
    """`pytest --help` lists our options."""
    done = python(AS_MODULE, "pytest", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--board=SPEC" in done.stdout


def test_pytest_collects_the_smoke_set():
    """`pytest --collect-only --cases smoke` collects the cases without opening a board."""
    done = python(AS_MODULE, "pytest", "--collect-only", "-q", "--cases", "smoke", "-p", "no:cacheprovider")
    assert (done.returncode, done.stderr) == (0, "")
    assert "test_case[unix-seed/rsa-key-no-shared-cipher]" in done.stdout


def test_a_run_on_unix_is_an_error_that_says_why(tmp_path):
    """`pytest --board unix` reports for each case in one line that there is no virtual board, without a verdict about TLS."""
    words = ["--cases", "smoke", "-k", "ecdsa-key-connects", "-p", "no:cacheprovider", "--artifacts", str(tmp_path)]
    done = python(AS_MODULE, "pytest", *words)
    assert (done.returncode, done.stderr) == (10, "")
    results = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["results"]
    assert [(result["verdict"], result["reason"]) for result in results] == [("error", CANNOT)]
    assert CANNOT in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
