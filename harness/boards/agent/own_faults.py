"""Faults of our own agent, as its answers show them. Pure."""

from __future__ import annotations

from harness.boards.agent.protocol import Answer

# Exceptions that our own agent never raises unless its source arrived damaged on the board.
OWN_FAULTS = ("NameError", "SyntaxError", "IndentationError", "AttributeError")


def is_damaged(answer: Answer) -> bool:
    """Whether the answer shows that the agent on the board is not as it was sent."""
    return answer.type in OWN_FAULTS


def agent_fault(answer: Answer) -> str | None:
    """Return what is wrong with the agent, after "the agent on the board"; None if it did its work."""
    if is_damaged(answer):
        return f"is damaged: {answer.type} {answer.args[0] if answer.args else ''}".rstrip()
    if answer.kind == "error" and not answer.missing:
        return f"failed: {answer.message} {answer.blob or ''}".rstrip()
    return None
