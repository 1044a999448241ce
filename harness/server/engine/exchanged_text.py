"""The texts that server and client exchange after the handshake: what is sent, and how received bytes are shown.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Pure functions.
"""

from __future__ import annotations

from typing import Any

#: How much of what the client sent is kept, and how much of that is shown.
TEXT_BYTES = 4096
TEXT_CHARACTERS = 256


def reply_of(settings: dict[str, Any]) -> bytes:
    """Return the server's answer: `send_bytes` bytes of a fixed pattern, or the text `reply`."""
    count = settings.get("send_bytes")
    if count is None:
        return str(settings["reply"]).encode()
    return (b"0123456789abcdef" * (int(count) // 16 + 1))[: int(count)]


def shown(data: bytes) -> str:
    """Return the bytes of an untrusted client as printable text of limited length."""
    text = data.decode("utf-8", "backslashreplace")[:TEXT_CHARACTERS]
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
