"""Reads that end: exactly what was asked for, or a time-out with what came instead."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest
import serial

from harness.boards.line_log import LineLog
from harness.boards.recorded_port import READ_SLICE_S, LinkFlood, LinkTimeout, RecordingSerial
from harness.deadline import Deadline


class Wire:
    """A PTY: `far` is the board's end."""

    def __init__(self) -> None:
        import pty
        import tty

        self.far, self._slave = pty.openpty()
        tty.setraw(self._slave)
        port = serial.Serial(os.ttyname(self._slave), timeout=READ_SLICE_S)
        self.port = RecordingSerial(port, LineLog())

    def say(self, data: bytes) -> None:
        os.write(self.far, data)

    def close(self) -> None:
        self.port.port.close()
        os.close(self.far)
        os.close(self._slave)


@pytest.fixture
def wire() -> Iterator[Wire]:
    """An open line."""
    made = Wire()
    yield made
    made.close()


def test_read_gives_all_or_times_out(wire: Wire) -> None:
    """mpremote takes a short read for a broken protocol, so there is none."""
    wire.port.deadline = Deadline(5)
    threading.Timer(0.1, wire.say, [b"cd"]).start()
    wire.say(b"ab")
    assert wire.port.read(4) == b"abcd"
    wire.say(b"x")
    wire.port.deadline = Deadline(0.1)
    with pytest.raises(LinkTimeout) as raised:
        wire.port.read(2)
    assert raised.value.seen == b"x"


@pytest.mark.parametrize("cut", range(1, 6))
def test_read_through_any_cut(wire: Wire, cut: int) -> None:
    """The ending is found however the bytes were cut; what follows it stays for the next read."""
    wire.port.deadline = Deadline(5)
    data = b"a<end>b"
    wire.say(data[:cut])
    threading.Timer(0.02, wire.say, [data[cut:]]).start()
    assert wire.port.read_through(b"<end>", limit=100) == b"a<end>"
    assert wire.port.read(1) == b"b"


def test_read_through_times_out_with_what_came(wire: Wire) -> None:
    """A time-out carries the bytes that came instead, and they are not seen again."""
    wire.say(b"something else")
    wire.port.deadline = Deadline(0.1)
    with pytest.raises(LinkTimeout, match=r"waited for b'<end>', saw b'something else'") as raised:
        wire.port.read_through(b"<end>", limit=100)
    assert (raised.value.awaited, raised.value.seen) == (b"<end>", b"something else")
    assert wire.port.inWaiting() == 0


def test_read_through_is_bounded(wire: Wire) -> None:
    """More than the limit without the ending is a flood."""
    wire.port.deadline = Deadline(5)
    wire.say(b"x" * 300)
    with pytest.raises(LinkFlood, match=r"more than \d+ bytes"):
        wire.port.read_through(b"<end>", limit=200)


def test_hopeless_ends_the_wait_when_the_line_is_quiet(wire: Wire) -> None:
    """The question is asked with all that came, once per news, and only when nothing more comes."""
    asked = []

    def hopeless(seen: bytes) -> bool:
        asked.append(seen)
        return b"banner" in seen

    wire.port.deadline = Deadline(20)
    wire.say(b"work")
    threading.Timer(4 * READ_SLICE_S, wire.say, [b"banner"]).start()
    with pytest.raises(LinkTimeout) as raised:
        wire.port.read_through(b"<end>", limit=100, hopeless=hopeless)
    assert raised.value.seen == b"workbanner"
    assert asked == [b"work", b"workbanner"]
    assert not wire.port.deadline.expired


def test_drain_and_unread(wire: Wire) -> None:
    """Drain takes what is there without waiting; unread puts it in front again."""
    wire.say(b"one")
    wire.port.deadline = Deadline(5)
    assert wire.port.read(1) == b"o"
    wire.port.unread(b"o")
    assert wire.port.inWaiting() == 3
    assert wire.port.drain() == b"one"
    assert wire.port.drain() == b""


def test_every_byte_is_recorded(wire: Wire) -> None:
    """Both directions are in the log, each byte once."""
    wire.port.deadline = Deadline(5)
    wire.say(b"answer>")
    wire.port.write(b"question")
    wire.port.read_through(b">", limit=100)
    wire.port.drain()
    assert wire.port.log.text() == "> question\n< answer>"


def test_close_of_a_dead_port() -> None:
    """A PTY has no modem lines, and a board that is gone none either: closing is quiet."""
    import pty

    far, slave = pty.openpty()
    port = RecordingSerial(serial.Serial(os.ttyname(slave)), LineLog())
    os.close(slave)
    os.close(far)
    port.close()
    assert not port.port.is_open
