"""Run the two baselines of the harness: a bare MicroPython loop, and one mpremote process per case.

Both connect to the harness's kind of server in this process, which keeps contexts and keys. Traffic stays on loopback.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from classes import Timed, script_text

from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.server import ServerStart
from harness.server.local import LocalServer
from harness.system.deadline import Deadline

CLIENT = Path(__file__).with_name("client.py")
PROCESS_TIMEOUT_S = 120


class Bench:
    """Two servers that take turns, so that a client never waits for one to open, and a board for mpremote, opened on first use."""

    def __init__(self) -> None:
        self.certificates = Certificates()
        self._servers = [LocalServer(materials=self.certificates.make) for _ in range(2)]
        self._board: VirtualBoard | None = None

    def close(self) -> None:
        """Stop the servers and the board and remove the keys."""
        if self._board is not None:
            self._board.close()
        for server in self._servers:
            server.close()
        self.certificates.close()

    def bare_loop(self, timed: Timed, count: int) -> list[float]:
        """Return the milliseconds of each connection of a bare MicroPython loop: one context, no serial line, no harness."""
        ports = [_open(timed, server).port for server in self._servers]
        with self._script(timed, ports=ports, count=count + 1) as script, _interpreter(script) as process:
            for turn in range(count + 1):
                self._servers[turn % 2].finish(Deadline(30.0))
                if turn + 2 <= count:
                    _open(timed, self._servers[turn % 2], port=ports[turn % 2])
            output, _ = process.communicate(timeout=PROCESS_TIMEOUT_S)
        answer = json.loads(output.splitlines()[-1])
        if len(answer["results"]) != 1:
            raise RuntimeError(f"the bare client's results differ: {answer['results']}")
        return [us / 1000 for us in answer["us"][1:]]

    def mpremote(self, timed: Timed) -> float:
        """Return the milliseconds of one `mpremote connect PORT run client.py` on a virtual board, process start included."""
        if self._board is None:
            self._board = VirtualBoard(find_interpreter(""))
        server = self._servers[0]
        with self._script(timed, ports=[_open(timed, server).port], count=1) as script:
            started = time.perf_counter()
            command = [sys.executable, "-m", "mpremote", "connect", self._board.port, "run", script]
            done = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_TIMEOUT_S, check=False)
            taken_ms = (time.perf_counter() - started) * 1000
        server.finish(Deadline(10.0))
        if done.returncode or '"us"' not in done.stdout:
            raise RuntimeError(f"mpremote ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return taken_ms

    @contextmanager
    def _script(self, timed: Timed, **settings: Any) -> Iterator[str]:
        """Write `client.py` with its settings to a file."""
        with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="ascii") as script:
            wanted = {**timed.request(self.certificates), **settings}
            script.write(script_text(CLIENT.read_text(encoding="ascii"), wanted))
            script.flush()
            yield script.name


def _open(timed: Timed, server: LocalServer, *, port: int | None = None) -> ServerStart:
    return server.open(timed.case.server, replace(timed.serving(), ports=(port, port) if port else None))


@contextmanager
def _interpreter(script: str) -> Iterator[subprocess.Popen[str]]:
    """Return the command that runs a script on the board's interpreter, whose launcher needs a terminal as standard input."""
    controller, terminal = pty.openpty()
    tty.setraw(terminal)
    process = subprocess.Popen(
        find_interpreter("").command(script),
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        os.close(terminal)
        os.close(controller)
