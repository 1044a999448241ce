"""A server that runs already."""

import pytest

from harness.diagnose.foreign import diagnose_server
from harness.diagnose.request import Request
from harness.errors import UsageError
from harness.model import BoardSpec
from harness.run_options import RunOptions


def test_it_says_that_it_cannot_yet():
    """One line with what to do instead."""
    spec = BoardSpec(text="unix", kind="unix", target="", label="unix")
    with pytest.raises(UsageError, match=r"^--connect: not available in this version; give the server's own files"):
        diagnose_server(Request(board=spec, options=RunOptions(boards=(spec,))), progress=print)
