"""Docstrings and help texts as Markdown."""

import pytest

from website.docstring import code, markdown, prose, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two\n   lines", "two lines"),
        ("TLS_RSA and `TLS_RSA`", "TLS\\_RSA and `TLS_RSA`"),
        ("*x* <y> [z] #1 ~ \\", "\\*x\\* \\<y\\> \\[z\\] \\#1 \\~ \\\\"),
    ],
)
def test_prose(text, expected):
    """Nothing but code between backticks means anything to Markdown."""
    assert prose(text) == expected


def test_table():
    """A bar in a cell, also in code, does not end the cell."""
    assert table(("a", "b"), [[code("x | y"), ""]]) == "| a | b |\n| --- | --- |\n| `x \\| y` |  |"


DOCSTRING = """Do it.

    More about
    it.

    Args:
        one: the first
            line and the second.
        two, three: both.
        given: settings. Each one
            is one of these:
            four: a word,
            not two.
            five: the last.

    Returns:
        Something: or nothing,
        on two lines.

    Raises:
        UsageError: wrong.
    """

MARKDOWN = """Do it.

More about it.

**Arguments**

* `one`: the first line and the second.
* `two, three`: both.
* `given`: settings. Each one is one of these:
    * `four`: a word, not two.
    * `five`: the last.

**Returns**

Something: or nothing, on two lines.

**Raises**

* `UsageError`: wrong."""


def test_markdown():
    """Paragraphs, sections, entries over several lines, and entries within an entry whose text ends in a colon."""
    assert markdown(DOCSTRING) == MARKDOWN


def test_no_docstring():
    """A name without a docstring has no text."""
    assert markdown(None) == ""
