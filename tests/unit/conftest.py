"""Provide a lab with a real virtual board, shared by the tests that only observe it."""

import contextlib
import json
import os
import runpy
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.boards.virtual.interpreter import find_interpreter
from harness.certificates import Certificates
from harness.errors import HarnessError
from harness.model import BoardSettings, BoardSpec, HelloFacts
from harness.run.lab import Lab
from harness.run.options import RunOptions
from harness.server.engine.engine import Engine

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())


DATA = Path(__file__).parents[1] / "data"
PYTHON_ORG_SERVER = DATA / "python_org_server.py"


@dataclass(frozen=True)
class StoredHello:
    """One ClientHello of tests/data: the build that sent it, its family and its bytes."""

    build: str
    family: str
    data: bytes


def stored_hellos() -> list[StoredHello]:
    """Return every recorded ClientHello; the files say how each was captured."""
    return [
        StoredHello(build=build, family=entry["family"], data=bytes.fromhex(entry["hex"]))
        for name in ("client_hellos.json", "captured_hellos.json")
        for build, entry in json.loads((DATA / name).read_text(encoding="utf-8"))["hellos"].items()
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `stored_hello` once per recorded ClientHello."""
    if "stored_hello" in metafunc.fixturenames:
        metafunc.parametrize("stored_hello", stored_hellos(), ids=lambda hello: hello.build)


@pytest.fixture(scope="session")
def certificates():
    """Make the certificates of `certs/` on demand."""
    with Certificates() as made:
        yield made


def make_lab(**options):
    """Return a lab with the virtual board; skip if there is none."""
    try:
        find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    return Lab(RunOptions(**{"boards": (SPEC,), **options}))


@pytest.fixture
def new_lab():
    """Make labs that are closed at the end."""
    made = []

    def new(**options):
        made.append(make_lab(**options))
        return made[-1]

    yield new
    for lab in made:
        lab.close()


@pytest.fixture(scope="module")
def lab():
    """Provide one lab for the tests of a file."""
    made = make_lab()
    yield made
    made.close()


@pytest.fixture
def plain_hello():
    """A ClientHello of TLS 1.2 with one suite and without extensions."""
    return HelloFacts(
        record_version="0303",
        versions=("0303",),
        suites=("c02b",),
        groups=(),
        signature_algorithms=(),
        extensions=(),
        sni=None,
    )


@pytest.fixture
def spec():
    """Return the virtual board's spec."""
    return SPEC


@pytest.fixture
def second_board(tmp_path):
    """Return a second spec: the same interpreter under another path."""
    place = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if place is None:
        pytest.skip("the packaged interpreter has no wheel for this machine")
    (tmp_path / "other").symlink_to(place)
    return BoardSpec(text="other", kind="unix", target=str(tmp_path / "other"), label="other", settings=BoardSettings())


@pytest.fixture(scope="session")
def python_org_server():
    """Give the servers in this process the defaults of a python.org build within `python_org_server()`."""

    @contextlib.contextmanager
    def defaults():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Engine, "open", Engine.open)
            runpy.run_path(str(PYTHON_ORG_SERVER))
            yield

    return defaults


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the smoke set in its own pytest against a server with python.org defaults; the reports are in `.compat` of the folder."""
    shutil.copy(PYTHON_ORG_SERVER, folder / "conftest.py")
    (folder / "test_mine.py").write_text("def test_case(board, tls_case, run_case):\n    run_case(board, tls_case)\n")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOX", "MICROPYTHON"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cases", "smoke", *arguments],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.fixture(scope="session")
def good_run(tmp_path_factory) -> Path:
    """Return the run.json of a real run in which every result was as expected."""
    folder = tmp_path_factory.mktemp("good-run")
    done = run_pytest(folder)
    assert done.returncode == 0, done.stdout
    return folder / ".compat" / "run.json"


@pytest.fixture(scope="session")
def bad_run(tmp_path_factory) -> Path:
    """Return the run.json of a real run in which no case could be tried, because the server only answers another address."""
    folder = tmp_path_factory.mktemp("bad-run")
    done = run_pytest(folder, "--peer", "127.0.0.2")
    assert done.returncode == 10, done.stdout
    return folder / ".compat" / "run.json"
