"""`--server PYTHON` is repeatable: one more dimension of the run."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def version_of(python: str) -> str:
    """Return its version; empty if it does not start (as pyenv's shims) or is too old."""
    code = "import platform, sys; print(platform.python_version() if sys.version_info >= (3, 8) else '')"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture(scope="module")
def others():
    """Return two Pythons of different versions, the oldest and the newest on this machine."""
    found = {}
    places = sorted(Path("~/.pyenv/versions").expanduser().glob("*/bin/python"))
    for python in [
        sys.executable,
        *map(str, places),
        *filter(None, (shutil.which(f"python3.{minor}") for minor in range(8, 16))),
    ]:
        version = version_of(python)
        if version:
            found.setdefault(version, python)
    if len(found) < 2:
        pytest.skip("only one Python on this machine")
    ordered = sorted(
        found.items(), key=lambda item: [int("".join(filter(str.isdigit, part)) or 0) for part in item[0].split(".")]
    )
    return [ordered[0], ordered[-1]]


def test_two_servers(suite, others):
    """Each case runs against each interpreter; its version is in id, line, table and report."""
    words = [word for _version, python in others for word in ("--server", python)]
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key or ca-verified", *words)
    assert ran.status == 0, ran.text
    names = [f"python{version}" for version, _python in others]
    assert [line.split()[:4] for line in ran.lines if line.startswith("unix ")] == [
        ["unix", name, "seed", "2"] for name in names
    ]
    record = ran.record()
    assert {(server["server"], server["python"]) for server in record["servers"]} == {
        (f"python{version}", version) for version, _ in others
    }
    assert all(server["default_suites"] for server in record["servers"])
    assert sorted(result["server"] for result in record["results"]) == sorted(names * 2)


def test_ids(suite, others):
    """The id reads BOARD-SERVER-topic/case, and selects just that test again."""
    version, python = others[0]
    chosen = f"test_mine.py::test_case[unix-python{version}-seed/rsa-1024-key]"
    ran = suite.run(chosen, "--server", python, "--cases", "smoke", "-v")
    assert (ran.status, ran.summary()) == (0, "1 passed")
    assert ran.line(f"{chosen} PASS  refused by the server at config: server EE_KEY_TOO_SMALL")


def test_the_same_version_twice(suite, tmp_path):
    """Two interpreters of the same version get different names."""
    (tmp_path / "again").symlink_to(sys.executable)
    ran = suite.run(*suite.quick, "--server", sys.executable, "--server", str(tmp_path / "again"), "-q")
    version = version_of(sys.executable)
    assert ran.status == 0, ran.text
    assert [server["server"] for server in ran.record()["servers"]] == [f"python{version}", f"python{version}_2"]


@pytest.mark.parametrize(
    ("servers", "message"),
    [
        (
            ["/no/such/python"],
            "--server '/no/such/python': no such program (expected the path of a CPython >= 3.8, or in-process)",
        ),
        (
            ["/bin/true"],
            "--server '/bin/true': is not a Python interpreter (expected the path of a CPython >= 3.8)",
        ),
        ([sys.executable] * 2, f"--server {sys.executable!r}: each interpreter may be given only once"),
    ],
)
def test_no_server(suite, servers, message):
    """A program that is not CPython is a usage error, reported before any test runs."""
    assert suite.refused(*(word for server in servers for word in ("--server", server))) == message
