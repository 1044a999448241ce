"""The user's own certificate and key, served by the harness in place; what would help is tried one change at a time."""

from __future__ import annotations

from harness.diagnose.request import Progress, Request
from harness.errors import UsageError
from harness.model import Diagnosis


def diagnose_files(request: Request, *, progress: Progress) -> Diagnosis:
    """Serve the user's files to the board and say what came of it."""
    raise UsageError("--cert: not yet")
