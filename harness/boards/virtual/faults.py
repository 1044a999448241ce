"""What a faulty board does: one table, a row per fault. Pure: bytes in, bytes out, and text for the interpreter's boot.py.

Knows the names of `--board faulty:NAME` (docs/faults.md). Must not open, start or wait for anything: harness/boards/virtual/faulty.py does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from harness.boards.agent.check_sum import check_sum

# What stands for one connection in the bytes to a board: the call of the agent (harness/boards/agent/protocol.py).
REQUEST_MARK = b'th_run(\'{"host"'
ANSWER_MARK = b"#th "
# A fault of the line strikes at this connection. The first is the session that a board begins with, so it is the second case.
STRIKES_AT = 3
# What stands in for the lab's own switches: a hook that writes these to the board's port has reset it, or switched its power.
RESET_WORD = b"\x00reset\x00"
POWER_WORD = b"\x00power\x00"
HUGE_LINE_BYTES = 10_000_000
BAUD_300_BYTES_PER_S = 30
# Nothing on a faulty board is slow by nature, so its time limits are a tenth.
TIME_LIMITS = 0.1
DAY_S = 86400
SHIFT_S = 26 * 365 * DAY_S


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
    that boot.py begins with; `time_limits` is what the board's time limits are multiplied by.
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
    text = json.dumps({**_SESSION, "n": int(found[1])})
    return f"#th {text} {check_sum(text.encode('ascii'), kind='c')}\r\n".encode("ascii")


def _no_controls(data: bytes) -> bytes:
    """Take out what a REPL acts on: Ctrl-A, Ctrl-B, Ctrl-D, Ctrl-E."""
    return data.translate(None, b"\x01\x02\x04\x05")


def _replacing(modules: str, body: str) -> str:
    """Code for boot.py that puts `th_other(real module)` in the place of some modules."""
    return f"""\
import builtins
{body}
th_real_import, th_others = __import__, {{}}
def th_import(name, *words):
    if name not in {modules}: return th_real_import(name, *words)
    if name not in th_others: th_others[name] = th_other(th_real_import(name, *words))
    return th_others[name]
builtins.__import__ = th_import
"""


# A filesystem of the interpreter's own, of a few blocks in RAM, in the place of the host's: what it refuses, it refuses itself.
_OWN_DISK = """\
try: import vfs as th_vfs
except ImportError: import os as th_vfs
import os as th_os
class th_Disk:
    def __init__(self): self.held = bytearray(64 * 512)
    def readblocks(self, number, data, offset=0):
        start = number * 512 + offset
        data[:] = memoryview(self.held)[start:start + len(data)]
    def writeblocks(self, number, data, offset=0):
        start = number * 512 + offset
        self.held[start:start + len(data)] = data
    def ioctl(self, what, argument): return {4: 64, 5: 512, 6: 0}.get(what)
th_disk = th_Disk()
th_vfs.VfsLfs2.mkfs(th_disk)
th_vfs.umount('/')
"""
_DISK_FULL = f"""\
{_OWN_DISK}
th_vfs.mount(th_disk, '/')
th_os.chdir('/')
th_number = 0
for th_size in (400, 1):
    try:
        while True:
            th_number += 1
            with open('log%d.txt' % th_number, 'w') as th_file: th_file.write('.' * th_size)
    except OSError: pass
"""
_READ_ONLY = f"{_OWN_DISK}th_vfs.mount(th_disk, '/', readonly=True)\nth_os.chdir('/')\n"
_NO_NETWORK = _replacing(
    "('socket', 'usocket')",
    """\
class th_unreachable:
    def connect(self, address): raise OSError(113)
    def settimeout(self, seconds): pass
    def close(self): pass
class th_other:
    def __init__(self, real): self.getaddrinfo = real.getaddrinfo
    def socket(self, *words): return th_unreachable()
""",
)
_NO_TLS = """\
import builtins
th_real_import = __import__
def th_import(name, *words):
    if name in ('tls', 'ssl', 'ussl'): raise ImportError("no module named '" + name + "'")
    return th_real_import(name, *words)
builtins.__import__ = th_import
"""
_WRONG_CLOCK = _replacing(
    "('time', 'utime')",
    f"""\
class th_other:
    def __init__(self, real): self.real = real
    def __getattr__(self, name): return getattr(self.real, name)
    def time(self): return self.real.time() - {SHIFT_S}
    def gmtime(self, when=None): return self.real.gmtime(self.time() if when is None else when)
    localtime = gmtime
""",
)
_SESSION = {"kind": "result", "text": "Hallo, Client!", "free": [99000, None, 99000], "us": [300, 5000, 800]}
# The third call and every later one, also after a reset: the file remembers.
_LYING = f"""\
import builtins
th_real_exec, th_names = exec, {{}}
def th_count():
    try:
        with open('calls') as f: n = int(f.read()) + 1
    except OSError:
        n = 1
    with open('calls', 'w') as f: f.write(str(n))
    return n
def th_lie(real):
    def run(text, check):
        if th_count() < {STRIKES_AT}: return real(text, check)
        answer = dict({_SESSION!r})
        answer['n'] = th_names['th_json'].loads(text)['n']
        th_names['th_say'](answer)
    return run
def th_exec(code, names):
    th_real_exec(code, names)
    if 'th_run' in names and not th_names:
        th_names.update(names)
        names['th_run'] = th_lie(names['th_run'])
builtins.exec = th_exec
"""
_CHATTY = """\
print('ets Jul 29 2019 12:21:46\\n\\nconfigsip: 0, SPIWP:0xee')
for th_line in range(300): print('I (%d) wifi:new:<1,0>, old:<1,0>, ap:<255,255>, sta:<1,0>, prof:1 >>>' % th_line)
print('{"kind":"result"} #t my sensor 3000, ready.')
"""


def _with_radio(family: str) -> str:
    """Code for boot.py behind wlan_stand_in.py: `network` and `time` are the stand-in's until it has an address.

    Its radio needs no time, so sleeping is over at once while it joins; the address that it gets is the host's own loopback.
    """
    return f"""\
import sys
import time as th_real_time
class th_Time(Clock):
    def __getattr__(self, name): return getattr(th_real_time, name)
    def sleep_ms(self, ms):
        self.now += ms
        if th_station.connected: th_real_time.sleep_ms(ms)
    def sleep(self, seconds): self.sleep_ms(int(seconds * 1000))
th_time = th_Time()
th_station = {family}(th_time, Air(), address='127.0.0.1')
sys.modules['time'] = sys.modules['utime'] = th_time
sys.modules['network'] = Network(th_station)
"""


def _radio(name: str, *, family: str, does: str) -> Fault:
    """A board with the stand-in of a WiFi radio, in range of the access point `lab` with the password `sesame`.

    Its time limits are whole: they are of the stand-in's own clock.
    """
    return Fault(name=name, does=does, boot=_with_radio(family), stand_in="wlan_stand_in", time_limits=1.0)


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
    Fault(name="lying", does="claims a session without connecting, from then on", boot=_LYING),
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
    Fault(name="disk-full", does="its filesystem has no room left (ENOSPC)", boot=_DISK_FULL),
    Fault(name="read-only", does="its filesystem is read-only (EROFS)", boot=_READ_ONLY),
    Fault(name="no-memory", does="has 20 KB of heap, too little for what runs the cases", heap_bytes=20 * 1024),
    Fault(
        name="wrong-clock",
        does="its clock is 26 years behind and cannot be set: every certificate begins in its future",
        boot=_WRONG_CLOCK,
        shift_s=SHIFT_S,
    ),
    Fault(name="no-network", does="reaches nobody (EHOSTUNREACH)", boot=_NO_NETWORK),
    Fault(name="no-tls", does="its firmware has no TLS module", boot=_NO_TLS),
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
    Fault(name="banner", does="boot.py prints 300 lines, some like a prompt or an answer", boot=_CHATTY),
    _radio("bare", family="Esp32", does="has a WiFi radio (stand-in) that boot.py leaves off, so no address"),
    _radio("wlan-esp32-1.21", family="Esp32Before122", does="joins WiFi as an ESP32 up to 1.21 (stand-in)"),
    _radio("wlan-esp32", family="Esp32", does="joins WiFi as an ESP32 from 1.22 on (stand-in)"),
    _radio("wlan-cyw43", family="Cyw43", does="joins WiFi as a Pico W or PYBD (stand-in)"),
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in _TABLE}
