"""Whether a pulse on the RTS line of a port can reset the board behind it. Knows USB vendors. Opens no port."""

from __future__ import annotations

from harness.boards.serial.ports import list_ports, usb_port
from harness.errors import BoardError

# The USB-Serial-JTAG block of the ESP32-C3, C6, S3 ...: hardware that resets the chip on RTS.
ESPRESSIF_JTAG = "303a:1001"
# Vendors whose USB device is the board's own processor (or a debugger that does not forward RTS): RTS resets nothing.
NATIVE_USB_VENDORS = {
    "2e8a": "Raspberry Pi: Pico, Pico W, Pico 2 W",
    "f055": "MicroPython: pyboard, NUCLEO and other STM32, mimxrt, SAMD",
    "303a": "Espressif: TinyUSB on the ESP32-S2 and S3",
    "0483": "STMicroelectronics: also ST-LINK",
    "0d28": "Arm: DAPLink",
    "1fc9": "NXP",
    "16c0": "Teensy",
    "2341": "Arduino",
    "239a": "Adafruit",
}


def has_reset_circuit(device: str) -> bool:
    """Whether RTS may reset the board at this port. Unknown adapters may; with native USB, RTS is only a message to the board.

    Args:
        device: the port, as pyserial opens it.
    """
    if "://" in device or device.startswith("/dev/pts/"):
        return True
    try:
        port = usb_port(device, list_ports())
    except BoardError:
        return True
    if port is None or port.usb_id is None or port.usb_id == ESPRESSIF_JTAG:
        return True
    return port.usb_id.partition(":")[0] not in NATIVE_USB_VENDORS
