"""A server that runs already, with the board, through a recording relay."""

from __future__ import annotations

from harness.diagnose.request import Progress, Request
from harness.errors import UsageError
from harness.model import Diagnosis


def diagnose_server(request: Request, *, progress: Progress) -> Diagnosis:
    """Let the board connect to `request.connect` and say what came of it.

    Args:
        request: with `connect`; its server-side files and settings are empty.
        progress: told what is being done.

    Raises:
        UsageError: always, for now.
    """
    raise UsageError("--connect: not available in this version; give the server's own files with --cert and --key")
