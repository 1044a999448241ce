"""The record of a serial line in both directions, bounded and safe to show.

Knows bytes and a limit; nothing of ports or protocols. Secrets never enter: while `muted`, only their number of bytes is kept.
"""

from __future__ import annotations

import json
from collections import deque

MAX_KEPT_BYTES = 64 * 1024
NO_FRAMES = "(not shown: a password or key was being sent to the board)"
# Every case has a transcript: translating it in C instead of byte by byte is a tenth of the host's time per case.
_SHOWN = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 256))}
_SHOWN.update({ord("\n"): "\n", ord("\r"): ""})


def printable(data: bytes, *, limit: int = 2000) -> str:
    r"""Show untrusted bytes as one-line-safe ASCII text: control characters and non-ASCII become `\xNN`, newlines stay.

    Args:
        data: anything a board printed.
        limit: characters kept; the middle is replaced by its length.
    """
    text = data.decode("latin-1").translate(_SHOWN)
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n... {len(text) - 2 * half} characters omitted ...\n{text[-half:]}"
    return text


class Muted:
    """While active, a log keeps only byte counts, and errors that leave it lose their frames, whose variables hold the secret.

    (`pytest --showlocals` prints variables, `--full-trace` after Ctrl-C prints arguments. A generator cannot do this: contextlib puts the
    traceback back.)

    Args:
        log: of the line.
    """

    def __init__(self, log: LineLog) -> None:
        self._log = log

    def __enter__(self) -> None:
        self._log._muted = True

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._log._muted = False
        if error is not None:
            error.add_note(NO_FRAMES)
        while error is not None:
            error.__traceback__ = None
            error = error.__cause__ or error.__context__


class LineLog:
    """A bounded record of one serial line. Counts every byte, keeps the last `MAX_KEPT_BYTES`."""

    def __init__(self) -> None:
        self.sent_bytes = 0
        self.received_bytes = 0
        self._muted = False
        self._secrets: set[bytes] = set()
        self._parts: deque[tuple[str, bytes]] = deque()
        self._kept = 0

    def sent(self, data: bytes) -> None:
        """Record bytes written to the board."""
        self.sent_bytes += len(data)
        self._keep(">", data)

    def received(self, data: bytes) -> None:
        """Record bytes read from the board."""
        self.received_bytes += len(data)
        self._keep("<", data)

    def _keep(self, direction: str, data: bytes) -> None:
        if self._muted:
            data = b"[%d bytes not recorded]\n" % len(data)
        if self._parts and self._parts[-1][0] == direction and not self._muted:
            self._parts[-1] = (direction, self._parts[-1][1] + data)
        else:
            self._parts.append((direction, data))
        self._kept += len(data)
        while self._kept > MAX_KEPT_BYTES and len(self._parts) > 1:
            self._kept -= len(self._parts.popleft()[1])
        if self._kept > MAX_KEPT_BYTES:
            direction, only = self._parts.popleft()
            self._parts.append((direction, only[-MAX_KEPT_BYTES:]))
            self._kept = MAX_KEPT_BYTES

    def muted(self) -> Muted:
        """Record only byte counts inside: for passwords and private keys that are sent to the board."""
        return Muted(self)

    def hide(self, secret: str) -> None:
        """Never show this text, plain or in its JSON spelling: a board that echoes would send it back.

        Args:
            secret: a password; an empty one hides nothing.
        """
        spellings = (secret, json.dumps(secret)[1:-1], json.dumps(json.dumps(secret)[1:-1])[1:-1])
        self._secrets.update(text.encode() for text in spellings if text)

    def show(self, data: bytes, *, limit: int = 2000) -> str:
        """Bytes of this line as safe text: without secrets, and only their number while muted.

        Args:
            data: from the board.
            limit: as in `printable`.
        """
        if self._muted:
            return f"[{len(data)} bytes not recorded]"
        for secret in sorted(self._secrets, key=len, reverse=True):
            data = data.replace(secret, b"[hidden]")
        return printable(data, limit=limit)

    def mark(self) -> None:
        """Discard the recorded bytes (a new case begins); the counters continue."""
        self._parts.clear()
        self._kept = 0

    def text(self, *, limit: int = 8000) -> str:
        """The record as lines starting with `>` (to the board) or `<` (from it).

        Args:
            limit: characters shown of consecutive bytes in one direction.
        """
        lines = []
        for direction, data in self._parts:
            lines += [f"{direction} {line}" for line in self.show(data, limit=limit).splitlines()]
        return "\n".join(lines)
