"""Follow a diagnosis as a person does who has nothing but the screen: cut out commands and programs, run them in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from harness.boards.hooks import GUARD
from harness.server.program import RunningProgram
from harness.system.deadline import Deadline

_MARK = re.compile(r"# ---- (.*) ----")
_SAVE = re.compile(r"save as (\S+), (?:in an empty folder|on this computer|for the board)(?:; then run: (.*))?")


def blocks(screen: str) -> list[tuple[str, str]]:
    """Return (mark, text) of each block on the screen."""
    found: list[tuple[str, list[str]]] = []
    for line in screen.splitlines():
        mark = _MARK.fullmatch(line)
        if mark is not None:
            found.append((mark[1], []))
        elif found and found[-1][0] != "end":
            found[-1][1].append(line)
    return [(mark, "\n".join(lines) + "\n") for mark, lines in found if mark != "end"]


def follow(screen: str, folder: Path) -> str:
    """Do what the screen says in an empty folder, and return what the board's program printed.

    Raises:
        AssertionError: a step fails, or a file would be overwritten.
    """
    starts = {}
    for mark, text in blocks(screen):
        saved = _SAVE.fullmatch(mark)
        if saved is not None:
            assert not (folder / saved[1]).exists(), saved[1]
            (folder / saved[1]).write_text(text)
            starts[saved[1]] = saved[2]
        else:
            assert mark.startswith("run these commands"), mark
            run(["sh", "-e", "-c", text], folder)
    if "server.py" not in starts:
        return run(["sh", "-c", starts["board.py"]], folder)
    server = RunningProgram(["sh", "-c", f"exec {starts['server.py']}"], folder=folder, guard=GUARD)
    try:
        up = server.wait_for(lambda line: line.startswith("listening on"), deadline=Deadline(60))
        assert up is not None, server.lines
        return run(["sh", "-c", starts["board.py"]], folder)
    finally:
        server.close()


def run(words: list[str], folder: Path) -> str:
    """Run a command to its end and return what it printed."""
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout


def diagnosed(arguments: list[str], folder: Path) -> tuple[int, str]:
    """Run `tls-harness diagnose` and return its status and its standard output."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "harness", "diagnose", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def problems(screen: str) -> tuple[str, ...]:
    """Return the rules of the problems, in the order on the screen."""
    return tuple(re.findall(r"^(?:why|problem \d+[^:]*): .*\[([a-z0-9/-]+)\]$", screen, re.M))


def proved(screen: str) -> list[str]:
    """Return the titles of the fixes that are proved and not discouraged."""
    return [line for line in re.findall(r"^\d+\. \[PROVED\] (.*)$", screen, re.M) if " - discouraged" not in line]
