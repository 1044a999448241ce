"""One handshake as it happened, with both sides' words, and what they mean together before anything is judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.boards.agent_protocol import Answer
from harness.model import Observation, ServerReport, Stage
from harness.wire.reading import WireReading


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One handshake as it happened, with what is only wanted as evidence."""

    observation: Observation
    report: ServerReport
    answer: Answer | None
    wire: WireReading = field(default_factory=WireReading)
    authorities: tuple[bytes, ...] = ()


def unreachable(tried: Attempt) -> bool:
    """Whether the board says that it got no connection, and the server had none: a fault of the network, if the case is about TLS."""
    return tried.answer is not None and tried.observation.stage is Stage.CONNECT and not tried.report.accepted


def lies(tried: Attempt) -> bool:
    """Whether the board claims a session and the server had no connection at all: the server's record decides."""
    return tried.answer is not None and tried.answer.kind == "result" and not tried.report.accepted


def lacks(answer: Answer) -> str:
    """Say what the firmware has no API for, as the agent named it."""
    return f"this firmware's TLS module has no {answer.missing}"
