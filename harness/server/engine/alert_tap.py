"""Collects the alerts of a context's connections, TLS 1.3 ones included, where CPython shows them.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later.
"""

from __future__ import annotations

from typing import Any


class AlertTap:
    """Collects the alerts that `SSLContext._msg_callback` shows decrypted, TLS 1.3 ones included.

    The callback is private to CPython, so it is an extra: nothing depends on what is collected here.
    """

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self._headers: dict[str, bytes] = {}

    def __call__(self, _conn: Any, direction: str, _version: Any, content: Any, _message: Any, data: bytes) -> None:
        """Record one message; must never raise (gh-140795)."""
        kind = int(content)
        if kind == 0x100:
            # SSL3_RT_HEADER of ssl3.h: the record header, the only sign of encryption on this level.
            self._headers[direction] = bytes(data[:5])
        elif kind == 21 and len(data) == 2:
            header = self._headers.get(direction, b"")
            encrypted = len(header) == 5 and (header[0] != 21 or header[3:5] != b"\x00\x02")
            sender = "server" if direction == "write" else "client"
            self.alerts.append({"from": sender, "level": data[0], "code": data[1], "encrypted": encrypted})

    def take(self) -> list[dict[str, Any]]:
        """Return the collected alerts and reset the collection."""
        taken, self.alerts = self.alerts, []
        self._headers.clear()
        return taken
