"""Bad lines: how much they damage, and that a seed determines what."""

from __future__ import annotations

import re
from random import Random

import pytest

from harness.boards.virtual.wires import ChattyWire, DamagingWire, Wires, chatty_wires, lossy_wires, noisy_wires

SENT = bytes(range(256)) * 4000
EVERY = 10_000
LOG_LINE = rb"I \(\d{4}\) wifi:[^\r\n]*\r\n"


def carried(wire, *, piece_bytes: int) -> bytes:
    """Return what arrives of SENT, sent in pieces."""
    return b"".join(wire.carry(SENT[at : at + piece_bytes]) for at in range(0, len(SENT), piece_bytes))


@pytest.mark.parametrize("direction", ["to_board", "from_board"])
def test_one_flipped_bit_in_10_000_bytes(direction: str) -> None:
    """About a hundred bytes of a million arrive with exactly one other bit."""
    arrived = carried(getattr(noisy_wires(1, every_bytes=EVERY), direction), piece_bytes=97)
    changed = [sent ^ came for sent, came in zip(SENT, arrived, strict=True) if sent != came]
    assert 70 <= len(changed) <= 140
    assert {bits.bit_count() for bits in changed} == {1}
    assert len(set(changed)) == 8


@pytest.mark.parametrize("direction", ["to_board", "from_board"])
def test_one_lost_byte_in_10_000(direction: str) -> None:
    """About a hundred bytes of a million do not arrive; all others arrive unchanged."""
    arrived = carried(getattr(lossy_wires(1, every_bytes=EVERY), direction), piece_bytes=97)
    assert 70 <= len(SENT) - len(arrived) <= 140


@pytest.mark.parametrize("make", [noisy_wires, lossy_wires])
def test_a_seed_decides(make) -> None:
    """The same seed damages the same bytes, however they are split; another seed or direction damages others."""
    one = carried(make(1, every_bytes=EVERY).to_board, piece_bytes=97)
    assert carried(make(1, every_bytes=EVERY).to_board, piece_bytes=1) == one
    assert carried(make(2, every_bytes=EVERY).to_board, piece_bytes=97) != one
    assert carried(make(1, every_bytes=EVERY).from_board, piece_bytes=97) != one


def test_a_log_line_in_one_read_of_fifty() -> None:
    """Without the log lines the board's output is unchanged; nothing is inserted in the other direction or into empty data."""
    wires = chatty_wires(1, share=0.02)
    assert wires.to_board is None
    arrived = carried(wires.from_board, piece_bytes=100)
    assert re.sub(LOG_LINE, b"", arrived) == SENT
    assert 130 <= len(re.findall(LOG_LINE, arrived)) <= 290
    always = ChattyWire(Random(1), share=1, text=lambda _chance: b"!")
    assert always.carry(b"") == b""


def test_a_log_line_comes_anywhere() -> None:
    """A log line appears before, after and within the board's output."""
    wire = ChattyWire(Random(1), share=1, text=lambda _chance: b"!")
    assert {wire.carry(b"ab") for _ in range(30)} == {b"!ab", b"a!b", b"ab!"}


def test_nothing_else_is_touched() -> None:
    """A line without damage transmits everything unchanged, and an empty piece stays empty."""
    wire = DamagingWire(Random(1), every_bytes=10**12, damage=lambda _byte, _chance: b"")
    assert carried(wire, piece_bytes=1000) == SENT
    assert wire.carry(b"") == b""
    assert Wires() == Wires(to_board=None, from_board=None)
