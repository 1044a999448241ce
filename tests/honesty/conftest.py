"""What attacks on the verdicts need: what each case was judged by, to judge it again, and a man in the middle of the network."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.cases import select
from harness.errors import HarnessError
from harness.model import BoardSettings, BoardSpec, Case, Expectation, Observation
from harness.oracle.earned import History, Ruling, rule
from harness.run import case_runner
from harness.run.lab import Lab
from harness.run.options import RunOptions

ROOT = Path(__file__).parents[2]
SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one case was judged by, and the ruling."""

    case: Case
    observed: Observation
    stated: Expectation | None
    predicted: Expectation | None
    history: History
    ruling: Ruling

    def again(self, **changes: Any) -> Ruling:
        """Return the ruling with some of these replaced."""
        words = {name: getattr(self, name) for name in ("case", "observed", "stated", "predicted", "history")}
        given = {**words, **changes}
        return rule(given.pop("case"), given.pop("observed"), **given)


@pytest.fixture(scope="session")
def judged_cases() -> Iterator[Callable[[str], list[Judged]]]:
    """Return a function that runs a set of cases on the virtual board, once, and gives what each was judged by."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    kept: dict[str, list[Judged]] = {}
    lab = Lab(RunOptions(boards=(SPEC,)))

    def run(tier: str) -> list[Judged]:
        if tier not in kept:
            kept[tier] = _run(lab, tier)
        return kept[tier]

    yield run
    lab.close()


def _run(lab: Lab, tier: str) -> list[Judged]:
    found: dict[str, Judged] = {}

    def recorded(case: Case, observed: Observation, **words: Any) -> Ruling:
        ruling = rule(case, observed, **words)
        found[case.id] = Judged(case=case, observed=observed, ruling=ruling, **words)
        return ruling

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(case_runner, "rule", recorded)
        runner = lab.runner(SPEC, "in-process")
        for case in select(tier, on_request=tier == "full"):
            runner.run(case)
    return list(found.values())


# ----------------------------------------------------------------------------------------------- a man in the middle


class DestroyingProxy:
    """A TCP proxy that replaces the suites of every ClientHello by one that nobody knows, from the given ClientHello on.

    It listens where the board is sent and connects to where the server listens, on the same port. Everything else passes unchanged.

    Args:
        port: of both.
        intact: how many ClientHellos pass unchanged.
    """

    LISTENS, CONNECTS = "127.0.0.2", "127.0.0.1"
    UNKNOWN = bytes.fromhex("fafb")

    def __init__(self, port: int, *, intact: int = 0) -> None:
        self.port = port
        self.intact = intact
        self.hellos = 0
        self._listener = socket.create_server((self.LISTENS, port))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and wait for the connection that is open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                board, _address = self._listener.accept()
            except OSError:
                return
            with board, contextlib.suppress(OSError):
                self._relay(board)

    def _relay(self, board: socket.socket) -> None:
        """Copy both directions until both have ended."""
        with socket.create_connection((self.CONNECTS, self.port)) as server, selectors.DefaultSelector() as waiting:
            waiting.register(board, selectors.EVENT_READ, server)
            waiting.register(server, selectors.EVENT_READ, board)
            first = True
            while waiting.get_map():
                for key, _events in waiting.select():
                    source, target = key.fileobj, key.data
                    data = source.recv(65536)
                    if not data:
                        waiting.unregister(source)
                        target.shutdown(socket.SHUT_WR)
                        continue
                    if source is board and first:
                        first, data = False, self._changed(data)
                    target.sendall(data)

    def _changed(self, data: bytes) -> bytes:
        """Replace every suite of a ClientHello; anything else is returned as it is."""
        if data[:1] != b"\x16" or data[5:6] != b"\x01":
            return data
        self.hellos += 1
        if self.hellos <= self.intact:
            return data
        start = 44 + data[43]  # behind record and message headers, version, random and session id
        length = int.from_bytes(data[start : start + 2], "big")
        return data[: start + 2] + self.UNKNOWN * (length // 2) + data[start + 2 + length :]


@pytest.fixture
def destroying_proxy() -> Iterator[Callable[..., DestroyingProxy]]:
    """Start proxies on ports that are free at both ends."""
    made: list[DestroyingProxy] = []

    def start(*, intact: int = 0) -> DestroyingProxy:
        if sys.platform != "linux":
            pytest.skip("127.0.0.2 is an address of the machine only on Linux")
        with socket.create_server((DestroyingProxy.CONNECTS, 0)) as free:
            port = free.getsockname()[1]
        made.append(DestroyingProxy(port, intact=intact))
        return made[-1]

    yield start
    for proxy in made:
        proxy.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """A finished run behind a proxy: its exit code, its output and its record."""

    status: int
    output: str
    record: dict[str, Any]

    def verdicts(self, *topics: str) -> dict[str, str]:
        """Case -> verdict, of these topics."""
        return {
            item["case"]: item["verdict"]
            for item in self.record["results"]
            if not topics or item["case"].partition("/")[0] in topics
        }

    def result(self, case: str) -> dict[str, Any]:
        """The result of a case."""
        return next(item for item in self.record["results"] if item["case"] == case)


@pytest.fixture
def run_behind(tmp_path: Path) -> Callable[..., Attacked]:
    """Run the packaged matrix behind a proxy, as a user with a board in another network does."""

    def run(proxy: DestroyingProxy, *arguments: str) -> Attacked:
        addresses = ("--bind", proxy.CONNECTS, "--advertise", proxy.LISTENS, "--peer", proxy.CONNECTS)
        ports = ("--ports", f"{proxy.port}-{proxy.port}")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MICROPYTHON"))}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-p",
                "no:cacheprovider",
                "--artifacts",
                str(tmp_path),
                *addresses,
                *ports,
                *arguments,
            ],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=250,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (tmp_path / "run.json").exists(), output
        record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
        return Attacked(status=done.returncode, output=output, record=record)

    return run
