"""Make texts of boards and servers safe to show: no control characters, bounded length. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from harness.reports.record.result_types import Entry, Json

# Of a longer text the beginning and the end are kept.
TEXT_LIMIT = 2000
# No honest answer has more elements than this: the longest list of suites has 170.
LIST_LIMIT = 1000
# Control characters, half characters, and those that change the writing direction (a terminal would obey any of them).
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
E = TypeVar("E", bound=Entry)


def plain(text: str) -> str:
    r"""Show control characters as `\x1b` or `\u202e`, so that no terminal obeys them; newlines stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in _OBEYED else ascii(char)[1:-1] for char in text
    )


def one_line(text: str) -> str:
    """Return a text as `plain` does, on one line: line breaks and runs of blanks become one blank."""
    return plain(" ".join(text.split()))


def bounded(entry: E) -> E:
    """Return an entry of a run record with long texts cut in the middle and long lists at the end; cut texts say so."""
    return msgspec.convert(_bounded(entry.as_json()), type(entry))


def _bounded(value: Json) -> Json:
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        half = TEXT_LIMIT // 2
        return f"{value[:half]} ... {len(value) - 2 * half} characters omitted ... {value[-half:]}"
    if isinstance(value, list | tuple):
        kept = [_bounded(item) for item in value[:LIST_LIMIT]]
        return kept if len(kept) == len(value) or not _texts(value) else [*kept, _omitted(value)]
    if isinstance(value, dict):
        return {key: _bounded(item) for key, item in value.items()}
    return value


def _texts(items: Sequence[Json]) -> bool:
    return all(isinstance(item, str) for item in items)


def _omitted(items: Sequence[Json]) -> str:
    return f"... {len(items) - LIST_LIMIT} more omitted ..."
