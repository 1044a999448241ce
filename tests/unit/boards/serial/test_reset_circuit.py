"""Which boards a pulse on RTS can reset."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from serial.tools import list_ports as pyserial_ports

from harness.boards.serial.reset_circuit import has_reset_circuit


@pytest.mark.parametrize(
    ("vid", "pid", "resets"),
    [
        (0x10C4, 0xEA60, True),  # CP2102
        (0x1A86, 0x55D4, True),  # CH9102
        (0x0403, 0x6001, True),  # FTDI
        (0x303A, 0x1001, True),  # USB-Serial-JTAG
        (0x303A, 0x4001, False),  # TinyUSB on the ESP32-S3
        (0x2E8A, 0x0005, False),  # Pico
        (0xF055, 0x9800, False),  # pyboard
        (0x0483, 0x374B, False),  # ST-LINK
        (None, None, True),
    ],
)
def test_f17_reset_circuit(monkeypatch: pytest.MonkeyPatch, vid: int | None, pid: int | None, resets: bool) -> None:
    """The board's own USB passes no RTS to a reset pin; an adapter may, and so may a port that is not USB."""
    found = SimpleNamespace(device="/dev/ttyACM7", description="n/a", vid=vid, pid=pid, serial_number=None)
    monkeypatch.setattr(pyserial_ports, "comports", lambda: [found])
    assert has_reset_circuit("/dev/ttyACM7") is resets
    assert has_reset_circuit("/dev/ttyACM8")
    assert has_reset_circuit("rfc2217://bench-1:2217")
