"""Measure text in terminal columns: wide characters take two. Pure; uses rich's tables, and is imported only for a real terminal."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def display_width(text: str) -> int:
    """Return how many terminal columns a text takes."""
    return cell_len(text)


def cut(text: str, room: int) -> str:
    """Shorten a text to at most `room` columns; a shortened text ends in dots."""
    if cell_len(text) <= room:
        return text
    return f"{set_cell_size(text, max(0, room - 3)).rstrip()}{'...'[: max(0, room)]}"
