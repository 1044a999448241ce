"""README.md as pages: it is one long page on a forge and in the package index, and several pages of the site."""

from __future__ import annotations

import re

from website.links import anchor
from website.page import Page

README = "README.md"
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

#: Path and title of a page, and the sections of README.md on it. "" is what precedes the first section.
PAGES = (
    (
        "index.md",
        "Home",
        ("", "Why don't my server and my board connect?", "If all you have is an error message", "More"),
    ),
    (
        "run.md",
        "Run the cases on your board",
        ("What works with my board?", "In a checkout", "Your own board", "The matrix"),
    ),
    ("own-tests.md", "In your own test suite", ("In your own test suite",)),
    ("changes.md", "Compare two runs", ("What changed?",)),
    ("virtual.md", "Use a virtual board", ("A virtual board", "No board yet?")),
    ("verdicts.md", "Verdicts and exit codes", ("Verdicts",)),
    ("costs.md", "What it costs", ("What it costs",)),
)


class UnplacedSectionError(Exception):
    """A section of README.md is on no page of the site, or on one that does not exist."""

    def __init__(self, names: set[str]) -> None:
        super().__init__(f"README.md and website/readme.py differ in these sections: {sorted(names)}")


def readme_pages(text: str) -> dict[str, Page]:
    """Return the pages made of README.md by their path.

    Raises:
        UnplacedSectionError: `PAGES` does not place every section, or places one that README.md does not have.
    """
    found = sections(text)
    placed = [name for _path, _title, names in PAGES for name in names]
    if set(placed) != set(found):
        raise UnplacedSectionError(set(placed) ^ set(found))
    result = {}
    for path, title, names in PAGES:
        first, *rest = names
        head = found[first] if not first else f"# {title}\n{_lifted(found[first], first)}"
        parts = [head, *(f"## {name}\n{found[name]}" for name in rest)]
        result[path] = Page(path=path, title=title, text="\n".join(parts), source=README)
    return result


def readme_anchors(pages: dict[str, Page]) -> dict[str, Page]:
    """Return the page of each section, by the address that other documents use for it."""
    return {f"{README}#{anchor(name)}": pages[path] for path, _title, names in PAGES for name in names if name}


def sections(text: str) -> dict[str, str]:
    """Return the sections of README.md by their heading; "" is what precedes the first."""
    quoted = [match.span() for match in _FENCE.finditer(text)]
    heads = [
        match for match in re.finditer(r"^## (.*)\n", text, re.MULTILINE)
        if not any(start <= match.start() < end for start, end in quoted)
    ]  # fmt: skip
    ends = [*(match.start() for match in heads), len(text)]
    return {"": text[: ends[0]]} | {
        match[1]: text[match.end() : end] for match, end in zip(heads, ends[1:], strict=True)
    }


def _lifted(text: str, name: str) -> str:
    """Return a section that begins its page, with an anchor for those who link to its heading."""
    return f'<a id="{anchor(name)}"></a>\n{text}'
