"""Run one command to its end: arguments as a list, bounded in time, without a terminal and without a shell.

Knows processes. Must not know what the command does.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from harness.system.deadline import Deadline

_LIMIT_S = 60.0
_LINE_LIMIT = 300


class CommandFailed(Exception):
    """A command did not do its work.

    Args:
        reason: in one line.
        missing: whether there is no such program.
    """

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing


def run_command(
    arguments: Sequence[str], *, folder: Path, output: Path | None = None, strip_env: Collection[str] = ()
) -> None:
    """Run a command in a folder; the files that it creates are readable by this user only.

    Args:
        arguments: the program and its arguments.
        folder: its working directory.
        output: a new file for its standard output.
        strip_env: names of environment variables that it must not get.

    Raises:
        CommandFailed: it cannot be started, takes too long, or reports failure.
    """
    environment = {name: value for name, value in os.environ.items() if name not in strip_env}
    private: dict[str, Any] = {"umask": 0o077} if os.name == "posix" else {}
    try:
        done = subprocess.run(
            list(arguments),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            **private,
        )
    except FileNotFoundError as error:
        raise CommandFailed(f"no program {arguments[0]!r} on this machine", missing=True) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(f"{arguments[0]} did not end within {_LIMIT_S:g} s") from error
    except OSError as error:
        raise CommandFailed(f"{arguments[0]} cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise CommandFailed(f"{arguments[0]} failed: {(said or ['it printed nothing'])[0][:_LINE_LIMIT]}")
    if output is not None:
        write_new(output, done.stdout)


def write_new(path: Path, data: bytes) -> None:
    """Write a new file that only this user can read; an existing one, or a link, is not touched.

    Raises:
        OSError: it exists, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)


def let_pass(deadline: Deadline) -> None:
    """Let time pass where nothing tells when something has happened, such as a clock that must reach a point."""
    time.sleep(deadline.remaining_s)
