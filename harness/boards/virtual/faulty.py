"""A virtual board with one fault: a second pseudo-terminal between tool and board, or another environment for the interpreter.

Knows how to make each fault of `harness.boards.virtual.faults` happen, and when. Must not know what the harness
does about it. POSIX only: pty and tty are imported where used.
"""

from __future__ import annotations

import errno
import os
import select
import sys
import threading
import time
from pathlib import Path

from harness.boards.agent.scripts import script
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.boot_code import STRIKES_AT
from harness.boards.virtual.faults import (
    ANSWER_MARK,
    POWER_WORD,
    REQUEST_MARK,
    RESET_WORD,
    ROM_LOG,
    End,
    Event,
    Fault,
)
from harness.boards.virtual.interpreter import Interpreter
from harness.boards.virtual.wires import Wires
from harness.errors import UsageError
from harness.system.private_folder import PrivateFolder

CTRL_C = b"\x03"
PENDING_LIMIT = 64 * 1024
PIECE_BYTES = 4096
# As often as a line with a speed is looked at, and a port that no tool has open.
TICK_S = 0.0003
LOOK_AGAIN_S = 0.01
# Which bytes a bad line damages.
SEED_VARIABLE = "TLS_HARNESS_LINE_SEED"
TAIL_BYTES = max(map(len, (REQUEST_MARK, RESET_WORD, POWER_WORD))) - 1
# The ends of a fault that each of these causes: a power cycle is also a reset, and a reset also an interrupt.
_ENDED_BY = {
    CTRL_C: {End.INTERRUPT},
    RESET_WORD: {End.INTERRUPT, End.ANSWER, End.RESET},
    POWER_WORD: {End.INTERRUPT, End.ANSWER, End.RESET, End.POWER},
}


class Lane:
    """Bytes in one direction, delayed as by a slow or late line. The caller passes the time."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, bytearray]] = []
        self._free_from = 0.0

    def __len__(self) -> int:
        return sum(len(data) for _due, data in self._pieces)

    def add(self, data: bytes, *, due: float) -> None:
        """Add bytes that may leave at this time."""
        if data:
            self._pieces.append((due, bytearray(data)))

    def due(self) -> float | None:
        """When the next byte may leave; None if there is none."""
        return max(self._pieces[0][0], self._free_from) if self._pieces else None

    def ready(self, now: float, *, bytes_per_s: int | None) -> bytes:
        """The bytes that may leave now: on a line with a speed those whose time has come, else a piece. They stay until `left`."""
        due = self.due()
        if due is None or due > now:
            return b""
        count = PIECE_BYTES if bytes_per_s is None else 1 + int((now - due) * bytes_per_s)
        return bytes(self._pieces[0][1][:count])

    def left(self, count: int, *, bytes_per_s: int | None) -> None:
        """Remove bytes that have left; the next may follow as fast as the line is."""
        due = max(self._pieces[0][0], self._free_from)
        self._free_from = due + count / bytes_per_s if bytes_per_s else 0.0
        del self._pieces[0][1][:count]
        if not self._pieces[0][1]:
            del self._pieces[0]

    def clear(self) -> None:
        """Drop all bytes."""
        self._pieces.clear()


def seed() -> int:
    """The seed of a bad line: the environment's, else 1.

    Raises:
        UsageError: expected an integer.
    """
    text = os.environ.get(SEED_VARIABLE) or "1"
    if not text.isdecimal():
        raise UsageError(f"{SEED_VARIABLE}={text!r}: expected a non-negative integer")
    return int(text)


def unread_bytes(terminal: str) -> int:
    """How many bytes wait at a terminal for the program that reads it; none where it is gone."""
    import fcntl
    import termios

    try:
        descriptor = os.open(terminal, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return 0
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
    finally:
        os.close(descriptor)


class FaultyBoard:
    """Run the virtual board, and stand between it and `port` until `close()`.

    Args:
        fault: what is wrong with it.
        interpreter: what the board runs.
        heap_bytes: size of its heap unless the fault sets it; None takes the virtual board's.

    `port` is a link, like one of a udev rule: it leads to the port of the board, whatever its name is at the time. `in_use` is whether
    a tool has it open, as far as the board can tell.

    Raises:
        BoardError: the interpreter does not start.
    """

    def __init__(self, fault: Fault, interpreter: Interpreter, *, heap_bytes: int | None = None) -> None:
        self.fault = fault
        self._folder = PrivateFolder("tls-harness-faulty-")
        files = self._folder.path / "files"
        files.mkdir()
        if fault.boot:
            stand_in = script(fault.stand_in) if fault.stand_in else ""
            (files / "boot.py").write_text(stand_in + fault.boot, encoding="ascii")
        self._link = self._folder.path / "port"
        self.port = str(self._link)
        try:
            self._virtual = VirtualBoard(interpreter, heap_bytes=fault.heap_bytes or heap_bytes, folder=files)
        except BaseException:
            self._folder.close()
            raise
        self._inner = os.open(self._virtual.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self._outer = self._outer_slave = -1
        self._wake_read, self._wake_write = os.pipe()
        self._to_tool, self._to_board = Lane(), Lane()
        self._requests = 0
        self._struck = self._over = self._corrupted = False
        self._tail = b""
        self._line = b""
        self._wires = Wires() if fault.wires is None else fault.wires(seed())
        self.in_use = True
        self._deaf_until = 0.0
        self._plug_in()
        self._thread = threading.Thread(target=self._serve, name=f"faulty board {fault.name}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------ the plug

    def _plug_in(self) -> None:
        import pty
        import tty

        self._outer, self._outer_slave = pty.openpty()
        tty.setraw(self._outer_slave)
        os.set_blocking(self._outer, False)
        fresh = Path(f"{self.port}.new")
        fresh.symlink_to(os.ttyname(self._outer_slave))
        fresh.replace(self._link)  # atomic: the link leads to the old or the new port
        if self.fault.deaf_s:
            # With its other end closed, the terminal tells when a tool opens it.
            os.close(self._outer_slave)
            self._outer_slave = -1
            self.in_use = False

    def _pull_out(self, *, returns: bool) -> None:
        self._link.unlink(missing_ok=True)
        gone = (self._outer, self._outer_slave)
        self._outer = self._outer_slave = -1
        self._to_tool.clear()
        self._to_board.clear()
        if returns:
            self._plug_in()  # before the old port is closed, or the new one might get its name
        for descriptor in gone:
            os.close(descriptor)

    # ------------------------------------------------------------------ the bridge

    @property
    def _active(self) -> bool:
        return self._struck and not self._over

    @property
    def _flooding(self) -> bool:
        return self._active and bool(self.fault.endless) and (self._corrupted or self.fault.answer is None)

    def _serve(self) -> None:
        while True:
            now = time.monotonic()
            if self._flooding and not self._to_tool:
                self._to_tool.add(self.fault.endless * 100, due=now)
            waits = [lane.due() for lane in (self._to_tool, self._to_board)]
            later = [due - now for due in waits if due is not None and due > now]
            reading = [self._wake_read, *((self._inner,) if len(self._to_tool) < PENDING_LIMIT else ())]
            if self._outer >= 0 and self.in_use and len(self._to_board) < PENDING_LIMIT:
                reading.append(self._outer)
            elif not self.in_use:
                later.append(LOOK_AGAIN_S)
            writing = [
                descriptor
                for descriptor, due in ((self._outer, waits[0]), (self._inner, waits[1]))
                if descriptor >= 0 and due is not None and due <= now
            ]
            ready, writable, _ = select.select(reading, writing, [], max(TICK_S, min(later)) if later else None)
            if self._wake_read in ready:
                return
            if not self.in_use:
                self._look_for_tool()
            if self._outer in writable:
                self._pass(self._outer, self._to_tool)
            if self._inner in writable:
                self._pass(self._inner, self._to_board)
            if self._inner in ready:
                self._from_board(self._read(self._inner))
            if self._outer in ready:
                self._from_tool(self._read_tool())

    @staticmethod
    def _read(descriptor: int) -> bytes:
        try:
            return os.read(descriptor, 65536)
        except BlockingIOError:
            return b""

    def _read_tool(self) -> bytes:
        """What the tool sent; a tool that closed the port is seen here, where its other end is not kept open."""
        try:
            data = self._read(self._outer)
        except OSError as error:
            if error.errno != errno.EIO or not self.fault.deaf_s:
                raise
            self.in_use = False
            return b""
        return data if time.monotonic() >= self._deaf_until else b""

    def _look_for_tool(self) -> None:
        """Reset the board if a tool has opened its port; until then what the board prints is lost."""
        self.in_use = True
        self._read_tool()
        self._to_tool.clear()
        if not self.in_use:
            return
        self._to_board.clear()
        self._to_tool.add(ROM_LOG, due=self._due())
        self._deaf_until = time.monotonic() + self.fault.deaf_s
        self._virtual.reset()

    @property
    def _bytes_per_s(self) -> int | None:
        return self.fault.bytes_per_s if self._active else self.fault.line_bytes_per_s

    def _pass(self, descriptor: int, lane: Lane) -> None:
        pace = self._bytes_per_s
        data = kept = lane.ready(time.monotonic(), bytes_per_s=pace)
        if not data:
            return
        if self.fault.ring_bytes is not None and descriptor == self._inner:
            kept = data[: max(0, self.fault.ring_bytes - unread_bytes(self._virtual.terminal))]
        try:
            count = os.write(descriptor, kept)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return
        lane.left(count if kept is data else len(data), bytes_per_s=pace)

    def _due(self) -> float:
        now = time.monotonic()
        return max(now, self._deaf_until) + (self.fault.delay_s if self._active else 0.0)

    def _from_tool(self, data: bytes) -> None:
        seen = self._tail + data
        self._tail = seen[-TAIL_BYTES:]
        for word in (CTRL_C, RESET_WORD, POWER_WORD):
            if word in (data if word == CTRL_C else seen):
                self._switch(word)
        if RESET_WORD in seen or POWER_WORD in seen:
            self._tail = b""
            return
        # A mark is counted at its end; bytes seen before are in the tail.
        self._requests += seen.count(REQUEST_MARK)
        if REQUEST_MARK in seen:
            self._tail = b""
        if self._requests >= STRIKES_AT and not self._struck and self.fault.in_the_middle:
            self._struck = True
            self._strike()
        if self._outer < 0:
            return
        if self._active and self.fault.echoes:
            self._to_tool.add(data, due=self._due())
        if self._active and self.fault.holds_back and self._line:
            self._to_tool.add(self._line, due=self._due())
            self._line, self._over = b"", True
        if self._active and self.fault.restarts_on and self.fault.restarts_on in data:
            self._virtual.reset()
            return
        if self._active and self.fault.to_board is not None:
            data = self.fault.to_board(data)
        if self._wires.to_board is not None:
            data = self._wires.to_board.carry(data)
        self._to_board.add(data, due=self._due())

    def _strike(self) -> None:
        event = self.fault.event
        if event is Event.RESET:
            self._virtual.reset()
            self._over = self.fault.ends is End.ANSWER
        elif event is not None:
            self._pull_out(returns=event is Event.REPLUG)
            self._over = event is Event.REPLUG

    def _switch(self, word: bytes) -> None:
        """Handle Ctrl-C, or the words that stand for the lab's switches."""
        if self._active and self.fault.ends in _ENDED_BY[word]:
            self._over = True
            self._line = b""
            self._to_tool.clear()
        if word != CTRL_C:
            self._to_tool.clear()
            self._to_board.clear()
            self._virtual.reset()

    def _from_board(self, data: bytes) -> None:
        if self._outer < 0 or (self._active and self.fault.mute) or self._flooding:
            return
        if self._active and self.fault.holds_back:
            data = self._held_back(data)
        elif self._active and self.fault.answer is not None:
            data = self._answers(self._line + data)
        if self._wires.from_board is not None:
            data = self._wires.from_board.carry(data)
        self._to_tool.add(data, due=self._due())

    def _held_back(self, data: bytes) -> bytes:
        """Keep everything from the answer on; return what comes before it."""
        if self._line:
            self._line += data
            return b""
        before, mark, rest = data.partition(ANSWER_MARK)
        self._line = mark + rest
        return before

    def _answers(self, data: bytes) -> bytes:
        """Spoil the complete answers in this; an incomplete one waits."""
        passed, self._line = b"", b""
        while self._active and self.fault.answer is not None:
            before, mark, rest = data.partition(ANSWER_MARK)
            line, end, behind = rest.partition(b"\n")
            if not end:
                self._line = mark + rest
                return passed + before
            passed += before + self.fault.answer(mark + line + end)
            self._corrupted = True
            self._to_board.add(self.fault.typed, due=self._due())
            data = b"" if self._flooding else behind
            self._over = self.fault.ends is End.ANSWER
        return passed + data

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Stop the board, release its port and remove what it had. Safe to call twice."""
        if self._wake_write < 0:
            return
        os.write(self._wake_write, b"x")
        self._thread.join()
        for descriptor in (self._inner, self._wake_read, self._wake_write, self._outer, self._outer_slave):
            if descriptor >= 0:
                os.close(descriptor)
        self._wake_write = -1
        self._virtual.close()
        self._folder.close()
