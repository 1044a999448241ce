"""Errors of a serial line: one place that turns silence, floods and lost ports into errors with their kind.

Knows the device's name and its transcript. Must not read or write the port.
"""

from __future__ import annotations

import errno

from harness.boards.serial.open_port import WRITE_TIMEOUT_S
from harness.boards.serial.recorded_port import LinkFlood, LinkTimeout
from harness.boards.serial.symptoms import what_happened
from harness.boards.serial.transcript import LineLog, printable
from harness.errors import BoardError, FaultKind
from harness.system.deadline import Deadline

# A reply this long is not from our agent: it sends one short line per request.
MAX_OUTPUT_BYTES = 64 * 1024
FRIENDLY_PROMPT = b">>> "


class LineErrors:
    """Makes the errors of one line.

    Args:
        device: its name, for the messages.
        log: its transcript.
    """

    def __init__(self, device: str, log: LineLog) -> None:
        self.device = device
        self._log = log

    def silent(self, silence: LinkTimeout, deadline: Deadline) -> BoardError:
        """The board did not answer in time, or restarted instead."""
        restart = what_happened(silence.seen)
        if restart is not None:
            kind, message = restart[0], f"{self.device}: {restart[1]}"
        else:
            kind = FaultKind.TIMEOUT
            limit = f"{deadline.timeout_s:g} s (slow boards: timeout_multiplier in boards.toml)"
            message = f"{self.device}: the board did not answer within {limit}"
        return BoardError(message, kind=kind, transcript=self._log.show(silence.seen))

    def not_taken(self, silence: LinkTimeout, deadline: Deadline) -> BoardError:
        """The board did not say that it has the code: it says nothing but raw paste's windows, or prints something else."""
        printed = silence.seen.strip(b"\x01\r\n")
        if not printed:
            return self.silent(silence, deadline)
        return BoardError(
            f"{self.device}: the board did not accept the code and printed {printable(printed.splitlines()[0], limit=60)!r}: "
            "another program runs on it, or bytes were lost or changed",
            kind=FaultKind.GARBLED,
            transcript=self._log.text(limit=400),
        )

    def broken(self, what: str) -> BoardError:
        """The protocol broke: a byte was lost or changed."""
        return BoardError(
            f"{self.device}: {what}: bytes were lost or changed, or the board restarted",
            kind=FaultKind.GARBLED,
            transcript=self._log.text(limit=400),
        )

    def flooded(self, flood: LinkFlood) -> BoardError:
        """The board printed without end."""
        return BoardError(
            f"{self.device}: the board printed more than {MAX_OUTPUT_BYTES // 1024} KiB and did not stop",
            kind=FaultKind.FLOOD,
            transcript=self._log.show(flood.seen),
        )

    def lost(self, error: OSError) -> BoardError:
        """The port disappeared, or accepts no more bytes."""
        import serial

        if isinstance(error, serial.SerialTimeoutException):
            return BoardError(
                f"{self.device}: the port accepted no bytes for {WRITE_TIMEOUT_S:g} s: the board has stopped reading, "
                "or flow control blocks the line",
                kind=FaultKind.TIMEOUT,
                transcript=self._log.text(limit=400),
            )
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return BoardError(
            f"{self.device}: the port disappeared ({name}): unplugged, re-enumerated after a reset, or closed by the remote end",
            kind=FaultKind.LOST,
            transcript=self._log.text(limit=400),
        )


def restarted(seen: bytes) -> bool:
    """Whether these bytes show that the board restarted: no answer to an earlier request will come."""
    return what_happened(seen) is not None


def answered(seen: bytes) -> bool:
    """Whether these bytes contain a whole line of the agent: only the end marks are missing."""
    begin = seen.find(b"#th ")
    return begin >= 0 and seen.find(b"\n", begin) >= 0


def banner_damaged(seen: bytes) -> bool:
    """Whether a part of the raw REPL's banner is among these bytes: the rest of it was lost or changed."""
    return b"raw REPL" in seen or b"CTRL-B to exit" in seen


def reset_damaged(seen: bytes) -> bool:
    """Whether the request of a soft reset was lost (a board acknowledges it at once), or its banner is damaged."""
    return not seen or banner_damaged(seen)


def left_raw_repl(seen: bytes) -> bool:
    """Whether the friendly prompt is there, or the board restarted."""
    return b"\n" + FRIENDLY_PROMPT in seen or restarted(seen)


def last_line(traceback: bytes) -> str:
    """The last non-empty line of a MicroPython traceback, safe to show."""
    lines = [line for line in printable(traceback).splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
