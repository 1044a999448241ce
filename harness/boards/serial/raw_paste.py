"""Raw paste mode and the plain raw REPL: how code is sent to a board at its raw prompt.

Written after shared/runtime/pyexec.c (do_reader_stdin). mpremote's own stops at the first byte that a firmware logs in between, waits for
a lost window forever, and never tries raw paste again after one damaged header; it is used for boards without raw paste.
"""

from __future__ import annotations

import functools
from typing import Any

from harness.boards.serial.line_errors import MAX_OUTPUT_BYTES, answered, restarted
from harness.boards.serial.recorded_port import LinkTimeout, RecordingSerial
from harness.system.deadline import Deadline

RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n"
# The window sizes of firmware: half of the port's REPL_STDIN_BUFFER_MAX.
WINDOWS = (16, 32, 64, 128, 256, 512)
# Enough of the output between the windows to show a restart.
NOISE_BYTES = 1024
# Ends the code, so that a damaged end of the paste is part of a comment. Elsewhere it would be a syntax error: the board acknowledges the
# end, drops what follows and waits, and nothing distinguishes that from code that runs (mp_reader_stdin_close).
COMMENT = b"#"
OFFER, ACCEPTED, REFUSED = b"\x05A\x01", b"R\x01", b"R\x00>"


class BrokenProtocol(Exception):
    """The board answered with something that is not in the protocol."""


@functools.cache
def _transport_class() -> Any:
    """mpremote's transport on a port that we opened, with reads that end.

    Made at its first use: mpremote and pyserial are slow to import, and on a system that calls itself POSIX they need termios.
    """
    from mpremote.transport_serial import SerialTransport

    class Transport(SerialTransport):  # type: ignore[misc] # mpremote ships no types
        """mpremote's transport on a port that we opened, with reads that end."""

        def __init__(self, port: RecordingSerial) -> None:
            # Not super().__init__: it opens the port itself, with fixed DTR/RTS, and erases the reason when that fails.
            self.serial = port
            self.in_raw_repl = True
            self.use_raw_paste = False
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
            """Read through `ending` within the operation's deadline; it replaces mpremote's own two timeouts."""
            data: bytes = self.serial.read_through(ending, limit=MAX_OUTPUT_BYTES, give_up_if=restarted)
            return data

    return Transport


class CodeSender:
    """Sends code to a board that is at its raw prompt.

    Args:
        port: the line; its deadline is set here for each wait.
        protocol_s: how long the board may take for each step of the protocol, during which it does nothing else.
    """

    def __init__(self, port: RecordingSerial, *, protocol_s: float) -> None:
        self._port = port
        self.protocol_s = protocol_s
        self._has_raw_paste: bool | None = None

    def offer(self, code: bytes, *, deadline: Deadline) -> bool:
        """Send code in raw paste mode, all but its end; return False if this firmware has no such mode: see `type`.

        Raises:
            LinkTimeout, LinkFlood, OSError: as the port's reads and writes; nothing has run.
            BrokenProtocol: the board announces a window that no firmware has; nothing has run.
        """
        if self._has_raw_paste is False:
            return False
        self._port.write(OFFER)
        endings = (ACCEPTED,) if self._has_raw_paste else (ACCEPTED, REFUSED, RAW_BANNER + b">")
        reply = self._port.read_through(*endings, limit=MAX_OUTPUT_BYTES, give_up_if=restarted)
        self._has_raw_paste = reply.endswith(ACCEPTED)
        if self._has_raw_paste:
            self._paste(code + COMMENT, deadline=deadline)
        else:
            self._port.unread(b">")  # mpremote waits for it
        return self._has_raw_paste

    def _paste(self, code: bytes, *, deadline: Deadline) -> None:
        """Send no more than the board has room for; log output of the firmware meanwhile is ignored."""
        window = int.from_bytes(self._port.read(2), "little")
        if window not in WINDOWS:
            raise BrokenProtocol(f"a window of {window} bytes")
        # The board announces one more window than the one it begins with.
        room, sent, noise = window, 0, b""
        while sent < len(code):
            self._port.deadline = deadline.within(self.protocol_s)
            while room == 0 or self._port.inWaiting():
                try:
                    word = self._port.read(1)
                except LinkTimeout as silence:
                    raise LinkTimeout(b"\x01", noise + silence.seen) from silence
                if word == b"\x04":
                    # The board stops reading: no memory to compile the rest, or invalid Python. Its traceback follows our end.
                    self._port.unread(word)
                    return
                room += window if word == b"\x01" else 0
                noise = (noise + word)[-NOISE_BYTES:]
            piece = code[sent : sent + room]
            self._port.write(piece)
            room -= len(piece)
            sent += len(piece)

    def end(self, *, deadline: Deadline) -> None:
        """End the code that was offered: from now on it may run.

        Raises:
            LinkTimeout, LinkFlood, OSError: as the port's reads and writes; whether it runs is not known.
            BrokenProtocol: the board's confirmation of the code was lost.
        """
        self._port.deadline = deadline.within(self.protocol_s)
        self._port.write(b"\x04")
        taken = self._port.read_through(b"\x04", limit=MAX_OUTPUT_BYTES, give_up_if=restarted)
        if answered(taken):
            raise BrokenProtocol("the board's confirmation of the code was lost")

    def type(self, code: bytes, *, deadline: Deadline) -> None:
        """Send code to a raw REPL without paste mode, as mpremote does.

        Raises:
            LinkTimeout, LinkFlood, OSError: as the port's reads and writes.
            BrokenProtocol: the raw REPL ended unexpectedly; whether the code runs is not known.
        """
        from mpremote.transport import TransportError

        self._port.deadline = deadline
        try:
            _transport_class()(self._port).exec_raw_no_follow(code)
        except TransportError as error:
            raise BrokenProtocol("the raw REPL ended unexpectedly") from error
