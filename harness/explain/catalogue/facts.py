"""The facts of a pasted text: which signs it contains, in whose log, and the meanings of its numbers.

Knows texts only: what a sign means is decided by `answers`. Bounded: a text is cut to its first 20000 characters, every pattern is
linear in its line.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace

from harness.explain.catalogue.numbers import ErrorNumber, Names, Source, names_of, numbers_in, readings
from harness.explain.catalogue.openssl_codes import with_reasons
from harness.explain.catalogue.sides import is_c_program, is_esp_idf, sides_of
from harness.explain.catalogue.signs import LogSide, Sign, all_signs, phrases, words_of
from harness.explain.catalogue.spelling import Speller, near_number
from harness.oracle.mbedtls_errors import error_name
from harness.wire.alerts import alert_name

LONGEST = 20000
_LARGEST_RECORD = 16384 + 2048  # RFC 5246 section 6.2.3
_RECORD_SIZE = re.compile(r"record size:\s{0,3}(\d{1,9})")
# OpenSSL and Node; mbedTLS's debug output (ssl_msg.c) in three forms.
_ALERT_NUMBER = re.compile(
    r"\balert(?: number)?[\s:(]{1,3}(\d{1,3})\b|alert message, type: \[2:(\d{1,3})\]|fatal alert message \(msg (\d{1,3})\)"
    r"|send alert level=\d message=(\d{1,3})\b",
    re.IGNORECASE,
)
# OpenSSL's info callback and s_client, curl, mbedTLS, Erlang: the side that writes the log sent the alert.
_SENT = re.compile(
    r"write:fatal|\(OUT\)|send(?:ing)? (?:fatal )?alert|generated (?:SERVER|CLIENT) ALERT", re.IGNORECASE
)
_OPPOSITE = {LogSide.SERVER: LogSide.CLIENT, LogSide.CLIENT: LogSide.SERVER, LogSide.BOARD: LogSide.SERVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One sign of a text, and the side in whose log it is. Of an alert it is the side that received it."""

    sign: Sign
    side: LogSide
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a text says."""

    facts: tuple[Fact, ...] = ()
    readings: tuple[str, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.readings)


def facts_of(text: str) -> Facts:
    """Return the facts of a text; words with a typing error count where they complete a sign.

    Args:
        text: one or several lines, as pasted.
    """
    text = text[:LONGEST]
    plain = _read(text)
    better, changed = _speller().text(text)
    corrected = _read(better) if changed else plain
    have = {fact.sign.id for fact in plain.facts}
    better_read = any(fact.sign.id not in have for fact in corrected.facts)
    found = replace(corrected, corrections=tuple(changed.items())) if better_read else plain
    return found if found.facts else _with_near_number(text, found)


def _with_near_number(text: str, found: Facts) -> Facts:
    """Suggest the number that was meant, where a text has one that no library knows."""
    for line in text.splitlines():
        for number in numbers_in(line):
            meant = (
                near_number(number.value, _library_numbers()) if number.value < -1000 and not _known(number) else None
            )
            if meant is not None:
                better = _read(f"OSError: {meant}")
                return replace(better, corrections=((str(number.value), str(meant)),))
    return found


def _known(number: ErrorNumber) -> bool:
    return bool(readings(number))


@functools.cache
def _library_numbers() -> tuple[int, ...]:
    """Return the numbers of mbedTLS that a sign names."""
    named = {name for sign in all_signs() for name in sign.mbedtls}
    numbers = (-at for at in range(0x1080, 0x8000, 0x80))
    return tuple(number for number in numbers if _name(number) in named)


def _name(number: int) -> str:
    return (error_name(number, tls_version="3.6") or "").removeprefix("MBEDTLS_ERR_")


@functools.cache
def _speller() -> Speller:
    words = {word for index in phrases().values() for phrase, _signs in index for word in phrase}
    words |= {word for sign in all_signs() for group in sign.every for part in group for word in words_of(part)}
    return Speller(sorted(word for word in words if word.isalpha()))


def _read(text: str) -> Facts:
    lines = text.splitlines() or [""]
    sides = sides_of(lines)
    found: list[Fact] = []
    spoken: list[str] = []
    for line, side in zip(lines, sides, strict=True):
        c_program = is_c_program(line)
        for number in numbers_in(line, c_program=c_program):
            found += _number_facts(number, c_program=c_program, side=side)
            spoken += readings(number)
        found += _alert_numbers(with_reasons(line), side=side)
        found += _record_sizes(line, spoken=spoken)
    found += _phrase_facts(lines, sides)
    found += _conjunctions(text)
    kept = {(fact.sign.id, fact.side): fact for fact in reversed(_one_for_each_log(found, text=text))}
    return Facts(facts=tuple(sorted(kept.values(), key=_order)), readings=tuple(dict.fromkeys(spoken)))


@functools.cache
def _places() -> dict[str, int]:
    return {sign.id: at for at, sign in enumerate(all_signs())}


def _order(fact: Fact) -> tuple[int, str]:
    """Sort by the table, not by the text: the order of the lines of a log says little."""
    return _places()[fact.sign.id], fact.side


@functools.lru_cache(maxsize=1024)
def _number_facts(number: ErrorNumber, *, c_program: bool, side: LogSide) -> tuple[Fact, ...]:
    names = names_of(number)
    on_board = side if side is not LogSide.UNKNOWN else LogSide.BOARD
    in_c = c_program or number.source is Source.C_PROGRAM
    found = [sign for sign in all_signs() if (not sign.log or in_c) and _has(sign, names)]
    return tuple(Fact(sign=sign, side=on_board, shown=str(number.value)) for sign in found)


def _has(sign: Sign, names: Names) -> bool:
    if names.axtls and names.axtls in sign.axtls:
        return True
    if any(name in sign.errno for name in names.errno):
        return True
    if names.alert is not None and names.alert == sign.alert and names.axtls != "alert_40":
        return True
    return any(part in sign.mbedtls for name in names.mbedtls for part in _parts(name))


def _parts(name: str) -> tuple[str, ...]:
    """`HIGH+LOW`: what is short of memory is the low one; else the high one says what failed."""
    high, _plus, low = name.partition("+")
    return (low,) if low.endswith("ALLOC_FAILED") else (high,)


def _alert_numbers(line: str, *, side: LogSide) -> list[Fact]:
    found = []
    for groups in _ALERT_NUMBER.findall(line):
        code = int(next(group for group in groups if group))
        found += [_alert(sign, line=line, side=side) for sign in all_signs() if sign.alert == code]
    return found


def _alert(sign: Sign, *, line: str, side: LogSide) -> Fact:
    """Return the fact of an alert; one that the log's own side sent counts as received by the other."""
    received = _OPPOSITE.get(side, side) if _SENT.search(line) else side
    return Fact(sign=sign, side=received, shown=f"alert {alert_name(sign.alert or 0)}({sign.alert})")


def _record_sizes(line: str, *, spoken: list[str]) -> list[Fact]:
    """Read axTLS's message about its buffer: a size that no record can have is two letters of plain text."""
    found = []
    for digits in _RECORD_SIZE.findall(line):
        size = int(digits)
        letters = size.to_bytes(2, "big") if size < 1 << 16 else b""
        text = f"; as text it is {letters.decode()!r}" if letters and all(32 <= byte < 127 for byte in letters) else ""
        if size > _LARGEST_RECORD:
            http = " of HTTP/1.1" if letters == b"P/" else ""
            spoken.append(f"record size {size}: no TLS record is that long{text}{http}; the peer speaks plain text")
            found += [
                Fact(sign=sign, side=LogSide.BOARD, shown=digits)
                for sign in all_signs()
                if sign.id == "impossible-record-size"
            ]
        else:
            smtp = (
                f", or plain text ({letters.decode()!r}, as in '220 ...' of SMTP)"
                if text and letters[:1] == b" "
                else ""
            )
            spoken.append(f"record size {size}: a real record larger than the client's buffer{smtp}")
    return found


def _phrase_facts(lines: list[str], sides: list[LogSide]) -> list[Fact]:
    """Find the phrases of the signs, the longest at each place."""
    words = [(word, at) for at, line in enumerate(lines) for word in words_of(with_reasons(line))]
    found: list[Fact] = []
    at = 0
    while at < len(words):
        length = 1
        for phrase, signs in phrases().get(words[at][0], ()):
            if tuple(word for word, _line in words[at : at + len(phrase)]) == phrase:
                line = words[at][1]
                found += [_phrase_fact(sign, lines[line], side=sides[line], phrase=phrase) for sign in signs]
                length = len(phrase)
                break
        at += length
    in_c = any(map(is_c_program, lines))
    return [fact for fact in found if not fact.sign.log or (in_c and fact.side is LogSide.BOARD)]


def _phrase_fact(sign: Sign, line: str, *, side: LogSide, phrase: tuple[str, ...]) -> Fact:
    if sign.alert is not None:
        return _alert(sign, line=line, side=side)
    return Fact(sign=sign, side=side, shown=" ".join(phrase))


def _conjunctions(text: str) -> list[Fact]:
    lower = text.lower()
    return [
        Fact(sign=sign, side=LogSide.UNKNOWN, shown=sign.every[0][0])
        for sign in all_signs()
        if sign.every and all(any(part in lower for part in group) for group in sign.every)
    ]


def _one_for_each_log(found: list[Fact], *, text: str) -> list[Fact]:
    """Drop signs of another kind of log: one of `idf` replaces one of `c`, and both replace the general one."""
    idf = is_esp_idf(text)
    kept = [fact for fact in found if fact.sign.log != "idf" or idf]
    special = {name for fact in kept if fact.sign.log for name in fact.sign.mbedtls}
    return [fact for fact in kept if fact.sign.log or not special & fact.sign.mbedtls]
