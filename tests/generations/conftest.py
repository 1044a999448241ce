"""Run a real `pytest` in a process of its own and read its run.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FETCH = ROOT / "tools/fetch_debian.py"
#: If this variable is set, a missing interpreter fails the test instead of skipping it: for CI.
NO_SKIP = "TLS_HARNESS_NO_SKIP"
RUN_TIMEOUT_S = 1500
#: The verdicts of a good run. Any other is a wrong prediction, a security hole in a client, or a fault of the harness.
CLEAN = {"pass", "unsupported", "known"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRun:
    """A finished run: its exit code, its output and its record."""

    status: int
    output: str
    record: dict[str, Any]

    @property
    def verdicts(self) -> dict[tuple[str, str, str], str]:
        """(board, server, case) -> verdict."""
        return {(item["board"], item["server"], item["case"]): item["verdict"] for item in self.record["results"]}

    @property
    def unclean(self) -> list[str]:
        """Return a line with all mismatches for each result that is not in `CLEAN`."""
        return [
            f"{item['board']} {item['server']} {item['case']}: {item['verdict']} {item['reason'] or ''} "
            + "; ".join(f"{m['field']}: expected {m['expected']}, observed {m['observed']}" for m in item["mismatches"])
            for item in self.record["results"]
            if item["verdict"] not in CLEAN
        ]


Matrix = Callable[..., MatrixRun]


@pytest.fixture(scope="session")
def run_matrix(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    """Run pytest on tests/compat with the given arguments, as a user does in this folder."""

    def run(*arguments: str) -> MatrixRun:
        artifacts = tmp_path_factory.mktemp("run")
        # The variables of this test's own pytest and the user's choice of interpreter must not affect the run.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MICROPYTHON"))}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--artifacts", str(artifacts), *arguments],
            cwd=ROOT,
            env=kept,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (artifacts / "run.json").exists(), output
        record = json.loads((artifacts / "run.json").read_text(encoding="utf-8"))
        return MatrixRun(status=done.returncode, output=output, record=record)

    return run


@pytest.fixture(scope="session")
def debian_program() -> Callable[..., str]:
    """Fetch a program of a Debian suite; skip with the reason if this machine cannot."""

    def fetch(program: str, *, suite: str) -> str:
        done = subprocess.run(
            [sys.executable, str(FETCH), program, "--suite", suite],
            capture_output=True,
            text=True,
            timeout=RUN_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            missing(done.stderr.strip())
        return done.stdout.strip()

    return fetch


def missing(reason: str) -> None:
    """Skip the test if an interpreter is missing; fail if `NO_SKIP` is set."""
    if os.environ.get(NO_SKIP):
        pytest.fail(f"{reason} (${NO_SKIP} is set)", pytrace=False)
    pytest.skip(reason)
