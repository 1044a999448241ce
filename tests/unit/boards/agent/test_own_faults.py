"""harness.boards.agent.own_faults: an agent that did not do its work."""

import pytest

from harness.boards.agent.own_faults import agent_fault, is_damaged
from harness.boards.agent.protocol import Answer
from harness.model import Stage


@pytest.mark.parametrize(
    ("answer", "fault", "damaged"),
    [
        (Answer(kind="result"), None, False),
        (Answer(kind="exception", stage=Stage.HANDSHAKE, type="OSError", args=(-30592,)), None, False),
        (Answer(kind="error", missing="tls.SSLContext.psk_key"), None, False),
        (Answer(kind="error", message="MemoryError"), "failed: MemoryError", False),
        (Answer(kind="error", message="KeyError", blob="1234abcd"), "failed: KeyError 1234abcd", False),
        (
            Answer(kind="exception", stage=Stage.CONFIG, type="NameError", args=("no th_fre",)),
            "is damaged: NameError no th_fre",
            True,
        ),
        (Answer(kind="exception", stage=Stage.READ, type="AttributeError"), "is damaged: AttributeError", True),
    ],
)
def test_what_the_answer_shows(answer: Answer, fault: str | None, damaged: bool):
    """A TLS error is data; the agent's own errors, and exceptions that only damaged code raises, are not."""
    assert (agent_fault(answer), is_damaged(answer)) == (fault, damaged)
