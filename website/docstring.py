"""Docstrings and help texts as Markdown. Pure: text in, text out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

_SECTION = re.compile(r"^(Args|Returns|Raises):$", re.MULTILINE)
_TITLES = {"Args": "Arguments", "Returns": "Returns", "Raises": "Raises"}
_ENTRY = re.compile(r"(\**\w+(?:, \w+)*): (.*)", re.DOTALL)
_CODE = re.compile(r"(`[^`]*`)")


def prose(text: str) -> str:
    """Return a text on one line, in which nothing but code between backticks means anything to Markdown."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else re.sub(r"([\\*_<>\[\]#~])", r"\\\1", part) for part in parts)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; the cells are Markdown already, on one line each."""
    lines = [list(heads), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def code(text: str) -> str:
    """Return a text as code within a line."""
    return f"`{text}`" if text else ""


def markdown(docstring: str | None) -> str:
    """Return a docstring of the house style: paragraphs, then the sections Args, Returns and Raises."""
    text = inspect.cleandoc(docstring or "")
    first, *rest = _SECTION.split(text)
    parts = [prose(paragraph) for paragraph in first.split("\n\n") if paragraph.strip()]
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        parts.append(f"**{_TITLES[name]}**")
        lines = inspect.cleandoc(body).splitlines()
        parts.append("\n".join(_items(lines)) if name != "Returns" else prose(" ".join(lines)))
    return "\n\n".join(parts)


def _items(lines: list[str], *, margin: str = "") -> Iterator[str]:
    """Yield the entries `name: text` of a section as a list; an entry whose text ends in a colon has entries of its own."""
    for item in _entries(lines):
        head, *below = item
        match = _ENTRY.match(head)
        name, text = match.groups() if match else ("", head)
        nested = inspect.cleandoc("\n".join(["", *below])).splitlines()
        own, inner = _until_colon(text, nested)
        yield f"{margin}* {code(name)}: {prose(own)}" if name else f"{margin}* {prose(own)}"
        yield from _items(inner, margin=margin + "    ")


def _entries(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = []
    for line in lines:
        if _ENTRY.match(line) or not found:
            found.append([line])
        else:
            found[-1].append(line)
    return found


def _until_colon(text: str, nested: list[str]) -> tuple[str, list[str]]:
    """Return the text of an entry with its further lines, and the lines after one that ends in a colon."""
    lines = [text, *nested]
    end = next((number for number, line in enumerate(lines) if line.endswith(":")), len(lines))
    return " ".join(lines[: end + 1]), lines[end + 1 :]
