"""The tutorials: every command runs in the order of the page, on a virtual board, and prints what the page shows."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.errors import HarnessError

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
SAVED = re.compile(r"Save this as `([^`]+)`")
# The packages are installed in the environment of the tests, and a virtual board needs no firmware.
NOT_RUN = ("python3 -m venv ", ". .venv/", "pip install ", "esptool ")
# Each page, the port that it writes, and the virtual board that stands for its board.
BOARDS = {"esp32.md": ("/dev/ttyUSB0", "faulty:wlan-esp32"), "pico-w.md": ("/dev/ttyACM0", "faulty:wlan-cyw43")}


def read(page: str) -> str:
    """The text of a tutorial."""
    return (FOLDER / page).read_text(encoding="utf-8")


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """The fenced blocks in order: language, text, and the paragraph before."""
    end = 0
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match[1], match[2], text[end : match.start()].strip().rpartition("\n\n")[2]
        end = match.end()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console, each with what it prints."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        yield command, output


def environment() -> dict[str, str]:
    """That of a user who has activated the environment; the WiFi of the virtual boards has this password."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TLS_HARNESS_", "COV"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return kept | {"PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "LAB_WIFI_PASSWORD": "sesame"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does, both outputs in one text."""
    return subprocess.run(
        ["bash", "-ec", command], cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=240, check=False,
    )  # fmt: skip


def follow(text: str, folder: Path) -> list[str]:
    """Do what a tutorial says; return its commands that were run."""
    ran = []
    for kind, block, before in blocks(text):
        saved = SAVED.search(" ".join(before.split()))
        if saved:
            (folder / saved[1]).write_text(block, encoding="utf-8")
        elif kind == "sh":
            lines = block.replace("\\\n", " ").splitlines()
            for command in (line for line in lines if not line.startswith(NOT_RUN)):
                done = run(command, folder)
                assert done.returncode == 0, f"{command}\n{done.stdout}"
                ran.append(command)
        elif kind == "console":
            for command, expected in commands(block):
                done = run(command, folder)
                ran.append(command)
                output = done.stdout
                if command.startswith("pytest ") and done.returncode != 0:
                    pytest.fail(f"{command}\nexit code {done.returncode}\n{output}")
                if not doctest.OutputChecker().check_output(f"\n{expected}", f"\n{output}", doctest.ELLIPSIS):
                    pytest.fail(f"{command}\nexpected:\n{expected}\nprinted:\n{output}")
    return ran


@pytest.fixture(autouse=True)
def programs() -> None:
    """Skip where there is no virtual board or no openssl."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not on PATH")


@pytest.fixture
def virtual(request: pytest.FixtureRequest) -> Iterator[str]:
    """The port of a virtual board that runs until the end of the test."""
    command = [sys.executable, "-m", "harness", "virtual", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        yield program.stdout.readline().strip()
        program.terminate()


def test_virtual_board(tmp_path):
    """The whole tutorial: cases, diagnosis, comparison, own test."""
    ran = follow(read("virtual-board.md"), tmp_path)
    assert [command.split()[0] for command in ran] == [
        "pytest",
        "openssl",
        "tls-harness",
        "tls-harness",
        "pytest",
        "pytest",
    ]


@pytest.mark.parametrize(
    ("page", "virtual"), [(page, spec) for page, (_port, spec) in BOARDS.items()], indirect=["virtual"], ids=BOARDS
)
def test_boards(page, virtual, tmp_path):
    """The same commands as for a real board, with the port of a virtual one whose radio is a stand-in."""
    (certificate,) = [block for kind, block, _ in blocks(read("virtual-board.md")) if block.startswith("openssl ")]
    assert run(certificate, tmp_path).returncode == 0
    port, _spec = BOARDS[page]
    ran = follow(read(page).replace(port, virtual), tmp_path)
    assert ran[0].startswith(f"mpremote connect {virtual} exec ")
    assert [command.split()[0] for command in ran[1:]] == ["tls-harness", "pytest", *(["tls-harness"] * (len(ran) - 3))]
    assert ran[-1].startswith("tls-harness boards --clean ")


def test_a_wrong_output_is_noticed(tmp_path):
    """What a page shows must be what is printed; dots stand for any text."""
    follow("```console\n$ echo one two\none ...\n```\n", tmp_path)
    with pytest.raises(pytest.fail.Exception) as caught:
        follow("```console\n$ echo one\ntwo\n```\n", tmp_path)
    assert str(caught.value) == "echo one\nexpected:\ntwo\n\nprinted:\none\n"
    with pytest.raises(pytest.fail.Exception, match=r"^pytest --board unix no-such-file\nexit code 4\n"):
        follow("```console\n$ pytest --board unix no-such-file\n...\n```\n", tmp_path)
    with pytest.raises(AssertionError):
        follow("```sh\nfalse\n```\n", tmp_path)
