"""Where a program on the board failed: the script that runs it sees an exception, the server's record how far the connection came. Pure.

Knows answers and reports. Must not know what the program was to do.
"""

from __future__ import annotations

from dataclasses import replace

from harness.boards.agent.protocol import Answer
from harness.model import ServerReport, Stage
from harness.oracle.errnos import errno_name

# What connect() raises, and nothing later on a connection that the server accepted.
_NO_CONNECTION = frozenset({"ECONNREFUSED", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENETDOWN"})


def begun(answer: Answer, *, platform: str) -> Answer:
    """Return the answer with stage `handshake` instead of `connect`, unless its number shows that there was no connection.

    Args:
        answer: of device_scripts/app.py, whose stage is `connect` for everything after the name look-up.
        platform: the board's `sys.platform`; errno numbers differ between ports.
    """
    number = answer.args[0] if answer.args else None
    unconnected = isinstance(number, int) and errno_name(abs(number), platform=platform) in _NO_CONNECTION
    if answer.stage is not Stage.CONNECT or (answer.type == "OSError" and unconnected):
        return answer
    return replace(answer, stage=Stage.HANDSHAKE)


def placed(answer: Answer, report: ServerReport) -> Answer:
    """Return the answer with the stage that the server's record shows.

    Args:
        answer: from `begun`.
        report: of the server.
    """
    if answer.stage is not Stage.HANDSHAKE:
        return answer
    if not report.accepted:
        return replace(answer, stage=Stage.CONNECT)
    return replace(answer, stage=Stage.READ) if report.handshake_done else answer
