"""Errors by whose fault they are.

Knows nothing of boards, servers or TLS: it only names the faults that the rest of the harness raises.
A TLS mismatch is never one of these: it is data (`harness.model.Verdict`).
"""

from __future__ import annotations

from enum import StrEnum

#: The exit code of pytest and `tls-harness` for a fault of a board, its line or the harness: 1 would say something about TLS.
FAULT_EXIT_CODE = 10


class FaultKind(StrEnum):
    """The cause of a fault. The values are stable: rules (`fault/<kind>`), reports and tests name them.

    `harness.explain.faults` says what each one means and what helps.
    """

    # The port.
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    BUSY = "busy"
    TWICE = "twice"
    # What answers there.
    SILENT = "silent"
    NOT_MICROPYTHON = "not-micropython"
    NO_INTERRUPT = "no-interrupt"
    RESET = "reset"
    RESET_LOOP = "reset-loop"
    # The serial line.
    LINK = "link"
    TIMEOUT = "timeout"
    FLOOD = "flood"
    LOST = "lost"
    GARBLED = "garbled"
    # The board and its surroundings.
    FILESYSTEM = "filesystem"
    MEMORY = "memory"
    AGENT = "agent"
    NO_NETWORK = "no-network"
    NETWORK = "network"
    NO_TLS = "no-tls"
    CONTRADICTION = "lying"
    PLAN = "plan"
    PEER = "peer"
    UNHEALTHY = "sick"
    REPLACED = "replaced"
    QUARANTINED = "set-aside"
    # The lab and the run.
    HOOK = "hook"
    FIRMWARE = "firmware"
    STOPPED = "stopped"
    SERVER = "server"


#: Faults in which the board itself works: no recovery step helps, and it is not quarantined because of them.
BOARD_IS_FINE = frozenset({FaultKind.PLAN, FaultKind.PEER})


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
        kind: the cause.
        transcript: the last bytes of the line, both directions, already safe to show.

    Raises:
        ValueError: the kind is not a `FaultKind`.
    """

    def __init__(self, message: str, *, kind: FaultKind = FaultKind.LINK, transcript: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kind = FaultKind(kind)
        self.transcript = transcript

    def __reduce__(self) -> tuple[object, ...]:
        return (_board_error, (self.message, self.kind, self.transcript))


def _board_error(message: str, kind: FaultKind, transcript: str) -> BoardError:
    """Rebuild a `BoardError` from a pickle (xdist sends errors between processes)."""
    return BoardError(message, kind=kind, transcript=transcript)


class ServerError(HarnessError):
    """The server side of the harness could not do its work (no port, interpreter gone); not a TLS verdict."""
