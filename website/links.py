"""Relative links of a page: made to lead to pages of the site, or to the repository where the site has no such page."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from website.page import Page

REPOSITORY = "https://github.com/micropython-tls-harness/micropython-tls-harness"
_LINK = re.compile(r"(\[[^\]]*\])\(([^()\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)


class DeadLinkError(Exception):
    """A page links to a file that does not exist."""

    def __init__(self, page: Page, target: str) -> None:
        super().__init__(f"{page.place}: the link to {target} leads to no file of the repository")


def anchor(heading: str) -> str:
    """Return the anchor of a heading, as GitHub makes it and as zensical.toml has the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def rewritten(page: Page, *, pages: Iterable[Page], anchors: Mapping[str, Page], root: Path) -> Page:
    """Return the page with every relative link made for the site.

    Args:
        page: with links as in the repository.
        pages: all pages.
        anchors: `README.md#heading` -> the page that has this section.
        root: of the repository.

    Raises:
        DeadLinkError: a link leads to no file.
    """
    places = {other.place: other for other in pages}

    def made(match: re.Match[str]) -> str:
        text, target = match.groups()
        if re.match(r"[a-z]+:", target):
            return match[0]
        name, _, part = target.partition("#")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(page.place), name)) if name else page.place
        other = anchors.get(f"{file}#{part}") or places.get(file)
        suffix = f"#{part}" if part else ""
        if other is not None:
            start = posixpath.dirname(page.path)
            return f"{text}({posixpath.relpath(other.path, start or '.')}{suffix})"
        if not (root / file).exists():
            raise DeadLinkError(page, target)
        kind = "tree" if (root / file).is_dir() else "blob"
        return f"{text}({REPOSITORY}/{kind}/main/{file}{suffix})"

    parts = [part if part.startswith("```") else _LINK.sub(made, part) for part in _FENCE.split(page.text)]
    return Page(path=page.path, title=page.title, text="".join(parts), source=page.source)
