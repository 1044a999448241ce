"""A pytest plugin with the options of timed runs and a stopwatch for tests. Loaded with `-p stopwatch`.

It imports nothing of the harness while pytest starts, so that it does not change what it measures.
"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

NOTES = pytest.StashKey[dict[str, Any]]()
STATM = Path("/proc/self/statm")
# Empty tests per round.
FLOOR_TESTS = 5
STEP = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("benchmark")
    group.addoption("--timed-class", default="p256", help="Class of case: p256, rsa, refused")
    group.addoption("--timed-rounds", type=int, default=1, help="Rounds of cases, bare loop and mpremote. Default: 1")
    group.addoption("--timed-cases", type=int, default=1, help="Cases per round. Default: 1")
    group.addoption("--timed-notes", metavar="PATH", default=None, help="File for the times, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[NOTES] = {"steps": [], "line": []}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.function.__name__ == "test_floor":
        rounds = range(metafunc.config.getoption("timed_rounds"))
        floors = [("floor", turn, number) for turn in rounds for number in range(FLOOR_TESTS)]
        metafunc.parametrize("step", floors, ids=["-".join(map(str, step)) for step in floors])
    elif "step" in metafunc.fixturenames:
        steps = [("first", 0, 0)]
        for turn in range(metafunc.config.getoption("timed_rounds")):
            # As in the bare loop, the first case does not count: mpremote has just filled the machine's caches.
            steps.append(("again", turn, 0))
            steps += [("case", turn, number) for number in range(metafunc.config.getoption("timed_cases"))]
            steps += [("bare", turn, 0), ("exec", turn, 0), ("mpremote", turn, 0)]
        metafunc.parametrize("step", steps, ids=["-".join(map(str, step)) for step in steps])

    if metafunc.function.__name__ == "test_many":
        metafunc.parametrize("number", range(metafunc.config.getoption("timed_cases")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a round together: load on the machine must affect all of them equally."""
    items.sort(key=lambda item: (getattr(item, "callspec", None) and item.callspec.params.get("step", ("", 0))[1]) or 0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Time a whole test, including its reports."""
    started = time.perf_counter()
    result = yield
    item_ms = (time.perf_counter() - started) * 1000
    step = {"ended_at": time.time(), "item_ms": item_ms, **item.stash.get(STEP, {})}
    item.config.stash[NOTES]["steps"].append(step)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Note the memory of this process before the reports are made."""
    session.config.stash[NOTES]["memory_kb"] = int(STATM.read_text("ascii").split()[1]) * resource.getpagesize() / 1024


def pytest_unconfigure(config: pytest.Config) -> None:
    path = config.getoption("timed_notes")
    if path is not None:
        Path(path).write_text(json.dumps(config.stash[NOTES]), encoding="ascii")
