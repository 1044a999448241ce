"""What a faulty board does: one table, a row per fault. Pure: bytes in, bytes out, and text for the interpreter's boot.py.

Knows the names of `--board faulty:NAME` (docs/faults.md). Must not open, start or wait for anything: harness/boards/virtual/faulty.py does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from harness.boards.agent.check_sum import check_sum
from harness.boards.virtual.boot_code import (
    CHATTY_BOOT,
    DISK_FULL,
    JITTER,
    LEAK,
    LYING,
    NO_MEMORY_FOR_TLS,
    NO_NETWORK,
    NO_TLS,
    READ_ONLY,
    SESSION,
    SHIFT_S,
    SLOW_BOOT,
    SLOW_BOOT_S,
    SMALL_HEAP_BYTES,
    WRONG_CLOCK,
    with_radio,
    with_sockets,
)
from harness.boards.virtual.wires import Wires, chatty_wires, lossy_wires, noisy_wires

# Bytes to a board that mark one connection: the call of the agent (harness/boards/agent/protocol.py).
REQUEST_MARK = b'th_run(\'{"host"'
ANSWER_MARK = b"#th "
# Stand-ins for the lab's own switches: a hook that writes these to the board's port resets it, or switches its power.
RESET_WORD = b"\x00reset\x00"
POWER_WORD = b"\x00power\x00"
HUGE_LINE_BYTES = 10_000_000
BAUD_300_BYTES_PER_S = 30
# A start bit, eight data bits and a stop bit. An ESP32's stdin_ringbuf of 260 bytes (ports/esp32/mphalport.c) holds 259.
BAUD_115200_BYTES_PER_S = 11520
RING_BYTES = 259
# One byte in DAMAGE_EVERY_BYTES is damaged; CHATTY_SHARE of the reads get a log line.
DAMAGE_EVERY_BYTES = 10_000
CHATTY_SHARE = 0.02
# What an ESP32 prints at 115200 baud when its reset line is released, and how long it then takes to reach its prompt.
ROM_LOG = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"configsip: 0, SPIWP:0xee\r\nmode:DIO, clock div:2\r\nload:0x3fff0030,len:4832\r\nentry 0x400805ac\r\n"
)
BOOT_S = 2.0
# The time limits of a fault that is waited for are a tenth of a real board's. A bad line is waited for no longer than a few seconds and has
# whole limits: on a busy host a limit of one second ends sessions, and a session that ended is a TLS result.
TIME_LIMITS = 0.1


class End(StrEnum):
    """The mildest recovery step that ends a fault of the line."""

    ANSWER = "the answer it corrupted"
    INTERRUPT = "Ctrl-C"
    RESET = "a hardware reset"
    POWER = "switching its power"
    NEVER = "nothing"


class Event(StrEnum):
    """What happens to the board itself."""

    RESET = "reset"
    UNPLUG = "unplug"
    REPLUG = "replug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. A field at its default behaves as on a board without a fault.

    `answer` receives one complete line of the agent, with its line end; `to_board` receives what the host sends. `endless` is printed
    after a corrupted answer. `boot` is the board's boot.py, `shift_s` how far its clock is behind. `stand_in` is the device script
    that boot.py begins with; `time_limits` multiplies the board's time limits. Active from the start: `line_bytes_per_s` is the
    speed of the line in both directions, `ring_bytes` the size of the board's input buffer, `wires` damages bytes on the line, as a
    seed determines, and `deaf_s` is how long the board does not read after opening its port has reset it.
    """

    name: str
    does: str
    ends: End = End.NEVER
    to_board: Callable[[bytes], bytes] | None = None
    answer: Callable[[bytes], bytes] | None = None
    mute: bool = False
    endless: bytes = b""
    holds_back: bool = False
    echoes: bool = False
    typed: bytes = b""
    bytes_per_s: int | None = None
    delay_s: float = 0.0
    event: Event | None = None
    restarts_on: bytes = b""
    boot: str = ""
    heap_bytes: int | None = None
    shift_s: int = 0
    stand_in: str = ""
    time_limits: float = TIME_LIMITS
    line_bytes_per_s: int | None = None
    ring_bytes: int | None = None
    wires: Callable[[int], Wires] | None = None
    deaf_s: float = 0.0

    @property
    def in_the_middle(self) -> bool:
        """Whether it occurs at a connection; the others are active from the start."""
        line = self.to_board or self.answer or self.mute or self.holds_back or self.bytes_per_s or self.delay_s
        return bool(line or self.event or self.restarts_on)


def _every_seventh(change: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    """Apply a change to every seventh byte of an answer, from its opening brace on."""

    def corrupt(line: bytes) -> bytes:
        first = len(ANSWER_MARK)
        parts = (
            change(byte) if place >= first and not (place - first) % 7 else bytes([byte])
            for place, byte in enumerate(line)
        )
        return b"".join(parts)

    return corrupt


def _claim(line: bytes) -> bytes:
    """Turn an answer that reports a failure into one that reports a session."""
    found = re.search(rb'"n": ?(\d+)', line)
    if b'"exception"' not in line or found is None:
        return line
    text = json.dumps({**SESSION, "n": int(found[1])})
    return f"#th {text} {check_sum(text.encode('ascii'), kind='c')}\r\n".encode("ascii")


def _no_controls(data: bytes) -> bytes:
    """Remove the control characters of a REPL: Ctrl-A, Ctrl-B, Ctrl-D, Ctrl-E."""
    return data.translate(None, b"\x01\x02\x04\x05")


def _radio(name: str, *, family: str, does: str) -> Fault:
    """A board with the stand-in for a WiFi radio, in range of the access point `lab` with the password `sesame`.

    Its time limits are not reduced, because the stand-in runs in real time.
    """
    return Fault(name=name, does=does, boot=with_radio(family), stand_in="wlan_stand_in", time_limits=1.0)


_TABLE = (
    Fault(
        name="silent",
        does="neither accepts nor sends bytes any more; only its power switch helps",
        ends=End.POWER,
        mute=True,
        to_board=lambda data: b"",
    ),
    Fault(
        name="flood",
        does="prints endlessly until Ctrl-C",
        ends=End.INTERRUPT,
        answer=lambda line: b"",
        endless=b"E (4711) sensor: i2c bus is stuck\r\n",
    ),
    Fault(
        name="drop",
        does="every seventh byte of its answers is lost, until Ctrl-C",
        ends=End.INTERRUPT,
        answer=_every_seventh(lambda byte: b""),
    ),
    Fault(
        name="corrupt",
        does="every seventh byte of its answers is changed, until Ctrl-C",
        ends=End.INTERRUPT,
        answer=_every_seventh(lambda byte: bytes([byte ^ 0x40])),
    ),
    Fault(name="delay", does="its output arrives 0.05 s late, from then on", delay_s=0.05),
    Fault(name="reset", does="restarts by itself, once", ends=End.ANSWER, event=Event.RESET),
    Fault(
        name="non-utf8",
        does="prints bytes that are not UTF-8 before its answers, from then on",
        answer=lambda line: b"\xff\xfe\x80 caf\xe9 \xed\xa0\x80\r\n\xf0\x28 " + line,
    ),
    Fault(
        name="half-line",
        does="stops in the middle of one answer",
        ends=End.ANSWER,
        answer=lambda line: line[: len(line) // 2],
    ),
    Fault(name="lying", does="reports a session without connecting, from then on", boot=LYING),
    Fault(
        name="huge-line",
        does="prints a line of 10 MB instead of an answer; Ctrl-C stops it",
        ends=End.INTERRUPT,
        answer=lambda line: b"x" * HUGE_LINE_BYTES + line[-1:],
    ),
    Fault(name="unplug", does="its port disappears (EIO) and does not come back", event=Event.UNPLUG),
    Fault(
        name="replug",
        does="its port disappears (EIO) and comes back under a different name",
        ends=End.ANSWER,
        event=Event.REPLUG,
    ),
    Fault(
        name="slow",
        does="its line drops to 300 baud and stays there",
        bytes_per_s=BAUD_300_BYTES_PER_S,
    ),
    Fault(
        name="stuck-raw",
        does="its REPL is stuck in raw mode and ignores Ctrl-A, Ctrl-B and Ctrl-D; a hardware reset helps",
        ends=End.RESET,
        to_board=_no_controls,
    ),
    Fault(name="disk-full", does="its filesystem is full (ENOSPC)", boot=DISK_FULL),
    Fault(name="read-only", does="its filesystem is read-only (EROFS)", boot=READ_ONLY),
    Fault(name="no-memory", does="has 20 KB of heap, too little for the agent", heap_bytes=20 * 1024),
    Fault(
        name="wrong-clock",
        does="its clock is 26 years behind and cannot be set: every certificate is not yet valid",
        boot=WRONG_CLOCK,
        shift_s=SHIFT_S,
    ),
    Fault(name="no-network", does="cannot reach any host (EHOSTUNREACH)", boot=NO_NETWORK),
    Fault(name="no-tls", does="its firmware has no TLS module", boot=NO_TLS),
    Fault(
        name="boasting",
        does="connects, and reports a session whatever the result, from then on",
        answer=_claim,
    ),
    Fault(
        name="stale-answer",
        does="holds one answer back until the next request",
        ends=End.ANSWER,
        holds_back=True,
    ),
    Fault(
        name="left-raw",
        does="leaves the raw REPL after an answer, as after a stray Ctrl-B, once",
        ends=End.ANSWER,
        answer=lambda line: line,
        typed=b"\x02",
    ),
    Fault(
        name="echo",
        does="only echoes what it receives, as with RX and TX connected",
        to_board=lambda data: b"",
        mute=True,
        echoes=True,
    ),
    Fault(
        name="ctrl-c-ignored",
        does="its program prints and ignores Ctrl-C; a hardware reset helps",
        ends=End.RESET,
        to_board=lambda data: b"",
        endless=b"KeyboardInterrupt: not now\r\n",
        bytes_per_s=1000,
    ),
    Fault(
        name="reset-loop",
        does="restarts whenever the raw REPL is requested; only its power switch helps",
        ends=End.POWER,
        event=Event.RESET,
        restarts_on=b"\x01",
    ),
    Fault(name="banner", does="boot.py prints 300 lines, some like a prompt or an answer", boot=CHATTY_BOOT),
    Fault(
        name="uart",
        does="has a UART of 115200 baud (stand-in): 11520 bytes a second each way, and a buffer of 259 bytes that drops what does not fit",
        line_bytes_per_s=BAUD_115200_BYTES_PER_S,
        ring_bytes=RING_BYTES,
        time_limits=1.0,
    ),
    Fault(
        name="noisy",
        does="one byte in 10,000 arrives with one bit flipped, in both directions (stand-in for a bad line)",
        wires=partial(noisy_wires, every_bytes=DAMAGE_EVERY_BYTES),
        time_limits=1.0,
    ),
    Fault(
        name="lossy",
        does="one byte in 10,000 is lost, in both directions (stand-in for a bad line)",
        wires=partial(lossy_wires, every_bytes=DAMAGE_EVERY_BYTES),
        time_limits=1.0,
    ),
    Fault(
        name="chatty",
        does="its firmware logs a line in 2 % of the reads, anywhere (stand-in for ESP-IDF's log)",
        wires=partial(chatty_wires, share=CHATTY_SHARE),
        time_limits=1.0,
    ),
    Fault(
        name="boot-log",
        does="opening its port resets it: a ROM log, then 2 s without reading (stand-in for an auto-reset circuit)",
        deaf_s=BOOT_S,
        time_limits=1.0,
    ),
    Fault(
        name="jitter",
        does="its free heap varies by up to 6 KB (stand-in for a heap shared with WiFi)",
        boot=JITTER,
        time_limits=1.0,
    ),
    Fault(
        name="leak",
        does="its sockets keep 200 bytes of each connection (stand-in for a driver that frees nothing)",
        boot=LEAK,
        time_limits=1.0,
    ),
    Fault(
        name="small-heap",
        does="its heap is large enough for the agent but not for TLS (stand-in): each handshake ends in OSError 12",
        boot=NO_MEMORY_FOR_TLS,
        heap_bytes=SMALL_HEAP_BYTES,
    ),
    Fault(
        name="lwip-1.23",
        does="has the lwIP sockets of firmware up to 1.23 (stand-in): connect() polls every 100 ms and fails if the peer has closed",
        boot=with_sockets("LwipSocket"),
        stand_in="lwip_stand_in",
    ),
    Fault(
        name="lwip-1.24",
        does="has the lwIP sockets of firmware from 1.24 on (stand-in): connect() polls every millisecond",
        boot=with_sockets("LwipSocketSince124"),
        stand_in="lwip_stand_in",
    ),
    Fault(
        name="slow-boot",
        does=f"its boot.py takes {SLOW_BOOT_S} s (stand-in for one that waits for WiFi)",
        boot=SLOW_BOOT,
        time_limits=1.0,
    ),
    _radio("bare", family="Esp32", does="has a WiFi radio (stand-in) that boot.py leaves off, so no address"),
    _radio("wlan-esp32-1.21", family="Esp32Before122", does="joins WiFi as an ESP32 up to 1.21 (stand-in)"),
    _radio("wlan-esp32", family="Esp32", does="joins WiFi as an ESP32 from 1.22 on (stand-in)"),
    _radio("wlan-cyw43", family="Cyw43", does="joins WiFi as a Pico W or PYBD (stand-in)"),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}
