"""The main job: every case of the list, on every board, against every server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness import Board, Case, RunCase


def test_case(board: Board, tls_case: Case, run_case: RunCase) -> None:
    """The case ends exactly as expected, on both sides and on the wire."""
    run_case(board, tls_case)
