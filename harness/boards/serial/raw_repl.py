"""The adapter around mpremote's `SerialTransport`: the only module that moves bytes to and from a board.

Knows the raw REPL protocol (shared/runtime/pyexec.c) and pyserial; must not know TLS, cases or what the code it sends does.

What it changes in mpremote 1.27 to 1.29 (docs/facts/boards.md, "mpremote as a library"):
* `read_until` polls with `sleep(0.01)`, or blocks for ever on a PTY; ours blocks on the port itself, bounded by a `Deadline`.
* there is no overall deadline for an exec; ours is one per operation.
* "could not enter raw repl" is all it says; ours looks at the bytes and names what sits at the other end.
* DTR and RTS cannot be chosen before the port opens; ours can, per board.
"""

from __future__ import annotations

import errno
import functools
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.boards.serial.open_port import WRITE_TIMEOUT_S, open_port
from harness.boards.serial.recorded_port import LinkFlood, LinkTimeout, RecordingSerial
from harness.boards.serial.symptoms import what_answers, what_happened
from harness.boards.serial.transcript import LineLog, printable
from harness.errors import BoardError, FaultKind, UsageError
from harness.system.deadline import Deadline

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
FRIENDLY_PROMPT = b">>> "
# How long the first attempt to enter the raw REPL is given, and each that follows: a board that boots misses the first ones.
FIRST_ATTEMPT_S = 0.5
NEXT_ATTEMPTS_S = 1.0
# How often a port that went away is looked for.
LOOK_AGAIN_S = 0.05
# A reply this long is not from our agent: it sends one short line per request.
MAX_OUTPUT_BYTES = 64 * 1024
# While the raw REPL is asked for, a server between may still hold this much of what a program printed.
MAX_BACKLOG_BYTES = 4 * 1024 * 1024
# Of what a board says meanwhile, this much of the beginning and of the end is looked at.
LOOKED_AT_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What one exec printed, and its traceback (empty if it ran to its end)."""

    stdout: bytes
    stderr: bytes


@functools.cache
def _transport_class() -> Any:
    """mpremote's transport on a port that we opened, with reads that end.

    Made at its first use: mpremote and pyserial are slow to import, and on a system that calls itself POSIX they need termios.
    """
    from mpremote.transport_serial import SerialTransport

    class Transport(SerialTransport):  # type: ignore[misc] # mpremote ships no types
        """mpremote's transport on a port that we opened, with reads that end."""

        def __init__(self, device: str, port: RecordingSerial) -> None:
            # Not super().__init__: it opens the port itself, with fixed DTR/RTS, and erases the reason when that fails.
            self.serial = port
            self.device_name = device
            self.in_raw_repl = False
            self.use_raw_paste = True
            self.mounted = False
            self.is_pty = False

        def read_until(
            self,
            min_num_bytes: int,
            ending: bytes,
            timeout: float | None = 10,
            data_consumer: Any = None,
            timeout_overall: float | None = None,
        ) -> bytes:
            """Read through `ending` within the operation's deadline; mpremote's own two time-outs are superseded by it."""
            data: bytes = self.serial.read_through(ending, limit=MAX_OUTPUT_BYTES, hopeless=_restarted)
            if data_consumer is not None:
                data_consumer(data)
            return data

    return Transport


class Link:
    """A serial line to one MicroPython board.

    Args:
        device: a path, a pyserial URL or a Windows port name, already resolved.
        baud: bits per second.
        dtr, rts: the state of the two lines at open; None leaves pyserial's default (both asserted), which most boards want.

    Every method raises `BoardError` when the line is lost; each takes or makes a `Deadline` and never waits longer.
    """

    def __init__(self, device: str, *, baud: int = 115200, dtr: bool | None = None, rts: bool | None = None) -> None:
        # mpremote decides by the path: a PTY behind a symbolic link is 60 times slower (docs/facts/boards.md, "Pseudo-terminals").
        self.device = os.path.realpath(device) if device.startswith("/") else device
        self.log = LineLog()
        self._settings: dict[str, Any] = {"baud": baud, "dtr": dtr, "rts": rts}
        self._syncs = 0
        self._open()

    def _open(self) -> None:
        port = open_port(self.device, **self._settings)
        self._port = RecordingSerial(port, self.log)
        self._transport = _transport_class()(self.device, self._port)
        self.gone = False

    def let_go(self) -> None:
        """Release the port for another program, until `reopen`."""
        self.close()
        self.gone = True

    def reopen(self, find: Callable[[], str], *, deadline: Deadline) -> None:
        """Open the port again after it went away, whatever it is called then.

        Args:
            find: gives its name now; raises BoardError or UsageError while it is not there.

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
            # No system that this runs on tells of a new port in the same way: it is looked for again.
            time.sleep(min(LOOK_AGAIN_S, deadline.remaining_s))

    def pulse_reset(self) -> bool:
        """Reset the board by its RTS line, then both lines are as before; whether the port has such lines.

        Raises:
            BoardError: the port went away.
        """
        try:
            return self._port.pulse_reset()
        except OSError as error:
            raise self._lost(error) from error

    # ------------------------------------------------------------------ raw REPL

    def enter_raw_repl(self, *, deadline: Deadline) -> bytes:
        """Interrupt what runs and enter the raw REPL, waiting out a board that is still booting.

        Returns:
            What the board printed meanwhile.

        Raises:
            BoardError: with what sits at the other end: silent, looping in resets, ignoring Ctrl-C, or no MicroPython.
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
                self._transport.in_raw_repl = True
                self._port.unread(b">")  # mpremote's exec waits for the prompt
                return seen
            except (LinkTimeout, LinkFlood) as trouble:
                seen += trouble.seen
            except OSError as error:
                raise self._lost(error) from error
            if len(seen) > 2 * LOOKED_AT_BYTES:
                seen = seen[:LOOKED_AT_BYTES] + seen[-LOOKED_AT_BYTES:]
            attempt_s = NEXT_ATTEMPTS_S
            if deadline.expired:
                kind, text = what_answers(seen)
                raise BoardError(f"{self.device}: {text}", kind=kind, transcript=self.log.show(seen))

    def interrupt_exec(self, *, deadline: Deadline) -> None:
        """Send Ctrl-C to a board in the raw REPL and see that it is there again; the globals are still those from before.

        Raises:
            BoardError: it is not: it says nothing, goes on printing, restarted meanwhile, or the port went away.
        """
        self._port.deadline = deadline
        try:
            self._port.drain()
            self._port.write(b"\r\x03")
            self._synchronise(_left_raw_repl)
        except (LinkTimeout, LinkFlood) as trouble:
            happened = what_happened(trouble.seen)
            kind, text = happened or (
                FaultKind.NO_INTERRUPT,
                f"no raw REPL within {deadline.timeout_s:.3g} s of a Ctrl-C",
            )
            raise BoardError(f"{self.device}: {text}", kind=kind, transcript=self.log.show(trouble.seen)) from trouble
        except OSError as error:
            raise self._lost(error) from error
        self._transport.in_raw_repl = True
        self._port.unread(b">")  # mpremote's exec waits for the prompt

    def _synchronise(self, hopeless: Callable[[bytes], bool] | None = None) -> bytes:
        """Have the board print a word nobody else prints: whatever comes before it was meant for an earlier question."""
        self._syncs += 1
        word = b"th-sync-%d" % self._syncs
        self._port.write(b"print('%s')\x04" % word)
        before = self._port.read_through(b"OK" + word, limit=MAX_BACKLOG_BYTES, hopeless=hopeless)
        self._port.read_through(b"\x04\x04>", limit=MAX_OUTPUT_BYTES)
        return before[: -len(word) - 2]

    def soft_reset(self, *, deadline: Deadline) -> bytes:
        """Soft-reset a board that is in the raw REPL; boot.py runs again, main.py does not (pyexec.c).

        Returns:
            What boot.py printed.

        Raises:
            BoardError: when the board does not come back to the raw REPL.
        """
        self._port.deadline = deadline
        try:
            self._port.drain()
            self._port.write(b"\x04")
            self._port.read_through(b"soft reboot\r\n", limit=MAX_OUTPUT_BYTES)
            # From here on a banner is a second start, and a friendly one means that the raw REPL was left.
            printed = self._port.read_through(RAW_BANNER + b">", limit=MAX_OUTPUT_BYTES, hopeless=_restarted)
        except (LinkTimeout, LinkFlood) as trouble:
            kind, text = what_happened(trouble.seen) or what_answers(trouble.seen)
            raise BoardError(
                f"{self.device}: no raw REPL within {deadline.timeout_s:g} s after a soft reset: {text}",
                kind=kind,
                transcript=self.log.show(trouble.seen),
            ) from trouble
        except OSError as error:
            raise self._lost(error) from error
        self._port.unread(b">")  # mpremote's exec waits for the prompt
        return printed[: -len(RAW_BANNER) - 1]

    def exec(self, code: bytes, *, deadline: Deadline) -> Output:
        """Run code on the board and wait for its end.

        Args:
            code: ASCII source; nothing of what a file or a board gave may be part of it other than as a literal.
            deadline: for sending, running and answering together.

        Raises:
            BoardError: `timeout` when it did not end, `flood` when it never stopped printing, `reset` when the board
                restarted meanwhile, `lost` when the port went away, `garbled` when the protocol broke.
        """
        from mpremote.transport import TransportError

        self._port.deadline = deadline
        try:
            self._await_prompt(deadline)
            self._transport.exec_raw_no_follow(code)
            stdout = self._port.read_through(b"\x04", limit=MAX_OUTPUT_BYTES, hopeless=_restarted)[:-1]
            stderr = self._port.read_through(b"\x04", limit=MAX_OUTPUT_BYTES)[:-1]
        except LinkTimeout as silence:
            raise self._silent(silence, deadline) from silence
        except LinkFlood as flood:
            raise BoardError(
                f"{self.device}: the board printed more than {MAX_OUTPUT_BYTES // 1024} KiB without an end",
                kind=FaultKind.FLOOD,
                transcript=self.log.show(flood.seen),
            ) from flood
        except (TransportError, struct.error) as error:
            try:
                rest = self._port.linger(until=_restarted)
            except OSError as gone:
                raise self._lost(gone) from gone
            if _restarted(rest):
                raise self._silent(LinkTimeout(b"", rest), deadline) from error
            raise BoardError(
                f"{self.device}: the raw REPL broke off; bytes were lost or changed, or the board restarted",
                kind=FaultKind.GARBLED,
                transcript=self.log.text(limit=400),
            ) from error
        except OSError as error:
            raise self._lost(error) from error
        return Output(stdout=stdout, stderr=stderr)

    def _await_prompt(self, deadline: Deadline) -> None:
        """Take the prompt; if anything else is there, say that the board restarted or find the prompt again.

        A program that printed a \\x04 of its own ends up here: its output was cut at the wrong place, the rest is dropped.
        """
        first = self._port.read(1)
        if first == b">" and not self._port.inWaiting():
            self._port.unread(b">")  # mpremote waits for it
            return
        noise = first + self._port.drain()
        if _restarted(noise):
            raise LinkTimeout(b">", noise)
        self.enter_raw_repl(deadline=deadline)
        self._port.deadline = deadline

    def write_file(self, path: str, data: bytes, *, deadline: Deadline) -> None:
        """Write a file on the board's filesystem, in pieces that a small heap can take.

        Raises:
            BoardError: `filesystem` with the board's own error when the file cannot be written; else as `exec`.
        """
        pieces = [data[start : start + 256] for start in range(0, len(data), 256)]
        steps = [b"_f=open(%a,'wb')" % path, *(b"_w=_f.write(%a)" % piece for piece in pieces), b"_f.close()"]
        for step in steps:
            output = self.exec(step, deadline=deadline)
            if output.stderr:
                raise BoardError(
                    f"{self.device}: cannot write {path} on the board: {last_line(output.stderr)}",
                    kind=FaultKind.FILESYSTEM,
                    transcript=self.log.show(output.stderr),
                )

    def leave_raw_repl(self, *, deadline: Deadline) -> bool:
        """Interrupt and go back to the friendly prompt, where a person or another tool expects the board.

        Returns:
            Whether the prompt was seen in time.
        """
        self._transport.in_raw_repl = False
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
                raise self._lost(error) from error

    def close(self) -> None:
        """Release the port. Safe to call twice and after the port went away."""
        try:
            self._port.close(gone=self.gone)
        except OSError:
            # The device is gone; the descriptor is closed all the same.
            pass

    # ------------------------------------------------------------------ errors

    def _silent(self, silence: LinkTimeout, deadline: Deadline) -> BoardError:
        restart = what_happened(silence.seen)
        if restart is not None:
            kind, message = restart[0], f"{self.device}: {restart[1]}"
        else:
            kind, message = (
                FaultKind.TIMEOUT,
                f"{self.device}: the board did not answer within {deadline.timeout_s:g} s",
            )
        return BoardError(message, kind=kind, transcript=self.log.show(silence.seen))

    def _lost(self, error: OSError) -> BoardError:
        import serial

        if isinstance(error, serial.SerialTimeoutException):
            return BoardError(
                f"{self.device}: the port took no bytes for {WRITE_TIMEOUT_S:g} s: the board has stopped reading, "
                "or flow control holds the line",
                kind=FaultKind.TIMEOUT,
                transcript=self.log.text(limit=400),
            )
        self.gone = True
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        return BoardError(
            f"{self.device}: the port went away ({name}); unplugged, re-enumerated after a reset, or the far end closed it",
            kind=FaultKind.LOST,
            transcript=self.log.text(limit=400),
        )


def _restarted(seen: bytes) -> bool:
    """Whether these bytes show that the board started anew: no answer to an earlier question will come."""
    return what_happened(seen) is not None


def _left_raw_repl(seen: bytes) -> bool:
    """Whether the friendly prompt is there, or the board started anew."""
    return b"\n" + FRIENDLY_PROMPT in seen or _restarted(seen)


def last_line(traceback: bytes) -> str:
    """The last non-empty line of a MicroPython traceback, safe to show."""
    lines = [line for line in printable(traceback).splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""
