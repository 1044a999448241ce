"""Explain the verdict `error`: what a fault of the board, the line or the harness means. One row per kind; pure.

A fault says nothing about TLS, so no rule looks at an observation: the kind of the `BoardError` decides.
"""

from __future__ import annotations

from harness.errors import BoardError, FaultKind, HarnessError
from harness.model import Explanation, Fix

PREFIX = "fault/"
# What each kind of fault means, and what helps first.
ROWS: dict[FaultKind, tuple[str, tuple[str, ...]]] = {
    FaultKind.LINK: (
        "the board or its serial line failed; this says nothing about TLS",
        ("run it again with --link-retries 1",),
    ),
    FaultKind.MISSING: (
        "there is no such port or board on this machine",
        ("plug it in, or choose one from `tls-harness boards`; the name id:SERIAL stays the same on every port",),
    ),
    FaultKind.FORBIDDEN: ("this user may not open the port", ("join the group that owns it, then log in again",)),
    FaultKind.BUSY: (
        "another program has the port open",
        ("end that program (ModemManager and brltty also open serial ports)", "wait for it with --board-wait SECONDS"),
    ),
    FaultKind.TWICE: ("two names refer to the same board", ("leave one of them out",)),
    FaultKind.SILENT: (
        "the board does not answer at all",
        ("check the cable (many carry power only), the port, and whether it is in its bootloader", "reset the board"),
    ),
    FaultKind.NOT_MICROPYTHON: (
        "the device that answers is not running MicroPython",
        ("flash MicroPython", "check the baud rate (baud in boards.toml) and whether it is the right port"),
    ),
    FaultKind.NO_INTERRUPT: (
        "the program on the board ignores Ctrl-C",
        ("rename main.py, or let it enable Ctrl-C again (micropython.kbd_intr(3))",),
    ),
    FaultKind.RESET: (
        "the board restarted during the case",
        ("check its power supply and its watchdog", "--link-retries 1"),
    ),
    FaultKind.RESET_LOOP: (
        "the board restarts again and again",
        ("check the power supply, boot.py, and whether a watchdog is fed",),
    ),
    FaultKind.TIMEOUT: (
        "the board did not finish within its time limit",
        ("slow boards: timeout_multiplier in boards.toml", "see in the transcript where it stopped"),
    ),
    FaultKind.FLOOD: (
        "the board prints continuously",
        ("stop the program that prints: a thread or timer of boot.py?",),
    ),
    FaultKind.LOST: ("the port disappeared: unplugged, or the board re-enumerated", ("check cable, hub and power",)),
    FaultKind.GARBLED: (
        "bytes were lost or changed on the line",
        ("check cable and baud rate", "check whether another program reads from the same port"),
    ),
    FaultKind.FILESYSTEM: (
        "cannot write files to the board's filesystem",
        ("free some space on it, or let the agent run from RAM",),
    ),
    FaultKind.NO_NETWORK: (
        "the board is not connected to a network, so no case was run",
        (
            "correct the network settings in boards.toml (docs/lab.md, WiFi and LAN)",
            "see what the board reports: tls-harness boards --probe SPEC",
        ),
    ),
    FaultKind.NETWORK: (
        "no TCP connection between the board and this machine; TLS was not tested",
        ("firewall, client isolation in the WiFi, wrong interface, 2.4 GHz only", "--bind, --advertise and --peer"),
    ),
    FaultKind.NO_TLS: ("this firmware has no TLS module", ("flash firmware that has one",)),
    FaultKind.AGENT: (
        "the harness's own code on the board failed",
        ("run tls-harness boards --clean SPEC, then try again",),
    ),
    FaultKind.MEMORY: (
        "too little free memory: the agent needs 8 KB of heap (64-bit: 16 KB), then a TLS session 28 to 36 KB, 16.7 KB in one piece",
        ("stop what boot.py starts, or use firmware with more heap", "heap_bytes in boards.toml, for a virtual board"),
    ),
    FaultKind.STOPPED: (
        "the test was stopped from outside",
        ("give it more time: --timeout, PYTEST_TIMEOUT; without them the harness's own limits apply",),
    ),
    FaultKind.UNHEALTHY: (
        "the board no longer behaves as it did at the start",
        ("reset it, and do not trust its results since then",),
    ),
    FaultKind.REPLACED: (
        "the board was replaced or flashed during the run; later results would be recorded under the wrong firmware",
        ("run again: the board is probed at the start", "check what else uses this board or its flash hook"),
    ),
    FaultKind.CONTRADICTION: (
        "the board reports a session that no server had; the server's record is used",
        ("deploy the agent again: tls-harness boards --clean SPEC", "check what answers at that address"),
    ),
    FaultKind.PLAN: (
        "the board did not follow the request, so the result says nothing about this case",
        (
            "deploy the agent again: tls-harness boards --clean SPEC",
            "report this line with the firmware: a setting of its TLS module may have no effect",
        ),
    ),
    FaultKind.PEER: (
        "another client was served instead of the board, so the result says nothing about the board",
        (
            "find the program that connects from the board's address: a port scanner, or a second board behind the same NAT",
            "block it: --ports A-B and a firewall",
        ),
    ),
    FaultKind.HOOK: (
        "the lab's own command for this board failed",
        ("run the command manually, with the arguments from boards.toml", "give it permission to switch that port"),
    ),
    FaultKind.FIRMWARE: (
        "the board does not run the firmware that --firmware asks for, so no case was run with it",
        (
            "run the flash hook of boards.toml manually, with this version, and read what it prints",
            "correct the version of --firmware: it must be that of sys.implementation.version",
        ),
    ),
    FaultKind.QUARANTINED: (
        "the board had a fault from which no step recovered it, so its other cases were not run",
        ("see the first case that is `error`: it lists the recovery steps", "a power_cycle hook in boards.toml"),
    ),
    FaultKind.SERVER: (
        "the server side of the harness failed",
        ("read the reason: ports, memory or file descriptors of this machine",),
    ),
}


def explain_error(error: HarnessError, *, faults: tuple[str, ...] = ()) -> Explanation:
    """Explain an error of the harness: a board's by its kind, any other as one of the server side."""
    return explain_fault(error.kind if isinstance(error, BoardError) else FaultKind.SERVER, str(error), faults=faults)


def explain_fault(kind: FaultKind, reason: str, *, faults: tuple[str, ...] = ()) -> Explanation:
    """Explain a fault.

    Args:
        kind: of the `BoardError`; `server` for a `ServerError`.
        reason: its message, which names board and step; the result carries it, so it is not part of the evidence.
        faults: the messages of earlier attempts at the same case.

    Returns:
        An explanation with the rule `fault/<kind>`.
    """
    title, fixes = ROWS[kind]
    return Explanation(
        rule=f"{PREFIX}{kind}",
        title=title,
        why=tuple(dict.fromkeys(fault for fault in faults if fault != reason)),
        fixes=tuple(Fix(title=text) for text in fixes),
    )
