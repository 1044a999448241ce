"""The modem lines of a port: the effect of each change of DTR and RTS on the two circuits that reset ESP boards.

A stand-in for the adapter: pyserial's own code sets the lines, and the calls of the kernel that it makes are recorded. As on Linux, the
kernel raises both lines when the port is opened.
"""

from __future__ import annotations

import termios

import pytest
from serial import serialposix

from harness.boards.serial.raw_repl import RawRepl

LINES = {termios.TIOCM_DTR: "dtr", termios.TIOCM_RTS: "rts"}
SETS = {termios.TIOCMBIS: True, termios.TIOCMBIC: False}


class Adapter:
    """The lines of an adapter: (DTR, RTS) after each change, including the initial state."""

    def __init__(self) -> None:
        self.states = [(True, True)]

    def change(self, line: str, *, to: bool) -> None:
        """Set one line, as one ioctl does."""
        dtr, rts = self.states[-1]
        self.states.append((to, rts) if line == "dtr" else (dtr, to))

    def entered(self, state: tuple[bool, bool]) -> int:
        """Return how often the lines entered this state."""
        return sum(now == state != before for before, now in zip(self.states, self.states[1:], strict=False))


# Two transistors, as on every ESP board with a USB adapter: EN is low with RTS alone, GPIO0 with DTR alone.
# The USB-Serial-JTAG block does the same to the chip itself (ESP32-C3 technical reference manual, "USB-to-Serial converter").
CHIP_HELD_IN_RESET = (False, True)
BOOT_LOADER_CHOSEN = (True, False)


@pytest.fixture
def adapter(monkeypatch: pytest.MonkeyPatch) -> Adapter:
    """Use the adapter for every port that is opened."""
    made, real = Adapter(), serialposix.fcntl.ioctl

    def ioctl(descriptor: int, request: int, argument: object = 0, *more: object) -> object:
        if request in SETS and isinstance(argument, bytes):
            mask = int.from_bytes(argument, "little")
            for bit, line in LINES.items():
                if mask & bit:
                    made.change(line, to=SETS[request])
            return 0
        return real(descriptor, request, argument, *more)  # type: ignore[call-overload]  # passed on as it came

    monkeypatch.setattr(serialposix.fcntl, "ioctl", ioctl)
    return made


def test_rb11_open_and_close_reset_nothing(adapter: Adapter, pty_port: str) -> None:
    """With the defaults no board is reset, and at the close none is held in reset."""
    RawRepl(pty_port).close()
    assert adapter.entered(CHIP_HELD_IN_RESET) == 0
    assert adapter.states[-1] == (False, False)


def test_f20_rb11_both_lines_released_at_open(adapter: Adapter, pty_port: str) -> None:
    """`dtr = false, rts = false`: pyserial releases DTR first, so an ESP board with an adapter is reset, once."""
    RawRepl(pty_port, dtr=False, rts=False).close()
    assert adapter.entered(CHIP_HELD_IN_RESET) == 1
    assert adapter.states[-1] == (False, False)


@pytest.mark.parametrize("level", [None, False])
def test_rb11_pulse_resets_once(adapter: Adapter, pty_port: str, level: bool | None) -> None:
    """A reset is one pulse, which ends in the state before, and never in the boot loader."""
    link = RawRepl(pty_port, dtr=level, rts=level)
    before = adapter.states[-1]
    del adapter.states[:-1]
    assert link.pulse_reset()
    assert adapter.entered(CHIP_HELD_IN_RESET) == 1
    assert adapter.entered(BOOT_LOADER_CHOSEN) == 0
    assert adapter.states[-1] == before
    link.close()
