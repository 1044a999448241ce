"""Markdown pages that fit a pull-request comment, whatever they are made of. Pure.

A page is cut at the end of its tables, never in the middle of a row, and says what it left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A comment on GitHub holds 65536 characters, and other places count bytes.
PAGE_BYTES = 60_000
# No text of a board needs more to be recognised.
CELL_CHARACTERS = 300
MAX_COLUMNS = 16
# One table must not take all the room from the next ones, nor a line of text from all tables.
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
        rows: the table, the most important first; each cell is a text, or two where the second one is to be bold.
        lines: a list above the table.
        right: how many columns at the end hold numbers.
    """

    title: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str | tuple[str, str], ...], ...] = ()
    lines: tuple[str, ...] = ()
    right: int = 0


def escaped(text: str, *, limit: int = CELL_CHARACTERS) -> str:
    """Untrusted text: no markup, no line breaks, no table of its own, nobody is called by `@name`; cut where it is too long."""
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
        sections: in the order of their importance: what does not fit is missing from the last ones first.
        intro: paragraphs of our own, with markup.
        notes: plain lines below them.
        limit: how many bytes of UTF-8 the page may have.
    """
    head = [f"# {title}", ""]
    for text in intro:
        head += [text, ""]
    listed = [f"* {escaped(text, limit=_LINE_CHARACTERS)}" for text in notes]
    head += [*_fitting(listed, int(limit * _SHARE / 2)), *([""] if listed else [])]
    # The closing line on what was left out is made last and has its room kept.
    closing = "Left out for want of room: {}. Everything is in run.json and in the HTML report."
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
    """As many lines as there is room for."""
    kept: list[str] = []
    for line in lines:
        room -= _size([line])
        if room < 0:
            return [*kept, f"* ... and {len(lines) - len(kept)} more"]
        kept.append(line)
    return kept


def _section(section: Section, *, room: int) -> tuple[list[str], str]:
    """The lines of a section and, in words, what of it is missing."""
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
