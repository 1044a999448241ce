"""The error numbers in a text: only where the text says that a number is one. And every name that such a number has.

Knows how MicroPython, mbedTLS, axTLS, esp-idf and Arduino print their numbers; must not know what an error means.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum

from harness.oracle.client_errors import AXTLS_NAMES
from harness.oracle.errnos import errno_name, is_plausible_on_socket, resolver_name
from harness.oracle.mbedtls_errors import error_name, low_level_name
from harness.wire.alerts import alert_code, alert_name

# MicroPython's own rule: mbedTLS numbers from -1 to -255 are raised as a positive errno (mbedtls_raise_error).
FOLDED = 256
_LARGEST_ALERT = 121
# No high-level error of mbedTLS is nearer to zero.
_HIGH_LEVEL = 0x1080
_WRAP = 1 << 32
_PREFIX = "MBEDTLS_ERR_"

_HEX = r"-?0[xX][0-9a-fA-F]{1,16}"
_DECIMAL = r"-?\d{1,20}"
_ANY = rf"({_HEX}|{_DECIMAL})(?![\w.])"
_NEGATIVE = rf"({_HEX}|-\d{{1,20}})(?![\w.])"
_PRINTED_HEX = re.compile(r"mbedtls_\w{1,40}\s{1,3}error:\s{0,3}-([0-9a-fA-F]{1,4})\b", re.IGNORECASE)
_AXTLS_STATUS = re.compile(r"ssl_handshake_status:?\s{0,3}(-\d{1,4})\b", re.IGNORECASE)
# OSError and errno are followed by a number of either sign, other words for a failure by a negative one only.
_OSERROR = re.compile(rf"\b(?:OSError|errno)\b[\s:(\[=]{{0,6}}(?:Errno\s{{0,2}})?{_ANY}", re.IGNORECASE)
_FAILURE = re.compile(
    rf"\b(?:error|err|exception|failed|failure|returned|returns?|ret|rc|code|status)\b(?:[\s:=(#]{{1,4}}(?:code|with|is|was|number)\b)?"
    rf"[\s:=(\[]{{1,4}}{_NEGATIVE}",
    re.IGNORECASE,
)
_EXCEPTION = re.compile(rf"\bexception\b[\w \t]{{1,40}}:\s{{0,3}}\(?{_NEGATIVE}", re.IGNORECASE)
_ARDUINO = re.compile(r"\((-\d{1,5})\)\s+[A-Z]")
_NEGATIVE_HEX = re.compile(r"(?<![\w.])(-0[xX][0-9a-fA-F]{1,8})\b")
_LARGE_NEGATIVE = re.compile(r"(?<![\w.:-])(-\d{4,5})(?![\w.:-])")
_ALONE = re.compile(rf"\s*[\[(]?\s*{_ANY}\s*(?:,\s*\)|,.{{0,200}}|[\])])?\s*")
_NAME = re.compile(r"[\s,\])]{1,4}['\"]?([A-Z][A-Za-z0-9_+]{2,80})")


class Source(StrEnum):
    """Who printed a number."""

    MICROPYTHON = "micropython"
    C_PROGRAM = "c"
    AXTLS = "axtls"


@dataclass(frozen=True, slots=True)
class ErrorNumber:
    """One number: its value with the sign that its library gives it, who printed it, and the name printed after it."""

    value: int
    source: Source
    name: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a number, by table."""

    mbedtls: tuple[str, ...] = ()
    axtls: str = ""
    errno: tuple[str, ...] = ()
    alert: int | None = None


def numbers_in(line: str, *, c_program: bool = False) -> tuple[ErrorNumber, ...]:
    """Return the error numbers of one line, in its order.

    Args:
        line: one line of pasted text.
        c_program: whether a C program of a microcontroller printed it.
    """
    found: dict[int, ErrorNumber] = {}
    for match in _PRINTED_HEX.finditer(line):
        found[match.start(1)] = ErrorNumber(-int(match[1], 16), Source.C_PROGRAM)
    if found:
        return tuple(found.values())
    for match in _AXTLS_STATUS.finditer(line):
        found[match.start(1)] = ErrorNumber(int(match[1]), Source.AXTLS)
    if found:
        return tuple(found.values())
    for pattern in (_OSERROR, _FAILURE, _EXCEPTION, _ARDUINO, _NEGATIVE_HEX, _LARGE_NEGATIVE):
        for match in pattern.finditer(line):
            in_c = c_program and pattern is not _OSERROR
            if pattern is _LARGE_NEGATIVE and not _is_known(int(match[1])):
                continue
            found.setdefault(match.start(1), _number(match, source=Source.C_PROGRAM if in_c else Source.MICROPYTHON))
    alone = _ALONE.fullmatch(line)
    if alone and not found:
        found[0] = _number(alone, source=Source.MICROPYTHON)
    return tuple(found[at] for at in sorted(found))


def _number(match: re.Match[str], *, source: Source) -> ErrorNumber:
    text = match[1]
    value = int(text, 16 if "x" in text.lower() else 10)
    if _WRAP // 2 <= value < _WRAP:
        value -= _WRAP
    if value >= FOLDED:
        value = -value  # people leave out the sign of a library's number
    if -FOLDED < value < 0 and "x" in text.lower():
        source = Source.C_PROGRAM  # axTLS and errno are printed in decimal
    name = _NAME.match(match.string, match.end(1))
    return ErrorNumber(value, source, name[1] if name else "")


def _is_known(value: int) -> bool:
    return value <= -_HIGH_LEVEL and bool(_library(value))


def names_of(number: ErrorNumber) -> Names:
    """Return the names that a number can have where it was printed; a name in the text decides."""
    said = number.name.upper().removeprefix("SSL_").removeprefix("ERR_")
    if number.value in AXTLS_NAMES and (said == AXTLS_NAMES[number.value] or number.source is Source.AXTLS):
        return Names(axtls=AXTLS_NAMES[number.value])
    if number.source is Source.AXTLS:
        return _axtls_alert(number.value)
    if number.value <= -FOLDED:
        axtls = AXTLS_NAMES.get(number.value, "")
        resolver = resolver_name(number.value)
        return Names(mbedtls=_library(number.value), axtls=axtls, errno=(resolver,) if resolver else ())
    if number.source is Source.C_PROGRAM:
        return _c_program(number.value)
    return _folded(number.value, said=said) if number.value >= 0 else _small(number.value, said=said)


def _library(value: int) -> tuple[str, ...]:
    """Return the mbedTLS names of a number in the generations that MicroPython has used, the newest first."""
    return tuple(
        dict.fromkeys(name.replace(_PREFIX, "") for name in map(library_name, (value,) * 2, ("3.6", "2.28")) if name)
    )


def library_name(value: int, version: str) -> str | None:
    """Return the name in one generation of mbedTLS. Its SSL errors are never combined with a low-level one."""
    name = error_name(value, tls_version=version)
    return None if name is not None and name.startswith(f"{_PREFIX}SSL_") and "+" in name else name


def _c_program(value: int) -> Names:
    low = low_level_name(abs(value))
    if low:
        return Names(mbedtls=(low.removeprefix(_PREFIX),))
    system = errno_name(abs(value), platform="esp32")
    return Names(errno=(system,) if system else ())


def _folded(value: int, *, said: str) -> Names:
    """Return the names of a positive number: an errno, or a small mbedTLS number that MicroPython made positive."""
    systems = [errno_name(value), errno_name(value, platform="esp32")]
    found = tuple(dict.fromkeys(name for name in systems if name))
    if said in found:
        found = (said,)
    low = low_level_name(value)
    return Names(mbedtls=(low.removeprefix(_PREFIX),) if low else (), errno=found)


def _small(value: int, *, said: str) -> Names:
    """Return the names of a small negative number: of axTLS, of the name lookup, or an errno of read or write since 1.24."""
    resolver = resolver_name(value)
    systems = [errno_name(-value), errno_name(-value, platform="esp32")]
    if said in systems:
        return Names(errno=(said,))
    errno = tuple(dict.fromkeys(name for name in systems if name and is_plausible_on_socket(name)))
    if value in AXTLS_NAMES and not (resolver and value == -2):
        return Names(axtls=AXTLS_NAMES[value], errno=(resolver,) if resolver else ())
    if resolver:
        return Names(errno=(resolver,))
    alert = _axtls_alert(value)
    return Names(axtls=alert.axtls, alert=alert.alert, errno=errno)


def _axtls_alert(value: int) -> Names:
    """AxTLS raises the alert that the server sent as its negative number."""
    code = -value
    known = 0 < code <= _LARGEST_ALERT and alert_code(alert_name(code)) is not None
    return Names(axtls=f"alert_{code}", alert=code) if known else Names()


@functools.lru_cache(maxsize=1024)
def readings(number: ErrorNumber) -> tuple[str, ...]:
    """Return a line for every name of a number."""
    value, names = number.value, names_of(number)
    lines = _library_readings(value) if value <= -FOLDED else []
    if value > -FOLDED and names.mbedtls:
        low = f"{_PREFIX}{names.mbedtls[0]}"
        if value > 0:
            lines += _errno_readings(value, names=names)
            lines.append(
                f"{value} may be {low} (-0x{value:02X}): MicroPython reports small mbedTLS error codes as errno values"
            )
        else:
            lines.append(f"{value} = -0x{-value:02X} is {low} (mbedTLS)")
    elif value > 0:
        lines += _errno_readings(value, names=names)
    if names.alert is not None:
        lines.append(f"{value} is the server's alert {alert_name(names.alert)}({names.alert}) on axTLS (esp8266)")
    elif names.axtls:
        lines.append(f"{value} is {names.axtls} in axTLS (esp8266)")
    if value < 0:
        lines += _negative_errno(number, names=names)
    return tuple(lines)


def _library_readings(value: int) -> list[str]:
    shown = f"{value} = -0x{-value:04X}"
    names = {version: library_name(value, version) for version in ("2.28", "3.6")}
    if names["2.28"] == names["3.6"]:
        return [f"{shown} is {names['3.6']} (mbedTLS)"] if names["3.6"] else []
    return [f"{shown} is {name} in mbedTLS {version}" for version, name in names.items() if name]


def _errno_readings(value: int, *, names: Names) -> list[str]:
    linux, esp32 = errno_name(value), errno_name(value, platform="esp32")
    if len(names.errno) == 1 and linux == esp32:
        return [f"{value} is {names.errno[0]}"]
    lines = [f"{value} is {linux} on most MicroPython ports"] if linux in names.errno else []
    return lines + ([f"{value} is {esp32} on esp32"] if esp32 in names.errno else [])


def _negative_errno(number: ErrorNumber, *, names: Names) -> list[str]:
    value, lines = number.value, []
    resolver = resolver_name(value)
    if resolver in names.errno:
        return [f"{value} is {resolver} of the name lookup"]
    for name in names.errno:
        ports = "esp32" if errno_name(-value) != name else "all ports"
        why = "an errno that mbedTLS passed on" if number.source is Source.C_PROGRAM else "read and write since 1.24"
        lines.append(f"{value} is {name} with its sign turned ({ports}; {why})")
    return lines
