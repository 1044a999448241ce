"""Errors by whose fault they are.

Knows nothing of boards, servers or TLS; it only gives the rest of the harness three words to raise.
A TLS mismatch is never one of these: it is data (`harness.model.Verdict`).
"""

from __future__ import annotations


class HarnessError(Exception):
    """Anything the harness itself reports; the message says what failed and what to do next."""


class UsageError(HarnessError):
    """The caller asked for something that cannot be done: bad option, unknown name, bad file.

    Args:
        message: one line naming the option or file, the value, and what is accepted.
    """


class BoardError(HarnessError):
    """The board or the line to it misbehaved; says nothing about TLS.

    Args:
        message: what failed, on which board, and what to do next.
        kind: a short word for the cause (`missing`, `busy`, `twice`, `forbidden`, `silent`, `not-micropython`,
            `reset`, `reset-loop`, `no-interrupt`, `timeout`, `lost`, `garbled`, `network`, `agent`), stable for tests and reports.
        transcript: the last bytes of the line, both directions, already safe to show.
    """

    def __init__(self, message: str, *, kind: str = "link", transcript: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.transcript = transcript

    def __reduce__(self) -> tuple[object, ...]:
        return (_board_error, (self.message, self.kind, self.transcript))


def _board_error(message: str, kind: str, transcript: str) -> BoardError:
    """Rebuild a `BoardError` from a pickle (xdist sends errors between processes)."""
    return BoardError(message, kind=kind, transcript=transcript)


class ServerError(HarnessError):
    """The server side of the harness could not do its work (no port, interpreter gone); not a TLS verdict."""
