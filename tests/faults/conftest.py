"""Run pytest on faulty boards, a few boards per process and all processes at once: most of the time is spent waiting."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.boards.virtual.faults import FAULTS, POWER_WORD, RESET_WORD, End

# The first case has no third connection yet; a fault in the middle occurs in the second case.
CASES = (
    "not-tls/http-400",
    "cert/good",
    "seed/rsa-key-no-shared-cipher",
    "seed/ecdsa-key-connects",
    "seed/forced-tls-rsa",
)
PROCESSES = 6
# Results must not depend on the defaults of this machine's Python.
PYTHON_ORG_SERVER = Path(__file__).parents[1] / "data" / "python_org_server.py"
# The time of a board besides waiting, to distribute the boards.
WORK_S = 0.4
RUN_LIMIT_S = 200
TEST = """
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)
"""
# The hooks that `tls-harness virtual faulty:NAME` prints, as a lab has them for boards that hang. Only boards that they help have them.
HOOKED = """
[board.{name}]
spec = "faulty:{name}"
reset = ["sh", "-c", "printf '{reset}' > {{port}}"]
power_cycle = ["sh", "-c", "printf '{power}' > {{port}}"]
"""
# A simulated radio joins the WiFi in whose range harness/boards/virtual/faults.py puts it.
RADIO = """
[board."{name}"]
spec = "faulty:{name}"
wifi = {{ssid = "lab", password = {{env = "TEST_WIFI_PASSWORD"}}}}
"""
PASSWORD = "sesame"
# The suite's own conftest.py: what the process holds after each test, the time limits that expired in it, in seconds, and what it
# holds at the very end. Durations depend more on the machine.
WATCH = """
import atexit, json, os, threading
from pathlib import Path

from harness.system.deadline import Deadline

def held():
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink("/proc/self/fd/" + number))
        except OSError:
            pass  # the listing's own
    return sorted(found)

WATCH, BEFORE, OVER, expired = Path(__file__).with_name("watch.jsonl"), held(), {}, Deadline.expired.fget

def watched(deadline):
    over = expired(deadline)
    if over:
        OVER[id(deadline), deadline._end] = deadline.timeout_s
    return over

Deadline.expired = property(watched)

def write(record):
    threads = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    with WATCH.open("a") as file:
        file.write(json.dumps({**record, "threads": threads}) + "\\n")

def pytest_runtest_logfinish(nodeid):
    write({"test": nodeid, "waited_s": sum(OVER.values()), "held": held()})
    OVER.clear()

atexit.register(lambda: write({"test": None, "held": sorted(set(held()) - set(BEFORE))}))
"""


@dataclass
class Run:
    """One pytest process: its output and its files."""

    folder: Path
    status: int

    @property
    def text(self) -> str:
        return (self.folder / "output.txt").read_text(encoding="utf-8")

    @property
    def artifacts(self) -> Path:
        return self.folder / ".compat"

    @property
    def record(self) -> dict[str, Any]:
        return json.loads((self.artifacts / "run.json").read_text(encoding="utf-8"))

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.artifacts / "run.jsonl").read_text(encoding="ascii").splitlines()]

    @property
    def watched(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "watch.jsonl").read_text(encoding="utf-8").splitlines()]


@dataclass
class BoardRun:
    """The results of one faulty board in its run, its cases in order."""

    run: Run
    results: list[dict[str, Any]]
    board: dict[str, Any]
    watched: list[dict[str, Any]]

    @property
    def hit(self) -> dict[str, Any] | None:
        """Return the first case that did not pass."""
        return next((result for result in self.results if result["verdict"] != "pass"), None)

    @property
    def waited_s(self) -> float:
        return sum(record["waited_s"] for record in self.watched)


def share_out(waits_s: Mapping[str, float]) -> list[list[str]]:
    """Distribute the boards so that all processes end at about the same time: the longest first, to the one with least work."""
    shares: list[list[str]] = [[] for _ in range(PROCESSES)]

    def load(names: list[str]) -> float:
        return sum(waits_s[name] + WORK_S for name in names)

    for name in sorted(waits_s, key=lambda name: -waits_s[name]):
        min(shares, key=load).append(name)
    return shares


def board_word(name: str) -> str:
    """Return the `--board` argument for a fault: its name in boards.toml if it has hooks or WiFi, else `faulty:NAME`."""
    return name if FAULTS[name].ends in (End.RESET, End.POWER) or has_radio(name) else f"faulty:{name}"


def has_radio(name: str) -> bool:
    """Return whether the board joins a WiFi."""
    return name.startswith("wlan-")


def boards_toml(names: Iterable[str]) -> str:
    """Return the hooks as TOML for boards that have them: NUL is octal for printf, and its backslash is doubled."""
    reset, power = (word.decode().replace("\0", "\\\\0") for word in (RESET_WORD, POWER_WORD))
    named = [name for name in names if board_word(name) == name]
    return "".join(
        RADIO.format(name=name) if has_radio(name) else HOOKED.format(name=name, reset=reset, power=power)
        for name in named
    )


def start(folder: Path, arguments: Iterable[str]) -> subprocess.Popen[bytes]:
    """Start a pytest with its own folder and its own temporary directory."""
    (folder / "tmp").mkdir()
    (folder / "test_mine.py").write_text(TEST, encoding="ascii")
    (folder / "conftest.py").write_text(PYTHON_ORG_SERVER.read_text(encoding="utf-8") + WATCH, encoding="utf-8")
    strange = ("PYTEST", "TOX", "TLS_HARNESS", "MICROPYTHON", "CI", "BUILD_NUMBER")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    with (folder / "output.txt").open("wb") as output:
        return subprocess.Popen(
            # pytest-rerunfailures, if it is installed, keeps its own socket and thread.
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:rerunfailures", *arguments],
            cwd=folder,
            env={
                **environment,
                "COLUMNS": "200",
                "NO_COLOR": "1",
                "PYTHONWARNINGS": "",
                "TMPDIR": str(folder / "tmp"),
                "TEST_WIFI_PASSWORD": PASSWORD,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def run_all(folder: Path, shares: Iterable[list[str]]) -> None:
    """Run a pytest per share, all at once, and wait for them."""
    running = []
    try:
        for number, names in enumerate(shares):
            place = folder / str(number)
            place.mkdir()
            (place / "boards.toml").write_text(boards_toml(names), encoding="ascii")
            boards = [word for name in names for word in ("--board", board_word(name))]
            running.append(start(place, [*boards, "--cases", "smoke", "-k", " or ".join(CASES)]))
        for number, process in enumerate(running):
            (folder / str(number) / "status").write_text(str(process.wait(RUN_LIMIT_S)), encoding="ascii")
    finally:
        for process in running:
            if process.poll() is None:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Mapping[str, float]], list[Run]]:
    """Run faulty boards, given with the seconds that each waits; the workers of pytest-xdist share the runs."""

    def run(waits_s: Mapping[str, float]) -> list[Run]:
        base = tmp_path_factory.getbasetemp()
        folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "faults"
        folder.mkdir(exist_ok=True)
        shares = share_out(waits_s)
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "done").exists():
                run_all(folder, shares)
                (folder / "done").touch()
        places = [folder / str(number) for number in range(len(shares))]
        return [Run(place, int((place / "status").read_text(encoding="ascii"))) for place in places]

    return run


@pytest.fixture(scope="session")
def read_boards() -> Callable[[Iterable[Run]], dict[str, BoardRun]]:
    """Return the results of each board by its fault."""

    def read(runs: Iterable[Run]) -> dict[str, BoardRun]:
        found = {}
        for run in runs:
            record, watched = run.record, run.watched
            for board in record["boards"]:
                label = board["board"]
                found[label.removeprefix("faulty:")] = BoardRun(
                    run=run,
                    results=[result for result in record["results"] if result["board"] == label],
                    board=board,
                    watched=[line for line in watched if line["test"] and f"[{label}-" in line["test"]],
                )
        return found

    return read
