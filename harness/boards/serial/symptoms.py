"""Identify what is at the other end of a serial line from the bytes that it sent. Pure: bytes in, a kind and a sentence out.

Knows the banners of MicroPython boards and boot ROMs. Must not do I/O.
"""

from __future__ import annotations

import re

from harness.boards.serial.transcript import printable
from harness.errors import FaultKind

# One match per start of a board. ESP ROM: "rst:0x1 (POWERON_RESET)"; MicroPython: "MPY: soft reboot" / friendly banner.
_ROM_START = re.compile(rb"rst:0x[0-9a-f]+ \(([A-Z0-9_]+)\)|rst cause:(\d+)")
_SOFT_REBOOT = b"soft reboot"
_BANNER = re.compile(rb"MicroPython v?[0-9a-f][^\r\n]* on \d{4}-\d\d-\d\d; [^\r\n]+")
_VIRTUAL_DEATH = re.compile(rb"virtual board: interpreter ended \(([^)]*)\)")
_WATCHDOG = re.compile(rb"WDT|watchdog", re.IGNORECASE)
_OTHERS = (
    (re.compile(rb"Adafruit CircuitPython"), "CircuitPython, which this harness does not support"),
    (re.compile(rb"login: "), "a Linux login prompt"),
    (re.compile(rb"U-Boot"), "the U-Boot boot loader"),
    (
        re.compile(rb"waiting for download"),
        "an Espressif boot loader waiting for a download: GPIO0 is low, press reset",
    ),
    (re.compile(rb"\r\nOK\r\n"), "a modem that answers AT commands"),
    (re.compile(rb"(?:^|[\r\n])[^\r\n>]{0,60}[$#] [\^CA\x01\x03\r\n]*\Z|: (?:command )?not found"), "a shell"),
)
# What we send to enter the raw REPL, and its form on a terminal that echoes control characters.
_OUR_BYTES = frozenset(b"\r\n\x03\x01^CA")
_RESTARTED = (
    "the board restarted while it was in use: a watchdog, a brown-out, or its program calls machine.reset(). "
    "Stop the watchdog in main.py (it cannot be stopped from outside) or give the board more power"
)


def what_happened(seen: bytes) -> tuple[FaultKind, str] | None:
    """Return whether a board that was in the raw REPL has restarted; there it never shows a banner by itself.

    Args:
        seen: bytes received since a request was sent; untrusted.

    Returns:
        (kind, sentence) with `reset` or `reset-loop`, None if nothing says so.
    """
    seen = _without_our_reset(seen)
    starts = _starts(seen)
    if starts == 0:
        return None
    return (FaultKind.RESET, _restarted(seen)) if starts == 1 else (FaultKind.RESET_LOOP, _loop_sentence(seen, starts))


def _without_our_reset(seen: bytes) -> bytes:
    """Leave out the soft reset of a board that had just restarted: the Ctrl-D that ends our code reached its friendly prompt."""
    before, reboot, behind = seen.partition(_SOFT_REBOOT)
    return before + _BANNER.sub(b"", behind, count=1) if reboot and _starts(before) else seen


def _restarted(seen: bytes) -> str:
    """Report that a board restarted. How a virtual one ended is known: neither a watchdog nor its power."""
    ended = _VIRTUAL_DEATH.search(seen)
    if ended is None:
        return _RESTARTED
    return f"the interpreter of the virtual board ended ({printable(ended[1])}) and was started again"


def _starts(seen: bytes) -> int:
    """How often a board started in these bytes. One start may show a ROM log and a banner: these count once."""
    counts = (
        len(_ROM_START.findall(seen)),
        len(_VIRTUAL_DEATH.findall(seen)),
        len(_BANNER.findall(seen)),
        seen.count(_SOFT_REBOOT),
    )
    return max(counts)


def what_answers(seen: bytes) -> tuple[FaultKind, str]:
    """Name what a board (or another device) is doing, from what it sent while we tried to enter the raw REPL.

    Args:
        seen: all bytes received since the first attempt; untrusted.

    Returns:
        (kind, sentence): `silent`, `reset-loop`, `reset`, `no-interrupt`, `not-micropython`; the sentence says what to do.
    """
    if not seen.strip(b"\r\n\x00 "):
        return (
            FaultKind.SILENT,
            "no answer at all: is it a MicroPython board, powered, at this baud rate, with RX/TX the right way round? "
            "A board that waits for DTR needs dtr = true in boards.toml; one held in reset by it, dtr = false and rts = false. "
            "A program on the board that prints nothing and catches KeyboardInterrupt looks the same",
        )
    if _OUR_BYTES.issuperset(seen):
        return (
            FaultKind.NOT_MICROPYTHON,
            "it only echoes what it is sent: RX and TX are connected to each other, or the program at the other end is not MicroPython",
        )
    starts = _starts(seen)
    if starts >= 2:
        return (FaultKind.RESET_LOOP, _loop_sentence(seen, starts))
    if starts == 1 and not _BANNER.search(seen):
        return (FaultKind.RESET, _restarted(seen))
    for mark, name in _OTHERS[:1]:
        if mark.search(seen):
            return (FaultKind.NOT_MICROPYTHON, f"it answers, but it is {name}")
    if starts or b">>> " in seen or b"raw REPL" in seen or b"Traceback (most recent call last)" in seen:
        return (
            FaultKind.NO_INTERRUPT,
            "MicroPython answers, but its program continues after Ctrl-C: it catches KeyboardInterrupt or disabled it with "
            "micropython.kbd_intr(-1). Rename main.py on the board (it is never touched by the harness)",
        )
    for mark, name in _OTHERS[1:]:
        if mark.search(seen):
            return (FaultKind.NOT_MICROPYTHON, f"it answers, but it is {name}")
    if _mostly_noise(seen):
        return (
            FaultKind.NOT_MICROPYTHON,
            "it answers with unreadable bytes: is the baud rate right? (baud in boards.toml)",
        )
    if len(seen) > 400:
        return (
            FaultKind.NO_INTERRUPT,
            "it prints continuously and ignores Ctrl-C: either its program disabled Ctrl-C (micropython.kbd_intr(-1)) "
            "or it is not a MicroPython board",
        )
    first = printable((seen.strip().splitlines() or [seen])[0][:60])
    return (FaultKind.NOT_MICROPYTHON, f"it answers, but it is not MicroPython: its first line is {first!r}")


def _loop_sentence(seen: bytes, count: int) -> str:
    reasons = {(a or b).decode("ascii", "replace") for a, b in _ROM_START.findall(seen)}
    reasons |= {word.decode("ascii", "replace") for word in _VIRTUAL_DEATH.findall(seen)}
    cause = f" ({', '.join(sorted(reasons))})" if reasons else ""
    if _VIRTUAL_DEATH.search(seen):
        return f"the interpreter of the virtual board keeps ending{cause}, {count} times so far"
    if _WATCHDOG.search(seen):
        return (
            f"the board's watchdog keeps resetting it{cause}, {count} times so far: its main.py starts one, "
            "and it cannot be stopped from outside. Remove it from main.py"
        )
    return (
        f"the board is in a reset loop{cause}, {count} starts seen: its boot.py or main.py ends in a reset or a crash, "
        "or its power supply is too weak"
    )


def _mostly_noise(seen: bytes) -> bool:
    sample = seen[-400:]
    odd = sum(byte >= 127 or (byte < 32 and byte not in (7, 8, 9, 10, 13, 27)) for byte in sample)
    return odd * 3 > len(sample)
