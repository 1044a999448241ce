"""The user's own files."""

import pytest

from harness.diagnose.own import diagnose_files
from harness.diagnose.request import Request
from harness.errors import UsageError
from harness.model import BoardSpec
from harness.run_options import RunOptions


def test_it_says_that_it_cannot_yet():
    """One line with what to do instead."""
    spec = BoardSpec(text="unix", kind="unix", target="", label="unix")
    with pytest.raises(UsageError, match=r"^--cert: not yet"):
        diagnose_files(Request(board=spec, options=RunOptions(boards=(spec,))), progress=print)
