"""What a TLS 1.3 server sends after the client's Finished, as far as the lengths of its records show. Pure.

The server judges the client's certificate last (RFC 8446 section 4.4.2.4), and its alert is encrypted as application data (5.2): two bytes,
their type, the tag. Session tickets are far longer, and a refused client does not get any. A padded alert cannot be told
from data, and close_notify has the length of a fatal alert.
"""

from __future__ import annotations

from enum import StrEnum

from harness.model import Side
from harness.wire.reading import WireMessage, WireReading
from harness.wire.versions import TLS13, version_name

# An alert is two bytes; TLS 1.3 adds the type (RFC 8446 5.2) and a tag of 16 bytes, 8 with the CCM_8 suites.
TLS13_ALERT_BYTES = (2 + 1 + 16, 2 + 1 + 8)


class LastWord(StrEnum):
    """What the server sent after the client's Finished."""

    NOTHING = "nothing"
    ALERT = "alert"
    MORE = "more"


def client_finished(wire: WireReading) -> bool:
    """Return whether the client of a TLS 1.3 handshake sent encrypted records other than an alert: Finished, or the messages before it."""
    return wire.negotiated.version == version_name(TLS13) and _finished(wire) is not None


def last_word(wire: WireReading) -> LastWord | None:
    """Return what the server sent to a TLS 1.3 client after its Finished.

    Returns:
        None where the client did not come that far, in any other version, and after an alert of the client's own: what the
        server says then is an answer to it.
    """
    at = _finished(wire) if client_finished(wire) else None
    if at is None:
        return None
    after = [message for message in wire.messages[at + 1 :] if message.name == "ApplicationData"]
    said = LastWord.NOTHING
    for message in after:
        if message.sender is Side.SERVER and not _may_be_alert(message):
            return LastWord.MORE
        if message.sender is Side.SERVER:
            said = LastWord.ALERT
        elif said is LastWord.NOTHING and _may_be_alert(message):
            return None
    return said


def _finished(wire: WireReading) -> int | None:
    """Where the client's encrypted messages begin; the server's handshake messages came before."""
    for at, message in enumerate(wire.messages):
        if message.sender is Side.CLIENT and message.name == "ApplicationData":
            return None if _may_be_alert(message) else at
    return None


def _may_be_alert(message: WireMessage) -> bool:
    return message.length in TLS13_ALERT_BYTES
