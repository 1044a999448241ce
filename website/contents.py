"""All pages of the site, and their order in the navigation."""

from __future__ import annotations

from pathlib import Path

from harness.explain.catalogue.causes import all_causes
from harness.explain.catalogue.page import TOPICS, file_name
from website.catalogue import case_pages
from website.firmware import firmware_page
from website.links import rewritten
from website.page import Page, Section
from website.readme import readme_anchors, readme_pages
from website.reference import api_page, commands_page, fixtures_page, options_page

#: Title of a page, its path in the site, and its file in the repository.
_FILES = {
    "tutorials/virtual-board.md": ("A virtual board", "docs/tutorials/virtual-board.md"),
    "tutorials/esp32.md": ("An ESP32", "docs/tutorials/esp32.md"),
    "tutorials/pico-w.md": ("A Pico W", "docs/tutorials/pico-w.md"),
    "boards.md": ("Set up your board", "docs/boards.md"),
    "simulate.md": ("Simulate firmware", "docs/simulate.md"),
    "asyncio.md": ("Connect through asyncio", "docs/asyncio.md"),
    "programs.md": ("Run programs on the board", "docs/programs.md"),
    "ci.md": ("Test boards in CI", "docs/ci.md"),
    "lab.md": ("Run a lab with many boards", "docs/lab.md"),
    "reports.md": ("Write and compare reports", "docs/reports.md"),
    "faults.md": ("Boards that misbehave", "docs/faults.md"),
    "certificates.md": ("Certificate profiles", "certs/README.md"),
    "causes/index.md": ("All causes", "docs/causes/README.md"),
    "facts/micropython.md": ("MicroPython", "docs/facts/micropython.md"),
    "facts/python-ssl.md": ("Python's ssl and OpenSSL", "docs/facts/python-ssl.md"),
    "facts/boards.md": ("Boards", "docs/facts/boards.md"),
    "architecture.md": ("Architecture", "ARCHITECTURE.md"),
    "decisions.md": ("Decisions", "docs/decisions.md"),
    "defects.md": ("Defects", "docs/defects.md"),
    "contributing.md": ("Contributing", "CONTRIBUTING.md"),
    "security.md": ("Security", "SECURITY.md"),
    "changelog.md": ("Changelog", "CHANGELOG.md"),
}


def site(root: Path) -> Section:
    """Return the navigation with every page in it, links as the site needs them.

    Args:
        root: of the repository.

    Raises:
        DeadLinkError: a page links to a file that does not exist.
        UnplacedSectionError: a section of README.md is on no page.
    """
    readme = readme_pages((root / "README.md").read_text(encoding="utf-8"))
    tree = _tree(readme | {path: _file(path, root=root) for path in _FILES}, root=root)
    pages = list(tree.pages())
    anchors = readme_anchors(readme)

    def made(entry: Page | Section) -> Page | Section:
        if isinstance(entry, Page):
            return rewritten(entry, pages=pages, anchors=anchors, root=root)
        return Section(title=entry.title, entries=tuple(map(made, entry.entries)))

    return Section(title=tree.title, entries=tuple(map(made, tree.entries)))


def _file(path: str, *, root: Path) -> Page:
    title, source = _FILES[path]
    return Page(path=path, title=title, text=(root / source).read_text(encoding="utf-8"), source=source)


def _tree(page: dict[str, Page], *, root: Path) -> Section:
    def section(title: str, *entries: str | Page | Section) -> Section:
        return Section(
            title=title, entries=tuple(page[entry] if isinstance(entry, str) else entry for entry in entries)
        )

    return section(
        "",
        "index.md",
        section("Tutorials", "tutorials/virtual-board.md", "tutorials/esp32.md", "tutorials/pico-w.md"),
        section(
            "How to",
            "run.md", "boards.md", "own-tests.md", "reports.md", "changes.md", "simulate.md", "asyncio.md",
            "programs.md", "virtual.md", "lab.md", "ci.md",
        ),
        section(
            "Reference",
            options_page(), commands_page(), fixtures_page(), api_page(), "verdicts.md", "certificates.md", "faults.md",
        ),
        section("Cases", *case_pages()),
        section("Causes", "causes/index.md", *_causes(root)),
        section("Facts", firmware_page(), "facts/micropython.md", "facts/python-ssl.md", "facts/boards.md"),
        section(
            "Project",
            "architecture.md", "decisions.md", "defects.md", "costs.md", "contributing.md", "security.md", "changelog.md",
        ),
    )  # fmt: skip


def _causes(root: Path) -> list[Section]:
    """Return the pages of docs/causes/, by topic."""
    found: dict[str, list[Page]] = {}
    for cause in all_causes():
        source = f"docs/causes/{file_name(cause.id)}"
        text = (root / source).read_text(encoding="utf-8")
        found.setdefault(cause.topic, []).append(
            Page(path=source.removeprefix("docs/"), title=cause.id.partition("/")[2], text=text, source=source)
        )
    return [Section(title=TOPICS[topic], entries=tuple(pages)) for topic, pages in found.items()]
