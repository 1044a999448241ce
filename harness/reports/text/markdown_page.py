"""Markdown pages that fit a pull-request comment, whatever is in them. Pure.

A page is cut at the end of its tables, never in the middle of a row, and says what it omitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A comment on GitHub holds 65536 characters, and other places count bytes.
PAGE_BYTES = 60_000
# Enough to recognise any text of a board.
CELL_CHARACTERS = 300
MAX_COLUMNS = 16
# One table must leave room for the next ones, and a line of text for the tables.
_SHARE = 0.5
_LINE_CHARACTERS = 1_000
_MARKUP = str.maketrans(
    {**{char: "\\" + char for char in "\\`*_[]|~$"}, "<": "&lt;", ">": "&gt;", "&": "&amp;", "@": "@&#8203;"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, lines and a table. Texts are plain: they are escaped here.

    Args:
        title: the heading.
        head: of the table; empty for none.
        rows: the table, the most important first; each cell is a text, or two of which the second one is bold.
        lines: a list above the table.
        right: the number of columns at the end that contain numbers.
    """

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str | tuple[str, str], ...], ...] = ()
    lines: tuple[str, ...] = ()
    right: int = 0


def escaped(text: str, *, limit: int = CELL_CHARACTERS) -> str:
    """Return untrusted text without markup, line breaks, tables and `@name` mentions, cut if it is too long."""
    plain = "".join(char if char.isprintable() else " " for char in str(text)[: limit + 1])
    cut = plain if len(plain) <= limit else plain[:limit] + " ..."
    return cut.translate(_MARKUP)


def page(
    title: str,
    *,
    sections: Iterable[Section],
    intro: Iterable[str] = (),
    notes: Iterable[str] = (),
    limit: int = PAGE_BYTES,
) -> str:
    """Put a page together.

    Args:
        title: of the page.
        sections: by importance: what does not fit is omitted from the last ones first.
        intro: trusted paragraphs, with markup.
        notes: plain lines below them.
        limit: the largest size of the page, in bytes of UTF-8.
    """
    head = [f"# {title}", ""]
    for text in intro:
        head += [text, ""]
    listed = [f"* {escaped(text, limit=_LINE_CHARACTERS)}" for text in notes]
    head += [*_fitting(listed, int(limit * _SHARE / 2)), *([""] if listed else [])]
    # Room is reserved for the last line, which lists what was omitted.
    closing = "Omitted to stay within the size limit: {}. Everything is in run.json and in the HTML report."
    room = limit - _size(head) - 1_000
    parts, missing = [], []
    for section in sections:
        lines, left = _section(section, room=min(room, int(limit * _SHARE)))
        room -= _size(lines)
        parts += lines
        if left:
            missing.append(f"{left} of {section.title}")
    if missing:
        parts += [closing.format(escaped("; ".join(missing), limit=200)), ""]
    return "\n".join([*head, *parts])


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def _fitting(lines: list[str], room: int) -> list[str]:
    """Return as many lines as fit."""
    kept: list[str] = []
    for line in lines:
        room -= _size([line])
        if room < 0:
            return [*kept, f"* ... and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept


def _section(section: Section, *, room: int) -> tuple[list[str], str]:
    """Return the lines of a section and, in words, what was omitted."""
    columns = min(len(section.head), MAX_COLUMNS)
    lines = [f"## {escaped(section.title)}", ""]
    listed = [f"* {escaped(text, limit=_LINE_CHARACTERS)}" for text in section.lines]
    if listed:
        lines += [*_fitting(listed, room // 2), ""]
    if section.head:
        marks = ["---"] * (columns - min(section.right, columns)) + ["--:"] * min(section.right, columns)
        lines += [_row(section.head[:columns]), "|" + "|".join(marks) + "|"]
    left = room - _size(lines) - 2
    if left < 0:
        return [], f"all ({max(1, len(section.rows))} rows)"
    shown = 0
    for cells in section.rows:
        row = _row(cells[:columns])
        left -= _size([row])
        if left < 0:
            break
        lines.append(row)
        shown += 1
    missing = [f"{len(section.rows) - shown} rows"] if shown < len(section.rows) else []
    if columns < len(section.head):
        missing.append(f"{len(section.head) - columns} columns")
    return [*lines, ""], " and ".join(missing)


def _row(cells: Iterable[str | tuple[str, str]]) -> str:
    texts = [escaped(cell) if isinstance(cell, str) else f"{escaped(cell[0])} **{escaped(cell[1])}**" for cell in cells]
    return "| " + " | ".join(texts) + " |"
