"""A board in memory: the raw REPL of shared/runtime/pyexec.c and the agent under CPython, behind a line that can damage one byte.

Replaces pyserial's port. Time is simulated: only a read that finds nothing advances it.
"""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import CodeType
from typing import Any

from harness.boards.agent.scripts import agent_pieces, script

SLICE_S = 0.05
WINDOW = 128
BANNER = b'\r\nMicroPython v1.28.0 on 2026-04-06; a board in memory\r\nType "help()" for more information.\r\n>>> '
RAW_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
COMMENT, WRONG = ord("#"), -1
# Any other byte begins and ends nothing.
BEGINS_OR_ENDS = frozenset(b"'\"#" + bytes(range(32)))
LOG = -1
CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = range(1, 6)
# The real agent, except for network access: it answers with everything that it received.
ATTEMPT = """
th_runs = []
def th_attempt(req, blob):
    th_runs.append(req)
    given = " ".join(key + "=" + str(req[key]) for key in sorted(req) if key != "n")
    held = " ".join(th_sum(blob(name)) for name in req.get("ca") or ())
    return {"kind": "result", "text": given + " " + held, "free": [90000, None, 89000], "us": [300, 5000, 800]}
"""
AGENT = [compile(piece, "<agent>", "exec") for piece in (script("line"), *agent_pieces(), ATTEMPT)]


class Direction(StrEnum):
    """The direction of a byte."""

    TO_BOARD = "to the board"
    FROM_BOARD = "from the board"


@dataclass(frozen=True, slots=True)
class Damage:
    """What happens to one byte of an exchange: one bit of it is flipped, it is lost (None), or a log line comes before it (LOG)."""

    direction: Direction
    place: int
    bit: int | None

    def of(self, byte: int) -> bytes:
        """Return the bytes that arrive."""
        if self.bit == LOG:
            return b"I (1234) wifi:new:<1,0>, old:<1,0>\r\n" + bytes([byte])
        return b"" if self.bit is None else bytes([byte ^ 1 << self.bit])


class DamagedOnce:
    """One direction of a line on which one byte is damaged; counts what is sent (harness/boards/virtual/wires.py)."""

    def __init__(self, damage: Damage | None = None) -> None:
        self.arm(damage)

    def arm(self, damage: Damage | None) -> None:
        """Restart the count, and damage another byte."""
        self.damage, self.sent = damage, 0

    def carry(self, data: bytes) -> bytes:
        """Return the bytes that arrive of a piece."""
        begin, self.sent = self.sent, self.sent + len(data)
        if self.damage is None or not begin <= self.damage.place < self.sent:
            return data
        at = self.damage.place - begin
        return data[:at] + self.damage.of(data[at]) + data[at + 1 :]


class DamagedLine:
    """Both directions of a line."""

    def __init__(self, damage: Damage | None = None) -> None:
        self.wires = {direction: DamagedOnce() for direction in Direction}
        self.arm(damage)

    def arm(self, damage: Damage | None) -> None:
        """Restart the count, and damage another byte."""
        for direction, wire in self.wires.items():
            wire.arm(damage if damage is not None and damage.direction is direction else None)

    def has_carried(self, damage: Damage) -> bool:
        """Return whether the byte to damage has been sent."""
        return self.wires[damage.direction].sent > damage.place

    @property
    def all_damages(self) -> list[Damage]:
        """Return each bit flip and each byte loss of the bytes sent since it was armed."""
        return [
            Damage(direction, place, bit)
            for direction, wire in self.wires.items()
            for place in range(wire.sent)
            for bit in (*range(8), None)
        ]


@functools.lru_cache(maxsize=256)
def compiled(code: bytes) -> CodeType:
    """Code as it arrived; most of it arrives again and again."""
    return compile(code.decode("utf-8", "replace").replace("\0", "?"), "<stdin>", "exec")


def within(code: bytearray, before: int) -> int:
    """Return the lexical context of the code's last byte, as in py/lexer.c: a string (its quote), a comment, none (0), or invalid.

    Args:
        code: up to and including this byte.
        before: the context of the byte before.
    """
    byte = code[-1]
    if before == COMMENT:
        return 0 if byte == ord("\n") else COMMENT
    if before:
        escaped = (len(code) - 1 - len(code[:-1].rstrip(b"\\"))) % 2
        return WRONG if byte == ord("\n") else 0 if byte == before and not escaped else before
    if byte in b"'\"#":
        return byte
    return WRONG if byte < 32 and byte not in b"\t\f\r\n" else 0


class MemoryPort:
    """The port of a board at its raw prompt, with the agent loaded.

    `now` is the time; `runs` the requests that the agent ran; `names` the globals of its `__main__`.
    """

    timeout = SLICE_S
    rts = dtr = True

    def __init__(self, damage: Damage | None = None) -> None:
        self.now = 0.0
        self.line = DamagedLine(damage)
        self._arrived = bytearray(b">")
        self.names: dict[str, Any] = {"__name__": "__main__"}
        for code in AGENT:
            exec(code, self.names)
        self._board = self._raw()
        next(self._board)

    @property
    def runs(self) -> list[dict[str, Any]]:
        return self.names.get("th_runs", [])

    # ------------------------------------------------------------------ pyserial's side

    @property
    def in_waiting(self) -> int:
        return len(self._arrived)

    def read(self, size: int) -> bytes:
        if not self._arrived:
            self.now += SLICE_S
        data = bytes(self._arrived[:size])
        del self._arrived[:size]
        return data

    def write(self, data: bytes) -> int:
        for byte in self.line.wires[Direction.TO_BOARD].carry(data):
            self._board.send(byte)
        return len(data)

    def close(self) -> None:
        pass

    # ------------------------------------------------------------------ pyexec.c, which takes one byte at each yield

    def _say(self, data: bytes) -> None:
        self._arrived += self.line.wires[Direction.FROM_BOARD].carry(data)

    def _raw(self) -> Iterator[int]:
        """pyexec_raw_repl."""
        line = bytearray()
        while True:
            byte = yield 0
            if byte == CTRL_A:
                if len(line) == 2 and line[0] == CTRL_E:
                    yield from self._paste(line[1])
                    self._say(b">")
                else:
                    self._say(RAW_BANNER)
            elif byte == CTRL_B:
                self._say(BANNER)
                yield from self._friendly()
                self._say(b"\r\n" + RAW_BANNER)
            elif byte == CTRL_D:
                self._say(b"OK")
                if line:
                    self._execute(bytes(line))
                    self._say(b">")
                else:
                    self._soft_reset()
                    self._say(RAW_BANNER)
            elif byte != CTRL_C:
                line.append(byte)
                continue
            line.clear()

    def _friendly(self) -> Iterator[int]:
        """pyexec_friendly_repl, up to Ctrl-A."""
        line = bytearray()
        while (byte := (yield 0)) != CTRL_A:
            if byte == CTRL_D and not line:
                self._soft_reset()
                self._say(BANNER)
            elif byte in (CTRL_C, ord("\r")):
                wrong = byte == 13 and line.strip()
                self._say(
                    b"\r\n"
                    + (b"Traceback (most recent call last):\r\nSyntaxError: invalid syntax\r\n" if wrong else b"")
                    + b">>> "
                )
                line.clear()
            elif byte >= 32:
                line.append(byte)
                self._say(bytes([byte]))

    def _paste(self, command: int) -> Iterator[int]:
        """do_reader_stdin and mp_reader_new_stdin: invalid Python ends the reading at once, and the rest up to an end mark is dropped."""
        if command != ord("A"):
            self._say(b"R\x00")
            return
        self._say(b"R\x01" + WINDOW.to_bytes(2, "little") + b"\x01")
        code, inside = bytearray(), 0
        while (byte := (yield 0)) not in (CTRL_C, CTRL_D):
            code.append(byte)
            if len(code) % WINDOW == 0:
                self._say(b"\x01")
            if byte in BEGINS_OR_ENDS:
                inside = within(code, inside)
            if inside == WRONG:
                self._say(b"\x04")
                while (yield 0) not in (CTRL_C, CTRL_D):
                    pass
                self._end_with(SyntaxError("invalid syntax"))
                return
        self._say(b"\x04")
        if byte == CTRL_C:
            self._end_with(KeyboardInterrupt())
        else:
            self._execute(bytes(code))

    def _execute(self, code: bytes) -> None:
        """parse_compile_execute."""
        printed, failed = io.StringIO(), None
        try:
            with contextlib.redirect_stdout(printed):
                exec(compiled(code), self.names)
        except Exception as error:
            failed = error
        self._say(printed.getvalue().replace("\n", "\r\n").encode())
        self._end_with(failed)

    def _end_with(self, error: BaseException | None) -> None:
        self._say(b"\x04")
        if error is not None:
            text = (
                f'Traceback (most recent call last):\r\n  File "<stdin>", line 1\r\n{type(error).__name__}: {error}\r\n'
            )
            self._say(text.encode())
        self._say(b"\x04")

    def _soft_reset(self) -> None:
        self.names = {"__name__": "__main__"}
        self._say(b"\r\nMPY: soft reboot\r\n")
