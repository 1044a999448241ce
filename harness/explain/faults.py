"""The verdict `error`: what a fault of the board, the line or the harness means, and what to do. One row per kind; pure.

A fault says nothing about TLS, so no rule looks at an observation here: the kind of the `BoardError` decides.
"""

from __future__ import annotations

from harness.errors import BoardError, HarnessError
from harness.model import Explanation, Fix

PREFIX = "fault/"
_UNKNOWN = ("the board or its line failed; this says nothing about TLS", ("run it again with --link-retries 1",))
# kind of harness.errors.BoardError -> what it means, and what helps first.
_ROWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "missing": (
        "there is no such port or board on this machine",
        (
            "look at what is there: tls-harness boards",
            "plug it in again; name it by id:SERIAL, which survives a new port",
        ),
    ),
    "forbidden": ("this user may not open the port", ("join the group that owns it, then log in again",)),
    "busy": (
        "somebody else has the port",
        ("end that program (ModemManager and brltty take serial ports too)", "wait for it with --board-wait SECONDS"),
    ),
    "twice": ("two names lead to one board", ("leave one of them out",)),
    "silent": (
        "the board answers nothing at all",
        ("check the cable (many carry power only), the port, and whether it is in its bootloader", "reset the board"),
    ),
    "not-micropython": (
        "what answers there is no MicroPython",
        ("flash MicroPython", "check the baud rate (baud in boards.toml) and whether it is the right port"),
    ),
    "no-interrupt": (
        "the program on the board does not let itself be interrupted",
        ("rename main.py, or let it leave Ctrl-C alone (micropython.kbd_intr(3))",),
    ),
    "reset": ("the board restarted in the middle", ("check its power supply and its watchdog", "--link-retries 1")),
    "reset-loop": ("the board restarts again and again", ("check power and boot.py; a watchdog that nobody feeds",)),
    "timeout": (
        "the board did not come to an end in its time",
        ("slow boards: timeout_multiplier in boards.toml", "look at the transcript for where it stopped"),
    ),
    "flood": ("the board prints without an end", ("stop the program that prints: a thread or timer of boot.py?",)),
    "lost": ("the port went away: unplugged, or the board re-enumerated", ("check cable, hub and power",)),
    "garbled": (
        "bytes were lost or changed on the line",
        ("check cable and baud rate", "another program on the same port reads away what is meant for us"),
    ),
    "filesystem": ("the board's file system takes no file", ("make room on it, or let the agent run from RAM",)),
    "network": (
        "the board and this machine do not reach each other: no TCP connection, so no word about TLS",
        ("firewall, client isolation in the WiFi, wrong interface, 2.4 GHz only", "--bind, --advertise and --peer"),
    ),
    "no-tls": ("this firmware has no TLS module", ("flash a firmware that has one",)),
    "agent": ("the harness's own code on the board failed", ("tls-harness boards --clean SPEC, then again",)),
    "memory": (
        "the board has too little free memory for what runs the cases: 8 KB of heap, 16 KB on a 64-bit interpreter",
        ("end what boot.py starts; a firmware with more heap", "heap_bytes in boards.toml, for a virtual board"),
    ),
    "stopped": (
        "the test was ended from outside, in the middle",
        ("give it more time: --timeout, PYTEST_TIMEOUT; without them the harness's own limits come first",),
    ),
    "sick": ("the board no longer does what it did at first", ("reset it; its results since then are in doubt",)),
    "lying": (
        "the board claims a session that no server had: the server's record decides",
        ("let the harness deploy its agent anew: tls-harness boards --clean SPEC", "look who answers at that address"),
    ),
    "hook": (
        "the lab's own command for this board failed",
        ("run it by hand, with the words as boards.toml has them", "give it the right to switch that port"),
    ),
    "set-aside": (
        "the board met a fault from which nothing brought it back, so its other cases were not tried",
        ("look at the first case that is `error`: its steps say what was tried", "a power_cycle hook in boards.toml"),
    ),
    "server": (
        "the server side of the harness failed",
        ("read the reason: ports, memory, descriptors of this machine",),
    ),
}


def explain_error(error: HarnessError, *, faults: tuple[str, ...] = ()) -> Explanation:
    """Say what an error of the harness means: by its kind that of a board, else one of the server side."""
    return explain_fault(error.kind if isinstance(error, BoardError) else "server", str(error), faults=faults)


def explain_fault(kind: str, reason: str, *, faults: tuple[str, ...] = ()) -> Explanation:
    """Say what a fault means.

    Args:
        kind: of the `BoardError`; `server` for a `ServerError`.
        reason: its message, which names board and step.
        faults: the messages of earlier tries of the same case.

    Returns:
        An explanation with the rule `fault/<kind>`; `fault/other` for a kind that has no row. The reason itself is the result's own.
    """
    title, fixes = _ROWS.get(kind, _UNKNOWN)
    why = tuple(dict.fromkeys(fault for fault in faults if fault != reason))
    return Explanation(
        rule=f"{PREFIX}{kind if kind in _ROWS else 'other'}",
        title=title,
        why=why,
        fixes=tuple(Fix(title=text) for text in fixes),
    )


def kinds() -> tuple[str, ...]:
    """The kinds that have a row."""
    return tuple(_ROWS)
