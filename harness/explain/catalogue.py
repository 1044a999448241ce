"""Pasted text of either side -> its possible meanings: the table `catalogue.toml`, and the meanings of numbers in the text.

Knows texts and numbers only; without a board, a case or an observation it can name candidates, but not the actual cause.
"""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from harness.oracle.errnos import errno_name, resolver_name
from harness.oracle.mbedtls_errors import error_name, low_level_name
from harness.wire.alerts import alert_code, alert_name

# MicroPython's own rule: mbedTLS numbers from -1 to -255 are raised as a positive errno (mbedtls_raise_error).
_FOLDED = 256
_LARGEST_ALERT = 121
_HEX = r"-?0[xX][0-9a-fA-F]+"
_AFTER_WORD = re.compile(rf"(?:OSError|Errno|errno|error)[\s:(\[]*({_HEX}|-?\d+)\b")
_NEGATIVE = re.compile(r"(?<![\w.])(-0[xX][0-9a-fA-F]+|-\d+)\b")
# No library numbers its errors with more; Python refuses to read a number of thousands of digits.
_LONGEST_NUMBER = 20
_ALONE = re.compile(rf"\s*\(?\s*({_HEX}|-?\d+)\s*,?\)?\s*")
# extmod/modussl_mbedtls.c up to 1.11 printed its number in hexadecimal, without a prefix.
_OLD_PRINT = re.compile(r"mbedtls_\w+\s+error:\s*-([0-9a-fA-F]{1,4})\b")
_RECORD_SIZE = re.compile(r"record size:\s*(\d+)")
_ALERT = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_ALERT_([A-Z_]+)|alert (?!number)([a-z][a-z_ ]+)|alert number (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its meaning, the causes (the likeliest first) with a check for each, and the first fix."""

    id: str
    about: str
    causes: tuple[tuple[str, str], ...]
    fix: str
    numbers: tuple[int, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The possible meanings of a text: a line for each reading of a number, and the matching entries, numbers before words."""

    readings: tuple[str, ...]
    entries: tuple[Entry, ...]

    def __bool__(self) -> bool:
        return bool(self.readings or self.entries)


@functools.cache
def catalogue() -> tuple[Entry, ...]:
    """Return all entries, in the order of the file."""
    text = resources.files("harness.explain").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return tuple(_entry(row) for row in tomllib.loads(text)["entry"])


def _entry(row: dict[str, Any]) -> Entry:
    causes = tuple((cause, tell) for cause, tell in row["causes"])
    numbers, words = tuple(row.get("numbers", ())), tuple(row.get("words", ()))
    return Entry(id=row["id"], about=row["about"], causes=causes, fix=row["fix"], numbers=numbers, words=words)


def recognise(text: str) -> Recognised:
    """Find everything in a text that the table or a library's own list of numbers knows.

    Args:
        text: one or several lines, as pasted by the user.

    Returns:
        Readings and entries; both empty if nothing was recognised.
    """
    numbers = numbers_in(text)
    by_number = [entry for number in numbers for entry in catalogue() if _has(entry, number)]
    by_word = [entry for entry in catalogue() if any(_contains(text, word) for word in entry.words)]
    lines = [line for number in numbers for line in _readings(number)]
    lines += _plain_text(text)
    lines += _alerts(text)
    return Recognised(readings=tuple(dict.fromkeys(lines)), entries=tuple(dict.fromkeys([*by_number, *by_word])))


def numbers_in(text: str) -> tuple[int, ...]:
    """The numbers in a text that may be an error: not line numbers, not sizes."""
    old = [digits for digits in _OLD_PRINT.findall(text) if len(digits) <= _LONGEST_NUMBER]
    if old:
        return tuple(-int(digits, 16) for digits in old)
    alone = _ALONE.fullmatch(text)
    if alone and len(alone[1]) <= _LONGEST_NUMBER:
        number = _value(alone[1])
        # A large number alone is mbedTLS's even without its sign.
        return (-number if number >= _FOLDED else number,)
    found = [*_AFTER_WORD.findall(text), *_NEGATIVE.findall(text)]
    return tuple(dict.fromkeys(_signed(item) for item in found if len(item) <= _LONGEST_NUMBER))


def _value(digits: str) -> int:
    return int(digits, 16 if "x" in digits.lower() else 10)


def _signed(digits: str) -> int:
    """mbedTLS's numbers are negative; in hexadecimal people omit the sign."""
    number = _value(digits)
    return -number if number >= _FOLDED else number


def _has(entry: Entry, number: int) -> bool:
    return number in entry.numbers


def _contains(text: str, word: str) -> bool:
    """Return whether a text contains a fixed string, ignoring case and spaces."""
    pattern = re.escape(" ".join(word.lower().split())).replace(r"\ ", r"\s+")
    return re.search(rf"(?<![a-z0-9]){pattern}(?![a-z0-9])", text.lower()) is not None


def _readings(number: int) -> list[str]:
    """Return every name that a number has."""
    if number <= -_FOLDED:
        return _library_readings(number)
    return _folded_readings(number) if number > 0 else _small_readings(number)


def _library_readings(number: int) -> list[str]:
    shown = f"{number} = -0x{-number:04X}"
    names = {version: error_name(number, tls_version=version) for version in ("2.28", "3.6")}
    if names["2.28"] == names["3.6"]:
        lines = [f"{shown} is {names['3.6']} (mbedTLS)"] if names["3.6"] else []
    else:
        lines = [f"{shown} is {name} in mbedTLS {version}" for version, name in names.items() if name]
    if number in _AXTLS:
        lines.append(f"{number} is {_AXTLS[number]} in axTLS (esp8266)")
    return lines


def _folded_readings(number: int) -> list[str]:
    lines = []
    linux, esp32, library = errno_name(number), errno_name(number, platform="esp32"), low_level_name(number)
    if linux and linux == esp32:
        lines.append(f"{number} is {linux}")
    else:
        lines += [f"{number} is {linux} on most MicroPython ports"] if linux else []
        lines += [f"{number} is {esp32} on esp32"] if esp32 else []
    if library:
        lines.append(
            f"{number} may be {library} (-0x{number:02X}): MicroPython reports small mbedTLS error codes as errno values"
        )
    return lines


def _small_readings(number: int) -> list[str]:
    lines = []
    if -number <= _LARGEST_ALERT and alert_code(alert_name(-number)) is not None:
        lines.append(f"{number} is the server's alert {alert_name(-number)}({-number}) on axTLS (esp8266)")
    library, system, resolver = low_level_name(-number), errno_name(-number), resolver_name(number)
    if library and not lines:
        lines.append(f"{number} is {library} in mbedTLS, which MicroPython raises as OSError {-number}")
    if resolver:
        lines.append(f"{number} is {resolver} of the name lookup")
    if system:
        lines.append(f"{number} is {system} with its sign turned (read and write on firmware 1.24 and later)")
    if number in _AXTLS:
        lines.append(f"{number} is {_AXTLS[number]} in axTLS (esp8266)")
    return lines


def _plain_text(text: str) -> list[str]:
    """axTLS's message about a buffer: the size of an invalid record is two letters of plain text."""
    lines = []
    for digits in _RECORD_SIZE.findall(text):
        size = int(digits)
        letters = size.to_bytes(2, "big") if size < 1 << 16 else b""
        if letters and all(32 <= byte < 127 for byte in letters):
            lines.append(
                f"record size {size} = 0x{size:04X} is the text {letters.decode()!r}: the peer speaks plain text"
                + (" (HTTP/1.1)" if letters == b"P/" else "")
            )
        else:
            lines.append(f"record size {size}: a real record, larger than the client's buffer")
    return lines


def _alerts(text: str) -> list[str]:
    """Return alerts that one side reports as received from the other."""
    lines = []
    for reason, words, digits in _ALERT.findall(text):
        name = alert_name(int(digits)) if digits else (reason or "_".join(words.split())).lower()
        code = alert_code(name)
        if code is not None:
            lines.append(f"the other side sent the alert {name}({code}); its own exception says why")
    return lines


# extmod/modtls_axtls.c:80-138, as harness.oracle.client_errors has them for a board's own failures.
_AXTLS_TEXT = """
-1 NOT_OK, -2 DEAD, -3 CLOSE_NOTIFY, -4 EAGAIN, -256 CONN_LOST, -257 RECORD_OVERFLOW, -258 SOCK_SETUP_FAILURE,
-260 INVALID_HANDSHAKE, -261 INVALID_PROT_MSG, -262 INVALID_HMAC, -263 INVALID_VERSION, -264 UNSUPPORTED_EXTENSION,
-265 INVALID_SESSION, -266 NO_CIPHER, -267 INVALID_CERT_HASH_ALG, -268 BAD_CERTIFICATE, -269 INVALID_KEY,
-271 FINISHED_INVALID, -272 NO_CERT_DEFINED, -273 NO_CLIENT_RENOG, -274 NOT_SUPPORTED
"""
_AXTLS = {int(row.split()[0]): row.split()[1] for row in _AXTLS_TEXT.replace("\n", " ").split(",")}
