"""Every case on each named interpreter, for real, twice: only clean verdicts, and exactly the known list of untried cases.

What an interpreter cannot try stands in `unsupported-NAME.txt`, so that it cannot grow unseen. After a change that is meant:

    TLS_HARNESS_UPDATE=1 pytest tests/generations/test_generations.py -m slow

writes the lists anew; the difference is then read and committed like any other.
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
    """The name of an interpreter and two runs of the whole set on it, one after the other."""
    if request.param == "packaged":
        if importlib.util.find_spec("micropython_run") is None:
            pytest.skip("the packaged interpreter has no wheel for this machine")
        board = "unix"
    else:
        board = f"unix:{debian_program('micropython', suite='trixie')}"
    runs = [run_matrix("--cases", TIER, "--board", board) for _ in range(2)]
    return request.param, runs[0], runs[1]


class Watched(Mapping[str, Any]):
    """A server's description that knows whether anybody looked at it."""

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
    """Whether it is the server that cannot try the case: then the interpreter's list does not hold it."""
    for need in case.needs:
        watched = Watched(server)
        if not need.met(BoardInfo(), watched) and watched.seen:
            return True
    return False


def untried(record: dict[str, Any]) -> dict[str, str]:
    """Case -> reason, of the cases that this interpreter cannot try."""
    (server,) = record["servers"]
    return {
        item["case"]: item["reason"]
        for item in record["results"]
        if item["verdict"] == "unsupported" and not server_lacks(find_case(item["case"]), server)
    }


def stored_text(found: dict[str, str]) -> str:
    """The stored form: ids under their reasons, which are comments."""
    lines = [
        f"# Cases of `--cases {TIER}` that this interpreter cannot try; test_generations.py says how to renew this list."
    ]
    for reason in sorted(set(found.values())):
        lines += ["", f"# {reason}", *sorted(case for case, other in found.items() if other == reason)]
    return "\n".join(lines) + "\n"


def test_only_clean_verdicts(generation: tuple[str, Any, Any]) -> None:
    """Every case passes, or cannot be tried here, or is a deviation that is listed with its reason."""
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
    """The cases it cannot try are exactly those of the stored text."""
    name, run, _again = generation
    found, file = untried(run.record), HERE / f"unsupported-{name}.txt"
    if os.environ.get(UPDATE):
        file.write_text(stored_text(found), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    stored = {line for line in lines if line and not line.startswith("#")}
    assert found.keys() == stored, f"renew the list with {UPDATE}=1 if this is meant"
