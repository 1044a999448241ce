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

# What stands for one connection in the bytes to a board: the call of the agent (harness/boards/agent/protocol.py).
REQUEST_MARK = b'th_run(\'{"host"'
ANSWER_MARK = b"#th "
# What stands in for the lab's own switches: a hook that writes these to the board's port has reset it, or switched its power.
RESET_WORD = b"\x00reset\x00"
POWER_WORD = b"\x00power\x00"
HUGE_LINE_BYTES = 10_000_000
BAUD_300_BYTES_PER_S = 30
# A start bit, eight data bits and a stop bit. The ring of an ESP32 (ports/esp32/mphalport.c, stdin_ringbuf of 260) holds one byte less.
BAUD_115200_BYTES_PER_S = 11520
RING_BYTES = 259
# One damaged byte in so many, and the share of the reads with a log line.
DAMAGE_EVERY_BYTES = 10_000
CHATTY_SHARE = 0.02
# What an ESP32 prints at 115200 baud when its reset line is released, and how long it then takes to its prompt.
ROM_LOG = (
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"
    b"configsip: 0, SPIWP:0xee\r\nmode:DIO, clock div:2\r\nload:0x3fff0030,len:4832\r\nentry 0x400805ac\r\n"
)
BOOT_S = 2.0
# Nothing on a faulty board is slow by nature, so its time limits are a tenth.
TIME_LIMITS = 0.1


class End(StrEnum):
    """The mildest recovery step that ends a fault of the line."""

    ANSWER = "the answer it spoilt"
    INTERRUPT = "Ctrl-C"
    RESET = "a reset by its wire"
    POWER = "switching its power"
    NEVER = "nothing"


class Event(StrEnum):
    """What happens to the board itself."""

    RESET = "reset"
    UNPLUG = "unplug"
    REPLUG = "replug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. What is left at its default is as on a board in order.

    `answer` is given one whole line of the agent's, with its line end; `to_board` what the host sends. `endless` is printed again
    and again after a spoilt answer. `boot` is the board's boot.py, `shift_s` how far its clock is behind. `stand_in` is the device script
    that boot.py begins with; `time_limits` is what the board's time limits are multiplied by. From the start: `line_bytes_per_s` is the
    speed of the line both ways, `ring_bytes` what the board holds of what it has not read, `wires` damages what crosses the line, by a
    seed, and `deaf_s` is how long the board is deaf after it was reset by the opening of its port.
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
        """Whether it strikes at a connection; the others are there from the start."""
        line = self.to_board or self.answer or self.mute or self.holds_back or self.bytes_per_s or self.delay_s
        return bool(line or self.event or self.restarts_on)


def _every_seventh(change: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    """Do something to every seventh byte of an answer, from the brace that opens it."""

    def spoil(line: bytes) -> bytes:
        first = len(ANSWER_MARK)
        parts = (
            change(byte) if place >= first and not (place - first) % 7 else bytes([byte])
            for place, byte in enumerate(line)
        )
        return b"".join(parts)

    return spoil


def _claim(line: bytes) -> bytes:
    """Make a session of an answer that reports a failure."""
    found = re.search(rb'"n": (\d+)', line)
    if b'"exception"' not in line or found is None:
        return line
    text = json.dumps({**SESSION, "n": int(found[1])})
    return f"#th {text} {check_sum(text.encode('ascii'), kind='c')}\r\n".encode("ascii")


def _no_controls(data: bytes) -> bytes:
    """Take out what a REPL acts on: Ctrl-A, Ctrl-B, Ctrl-D, Ctrl-E."""
    return data.translate(None, b"\x01\x02\x04\x05")


def _radio(name: str, *, family: str, does: str) -> Fault:
    """A board with the stand-in of a WiFi radio, in range of the access point `lab` with the password `sesame`.

    Its time limits are whole: they are of the stand-in's own clock.
    """
    return Fault(name=name, does=does, boot=with_radio(family), stand_in="wlan_stand_in", time_limits=1.0)


_TABLE = (
    Fault(
        name="silent",
        does="takes no byte and sends none any more; only its power switch helps",
        ends=End.POWER,
        mute=True,
        to_board=lambda data: b"",
    ),
    Fault(
        name="flood",
        does="prints without end until Ctrl-C",
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
    Fault(name="delay", does="whatever it says arrives 0.05 s late, from then on", delay_s=0.05),
    Fault(name="reset", does="restarts by itself, once", ends=End.ANSWER, event=Event.RESET),
    Fault(
        name="non-utf8",
        does="prints bytes that are no UTF-8 in front of its answers, from then on",
        answer=lambda line: b"\xff\xfe\x80 caf\xe9 \xed\xa0\x80\r\n\xf0\x28 " + line,
    ),
    Fault(
        name="half-line",
        does="breaks one answer off in the middle",
        ends=End.ANSWER,
        answer=lambda line: line[: len(line) // 2],
    ),
    Fault(name="lying", does="claims a session without connecting, from then on", boot=LYING),
    Fault(
        name="huge-line",
        does="prints a line of 10 MB in place of an answer; Ctrl-C cuts it off",
        ends=End.INTERRUPT,
        answer=lambda line: b"x" * HUGE_LINE_BYTES + line[-1:],
    ),
    Fault(name="unplug", does="its port goes away (EIO) and does not come back", event=Event.UNPLUG),
    Fault(
        name="replug",
        does="its port goes away (EIO) and comes back under another name",
        ends=End.ANSWER,
        event=Event.REPLUG,
    ),
    Fault(
        name="slow",
        does="its line falls to 300 baud and stays there",
        bytes_per_s=BAUD_300_BYTES_PER_S,
    ),
    Fault(
        name="stuck-raw",
        does="its REPL is stuck in raw mode and ignores Ctrl-A, Ctrl-B and Ctrl-D; a reset by its wire helps",
        ends=End.RESET,
        to_board=_no_controls,
    ),
    Fault(name="disk-full", does="its filesystem has no room left (ENOSPC)", boot=DISK_FULL),
    Fault(name="read-only", does="its filesystem is read-only (EROFS)", boot=READ_ONLY),
    Fault(name="no-memory", does="has 20 KB of heap, too little for what runs the cases", heap_bytes=20 * 1024),
    Fault(
        name="wrong-clock",
        does="its clock is 26 years behind and cannot be set: every certificate begins in its future",
        boot=WRONG_CLOCK,
        shift_s=SHIFT_S,
    ),
    Fault(name="no-network", does="reaches nobody (EHOSTUNREACH)", boot=NO_NETWORK),
    Fault(name="no-tls", does="its firmware has no TLS module", boot=NO_TLS),
    Fault(
        name="boasting",
        does="connects, and claims a session whatever came of it, from then on",
        answer=_claim,
    ),
    Fault(
        name="stale-answer",
        does="keeps one answer until the next question is asked",
        ends=End.ANSWER,
        holds_back=True,
    ),
    Fault(
        name="left-raw",
        does="leaves the raw REPL behind an answer, as after a stray Ctrl-B, once",
        ends=End.ANSWER,
        answer=lambda line: line,
        typed=b"\x02",
    ),
    Fault(
        name="echo",
        does="gives back what it is sent and nothing else, as with RX and TX joined",
        to_board=lambda data: b"",
        mute=True,
        echoes=True,
    ),
    Fault(
        name="ctrl-c-ignored",
        does="its program prints and ignores Ctrl-C; a reset by its wire helps",
        ends=End.RESET,
        to_board=lambda data: b"",
        endless=b"KeyboardInterrupt: not now\r\n",
        bytes_per_s=1000,
    ),
    Fault(
        name="reset-loop",
        does="restarts whenever its raw REPL is asked for; only its power switch helps",
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
    ),
    Fault(
        name="noisy",
        does="one byte in 10,000 arrives with one bit flipped, in both directions (stand-in of a bad line)",
        wires=partial(noisy_wires, every_bytes=DAMAGE_EVERY_BYTES),
    ),
    Fault(
        name="lossy",
        does="one byte in 10,000 is lost, in both directions (stand-in of a bad line)",
        wires=partial(lossy_wires, every_bytes=DAMAGE_EVERY_BYTES),
    ),
    Fault(
        name="chatty",
        does="its firmware logs a line in 2 % of the reads, anywhere (stand-in of ESP-IDF's log)",
        wires=partial(chatty_wires, share=CHATTY_SHARE),
    ),
    Fault(
        name="boot-log",
        does="opening its port resets it: a ROM log, then 2 s in which it is deaf (stand-in of an auto-reset circuit)",
        deaf_s=BOOT_S,
        time_limits=1.0,
    ),
    Fault(name="jitter", does="its free heap varies by up to 6 KB (stand-in of a heap shared with WiFi)", boot=JITTER),
    Fault(
        name="small-heap",
        does="its heap has room for the agent and none for TLS (stand-in): each handshake ends in OSError 12",
        boot=NO_MEMORY_FOR_TLS,
        heap_bytes=SMALL_HEAP_BYTES,
    ),
    Fault(
        name="lwip-1.23",
        does="has the sockets of lwIP up to 1.23 (stand-in): connect() looks every 100 ms, and fails if the peer has ended by then",
        boot=with_sockets("LwipSocket"),
        stand_in="lwip_stand_in",
    ),
    Fault(
        name="lwip-1.24",
        does="has the sockets of lwIP from 1.24 on (stand-in): connect() looks every millisecond",
        boot=with_sockets("LwipSocketSince124"),
        stand_in="lwip_stand_in",
    ),
    Fault(
        name="slow-boot",
        does=f"its boot.py takes {SLOW_BOOT_S} s (stand-in of one that waits for WiFi)",
        boot=SLOW_BOOT,
        time_limits=1.0,
    ),
    _radio("bare", family="Esp32", does="has a WiFi radio (stand-in) that boot.py leaves off, so no address"),
    _radio("wlan-esp32-1.21", family="Esp32Before122", does="joins WiFi as an ESP32 up to 1.21 (stand-in)"),
    _radio("wlan-esp32", family="Esp32", does="joins WiFi as an ESP32 from 1.22 on (stand-in)"),
    _radio("wlan-cyw43", family="Cyw43", does="joins WiFi as a Pico W or PYBD (stand-in)"),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}
