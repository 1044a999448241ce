"""The signs of signs.toml as records, with the phrases that show them. Knows the file format and how words are compared."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

from harness.wire.alerts import alert_name

_WORD = re.compile(r"[a-z0-9]+")
# Before an alert's name, in the order in which Java, Wireshark, Erlang, Go and OpenSSL write it.
_BEFORE_ALERT = ("alert", "description", "fatal", "fatal alert", "alert fatal", "error tls", "tls alert")
# Alerts whose names mean nothing else, so that they count without such a word.
_DISTINCT = frozenset({40, 42, 43, 45, 46, 48, 112, 115, 116, 120})
# Go (crypto/tls/alert.go), Wireshark and OpenSSL (SSL_alert_desc_string_long) have other words for some.
_OTHER_NAMES = {
    42: ("certificate bad",),
    43: ("unsupported cert",),
    44: ("revoked certificate",),
    45: ("expired certificate",),
    46: ("unknown certificate",),
    48: ("unknown certificate authority",),
    50: ("error decoding message",),
    51: ("error decrypting message",),
    70: ("protocol version not supported",),
    112: ("unknown name",),
}


# Names that count without their number; axTLS's others are words that other programs use, too.
_ONLY_AXTLS = frozenset(
    {"CONN_LOST", "RECORD_OVERFLOW", "INVALID_CERT_HASH_ALG", "INVALID_PROT_MSG", "FINISHED_INVALID", "NO_CERT_DEFINED"}
)


class LogSide(StrEnum):
    """Whose log a line comes from."""

    BOARD = "board"
    SERVER = "server"
    CLIENT = "client"  # on a PC
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Something that programs print, and the causes it points to, by the side that prints it."""

    id: str
    words: tuple[str, ...] = ()
    every: tuple[tuple[str, ...], ...] = ()
    mbedtls: frozenset[str] = frozenset()
    axtls: frozenset[str] = frozenset()
    errno: frozenset[str] = frozenset()
    alert: int | None = None
    any: tuple[str, ...] = ()
    server: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    board: tuple[str, ...] = ()
    effect: bool = False
    log: str = ""

    def causes(self, side: LogSide) -> tuple[str, ...]:
        """Return the ids of the causes, the likeliest first, for a log of this side."""
        own = {LogSide.SERVER: self.server, LogSide.CLIENT: self.client, LogSide.BOARD: self.board}.get(side, ())
        return own or self.any


@functools.cache
def all_signs() -> tuple[Sign, ...]:
    """Return every sign, in the order of the file."""
    text = resources.files("harness.explain.catalogue").joinpath("signs.toml").read_text(encoding="utf-8")
    return tuple(_sign(row) for row in tomllib.loads(text)["sign"])


def _sign(row: dict[str, Any]) -> Sign:
    values: dict[str, Any] = {"id": row["id"], "effect": row.get("effect", False), "log": row.get("log", "")}
    for key in ("words", "any", "server", "client", "board"):
        values[key] = tuple(row.get(key, ()))
    for key in ("mbedtls", "axtls", "errno"):
        values[key] = frozenset(row.get(key, ()))
    every = tuple(tuple(group) for group in row.get("every", ()))
    return Sign(every=every, alert=row.get("alert"), **values)


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared: lower case, letters and digits of ASCII only."""
    return _WORD.findall(text.lower())


@functools.cache
def phrases() -> dict[str, tuple[tuple[tuple[str, ...], tuple[Sign, ...]], ...]]:
    """Return the phrases by their first word, the longest first, each with its signs."""
    found: dict[tuple[str, ...], list[Sign]] = {}
    for sign in all_signs():
        for phrase in _phrases(sign):
            found.setdefault(phrase, []).append(sign)
    index: dict[str, list[tuple[tuple[str, ...], tuple[Sign, ...]]]] = {}
    for phrase in sorted(found, key=lambda words: (-len(words), words)):
        index.setdefault(phrase[0], []).append((phrase, tuple(found[phrase])))
    return {first: tuple(rest) for first, rest in index.items()}


def _phrases(sign: Sign) -> set[tuple[str, ...]]:
    texts = {*sign.words, *sign.errno, *(sign.axtls & _ONLY_AXTLS)}
    for name in sign.mbedtls:
        texts.add(name)
        short = name.removeprefix("SSL_").removeprefix("X509_")
        if short.count("_") >= 1 and len(short) >= len("INVALID_ALG"):
            texts.add(short)
    if sign.alert is not None:
        texts |= _alert_phrases(sign.alert)
    return {tuple(words_of(text)) for text in texts}


def _alert_phrases(code: int) -> set[str]:
    names = (alert_name(code), *_OTHER_NAMES.get(code, ()))
    found = {f"{before} {name}" for name in names for before in _BEFORE_ALERT}
    return found | (set(names) if code in _DISTINCT else set())
