"""What `python -m website` refuses to publish."""

import pytest

from website.check import problems

GOOD = '<h1 id="top">A</h1><a href="../b/#part">b</a><a href="/base/b/">b</a><a href="https://example.org/">x</a>'


def built(folder, text):
    """A site with the page a/ of this content, and a page b/."""
    for name, body in (("a", text), ("b", '<p id="part"></p>')):
        (folder / name).mkdir()
        (folder / name / "index.html").write_text(body, encoding="utf-8")
    (folder / "sheet.css").write_text("a{background:url(data:x)}", encoding="utf-8")
    return folder


def test_a_good_site(tmp_path):
    """Links to pages, anchors and other sites; absolute links begin with the site's own path."""
    assert problems(built(tmp_path, GOOD), base="/base/") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<a href="../c/">c</a>', "dead link ../c/"),
        ('<a href="../b/#other">b</a>', "dead link ../b/#other"),
        ('<a href="#other">here</a>', "dead link #other"),
        ('<a href="/b/">b</a>', "dead link /b/"),
        ('<img src="x.png">', "dead link x.png"),
        ('<link rel="stylesheet" href="x.css">', "dead link x.css"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from another host"),
        ('<link rel="preconnect" href="//example.org">', "loads //example.org from another host"),
        ("<p>text:\n* one\n* two</p>", "a list without an empty line before it is not shown as a list"),
    ],
)
def test_a_bad_page(tmp_path, text, expected):
    """A dead link, something from another host, and Markdown that this reader of Markdown understands differently."""
    assert problems(built(tmp_path, text), base="/base/") == [f"a/index.html: {expected}"]


@pytest.mark.parametrize("text", ["@import 'https://example.org/x.css';", "a{background:url(//example.org/x.png)}"])
def test_a_bad_style_sheet(tmp_path, text):
    """A style sheet can load things, too."""
    site = built(tmp_path, GOOD)
    (site / "sheet.css").write_text(text, encoding="utf-8")
    assert problems(site, base="/base/") == ["sheet.css: loads something from another host"]
