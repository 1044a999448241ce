"""What an unrestricted ClientHello shows about a board, apart from its suites, and where it contradicts the probe. Pure."""

from __future__ import annotations

import datetime

from harness.firmware.fingerprint import FAMILIES
from harness.model import BoardInfo

# Family -> the firmware versions it was seen with, first and last (docs/facts/micropython.md, "ClientHello families").
_SEEN: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    "A": ((1, 0), (1, 19)),
    "B": ((1, 20), (1, 22)),
    "B3": ((1, 23), (1, 23)),
    "C": ((1, 20), (1, 22)),
    "C3": ((1, 23), None),
    "E1": ((1, 0), (1, 20)),
    "E2": ((1, 21), (1, 21)),
    "E3": ((1, 22), None),
    "D": ((1, 25), None),
}
_EPOCH_2000_S = 946684800
_DAY_S = 86400
# A ClientHello and the probe are seconds apart; more is a clock of its own.
_CLOCK_TOLERANCE_S = 60


def hello_notes(info: BoardInfo) -> tuple[str, ...]:
    """Return notes: a family that does not match the firmware's version, and a clock that differs.

    Args:
        info: with `hello` and `hello_unix_s`.
    """
    return tuple(note for note in (_family_note(info), _clock_note(info)) if note is not None)


def _family_note(info: BoardInfo) -> str | None:
    hello = info.hello
    if hello is None:
        return None
    family = hello.fingerprint
    if family is None:
        return (
            "its ClientHello matches no known family: a firmware with its own TLS configuration "
            f"({len(hello.suites)} suites, record version {hello.record_version})"
        )
    first_last = _SEEN.get(family)
    version = tuple(part for part in info.version[:2] if isinstance(part, int))
    if first_last is None or len(version) < 2:
        return None
    first, last = first_last
    if version >= first and (last is None or version <= last):
        return None
    return f"firmware {info.firmware} does not match its ClientHello of family {family}: {FAMILIES[family]}"


def hello_clock_unix_s(info: BoardInfo) -> int | None:
    """The board's clock as it wrote it into ClientHello.random, or None where the firmware puts random bytes there.

    mbedTLS with MBEDTLS_HAVE_TIME sends the time in the first four bytes (RFC 5246 7.4.1.2), counted from the port's epoch.
    """
    hello = info.hello
    if hello is None or len(hello.random) < 8 or info.hello_unix_s is None:
        return None
    sent = int(hello.random[:8], 16)
    expected = [info.hello_unix_s, *([info.clock_unix_s] if info.clock_unix_s is not None else [])]
    for moment in (sent, sent + _EPOCH_2000_S):
        if any(abs(moment - clock) < _DAY_S for clock in expected):
            return moment
    return None


def _clock_note(info: BoardInfo) -> str | None:
    moment = hello_clock_unix_s(info)
    if moment is None or info.hello_unix_s is None or abs(moment - info.hello_unix_s) <= _CLOCK_TOLERANCE_S:
        return None
    shown = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"the time in its ClientHello differs from this machine's: {shown} UTC; certificates are checked against that clock"
