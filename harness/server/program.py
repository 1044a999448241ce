"""A server program of the user's: started as its own process, heard line by line, and ended with the harness.

Knows processes and pipes. Must not know what the program serves.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from harness.errors import ServerError
from harness.system.deadline import Deadline

_END_S = 5.0
_LINES = 200
_LINE_LIMIT = 500


class RunningProgram:
    """A program in a process of its own, until `close()` or the end of the harness.

    Args:
        arguments: the interpreter and the file.
        folder: its working directory.
        guard: a script that starts the program, and ends it when its standard input closes; None starts it alone.
        strip_env: names of environment variables that it must not get.

    Raises:
        ServerError: it cannot be started.
    """

    def __init__(
        self, arguments: list[str], *, folder: Path, guard: Path | None = None, strip_env: Collection[str] = ()
    ) -> None:
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        environment = {name: value for name, value in os.environ.items() if name not in strip_env}
        guarded: dict[str, Any] = {"start_new_session": True} if os.name == "posix" else {}
        if guard is not None and os.name == "posix":
            arguments = [sys.executable, "-I", "-S", str(guard), "2", *arguments]
        try:
            self._process = subprocess.Popen(
                arguments,
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                **guarded,
            )
        except OSError as error:
            raise ServerError(f"{arguments[0]!r} cannot be started ({error.strerror})") from error
        self._reader = threading.Thread(target=self._read, name="server program", daemon=True)
        self._reader.start()

    def wait_for(self, fits: Callable[[str], bool], *, deadline: Deadline) -> str | None:
        """Return the first line from now on that fits; None if the program ends or is silent before."""
        while True:
            try:
                line = self._queue.get(timeout=max(deadline.remaining_s, 0.001))
            except queue.Empty:
                return None
            if line is None:
                return None
            self.lines.append(line)
            del self.lines[:-_LINES]
            if fits(line):
                return line

    def close(self) -> None:
        """End it."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.close()
        except OSError:
            pass
        if os.name != "posix":
            process.kill()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(_END_S)
        process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._queue.put(line[:_LINE_LIMIT].rstrip("\n"))
        self._queue.put(None)
