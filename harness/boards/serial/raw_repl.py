"""The adapter around mpremote's `SerialTransport`: the only module that moves bytes to and from a board.

Knows the raw REPL protocol (shared/runtime/pyexec.c) and pyserial; must not know TLS, cases or what the code that it sends does.

What it changes in mpremote 1.27 to 1.29 (docs/facts/boards.md, "mpremote as a library"):
* `read_until` polls with `sleep(0.01)`, or blocks forever on a PTY; ours blocks on the port itself, bounded by a `Deadline`.
* there is no overall deadline for an exec; ours has one per operation.
* "could not enter raw repl" is its only message; ours looks at the bytes and names what is at the other end.
* DTR and RTS cannot be chosen before the port opens; ours can, per board.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.boards.serial.line_errors import (
    FRIENDLY_PROMPT,
    MAX_OUTPUT_BYTES,
    LineErrors,
    answered,
    banner_damaged,
    left_raw_repl,
    reset_damaged,
    restarted,
)
from harness.boards.serial.open_port import open_port
from harness.boards.serial.raw_paste import RAW_BANNER, BrokenProtocol, CodeSender
from harness.boards.serial.recorded_port import LinkFlood, LinkTimeout, RecordingSerial
from harness.boards.serial.symptoms import what_answers, what_happened
from harness.boards.serial.transcript import LineLog
from harness.errors import BoardError, FaultKind, UsageError
from harness.system.deadline import Deadline

# How long each step of the protocol around code may take, during which the board does nothing else.
PROTOCOL_S = 2.0
# How often code is offered if its prompt, header or window did not arrive: the board has not run it.
OFFERS = 3
# The time limits of the first and of each further attempt to enter the raw REPL: a board that boots misses the first ones.
FIRST_ATTEMPT_S = 0.5
NEXT_ATTEMPTS_S = 1.0
# How often to look for a port that disappeared.
LOOK_AGAIN_S = 0.05
# A server in between may still hold this much output of a program when the raw REPL is entered.
MAX_BACKLOG_BYTES = 4 * 1024 * 1024
# Of the output until then, this much of the beginning and of the end is examined.
LOOKED_AT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one exec printed, and its traceback (empty if it ran to its end)."""

    stdout: bytes
    stderr: bytes


class RawRepl:
    """A serial line to one MicroPython board.

    Args:
        device: a path, a pyserial URL or a Windows port name, already resolved.
        baud: bits per second.
        dtr, rts: the state of the two lines at open; None leaves pyserial's default (both asserted), which most boards need.

    Every method raises `BoardError` when the line is lost; each takes or makes a `Deadline` and never waits longer.
    """

    def __init__(self, device: str, *, baud: int = 115200, dtr: bool | None = None, rts: bool | None = None) -> None:
        # mpremote decides by the path: a PTY behind a symbolic link is 60 times slower (docs/facts/boards.md, "Pseudo-terminals").
        self.device = os.path.realpath(device) if device.startswith("/") else device
        self.log = LineLog()
        self._settings: dict[str, Any] = {"baud": baud, "dtr": dtr, "rts": rts}
        self._syncs = 0
        self.boot_interrupted = False
        self.protocol_s = PROTOCOL_S
        self._open()

    def _open(self) -> None:
        port = open_port(self.device, **self._settings)
        self._port = RecordingSerial(port, self.log)
        self._sender = CodeSender(self._port, protocol_s=self.protocol_s)
        self._errors = LineErrors(self.device, self.log)
        self.gone = False

    def stretch(self, factor: float) -> None:
        """Give a slow board more time for each step of the protocol."""
        self.protocol_s = self._sender.protocol_s = PROTOCOL_S * factor

    def let_go(self) -> None:
        """Release the port for another program, until `reopen`."""
        self.close()
        self.gone = True

    def reopen(self, find: Callable[[], str], *, deadline: Deadline) -> None:
        """Open the port again after it disappeared, under its current name.

        Args:
            find: returns its name now; raises BoardError or UsageError while there is none.

        Raises:
            BoardError: it did not come back in time, with the last reason.
        """
        self.let_go()
        while True:
            try:
                device = find()
                self.device = os.path.realpath(device) if device.startswith("/") else device
                self._open()
                return
            except (BoardError, UsageError) as error:
                if deadline.expired:
                    raise BoardError(
                        f"the port did not come back within {deadline.timeout_s:.3g} s: {error}", kind=FaultKind.LOST
                    ) from error
            # The systems have no common event for a new port, so it is looked for again.
            time.sleep(min(LOOK_AGAIN_S, deadline.remaining_s))

    def pulse_reset(self) -> bool:
        """Reset the board by a pulse on RTS. Return whether the port has such a line.

        Raises:
            BoardError: the port disappeared.
        """
        try:
            return self._port.pulse_reset()
        except OSError as error:
            raise self._failed(error) from error

    # ------------------------------------------------------------------ raw REPL

    def enter_raw_repl(self, *, deadline: Deadline) -> bytes:
        """Interrupt the running program and enter the raw REPL; wait for a board that is still booting.

        Returns:
            The output until then.

        Raises:
            BoardError: with what is at the other end: silent, in a reset loop, ignoring Ctrl-C, or not MicroPython.
        """
        seen = b""
        attempt_s = FIRST_ATTEMPT_S
        while True:
            try:
                self._port.deadline = deadline.within(attempt_s)
                seen += self._port.drain()
                self._port.write(b"\r\x03")
                self._port.write(b"\r\x01")
                seen += self._port.read_through(RAW_BANNER + b">", limit=MAX_BACKLOG_BYTES)
                seen += self._synchronise()
                self._port.unread(b">")  # exec reads the prompt
                return seen
            except (LinkTimeout, LinkFlood) as trouble:
                seen += trouble.seen
            except OSError as error:
                raise self._failed(error) from error
            if len(seen) > 2 * LOOKED_AT_BYTES:
                seen = seen[:LOOKED_AT_BYTES] + seen[-LOOKED_AT_BYTES:]
            attempt_s = NEXT_ATTEMPTS_S
            if deadline.expired:
                kind, text = what_answers(seen)
                raise BoardError(f"{self.device}: {text}", kind=kind, transcript=self.log.show(seen))

    def interrupt_exec(self, *, deadline: Deadline) -> None:
        """Send Ctrl-C to a board in the raw REPL and wait until it answers again, with its globals unchanged.

        Raises:
            BoardError: it is silent, keeps printing, restarted, or the port disappeared.
        """
        try:
            self._interrupt(deadline=deadline)
        except (LinkTimeout, LinkFlood) as trouble:
            happened = what_happened(trouble.seen)
            kind, text = happened or (
                FaultKind.NO_INTERRUPT,
                f"no raw REPL within {deadline.timeout_s:.3g} s of a Ctrl-C",
            )
            raise BoardError(f"{self.device}: {text}", kind=kind, transcript=self.log.show(trouble.seen)) from trouble

    def _interrupt(self, *, deadline: Deadline) -> None:
        """Send Ctrl-C and wait for the raw REPL.

        Raises:
            LinkTimeout, LinkFlood: it is not there.
        """
        self._port.deadline = deadline
        try:
            self._port.drain()
            self._port.write(b"\r\x03")
            self._synchronise(left_raw_repl)
        except OSError as error:
            raise self._failed(error) from error
        self._port.unread(b">")  # exec reads the prompt

    def _synchronise(self, give_up_if: Callable[[bytes], bool] | None = None) -> bytes:
        """Have the board print a unique word: all output before it belongs to an earlier request."""
        self._syncs += 1
        word = b"th-sync-%d" % self._syncs
        self._port.write(b"print('%s')\x04" % word)
        before = self._port.read_through(b"OK" + word, limit=MAX_BACKLOG_BYTES, give_up_if=give_up_if)
        self._port.read_through(b"\x04\x04>", limit=MAX_OUTPUT_BYTES)
        return before[: -len(word) - 2]

    def soft_reset(self, *, deadline: Deadline) -> bytes:
        """Soft-reset a board that is in the raw REPL; boot.py runs again, main.py does not (pyexec.c).

        Returns:
            The output of boot.py.

        Raises:
            BoardError: the board does not return to the raw REPL; `garbled` if its banner is damaged.
        """
        self._port.deadline = deadline
        try:
            self._port.drain()
            self._port.write(b"\x04")
            self._read_reset(b"soft reboot\r\n", enough=reset_damaged)
            # From here on a banner means a second start, and a friendly prompt that the raw REPL was left.
            printed = self._through_boot(deadline)
        except (LinkTimeout, LinkFlood) as trouble:
            if not deadline.expired and reset_damaged(trouble.seen):
                raise self._errors.broken("incomplete answer to a soft reset") from trouble
            kind, text = what_happened(trouble.seen) or what_answers(trouble.seen)
            raise BoardError(
                f"{self.device}: no raw REPL within {deadline.timeout_s:g} s after a soft reset: {text}",
                kind=kind,
                transcript=self.log.show(trouble.seen),
            ) from trouble
        except OSError as error:
            raise self._failed(error) from error
        self._port.unread(b">")  # exec reads the prompt
        return printed[: -len(RAW_BANNER) - 1]

    def _through_boot(self, deadline: Deadline) -> bytes:
        """Read to the raw banner. Interrupt a boot.py that takes half of the time limit: it may wait for a network forever."""
        half = self._port.deadline = deadline.within(deadline.remaining_s / 2)
        try:
            return self._read_banner()
        except LinkTimeout as blocked:
            if deadline.expired or not half.expired or banner_damaged(blocked.seen):
                raise
            self._port.unread(blocked.seen)
        self._port.deadline = deadline
        self._port.write(b"\x03")
        printed = self._read_banner()
        self.boot_interrupted = True
        return printed

    def _read_banner(self) -> bytes:
        return self._read_reset(RAW_BANNER + b">", give_up_if=restarted, enough=banner_damaged)

    def _read_reset(self, ending: bytes, **stop: Callable[[bytes], bool]) -> bytes:
        """Read through a part of the output of a soft reset; only briefly if it is damaged."""
        return self._port.read_through(ending, limit=MAX_OUTPUT_BYTES, quiet_s=self.protocol_s, **stop)

    def exec(self, code: bytes, *, deadline: Deadline) -> Output:
        """Run code on the board and wait for its end.

        Args:
            code: ASCII source; data from a file or a board may be in it only as a literal.
            deadline: for sending, running and answering together.

        Raises:
            BoardError: `timeout` when it did not end, `flood` when it never stopped printing, `reset` when the board
                restarted meanwhile, `lost` when the port disappeared, `garbled` when the protocol broke.
        """
        for _offer in range(OFFERS):
            if self._send(code, deadline=deadline):
                break
        else:
            raise self._errors.broken("the raw REPL did not accept the code")
        try:
            self._port.deadline = deadline
            stdout = self._port.read_through(
                b"\x04",
                limit=MAX_OUTPUT_BYTES,
                give_up_if=restarted,
                enough=answered,
                quiet_s=self._sender.protocol_s,
            )
            self._port.deadline = deadline.within(self._sender.protocol_s)
            stderr = self._port.read_through(b"\x04", limit=MAX_OUTPUT_BYTES, give_up_if=restarted)
        except LinkTimeout as silence:
            if deadline.expired or restarted(silence.seen):
                raise self._errors.silent(silence, deadline) from silence
            raise self._errors.broken("the end of an answer was lost") from silence
        except (LinkFlood, OSError) as error:
            raise self._failed(error) from error
        return Output(stdout=stdout[:-1], stderr=stderr[:-1])

    def _send(self, code: bytes, *, deadline: Deadline) -> bool:
        """Make the board begin to run code; return False if it has not, and the raw REPL is there again.

        Raises:
            BoardError: as `exec`; `garbled` if it is unknown whether the code runs.
        """
        try:
            self._port.deadline = deadline.within(self._sender.protocol_s)
            self._await_prompt(deadline)
            offered = self._sender.offer(code, deadline=deadline)
        except (LinkTimeout, BrokenProtocol) as trouble:
            self._take_back(trouble, deadline=deadline)
            return False
        except (LinkFlood, OSError) as error:
            raise self._failed(error) from error
        try:
            if offered:
                self._sender.end(deadline=deadline)
            else:
                self._sender.type(code, deadline=deadline)
        except LinkTimeout as silence:
            if deadline.expired or restarted(silence.seen):
                raise self._errors.silent(silence, deadline) from silence
            raise self._errors.not_taken(silence, deadline.within(self._sender.protocol_s)) from silence
        except BrokenProtocol as trouble:
            seen = self._after(trouble)
            if restarted(seen):
                raise self._errors.silent(LinkTimeout(b"", seen), deadline) from trouble
            raise self._errors.broken(str(trouble)) from trouble
        except (LinkFlood, OSError) as error:
            raise self._failed(error) from error
        return True

    def _take_back(self, trouble: LinkTimeout | BrokenProtocol, *, deadline: Deadline) -> None:
        """Get the raw REPL back after a board did not accept the code.

        Raises:
            BoardError: `timeout` for a board that is silent, `reset` for one that restarted, `lost`.
        """
        seen = self._after(trouble)
        if deadline.expired or restarted(seen):
            raise self._errors.silent(LinkTimeout(b"", seen), deadline) from trouble
        try:
            self._interrupt(deadline=deadline.within(self._sender.protocol_s))
        except (LinkTimeout, LinkFlood) as still:
            raise self._errors.silent(LinkTimeout(b"", seen + still.seen), deadline) from still

    def _after(self, trouble: LinkTimeout | BrokenProtocol) -> bytes:
        """The bytes that arrived instead of the expected ones."""
        if isinstance(trouble, LinkTimeout):
            return trouble.seen
        try:
            return self._port.linger(until=restarted)
        except OSError as gone:
            raise self._failed(gone) from gone

    def _failed(self, error: LinkFlood | OSError) -> BoardError:
        if isinstance(error, LinkFlood):
            return self._errors.flooded(error)
        fault = self._errors.lost(error)
        self.gone = self.gone or fault.kind is FaultKind.LOST
        return fault

    def _await_prompt(self, deadline: Deadline) -> None:
        """Read the prompt; if there is anything else, report a restart or find the prompt again.

        A program that printed a \\x04 of its own ends up here: its output was cut at the wrong place, and the rest is discarded.
        """
        first = self._port.read(1)
        if first == b">" and not self._port.inWaiting():
            self._port.unread(b">")  # exec takes it
            return
        noise = first + self._port.drain()
        if restarted(noise):
            raise LinkTimeout(b">", noise)
        self.enter_raw_repl(deadline=deadline)
        self._port.deadline = deadline

    def leave_raw_repl(self, *, deadline: Deadline) -> bool:
        """Interrupt and return to the friendly prompt, where users and other tools expect the board.

        Returns:
            Whether the prompt was seen in time.
        """
        while True:
            try:
                self._port.deadline = deadline.within(FIRST_ATTEMPT_S)
                self._port.drain()
                self._port.write(b"\r\x03")
                self._port.write(b"\r\x02")
                self._port.read_through(FRIENDLY_PROMPT, limit=MAX_OUTPUT_BYTES)
                return True
            except (LinkTimeout, LinkFlood):
                if deadline.expired:
                    return False
            except OSError as error:
                raise self._failed(error) from error

    def close(self) -> None:
        """Release the port. Safe to call twice and after the port disappeared."""
        try:
            self._port.close(gone=self.gone)
        except OSError:
            # The device is gone; the descriptor is still closed.
            pass
