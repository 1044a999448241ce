"""Where a program failed: by the number of connect(), else by the server's record."""

from __future__ import annotations

import pytest

from harness.boards.agent.protocol import Answer, AnswerKind
from harness.model import ServerReport, Stage
from harness.run.program_stage import begun, placed


def failed(stage: Stage | None, kind: str = "OSError", *args: int | str) -> Answer:
    """An exception of the program at this stage."""
    return Answer(kind=AnswerKind.EXCEPTION, stage=stage, type=kind, args=args)


@pytest.mark.parametrize(
    ("answer", "platform", "stage"),
    [
        (failed(Stage.CONNECT, "OSError", 111), "linux", Stage.CONNECT),
        (failed(Stage.CONNECT, "OSError", -111), "rp2", Stage.CONNECT),
        (failed(Stage.CONNECT, "OSError", 113), "rp2", Stage.CONNECT),
        (failed(Stage.CONNECT, "OSError", 113), "esp32", Stage.HANDSHAKE),  # ECONNABORTED there
        (failed(Stage.CONNECT, "OSError", 118), "esp32", Stage.CONNECT),
        (failed(Stage.CONNECT, "OSError", 104), "linux", Stage.HANDSHAKE),
        (failed(Stage.CONNECT, "OSError", -30592), "linux", Stage.HANDSHAKE),
        (failed(Stage.CONNECT, "ValueError", 111), "linux", Stage.HANDSHAKE),
        (failed(Stage.CONNECT, "IndexError", "index out of range"), "linux", Stage.HANDSHAKE),
        (failed(Stage.CONNECT, "AssertionError"), "linux", Stage.HANDSHAKE),
        (failed(Stage.CONFIG, "ValueError", "invalid cert"), "linux", Stage.CONFIG),
        (failed(None), "linux", None),
    ],
)
def test_begun(answer: Answer, platform: str, stage: Stage | None) -> None:
    """Only the errno of an unreachable server shows that there was no connection; what failed before the look-up stays `config`."""
    assert begun(answer, platform=platform).stage is stage


@pytest.mark.parametrize(
    ("stage", "accepted", "done", "expected"),
    [
        (Stage.HANDSHAKE, False, False, Stage.CONNECT),
        (Stage.HANDSHAKE, True, False, Stage.HANDSHAKE),
        (Stage.HANDSHAKE, True, True, Stage.READ),
        (Stage.CONNECT, True, True, Stage.CONNECT),  # another program was served: run/proof.py names it
        (Stage.CONFIG, True, True, Stage.CONFIG),
        (None, True, True, None),
    ],
)
def test_placed(stage: Stage | None, accepted: bool, done: bool, expected: Stage | None) -> None:
    """The server's record decides between connect, handshake and read; it never changes what the board knows itself."""
    report = ServerReport(facts=None, failure=None, accepted=accepted, handshake_done=done)
    assert placed(failed(stage), report).stage is expected
