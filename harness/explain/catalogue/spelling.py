"""Typing errors in pasted text: one letter that is wrong, missing, extra or at another place; and the same for digits.

Knows spelling only. Linear in the text: a word is looked up by what is left of it without one letter, not compared with every other word.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

_SHORTEST = 5
_LONGEST = 30
_WORD = re.compile(r"[A-Za-z]{5,30}")
# Words around numbers, which the readers of numbers and sides need; and plain words that are one letter away from a word of a sign.
_OWN = (
    "OSError",
    "errno",
    "error",
    "exception",
    "failed",
    "failure",
    "returned",
    "status",
    "handshake",
    "mbedtls",
    "ValueError",
)
_PLAIN = (
    "thread",
    "heading",
    "loading",
    "change",
    "changes",
    "closes",
    "client",
    "clients",
    "servers",
    "record",
    "records",
)


def near(word: str, other: str) -> bool:
    """Return whether two words differ by one letter: changed, missing, extra, or at another place."""
    if word == other or abs(len(word) - len(other)) > 1:
        return False
    if len(word) == len(other):
        changed = sum(one != two for one, two in zip(word, other, strict=True)) == 1
        moved = sorted(word) == sorted(other) and bool(_rests(word) & _rests(other))
        return changed or moved
    short, long = sorted((word, other), key=len)
    return short in _rests(long)


class Speller:
    """Corrects words to those of a vocabulary."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._known = {word.lower(): word for word in (*_PLAIN, *vocabulary, *_OWN) if len(word) >= _SHORTEST}
        self._by_rest: dict[str, list[str]] = {}
        for word in sorted(self._known):
            for rest in _rests(word):
                self._by_rest.setdefault(rest, []).append(word)

    @functools.lru_cache(maxsize=4096)  # noqa: B019
    def word(self, word: str) -> str | None:
        """Return the word of the vocabulary that this one was meant to be; None if it is one, or is near none."""
        lower = word.lower()
        if {lower, lower.removesuffix("s"), f"{lower}s"} & self._known.keys() or not _SHORTEST <= len(
            lower
        ) <= _LONGEST:
            return None
        candidates = {found for rest in _rests(lower) for found in self._by_rest.get(rest, ())}
        good = sorted(found for found in candidates if near(lower, found))
        if not good:
            return None
        # A letter at another place first: the commonest typing error.
        best = min(good, key=lambda found: (sorted(found) != sorted(lower), found))
        known = self._known[best]
        return known.upper() if word.isupper() else known

    def text(self, text: str) -> tuple[str, dict[str, str]]:
        """Return the text with its words corrected, and what was corrected."""
        changed: dict[str, str] = {}

        def corrected(match: re.Match[str]) -> str:
            better = self.word(match[0])
            if better is None:
                return match[0]
            changed[match[0]] = better
            return better

        return _WORD.sub(corrected, text), changed


def _rests(word: str) -> set[str]:
    """Return the word, and what is left of it without each of its letters."""
    return {word} | {word[:at] + word[at + 1 :] for at in range(len(word))}


def near_number(value: int, known: Iterable[int]) -> int | None:
    """Return the known number that differs from this one by two exchanged digits, else by one digit; None if it is not the only one."""
    digits = str(value)
    close = [number for number in known if len(str(number)) == len(digits) and near(digits, str(number))]
    exchanged = [number for number in close if sorted(str(number)) == sorted(digits)]
    best = exchanged or close
    return best[0] if len(best) == 1 else None
