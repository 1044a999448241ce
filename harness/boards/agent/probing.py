"""The probe run on a board: step by step, and again where the line damaged one.

Knows that what we send is no syntax error, and that the board prints only lines of the probe. What they mean: `boards/agent/probe.py`.
"""

from __future__ import annotations

from harness.boards.agent.console import Console
from harness.boards.agent.probe import is_whole, parse_probe, probe_steps
from harness.errors import BoardError, FaultKind
from harness.model import BoardInfo

# A step that is damaged on the way, there or back, is run this often in all.
ATTEMPTS = 3


def probe_board(console: Console) -> BoardInfo:
    """Find out what a board is and offers.

    Raises:
        BoardError: `garbled` where its lines arrive damaged each time, because what it lacks would be a guess; else as `Link.exec`.
    """
    # A step that raised printed what it could before.
    return parse_probe(run_step(console, code) for _name, code in probe_steps())


def run_step(console: Console, code: str) -> bytes:
    """Run one step; what it printed.

    Raises:
        BoardError: as `probe_board`.
    """
    for _attempt in range(ATTEMPTS):
        output = console.run(code, timeout_s=10.0, call="th_step")
        if is_whole(output.stdout):
            return output.stdout
    raise BoardError(
        f"{console.label}: what the board says of itself arrives damaged, {ATTEMPTS} times: bytes are lost or changed on the line",
        kind=FaultKind.GARBLED,
        transcript=console.link.log.show(output.stdout + output.stderr),
    )
