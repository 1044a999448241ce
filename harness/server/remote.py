"""The TLS server under another Python: the same engine as a subprocess, JSON lines over its pipes.

Starts and ends one process, and says in one line why a `--server PYTHON` cannot be used.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from harness.errors import ServerError, UsageError
from harness.model import ServerProfile, ServerReport
from harness.server import ServerStart, Serving
from harness.server.engine.engine import PROTOCOL
from harness.server.engine_records import EngineAdapter, Materials, description_of
from harness.system.deadline import Deadline
from harness.system.private_folder import PrivateFolder

ENGINE_FILE = Path(__file__).with_name("engine") / "engine.py"
OLDEST = (3, 8)
START_TIMEOUT_S = 20.0
CALL_TIMEOUT_S = 20.0
END_TIMEOUT_S = 3.0
#: -I isolates the other Python from this environment and its packages; -B writes no .pyc files.
_FLAGS = ("-I", "-B")
#: Runs on every Python from 2 on, and on MicroPython.
_WHO = (
    "import sys; i = getattr(sys, 'implementation', None); "
    "print('python %d.%d ' % tuple(sys.version_info[:2]) + (i.name if i else 'cpython'))"
)


class RemoteServer:
    """A `ServerHost` under another CPython (3.8 or later).

    Args:
        python: path of the interpreter.
        materials: maps a certificate profile's name to its files and facts.
        strip_env: environment variables that the other process does not get, such as passwords.

    Raises:
        UsageError: the engine cannot run under `python`; the message says why.
    """

    def __init__(self, python: str, *, materials: Materials, strip_env: Collection[str] = ()) -> None:
        self.python = python
        self._environment = {name: value for name, value in os.environ.items() if name not in strip_env}
        self._adapter = EngineAdapter(materials=materials)
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # The other process keeps its temporary files (the key log) here, so that they are removed even if it is killed.
        self._folder = PrivateFolder("tls-server-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close(), with the process
        try:
            self._process = self._start()
        except BaseException:
            self._errors.close()
            self._folder.close()
            raise
        self._reader = threading.Thread(target=self._read, name="tls-engine-pipe", daemon=True)
        self._reader.start()
        try:
            self._description = self._greeting()
        except BaseException:
            self.close()
            raise

    def describe(self) -> Mapping[str, Any]:
        """See `ServerHost`."""
        return self._description

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """See `ServerHost`."""
        return self._adapter.started(self._call("open", self._adapter.settings(profile, serving)))

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`."""
        refused = self._adapter.refused
        if refused is not None:
            return refused
        remaining_s = deadline.remaining_s
        return self._adapter.finished(self._call("wait", remaining_s, timeout_s=remaining_s + CALL_TIMEOUT_S))

    def cancel(self) -> ServerReport | None:
        """See `ServerHost`."""
        raw = self._call("cancel", None)
        return None if raw is None else self._adapter.finished(raw)

    def close(self) -> None:
        """See `ServerHost`."""
        if self._errors.closed:
            return
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.close()
        except OSError:
            pass
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join(END_TIMEOUT_S)
        process.stdout.close()
        self._errors.close()
        self._folder.close()

    def _start(self) -> subprocess.Popen[str]:
        """Start the interpreter on the engine's file."""
        try:
            return subprocess.Popen(
                [self.python, *_FLAGS, str(ENGINE_FILE)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                encoding="utf-8",
                errors="replace",
                env={**self._environment, "TMPDIR": str(self._folder.path)},
            )
        except FileNotFoundError as exc:
            raise UsageError(f"--server {self.python!r}: no such file (expected the path of a CPython >= 3.8)") from exc
        except OSError as exc:
            raise UsageError(f"--server {self.python!r}: cannot be started ({exc.strerror})") from exc

    def _read(self) -> None:
        """Pass the engine's lines on; None at the end."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _greeting(self) -> Mapping[str, Any]:
        """Wait for the engine's first line."""
        try:
            line = self._lines.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            line = None
        try:
            greeting = json.loads(line or "")
            if greeting["engine"] != PROTOCOL:
                raise ValueError(greeting["engine"])
            description: Mapping[str, Any] = greeting["describe"]
        except (ValueError, KeyError, TypeError) as exc:
            raise UsageError(f"--server {self.python!r}: {self._why()}") from exc
        version = tuple(int(part) for part in description["python"].split(".")[:2])
        if description["implementation"] != "CPython" or version < OLDEST:
            raise UsageError(f"--server {self.python!r}: {self._why()}")
        return description_of(description)

    def _why(self) -> str:
        """Find out what is wrong with the interpreter by simpler requests."""
        words = _ask(self.python, _WHO).split()
        if len(words) != 3 or words[0] != "python":
            return f"is not a Python interpreter{self._said()} (expected the path of a CPython >= 3.8)"
        if words[2] != "cpython":
            return f"is {words[2]}, not CPython (expected the path of a CPython >= 3.8)"
        major, _dot, minor = words[1].partition(".")
        if (int(major), int(minor)) < OLDEST:
            return f"is Python {words[1]}, too old for the server engine (expected CPython >= 3.8)"
        if _ask(self.python, "import ssl; print('has ssl')").strip() != "has ssl":
            return f"is Python {words[1]} without a working ssl module (expected CPython >= 3.8 with OpenSSL)"
        return f"the server engine does not start under it: {self._last_error()}"

    def _how_it_ended(self) -> str:
        """Describe the end of a process whose pipe is closed; its status may come a moment later."""
        if self._errors.closed:
            return "was closed"
        try:
            status = self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return "closed its output"
        return f"ended with status {status}: {self._last_error()}"

    def _said(self) -> str:
        """Return the output of a program that is not an interpreter, for the middle of a sentence; pyenv's shims print the reason first."""
        lines = self._error_lines()
        return f"; it printed {lines[0][:200]!a}" if lines else ""

    def _last_error(self) -> str:
        """Return the last line the process wrote to its error stream."""
        lines = self._error_lines()
        return ascii(lines[-1][:200]) if lines else "it printed nothing"

    def _error_lines(self) -> list[str]:
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        return [line.strip() for line in lines if line.strip()]

    def _call(self, name: str, argument: Any, *, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Send one request and return the answer.

        Raises:
            ServerError: the process has ended, is silent, or reports that it failed.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"call": name, "argument": argument}) + "\n")
            self._process.stdin.flush()
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            raise ServerError(f"the TLS server under {self.python!r} does not answer") from None
        except (OSError, ValueError):  # ValueError: our end of the pipe is closed already
            line = None
        if line is None:
            raise ServerError(f"the TLS server under {self.python!r} {self._how_it_ended()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ServerError(f"the TLS server under {self.python!r} failed: {answer['error']}")
        return answer["result"]


def _ask(python: str, code: str) -> str:
    """Run a line of Python in the interpreter and return its output, empty if that failed."""
    try:
        done = subprocess.run(
            [python, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, timeout=START_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
