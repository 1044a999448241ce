"""Run every case twice on each named interpreter: all verdicts are clean, and the untried cases are exactly the stored list.

The cases that an interpreter cannot try are listed in `unsupported-NAME.txt`, so that the list cannot grow unnoticed.
After an intended change,

    TLS_HARNESS_UPDATE=1 pytest tests/generations/test_generations.py -m slow

rewrites the lists; read the difference before committing it.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.cases import find_case, select
from harness.model import BoardInfo, Case

TIER = "full"
UPDATE = "TLS_HARNESS_UPDATE"
HERE = Path(__file__).parent
NAMES = ("packaged", "debian-trixie")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module", params=NAMES)
def generation(
    request: pytest.FixtureRequest, debian_program: Callable[..., str], run_matrix: Any
) -> tuple[str, Any, Any]:
    """Return the name of an interpreter and two successive runs of the whole set on it."""
    if request.param == "packaged":
        if importlib.util.find_spec("micropython_run") is None:
            pytest.skip("the packaged interpreter has no wheel for this machine")
        board = "unix"
    else:
        board = f"unix:{debian_program('micropython', suite='trixie')}"
    runs = [run_matrix("--cases", TIER, "--board", board) for _ in range(2)]
    return request.param, runs[0], runs[1]


class Watched(Mapping[str, Any]):
    """A server's description that records whether it was read."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.seen = False

    def __getitem__(self, key: str) -> Any:
        self.seen = True
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        self.seen = True
        return iter(self.data)

    def __len__(self) -> int:
        self.seen = True
        return len(self.data)


def server_lacks(case: Case, server: Mapping[str, Any]) -> bool:
    """Return whether the server cannot try the case; such a case is not in the interpreter's list."""
    for need in case.needs:
        watched = Watched(server)
        if not need.met(BoardInfo(), watched) and watched.seen:
            return True
    return False


def untried(record: dict[str, Any]) -> dict[str, str]:
    """Return case -> reason for the cases that this interpreter cannot try."""
    (server,) = record["servers"]
    return {
        item["case"]: item["reason"]
        for item in record["results"]
        if item["verdict"] == "unsupported" and not server_lacks(find_case(item["case"]), server)
    }


def stored_text(found: dict[str, str]) -> str:
    """Return the stored form: the ids, each group under its reason as a comment."""
    lines = [
        f"# Cases of `--cases {TIER}` that this interpreter cannot try; test_generations.py says how to update this list."
    ]
    for reason in sorted(set(found.values())):
        lines += ["", f"# {reason}", *sorted(case for case, other in found.items() if other == reason)]
    return "\n".join(lines) + "\n"


def test_only_clean_verdicts(generation: tuple[str, Any, Any]) -> None:
    """Every case passes, is unsupported here, or is a known deviation."""
    _name, run, _again = generation
    assert run.unclean == [], run.output[-4000:]
    assert run.status == 0, run.output[-4000:]


def test_nothing_left_out(generation: tuple[str, Any, Any]) -> None:
    """Each case of the set has exactly one result."""
    _name, run, _again = generation
    assert sorted(item["case"] for item in run.record["results"]) == sorted(case.id for case in select(TIER))


def test_same_again(generation: tuple[str, Any, Any]) -> None:
    """A second run has the same verdict for every case."""
    _name, run, again = generation
    assert run.verdicts == again.verdicts


def test_unsupported_is_the_stored_list(generation: tuple[str, Any, Any]) -> None:
    """The cases that the interpreter cannot try are exactly those of the stored list."""
    name, run, _again = generation
    found, file = untried(run.record), HERE / f"unsupported-{name}.txt"
    if os.environ.get(UPDATE):
        file.write_text(stored_text(found), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    stored = {line for line in lines if line and not line.startswith("#")}
    assert found.keys() == stored, f"update the list with  {UPDATE}=1 if the change is intended"
