"""Every read ends: with exactly the requested bytes, or in a timeout with the received ones."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator

import pytest
import serial

from harness.boards.serial.recorded_port import READ_SLICE_S, LinkFlood, LinkTimeout, RecordingSerial
from harness.boards.serial.transcript import LineLog
from harness.system.deadline import Deadline


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
    """mpremote takes a short read for a protocol error, so there is none."""
    wire.port.deadline = Deadline(60)
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
    """The ending is found however the bytes are split; bytes after it stay for the next read."""
    wire.port.deadline = Deadline(60)
    data = b"a<end>b"
    wire.say(data[:cut])
    threading.Timer(0.02, wire.say, [data[cut:]]).start()
    assert wire.port.read_through(b"<end>", limit=100) == b"a<end>"
    assert wire.port.read(1) == b"b"


def test_read_through_times_out_with_the_received_bytes(wire: Wire) -> None:
    """A timeout carries the received bytes, and they are not read again."""
    wire.say(b"something else")
    wire.port.deadline = Deadline(0.1)
    with pytest.raises(LinkTimeout, match=r"waited for b'<end>', saw b'something else'") as raised:
        wire.port.read_through(b"<end>", limit=100)
    assert (raised.value.awaited, raised.value.seen) == (b"<end>", b"something else")
    assert wire.port.inWaiting() == 0


def test_read_through_is_bounded(wire: Wire) -> None:
    """More than the limit without the ending is a flood."""
    wire.port.deadline = Deadline(60)
    wire.say(b"x" * 300)
    with pytest.raises(LinkFlood, match=r"more than \d+ bytes"):
        wire.port.read_through(b"<end>", limit=200)


def test_hopeless_ends_the_wait_when_the_line_is_quiet(wire: Wire) -> None:
    """The check gets all received bytes, once per new data, and only when no more arrive."""
    asked = []

    def give_up_if(seen: bytes) -> bool:
        asked.append(seen)
        return b"banner" in seen

    wire.port.deadline = Deadline(60)
    wire.say(b"work")
    threading.Timer(4 * READ_SLICE_S, wire.say, [b"banner"]).start()
    with pytest.raises(LinkTimeout) as raised:
        wire.port.read_through(b"<end>", limit=100, give_up_if=give_up_if)
    assert raised.value.seen == b"workbanner"
    assert asked == [b"work", b"workbanner"]
    assert not wire.port.deadline.expired


def test_linger(wire: Wire) -> None:
    """It ends when the bytes arrive or its time has expired, and not after the operation's deadline."""
    wire.port.deadline = Deadline(60)
    threading.Timer(0.1, wire.say, [b"set"]).start()
    wire.say(b"re")
    assert wire.port.linger(until=lambda seen: seen == b"reset", seconds=5) == b"reset"
    assert not wire.port.deadline.expired
    wire.say(b"x")
    assert wire.port.linger(until=lambda seen: False, seconds=0.1) == b"x"
    wire.port.deadline = Deadline(0.1)
    assert wire.port.linger(until=lambda seen: False, seconds=60) == b""


def test_drain_and_unread(wire: Wire) -> None:
    """drain() takes the available bytes without waiting; unread() puts them back."""
    wire.say(b"one")
    wire.port.deadline = Deadline(60)
    assert wire.port.read(1) == b"o"
    wire.port.unread(b"o")
    assert wire.port.inWaiting() == 3
    assert wire.port.drain() == b"one"
    assert wire.port.drain() == b""


def test_every_byte_is_recorded(wire: Wire) -> None:
    """Both directions are in the log, each byte once."""
    wire.port.deadline = Deadline(60)
    wire.say(b"answer>")
    wire.port.write(b"question")
    wire.port.read_through(b">", limit=100)
    wire.port.drain()
    assert wire.port.log.text() == "> question\n< answer>"


def test_close_of_a_dead_port() -> None:
    """A PTY has no modem lines, nor has a board that disappeared: closing raises nothing."""
    import pty

    far, slave = pty.openpty()
    port = RecordingSerial(serial.Serial(os.ttyname(slave)), LineLog())
    os.close(slave)
    os.close(far)
    port.close()
    assert not port.port.is_open


class Lines:
    """A simulated port with modem lines, as a USB adapter has them."""

    timeout = READ_SLICE_S

    def __init__(self, *, dtr: bool, rts: bool, fault: Exception | None = None) -> None:
        self.states = [("dtr", dtr), ("rts", rts)]
        self._fault = fault

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("dtr", "rts"):
            if self._fault is not None:
                raise self._fault
            self.states.append((name, bool(value)))
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> object:
        return dict(self.states)[name]

    def read(self, size: int = 1) -> bytes:
        return b""

    @property
    def in_waiting(self) -> int:
        return 0

    def levels(self) -> list[tuple[bool, bool]]:
        """Return DTR and RTS after each change."""
        now, seen = {"dtr": True, "rts": True}, []
        for name, value in self.states:
            now[name] = value
            seen.append((now["dtr"], now["rts"]))
        return seen[1:]


@pytest.mark.parametrize("before", [(True, True), (False, False)])
def test_reset_pulse(before: tuple[bool, bool]) -> None:
    """RTS alone resets an ESP; DTR alone would hold its GPIO0 low, which starts the boot loader. Then the lines are restored."""
    port = Lines(dtr=before[0], rts=before[1])
    assert RecordingSerial(port, LineLog()).pulse_reset()
    levels = port.levels()
    assert (False, True) in levels
    assert (True, False) not in levels
    assert levels[-1] == before


@pytest.mark.parametrize("fault", [OSError(errno.ENOTTY, "x"), OSError(errno.EINVAL, "x"), ValueError("refused")])
def test_no_lines_to_pulse(fault: Exception) -> None:
    """A port without lines, or a server that cannot set them, is not a fault."""
    assert not RecordingSerial(Lines(dtr=True, rts=True, fault=fault), LineLog()).pulse_reset()


def test_port_that_disappears_during_the_pulse() -> None:
    """This is a line fault."""
    gone = OSError(errno.EIO, "x")
    with pytest.raises(OSError, match="x") as raised:
        RecordingSerial(Lines(dtr=True, rts=True, fault=gone), LineLog()).pulse_reset()
    assert raised.value is gone


def test_closed(wire: Wire) -> None:
    """Every use of a closed port raises EIO, but it can be closed again."""
    real = wire.port.port
    wire.port.close()
    for use in (lambda: wire.port.write(b"x"), wire.port.inWaiting, wire.port.drain, lambda: wire.port.read(1)):
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            use()
    wire.port.close()
    assert not real.is_open
