"""The command that runs a test again; tests/plugin/test_failures.py runs it."""

import pytest

from harness.pytest_plugin.rerun import rerun_folder


@pytest.mark.parametrize(
    ("folder", "again"),
    [
        (".compat", ".compat/again"),
        ("out/run", "out/run/again"),
        ("/tmp/x/", "/tmp/x/again"),
        (".compat/again", ".compat/again"),
        (".", "again"),
    ],
)
def test_the_record_of_the_run_stays(folder, again):
    """The rerun of a case writes to a folder next to the run's record, and a second rerun to the same folder."""
    assert rerun_folder(folder) == again
