"""README.md as pages of the site."""

from pathlib import Path

import pytest

from website.readme import PAGES, UnplacedSectionError, readme_anchors, readme_pages, sections

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


def test_sections():
    """A heading of the second level begins a section, except in an example."""
    text = "# Title\n\nintro\n\n## A\na\n```sh\n## no heading\n```\n\n## B\nb\n"
    assert sections(text) == {"": "# Title\n\nintro\n\n", "A": "a\n```sh\n## no heading\n```\n\n", "B": "b\n"}


def test_nothing_is_left_out():
    """The pages together have every line of README.md."""
    lines = {line for page in readme_pages(README).values() for line in page.text.splitlines()}
    titles = {f"## {names[0]}" for _path, _title, names in PAGES if names[0]}
    assert set(README.splitlines()) - lines <= titles


def test_a_section_that_begins_a_page():
    """Its heading becomes the page's title; links to the heading lead to the page."""
    pages = readme_pages(README)
    assert pages["verdicts.md"].text.startswith('# Verdicts and exit codes\n<a id="verdicts"></a>\n\nThe **subject**')
    assert readme_anchors(pages)["README.md#verdicts"] is pages["verdicts.md"]
    assert readme_anchors(pages)["README.md#your-own-board"] is pages["run.md"]


@pytest.mark.parametrize(
    ("text", "names"),
    [(README + "\n## New\n", "['New']"), (README.replace("\n## More\n", "\n### More\n"), "['More']")],
)
def test_a_section_without_a_page_is_refused(text, names):
    """A new section of README.md needs a place on the site, and a removed one must leave its list."""
    with pytest.raises(UnplacedSectionError) as caught:
        readme_pages(text)
    assert str(caught.value) == f"README.md and website/readme.py differ in these sections: {names}"
