"""Open a serial port through pyserial with given modem lines, or report why it cannot be opened.

Knows pyserial and its URLs. Must not know what is at the other end.
"""

from __future__ import annotations

import os
import socket
import warnings
from typing import Any

from harness.boards.serial.ports import refuse_if_held, why_port_failed
from harness.boards.serial.recorded_port import READ_SLICE_S, patch_close
from harness.errors import BoardError, FaultKind

# A board that accepts no bytes for this long has stopped reading.
WRITE_TIMEOUT_S = 5.0


def open_port(device: str, *, baud: int, dtr: bool | None, rts: bool | None) -> Any:
    """Open a pyserial port.

    Args:
        device: a path, a port name or a URL.
        baud: bits per second.
        dtr, rts: the state of the two lines; None leaves pyserial's default.

    Raises:
        BoardError: why it cannot be opened.
    """
    try:
        import serial
    except ImportError as error:
        raise BoardError(
            f"{device}: cannot import pyserial ({error.name} is missing)", kind=FaultKind.MISSING
        ) from error
    try:
        slice_s = 0 if device.startswith("socket://") else READ_SLICE_S
        port = serial.serial_for_url(device, do_not_open=True, baudrate=baud, timeout=slice_s)
        if "://" in device:
            patch_close(port)
        else:
            refuse_if_held(device)
            port.exclusive = True
        if not device.startswith("rfc2217://"):  # pyserial has none for it; the socket has a time limit of 5 s
            port.write_timeout = WRITE_TIMEOUT_S
        if dtr is not None:
            port.dtr = dtr
        if rts is not None:
            port.rts = rts
        with warnings.catch_warnings():
            # pyserial 3.5 rfc2217.py calls Thread.setDaemon, which fails in a suite that turns warnings into errors.
            warnings.simplefilter("ignore", DeprecationWarning)
            port.open()
        if device.startswith("socket://"):
            _send_at_once(port.fileno())
    except (OSError, ValueError, serial.SerialException) as error:
        raise why_port_failed(device, error) from error
    return port


def _send_at_once(descriptor: int) -> None:
    """Turn Nagle's algorithm off, as pyserial does for rfc2217:// only: with delayed ACKs it costs 40 ms per exec."""
    with socket.socket(fileno=os.dup(descriptor)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
