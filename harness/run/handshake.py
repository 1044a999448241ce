"""One handshake as it happened, with both sides' words, and what they mean together before anything is judged. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.boards.agent.protocol import Answer
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


def lie_in(tried: Attempt, *, address: str) -> str | None:
    """What is wrong with a session that the board claims: the server's record decides. None if the board does not contradict it.

    Args:
        tried: what happened.
        address: where the board was sent, without the port.
    """
    answer, report = tried.answer, tried.report
    if answer is None or answer.kind != "result":
        return None
    if not report.accepted:
        return (
            f"the board says that it exchanged text, but no connection reached the server at {address}:{report.local_port}: "
            "something else answers there, or its agent is not ours"
        )
    if answer.received_bytes and not report.handshake_done:
        return (
            "the board says that it exchanged text, but the server had no finished handshake with it: its agent is not ours, "
            "or its answer is that of another connection"
        )
    return None


def lacks(answer: Answer) -> str:
    """Say what the firmware has no API for, as the agent named it."""
    return f"this firmware's TLS module has no {answer.missing}"
