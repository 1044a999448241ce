"""A page of the site and its place in the navigation. Records only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: `path` in the site, `title` in the navigation, and Markdown.

    `source` is the file of the repository that its relative links start from. A generated page has none there: its links
    start from `docs/` and its path.
    """

    path: str
    title: str
    text: str
    source: str = ""

    @property
    def place(self) -> str:
        """The file that its relative links start from."""
        return self.source or f"docs/{self.path}"

    def navigation(self) -> str:
        """Return the page as a table of TOML, for `nav`."""
        return f"{{{_quoted(self.title)} = {_quoted(self.path)}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the navigation: pages and sections, in order. Its first page is shown for the section itself."""

    title: str
    entries: tuple[Page | Section, ...]

    def pages(self) -> Iterator[Page]:
        """Return every page below it."""
        for entry in self.entries:
            if isinstance(entry, Page):
                yield entry
            else:
                yield from entry.pages()

    def navigation(self) -> str:
        """Return the section as a table of TOML, for `nav`."""
        inside = ", ".join(entry.navigation() for entry in self.entries)
        return f"{{{_quoted(self.title)} = [{inside}]}}"


def _quoted(text: str) -> str:
    """Return a basic string of TOML."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
