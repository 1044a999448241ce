"""Run a user's suite in an empty directory with its own pytest: the plugin as users see it."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.system.deadline import Deadline

CASES = """
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)
"""


@dataclass
class Ran:
    """The output and the files of one pytest run."""

    status: int
    lines: list[str]
    folder: Path
    arguments: tuple[str, ...] = field(default=())

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def record(self, folder: str = ".compat") -> dict:
        return json.loads((self.folder / folder / "run.json").read_text(encoding="utf-8"))

    def journal(self, folder: str = ".compat") -> list[dict]:
        return [
            json.loads(line) for line in (self.folder / folder / "run.jsonl").read_text(encoding="ascii").splitlines()
        ]

    def line(self, start: str) -> str:
        found = [line for line in self.lines if line.startswith(start)]
        assert len(found) == 1, self.text
        return found[0]

    def summary(self) -> str:
        """Return pytest's counts of what ran, without the deselected: the list of cases grows."""
        counts = self.lines[-1].strip("= ").partition(" in ")[0].split(", ")
        return ", ".join(count for count in counts if not count.endswith(" deselected"))


@dataclass
class Suite:
    """A directory with tests, and ways to run them."""

    folder: Path
    running: list[subprocess.Popen] = field(default_factory=list)
    # Two cases that end before any connection, the fastest ones.
    quick = ("--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str, environment: dict[str, str] | None = None) -> subprocess.Popen:
        """Start pytest and do not wait for it."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTEST", "TOX", "MICROPYTHON")) and name not in ("CI", "BUILD_NUMBER")
        }
        clean = {
            **inherited,
            "COLUMNS": "80",
            "NO_COLOR": "1",
            "PYTHONWARNINGS": "",
            **(environment or {}),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.folder,
            env=clean,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen, *, timeout_s: float = 240) -> Ran:
        """Wait for a run's end."""
        text, _ = process.communicate(timeout=timeout_s)
        return Ran(process.returncode, text.rstrip("\n").split("\n"), self.folder, tuple(process.args))

    def run(self, *arguments: str, environment: dict[str, str] | None = None) -> Ran:
        """Run pytest to its end."""
        return self.end(self.start(*arguments, environment=environment))

    def wait_for(self, condition: Callable[[], object], *, what: str) -> None:
        """Wait until a condition holds for a run that was started."""
        deadline, pause = Deadline(240), threading.Event()
        while not condition():
            pause.wait(0.02)
            assert not deadline.expired, f"still waiting for {what}"
            for process in self.running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.02)
                    pytest.fail(f"the run ended before {what}")

    def refused(self, *arguments: str) -> str:
        """Run pytest with wrong options and return its single line: exit code 4, nothing ran and nothing was written."""
        ran = self.run("--cases", "smoke", *arguments)
        lines = [line for line in ran.lines if line]
        assert (ran.status, len(lines)) == (4, 1), ran.text
        assert not (self.folder / ".compat").exists()
        return lines[0].removeprefix("ERROR: ")


def suite_in(folder):
    """A directory whose only test runs the case list; its runs are over at the end."""
    made = Suite(folder)
    made.write("test_mine.py", CASES)
    yield made
    for process in made.running:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def suite(tmp_path):
    """A directory of its own for a test."""
    yield from suite_in(tmp_path)


@pytest.fixture(scope="module")
def shared_suite(tmp_path_factory):
    """A directory for a run that several tests of a module look at."""
    yield from suite_in(tmp_path_factory.mktemp("shared"))


@pytest.fixture
def children() -> Callable[[int], list[str]]:
    """Return the command lines of the remaining processes of a session; Linux only."""

    def left(group: int) -> list[str]:
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                status = (place / "stat").read_text().rpartition(")")[2].split()
                command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if int(status[1]) == group or int(status[2]) == group or int(status[3]) == group:
                found.append(command)
        return found

    return left
