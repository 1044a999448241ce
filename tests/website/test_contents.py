"""The pages of the site, their links, and their places in the navigation."""

import posixpath
import re
import tomllib
from pathlib import Path

import pytest

from website.__main__ import BASE, write_sources
from website.contents import site
from website.links import DeadLinkError, anchor, rewritten
from website.page import Page, Section

ROOT = Path(__file__).resolve().parents[2]
TREE = site(ROOT)
PAGES = {page.path: page for page in TREE.pages()}


def test_every_document_is_a_page():
    """The site has each page of docs/, and each of the documents in the repository's folder."""
    files = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
    assert {path.relative_to(ROOT).as_posix() for path in files} - {page.source for page in PAGES.values()} == set()


def test_each_page_has_one_place():
    """No path is in the navigation twice: the second page would replace the first."""
    assert len(PAGES) == len(list(TREE.pages()))


def listed(entries) -> list[str]:
    """The paths that a `nav` lists."""
    found = []
    for entry in entries:
        (value,) = entry.values()
        found += [value] if isinstance(value, str) else listed(value)
    return found


def test_the_navigation_lists_every_page(tmp_path):
    """What zensical gets: a page outside the navigation would be found by search only."""
    assert write_sources(tmp_path) == len(PAGES)
    settings = tomllib.loads((tmp_path / "zensical.toml").read_text(encoding="utf-8"))
    written = [path.relative_to(tmp_path / "pages").as_posix() for path in (tmp_path / "pages").rglob("*.md")]
    assert sorted(listed(settings["project"]["nav"])) == sorted(written) == sorted(PAGES)
    assert settings["project"]["site_url"].endswith(f".github.io{BASE}")


def headings(page: Page) -> list[str]:
    """The headings of a page, without those in its examples."""
    text = re.sub(r"^```.*?^```$", "", page.text, flags=re.MULTILINE | re.DOTALL)
    return [line.lstrip("# ") for line in text.splitlines() if re.match(r"#+ ", line)]


def given(heading: str) -> str:
    """The anchor that a generated page gives to a heading: `## Title { #anchor }`; empty if it gives none."""
    return (re.findall(r"\{ #(.*) \}$", heading) or [""])[0]


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_links(page):
    """A relative link leads to a page of the site, and its anchor to a heading there; a page begins with its only title."""
    text = re.sub(r"^```.*?^```$", "", page.text, flags=re.MULTILINE | re.DOTALL)
    for name, part in re.findall(r"\]\(([^()\s#:]*)(?:#([^()\s]+))?\)", text):
        target = PAGES[posixpath.normpath(posixpath.join(posixpath.dirname(page.path), name)) if name else page.path]
        anchors = {given(heading) or anchor(heading) for heading in headings(target)}
        anchors |= set(re.findall(r'<a id="(.*?)">', target.text))
        assert not part or part in anchors, (name, part)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert text.startswith("# ")


def page(text: str) -> Page:
    """A page of docs/facts."""
    return Page(path="facts/x.md", title="X", text=text, source="docs/facts/x.md")


LAB = Page(path="lab.md", title="Lab", text="", source="docs/lab.md")
VERDICTS = Page(path="verdicts.md", title="Verdicts", text="", source="README.md")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](../lab.md#power)", "[a](../lab.md#power)"),
        ("[a](../../README.md#verdicts)", "[a](../verdicts.md#verdicts)"),
        ("[a](#part)", "[a](x.md#part)"),
        ("[a](https://example.org/x.md)", "[a](https://example.org/x.md)"),
        (
            "[a](../../harness/cli.py)",
            "[a](https://github.com/micropython-tls-harness/micropython-tls-harness/blob/main/harness/cli.py)",
        ),
        ("[a](../../certs)", "[a](https://github.com/micropython-tls-harness/micropython-tls-harness/tree/main/certs)"),
        ("```\n[a](out.md)\n```\n", "```\n[a](out.md)\n```\n"),
    ],
)
def test_a_link_is_made_for_the_site(text, expected):
    """To a page of the site, to the section of README.md that is a page of its own, else to the repository; not in an example."""
    made = rewritten(page(text), pages=[page(text), LAB, VERDICTS], anchors={"README.md#verdicts": VERDICTS}, root=ROOT)
    assert made.text == expected


def test_a_dead_link_is_refused():
    """The message names the page and the link."""
    with pytest.raises(DeadLinkError) as caught:
        rewritten(page("[a](out.md#x)"), pages=[], anchors={}, root=ROOT)
    assert str(caught.value) == "docs/facts/x.md: the link to out.md#x leads to no file of the repository"


def test_a_title_with_quotation_marks():
    """Titles become strings of TOML."""
    section = Section(title='a "b" \\', entries=(Page(path="x.md", title="'", text=""),))
    assert tomllib.loads(f"nav = [{section.navigation()}]") == {"nav": [{'a "b" \\': [{"'": "x.md"}]}]}
