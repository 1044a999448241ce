"""Texts of boards and servers made harmless to show: no control characters, bounded. Pure."""

from __future__ import annotations

import unicodedata
from typing import Any

# Longer texts of a board keep their two ends.
TEXT_LIMIT = 2000
# No honest answer has more elements than this: the longest list of suites has 170.
LIST_LIMIT = 1000
# Control characters, half characters, and those that turn the direction of writing (a terminal would obey any of them).
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def plain(text: str) -> str:
    r"""Show control characters as `\x1b` or `\u202e` instead of letting a terminal obey them; newlines stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in _OBEYED else ascii(char)[1:-1] for char in text
    )


def one_line(text: str) -> str:
    """As `plain`, on one line: lines and runs of blanks become one blank."""
    return plain(" ".join(text.split()))


def bounded(value: Any) -> Any:
    """Cut what is too long in a JSON value: texts in the middle, lists at the end; what is missing is said."""
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        half = TEXT_LIMIT // 2
        return f"{value[:half]} ... {len(value) - 2 * half} characters left out ... {value[-half:]}"
    if isinstance(value, list):
        kept = [bounded(item) for item in value[:LIST_LIMIT]]
        return kept if len(kept) == len(value) else [*kept, f"... {len(value) - len(kept)} more left out ..."]
    if isinstance(value, dict):
        return {key: bounded(item) for key, item in value.items()}
    return value
