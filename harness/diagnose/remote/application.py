"""Let the board ask the server's application, after the server requested a client certificate and completed the handshake all the same.

Such a server may refuse the board in its first answer, or by closing. Does no handshake itself: the caller passes a function that does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.diagnose.settings import Settings
from harness.model import CaseResult, Observation, Outcome, Side
from harness.wire.application_replies import LINE_BYTES, ApplicationReply, bytes_to_read, likely_requests, reply_line
from harness.wire.reading import WireReading

Handshake = Callable[[str, Settings], CaseResult]

# How long a server that was sent nothing may take to close.
_CLOSES_S = 3.0
_USERS_TEXT = "what --send gave"


def requests_certificate(wire: WireReading) -> bool:
    """Return whether the server asked for a client certificate, as far as it is visible: up to TLS 1.2."""
    return any(message.name == "CertificateRequest" for message in wire.messages)


def talking(settings: Settings, text: str) -> Settings:
    """Return settings with which the board sends a text and reads what surely arrives of the answer."""
    client = replace(settings.client, text=text, close_first=False, any_answer=True, receive_bytes=bytes_to_read(text))
    return replace(settings, client=client)


def reply_in(seen: Observation, *, asked: str) -> ApplicationReply | None:
    """Return what the server answered in this session; None if the session did not come to that, or waits."""
    if seen.outcome is Outcome.CONNECTED:
        return ApplicationReply(asked=asked, line=reply_line(seen.received_by_client or ""))
    ended = seen.outcome is Outcome.REFUSED and seen.ended_by is Side.SERVER and seen.handshake_done
    return ApplicationReply(asked=asked, line=None) if ended else None


def whole_line(handshake: Handshake, settings: Settings, seen: Observation) -> ApplicationReply | None:
    """Return the answer to the user's text; where one byte was surely to come, ask once more for a line.

    Args:
        handshake: makes one.
        settings: of the first attempt.
        seen: what happened in it.
    """
    reply = reply_in(seen, asked=_USERS_TEXT)
    if reply is None or reply.line is None or settings.client.receive_bytes != 1:
        return reply
    longer = replace(settings, client=replace(settings.client, receive_bytes=LINE_BYTES, timeout_s=_CLOSES_S))
    again = handshake("diagnose/answer", longer).observation
    more = reply_in(again, asked=_USERS_TEXT) if again is not None else None
    return more if more is not None and more.line is not None else reply


def asked_application(handshake: Handshake, settings: Settings, *, target: tuple[str, int]) -> ApplicationReply | None:
    """Let the board send the requests that a server at this port may understand, at most three sessions.

    Args:
        handshake: makes one.
        settings: of the first attempt.
        target: the server's host and port; the port decides which request is the first.

    Returns:
        The first answer. Without one, the end of a session in which the board sent nothing: a server that closes then refuses the
        board. None if the server waits for something else.
    """
    for name, text in likely_requests(*target):
        seen = handshake("diagnose/request", talking(settings, text)).observation
        reply = reply_in(seen, asked=name) if seen is not None else None
        if reply is not None and reply.line is not None:
            return reply
    silent = talking(settings, "")
    silent = replace(silent, client=replace(silent.client, timeout_s=_CLOSES_S))
    seen = handshake("diagnose/silence", silent).observation
    return reply_in(seen, asked="nothing") if seen is not None else None
