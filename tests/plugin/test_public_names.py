"""Test the public names of `import harness`."""

import subprocess
import sys

import pytest

import harness
from harness import errors, model
from harness.pytest_plugin import fixtures


def test_at_most_twenty():
    """The public surface is small and sorted, and each name exists and is documented."""
    assert len(harness.__all__) <= 20
    assert len(set(harness.__all__)) == len(harness.__all__)
    assert set(harness.__all__) <= set(dir(harness))
    for name in set(harness.__all__) - {"__version__"}:
        assert getattr(harness, name).__doc__


def test_they_are_the_same_objects():
    """The names are re-exported, not copied: a suite can catch what the harness raises."""
    assert harness.BoardError is errors.BoardError
    assert harness.Server is model.ServerProfile
    assert harness.Board is fixtures.Board


def test_unknown():
    """Any other name is an AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'Lab'"):
        harness.Lab  # noqa: B018 - the access is the test


def test_import_costs_nothing():
    """The names are loaded at their first use."""
    code = "import sys, harness; assert 'harness.model' not in sys.modules; harness.Case; assert 'harness.model' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
