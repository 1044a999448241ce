"""Values of our options that pytest would treat as test paths."""

import pytest

from harness.pytest_plugin.command_line import joined


@pytest.fixture
def here(tmp_path):
    """Provide a current directory, and another directory next to it."""
    (tmp_path / "here" / "inside").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    return tmp_path / "here"


def test_outside_is_joined(here):
    """An existing path outside the current directory would move pytest's root directory."""
    beside = str(here.parent / "beside")
    assert joined(["-q", "--board", beside, "tests"], folder=here) == ["-q", f"--board={beside}", "tests"]
    assert joined(["--artifacts", "../beside"], folder=here) == ["--artifacts=../beside"]


def test_the_artifacts_folder_is_joined(here):
    """A pytest-xdist worker gets the same arguments when the artifacts folder already exists: it would restart pytest."""
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
def test_other_arguments_are_unchanged(here, arguments):
    """A value that is not a path, does not exist, is inside, or is already written with `=` does not restart pytest."""
    assert joined(arguments, folder=here) is None
