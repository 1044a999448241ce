"""Run the same cases against the Pythons of this machine, each with its own defaults.

The reason is the seed case: python.org's builds refuse plain RSA and Debian's accept it, at the same version
(docs/facts/python-ssl.md, "Default cipher suites").
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TIER = "smoke"
OLDEST = (3, 8)
DEBIAN = Path("/usr/bin/python3.11")
SEED = "seed/rsa-key-no-shared-cipher"
#: The plain RSA suites that the seed case's client offers, as IANA numbers.
PLAIN_RSA = {0x003D, 0x0035, 0x003C, 0x002F}
ASK = "import ssl, sys; print(*sys.version_info[:3], sys.implementation.name)"
ASK_TIMEOUT_S = 60

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def version_of(python: Path) -> tuple[int, ...] | None:
    """Return the version of a CPython with ssl; None for anything else, such as a pyenv shim without its Python."""
    try:
        done = subprocess.run(
            [python, "-I", "-c", ASK],
            capture_output=True,
            text=True,
            timeout=ASK_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.split()
    return tuple(int(word) for word in words[:3]) if len(words) == 4 and words[3] == "cpython" else None


def found_pythons() -> dict[Path, tuple[int, ...]]:
    """Return the CPythons from 3.8 on of this machine: pyenv's, those on PATH, Debian's and this one."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    candidates = [Path(sys.executable), DEBIAN, *pyenv.glob("versions/*/bin/python")]
    for folder in os.get_exec_path():
        candidates += [item for item in Path(folder).glob("python3.*") if re.fullmatch(r"python3\.\d+", item.name)]
    # A venv's python and its base Python are the same server; the requested name is kept.
    real = {path.resolve(): path for path in reversed(candidates) if os.access(path, os.X_OK)}
    versions = {path: version_of(path) for path in real.values()}
    return {path: version for path, version in versions.items() if version is not None and version[:2] >= OLDEST}


@pytest.fixture(scope="module")
def servers() -> list[Path]:
    """Return the oldest, the newest and Debian's own Python, without duplicates."""
    pythons = found_pythons()
    chosen = [min(pythons, key=pythons.__getitem__), max(pythons, key=pythons.__getitem__)]
    chosen += [path for path in pythons if path.resolve() == DEBIAN.resolve()]
    return list(dict.fromkeys(chosen))


@pytest.fixture(scope="module")
def run(servers: list[Path], run_matrix: Any) -> Any:
    """Run the cases once on all servers."""
    options = [word for server in servers for word in ("--server", str(server))]
    return run_matrix("--cases", TIER, "--board", "unix", *options)


def test_only_clean_verdicts(run: Any) -> None:
    """On every server, every case ends as that server's live settings predict."""
    assert run.unclean == [], run.output[-4000:]
    assert run.status == 0, run.output[-4000:]


def test_each_server_ran_everything(run: Any, servers: list[Path]) -> None:
    """Every server runs the same cases and has its own name."""
    by_server: dict[str, set[str]] = {}
    for _board, server, case in run.verdicts:
        by_server.setdefault(server, set()).add(case)
    assert len(by_server) == len(servers)
    assert len({frozenset(cases) for cases in by_server.values()}) == 1


def test_names_are_readable(run: Any) -> None:
    """A server's name in ids and reports contains its version and is not a path."""
    for server in run.record["servers"]:
        assert server["python"] in server["server"]
        assert "/" not in server["server"]


def test_record_says_what_decides(run: Any, servers: list[Path]) -> None:
    """run.json contains each server's version, OpenSSL, build flag and default suites."""
    assert len(run.record["servers"]) == len(servers)
    for server in run.record["servers"]:
        assert re.fullmatch(r"3\.\d+\.\d+\S*", server["python"])
        assert server["openssl"].startswith("OpenSSL ")
        assert "default_suites_flag" in server
        assert len(server["default_suites"]) > 10


def test_seed_follows_the_live_settings(run: Any) -> None:
    """The seed case's client is refused exactly by the servers without a plain RSA suite, whatever their version."""
    live = {item["server"]: {suite[0] for suite in item["default_suites"]} for item in run.record["servers"]}
    seeds = [item for item in run.record["results"] if item["case"] == SEED]
    assert {item["server"] for item in seeds} == live.keys()
    for item in seeds:
        assert item["verdict"] == "pass"
        if live[item["server"]] & PLAIN_RSA:
            assert item["outcome"] == "connected"
        else:
            assert (item["outcome"], item["observed"]["server"]["reason"]) == ("refused", "NO_SHARED_CIPHER")


@pytest.mark.skipif(
    not DEBIAN.exists() or shutil.which("dpkg") is None, reason="this is not Debian 12 with its own Python"
)
def test_debian_differs(run: Any) -> None:
    """Debian builds Python with OpenSSL's default suites: the record says so, and the seed case connects."""
    (debian,) = (item for item in run.record["servers"] if Path(item["executable"]).resolve() == DEBIAN.resolve())
    (seed,) = (item for item in run.record["results"] if item["case"] == SEED and item["server"] == debian["server"])
    assert debian["default_suites_flag"] == "openssl"
    assert (seed["verdict"], seed["outcome"]) == ("pass", "connected")
