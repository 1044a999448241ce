"""The errors that failures of a line are reported as."""

from __future__ import annotations

import errno

import pytest
import serial

from harness.boards.serial.line_errors import LineErrors, answered, last_line, left_raw_repl, restarted
from harness.boards.serial.recorded_port import LinkFlood, LinkTimeout
from harness.boards.serial.transcript import LineLog
from harness.errors import FaultKind
from harness.system.deadline import Deadline

ERRORS = LineErrors("/dev/ttyX", LineLog())
RESTART = b"MPY: soft reboot\r\n"


def test_d4_silence_and_restart() -> None:
    """Nothing in time is a time-out, which names timeout_multiplier; a banner meanwhile is a reset."""
    fault = ERRORS.silent(LinkTimeout(b"\x04", b""), Deadline(2.5))
    assert (fault.kind, fault.message) == (
        FaultKind.TIMEOUT,
        "/dev/ttyX: the board did not answer within 2.5 s (slow boards: timeout_multiplier in boards.toml)",
    )
    assert ERRORS.silent(LinkTimeout(b"\x04", RESTART), Deadline(2.5)).kind is FaultKind.RESET


@pytest.mark.parametrize("seen", [b"", b"\x01\x01\x01"])
def test_a_board_that_does_not_take_the_code(seen: bytes) -> None:
    """The windows of raw paste mode come from its driver, not from the program: such a board is silent."""
    fault = ERRORS.not_taken(LinkTimeout(b"\x04", seen), Deadline(2.0))
    assert (fault.kind, fault.message) == (
        FaultKind.TIMEOUT,
        "/dev/ttyX: the board did not answer within 2 s (slow boards: timeout_multiplier in boards.toml)",
    )


def test_a_board_that_prints_instead_of_taking_the_code() -> None:
    """What it printed is named: a program of its own, or what is left of an answer."""
    fault = ERRORS.not_taken(LinkTimeout(b"\x04", b"\x01\r\nKeyboardInterrupt: not now\r\nagain"), Deadline(2.0))
    assert (fault.kind, fault.message) == (
        FaultKind.GARBLED,
        "/dev/ttyX: the board did not accept the code and printed 'KeyboardInterrupt: not now': "
        "another program runs on it, or bytes were lost or changed",
    )


def test_broken_and_flooded() -> None:
    """A protocol error is a line fault; endless output is a flood."""
    broken = ERRORS.broken("the end of an answer was lost")
    assert (broken.kind, broken.message) == (
        FaultKind.GARBLED,
        "/dev/ttyX: the end of an answer was lost: bytes were lost or changed, or the board restarted",
    )
    flooded = ERRORS.flooded(LinkFlood(b"x" * 10))
    assert (flooded.kind, flooded.message) == (
        FaultKind.FLOOD,
        "/dev/ttyX: the board printed more than 64 KiB and did not stop",
    )


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.EIO, "x"), FaultKind.LOST, r"/dev/ttyX: the port disappeared (EIO): unplugged"),
        (
            serial.SerialException("gone"),
            FaultKind.LOST,
            r"/dev/ttyX: the port disappeared (SerialException): unplugged",
        ),
        (serial.SerialTimeoutException("full"), FaultKind.TIMEOUT, "/dev/ttyX: the port accepted no bytes for"),
    ],
)
def test_lost(error: OSError, kind: FaultKind, said: str) -> None:
    """A port that disappeared is named by its error; one that accepts no bytes is not lost."""
    fault = ERRORS.lost(error)
    assert fault.kind is kind
    assert fault.message.startswith(said)


def test_what_the_bytes_show() -> None:
    """The bytes show a complete answer, a restart or the friendly prompt."""
    assert [answered(seen) for seen in (b"#th x\n", b"log\r\n#th x\r\n", b"#th x", b"x\n#th", b"")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [restarted(seen) for seen in (RESTART, b">>> ", b"")] == [True, False, False]
    assert [left_raw_repl(seen) for seen in (b"\n>>> ", RESTART, b">>> ", b"")] == [True, True, False, False]


def test_last_line() -> None:
    """The last non-empty line is returned, safe to show."""
    assert last_line(b"Traceback\r\n  File\r\nOSError: \x1b[2J28\r\n\r\n") == "OSError: \\x1b[2J28"
    assert last_line(b"\r\n") == ""
