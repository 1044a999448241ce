"""What an unrestricted ClientHello shows about a board, apart from its suites, and where it contradicts the probe. Pure."""

from __future__ import annotations

import datetime

from harness.firmware.fingerprint import families
from harness.model import BoardInfo

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
    known = families().get(family)
    version = tuple(part for part in info.version[:2] if isinstance(part, int))
    if known is None or len(version) < 2:
        return None
    if version >= (known.first or version) and version <= (known.last or version):
        return None
    return f"firmware {info.firmware} does not match its ClientHello of family {family}: {known.text}"


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
