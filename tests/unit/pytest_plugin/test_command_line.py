"""Values of our options that pytest would take for places of tests."""

import pytest

from harness.pytest_plugin.command_line import joined


@pytest.fixture
def here(tmp_path):
    """A current directory, and another directory next to it."""
    (tmp_path / "here" / "inside").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    return tmp_path / "here"


def test_outside_is_joined(here):
    """An existing path outside the current directory would move pytest's root directory."""
    beside = str(here.parent / "beside")
    assert joined(["-q", "--board", beside, "tests"], folder=here) == ["-q", f"--board={beside}", "tests"]
    assert joined(["--artifacts", "../beside"], folder=here) == ["--artifacts=../beside"]


def test_what_the_run_makes_is_joined(here):
    """A worker of pytest-xdist gets the same words when the artifacts folder exists: it would start pytest once more."""
    assert joined(["--artifacts", "../later"], folder=here) == ["--artifacts=../later"]
    assert joined(["--board", "../later"], folder=here) is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--board", "unix"],
        ["--board", "/no/such/device"],
        ["--board"],
        ["--board=/dev/null"],
        ["--artifacts", "inside"],
        ["--artifacts", "."],
        ["--rootdir", "/"],
        ["/dev/null"],
        ["--board", "--server"],
        ["--board", "x" * 5000],
    ],
)
def test_the_rest_is_left_alone(here, arguments):
    """What is no path, does not exist, lies inside, or is written with `=` already does not start pytest twice."""
    assert joined(arguments, folder=here) is None
