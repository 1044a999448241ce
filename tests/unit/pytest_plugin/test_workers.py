"""What the controller knows about a test from its name alone; the hooks themselves: tests/plugin/test_many_boards.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.boards.spec import choose_boards
from harness.errors import UsageError
from harness.pytest_plugin.run import RUN
from harness.pytest_plugin.workers import auto_workers, check_dist, crash_result
from harness.run.options import RunOptions


def config(*boards: str, servers: dict[str, str] | None = None, repeat: int = 1, **given: Any) -> Any:
    """Return the configuration of a run with these boards and servers."""
    options = RunOptions(
        boards=tuple(choose_boards(boards or ("unix",), {})),
        servers=tuple(servers or ()),
        server_names=servers or {},
        repeat=repeat,
    )
    values = {"cases": "smoke", "keyword": "", "board": list(boards), "dist": "no", **given}
    return SimpleNamespace(
        stash={RUN: options}, args=[], getoption=lambda name, default=None: values.get(name, default)
    )


@pytest.mark.parametrize(
    "nodeid",
    [
        "t.py::test_case[u9-seed/rsa-1024-key]",
        "t.py::test_case[unix-x-seed/rsa-1024-key]",
        "t.py::test_case[unix-seed/nothing]",
        "t.py::test_plain",
        "t.py",
    ],
)
def test_no_case(nodeid: str) -> None:
    """A test that is not in the case list is not in the run record."""
    assert crash_result(nodeid, config("unix"), reason="crashed") is None
    assert crash_result(nodeid, config("unix", repeat=2), reason="crashed") is None


def test_crash_result() -> None:
    """A case whose worker crashed is `error` without an observation, and the line has the reason."""
    found = crash_result("t.py::test_case[unix-seed/rsa-1024-key]", config("unix"), reason="the worker crashed")
    assert found is not None
    result = found["result"]
    assert (result["verdict"], result["outcome"], result["reason"]) == ("error", "not-run", "the worker crashed")
    assert "the worker crashed" in found["line"]
    many = config("unix", "u0", servers={"/py": "python3.8.18"}, repeat=3)
    found = crash_result("t.py::test_case[u0-python3.8.18-2of3-seed/rsa-1024-key]", many, reason="the worker crashed")
    assert found is not None
    result = found["result"]
    assert [result[key] for key in ("board", "server", "repeat", "case")] == [
        "u0",
        "python3.8.18",
        2,
        "seed/rsa-1024-key",
    ]


def test_auto_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are as many workers as selected boards; otherwise the environment's number and pytest-xdist's own apply."""
    monkeypatch.delenv("PYTEST_XDIST_AUTO_NUM_WORKERS", raising=False)
    assert auto_workers(config("unix", "u0", "u1")) == 3
    assert auto_workers(config()) is None
    monkeypatch.setenv("PYTEST_XDIST_AUTO_NUM_WORKERS", "2")
    assert auto_workers(config("unix", "u0")) is None


def test_check_dist() -> None:
    """Another `--dist` is refused if boards and workers were requested."""
    for how in ("no", "load"):
        check_dist(config("unix", dist=how))
    check_dist(config(dist="loadscope", tx=["popen"]))
    check_dist(config("unix", dist="loadscope", tx=[]))
    with pytest.raises(
        UsageError,
        match=r"^--dist loadscope: not possible with --board, .*--dist load if pytest\.ini sets another value$",
    ):
        check_dist(config("unix", dist="loadscope", tx=["popen"]))
