"""A lab on the real virtual board, shared by the tests that only look at what it does."""

import shutil
from pathlib import Path

import pytest

from harness.boards.interpreter import find_interpreter
from harness.errors import HarnessError
from harness.lab import Lab
from harness.model import BoardSettings, BoardSpec
from harness.run_options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix", settings=BoardSettings())


def make_lab(**options):
    """A lab with the virtual board; skips where there is none."""
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
    """One lab for a file's tests."""
    made = make_lab()
    yield made
    made.close()


@pytest.fixture
def spec():
    """The virtual board's spec."""
    return SPEC


@pytest.fixture
def second_board(tmp_path):
    """Another spec that opens another interpreter: the same program by another path."""
    import sys

    place = shutil.which("micropython", path=str(Path(sys.executable).parent))
    if place is None:
        pytest.skip("the packaged interpreter has no wheel for this machine")
    (tmp_path / "other").symlink_to(place)
    return BoardSpec(text="other", kind="unix", target=str(tmp_path / "other"), label="other", settings=BoardSettings())
