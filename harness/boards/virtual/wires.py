"""What a bad serial line does to the bytes that cross it, one object per direction. Pure: bytes in, bytes out, chance from a generator.

Knows nothing of what the bytes mean. harness/boards/virtual/faulty.py has the line itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol


class Wire(Protocol):
    """One direction of a line."""

    def carry(self, data: bytes) -> bytes:
        """Return what arrives of a piece that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wires:
    """Both directions of a line; None carries everything as it is."""

    to_board: Wire | None = None
    from_board: Wire | None = None


class DamagingWire:
    """Damages single bytes, one in `every_bytes` on average, wherever the pieces begin and end.

    Args:
        chance: decides which bytes.
        every_bytes: the average distance.
        damage: what arrives instead of a byte.
    """

    def __init__(self, chance: Random, *, every_bytes: int, damage: Callable[[int, Random], bytes]) -> None:
        self._chance = chance
        self._every_bytes = every_bytes
        self._damage = damage
        self._intact = self._distance()

    def _distance(self) -> int:
        """How many bytes pass before the next damaged one."""
        return int(self._chance.expovariate(1 / self._every_bytes))

    def carry(self, data: bytes) -> bytes:
        """Return the piece with some bytes damaged."""
        arrived = b""
        while self._intact < len(data):
            arrived += data[: self._intact] + self._damage(data[self._intact], self._chance)
            data = data[self._intact + 1 :]
            self._intact = self._distance()
        self._intact -= len(data)
        return arrived + data


class ChattyWire:
    """Puts a text of its own into some pieces, at any place, as a second task does that writes to the same UART.

    Args:
        chance: decides which pieces, and where in them.
        share: of the pieces.
        text: makes the text.
    """

    def __init__(self, chance: Random, *, share: float, text: Callable[[Random], bytes]) -> None:
        self._chance = chance
        self._share = share
        self._text = text

    def carry(self, data: bytes) -> bytes:
        """Return the piece, perhaps with the text in it."""
        if not data or self._chance.random() >= self._share:
            return data
        place = self._chance.randint(0, len(data))
        return data[:place] + self._text(self._chance) + data[place:]


def _flipped(byte: int, chance: Random) -> bytes:
    return bytes([byte ^ 1 << chance.randrange(8)])


def _lost(_byte: int, _chance: Random) -> bytes:
    return b""


def _log_line(chance: Random) -> bytes:
    """One line of ESP-IDF's log (components/log/include/esp_log.h, LOG_FORMAT): level, ms since the start, tag."""
    return b"I (%d) wifi:new:<1,0>, old:<1,0>, ap:<255,255>, sta:<1,0>, prof:1\r\n" % chance.randint(1000, 9999)


def noisy_wires(seed: int, *, every_bytes: int) -> Wires:
    """Make a line on which single bits are flipped, in both directions."""
    return Wires(
        to_board=DamagingWire(Random(2 * seed), every_bytes=every_bytes, damage=_flipped),
        from_board=DamagingWire(Random(2 * seed + 1), every_bytes=every_bytes, damage=_flipped),
    )


def lossy_wires(seed: int, *, every_bytes: int) -> Wires:
    """Make a line on which single bytes are lost, in both directions."""
    return Wires(
        to_board=DamagingWire(Random(2 * seed), every_bytes=every_bytes, damage=_lost),
        from_board=DamagingWire(Random(2 * seed + 1), every_bytes=every_bytes, damage=_lost),
    )


def chatty_wires(seed: int, *, share: float) -> Wires:
    """Make a line on which the board's firmware logs, in a share of the pieces that are read from it."""
    return Wires(from_board=ChattyWire(Random(seed), share=share, text=_log_line))
