"""Build the distribution and install it in an empty environment, once for all packaging tests."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What would lead a process back to this checkout or into this pytest run, or its byte code away from what is installed.
LEADING_BACK = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONPYCACHEPREFIX", "VIRTUAL_ENV"),
    *("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_XDIST_WORKER"),
)


def clean_environment() -> dict[str, str]:
    """Return this process's environment without variables that refer to this checkout; pip's settings are kept."""
    kept = {name: value for name, value in os.environ.items() if name not in LEADING_BACK}
    return kept | {"NO_COLOR": "1", "COLUMNS": "120"}


def run(
    *command: str | Path, cwd: Path, timeout_s: float = 300, also: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program in the clean environment, with these variables in addition."""
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=clean_environment() | dict(also or {}),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.fixture(scope="session")
def run_clean() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return `run`."""
    return run


@dataclass(frozen=True, kw_only=True)
class Distributions:
    """A wheel built from the checkout, an sdist, and the wheel built from that."""

    wheel: Path
    sdist: Path
    wheel_of_sdist: Path


@pytest.fixture(scope="session")
def distributions(tmp_path_factory) -> Distributions:
    """Build wheel and sdist with the tools of this environment (no download)."""
    folder = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "build", "--no-isolation")
    for arguments in (("--wheel", "-o", folder / "direct"), ("-o", folder / "both")):
        done = run(*build, *arguments, ROOT, cwd=folder)
        assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (folder / "direct").glob("*.whl")
    (sdist,) = (folder / "both").glob("*.tar.gz")
    (wheel_of_sdist,) = (folder / "both").glob("*.whl")
    return Distributions(wheel=wheel, sdist=sdist, wheel_of_sdist=wheel_of_sdist)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An environment with only the wheel and its dependencies; `elsewhere` is an empty directory."""

    environment: Path
    elsewhere: Path

    def program(self, name: str) -> Path:
        """Return a console script or the interpreter of the environment."""
        return self.environment / ("Scripts" if os.name == "nt" else "bin") / name

    def run(
        self, name: str, *arguments: str | Path, cwd: Path | None = None, also: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, outside the checkout."""
        return run(self.program(name), *arguments, cwd=cwd or self.elsewhere, also=also)

    def needs_unix(self) -> None:
        """Skip where the environment has no interpreter for the default board."""
        virtual = json.loads(self.run("tls-harness", "boards", "--json").stdout)["virtual"]
        if not virtual["available"]:
            pytest.skip(virtual["reason"])

    def check_types(self, file: str) -> subprocess.CompletedProcess[str]:
        """Run this environment's mypy --strict on a file in `elsewhere`, with the types of the installed packages."""
        command = (sys.executable, "-m", "mypy", "--strict", "--python-executable", self.program("python"), file)
        return run(*command, cwd=self.elsewhere)


@pytest.fixture(scope="session")
def installed(distributions, tmp_path_factory) -> Installed:
    """Install the wheel, not editable, with pip and its configured index; skip where pip cannot download anything."""
    folder = tmp_path_factory.mktemp("installed")
    try:
        venv.create(folder / "environment", with_pip=True)
    except subprocess.CalledProcessError:
        pytest.skip("this Python cannot make environments with pip (Debian: install python3-venv)")
    (folder / "elsewhere").mkdir()
    place = Installed(environment=folder / "environment", elsewhere=folder / "elsewhere")
    probe = place.run("python", "-m", "pip", "download", "-q", "--no-deps", "-d", folder / "probe", "pyserial>=3.5,<4")
    if probe.returncode != 0 and "CI" not in os.environ:
        pytest.skip("pip cannot download packages here")
    done = place.run("python", "-m", "pip", "install", "-q", distributions.wheel)
    assert done.returncode == 0, done.stdout + done.stderr
    return place
