"""Markdown pages of any size and of any text."""

import re

import pytest

from harness.reports.text.markdown_page import CELL_CHARACTERS, MAX_COLUMNS, PAGE_BYTES, Section, escaped, page

CLOSING = "Omitted to stay within the size limit: "


def section(title="Table", rows=3, width=20):
    """A table of two columns."""
    return Section(title=title, head=("one", "two"), rows=tuple((f"r{n}", "x" * width) for n in range(rows)))


def test_a_page():
    """Title, trusted paragraphs, notes, and the sections."""
    text = page(
        "T",
        intro=["**bold**"],
        notes=["a *note*"],
        sections=[Section(title="S", lines=("l",), head=("a", "n"), rows=(("x", ("y", "z")),), right=1)],
    )
    assert text.splitlines() == [
        "# T", "", "**bold**", "", "* a \\*note\\*", "", "## S", "", "* l", "", "| a | n |", "|---|--:|", "| x | y **z** |",
    ]  # fmt: skip


@pytest.mark.parametrize("rows", [0, 1, 100, 1_000, 10_000])
@pytest.mark.parametrize("width", [1, 200, 5_000])
def test_it_always_fits(rows, width):
    """Only whole rows at the end of tables are cut, from the last section first, and they are counted."""
    sections = [section("First", rows, width), section("Second", rows, width), section("Third", 1)]
    text = page("T", sections=sections, notes=["n" * 5_000] * 50, intro=["i"])
    assert len(text.encode()) <= PAGE_BYTES
    shown = {
        name: len(re.findall(r"^\| r\d+ \|", part, re.M))
        for name, part in zip("FST", text.split("\n## ")[1:], strict=False)
    }
    assert shown["F"] >= shown["S"]
    left = [(name, rows - shown[key]) for name, key in (("First", "F"), ("Second", "S")) if rows > shown[key]]
    closing = next((line for line in text.splitlines() if line.startswith(CLOSING)), "")
    assert [f"{count} rows of {name}" in closing for name, count in left] == [True] * len(left)
    assert bool(left) == bool(closing)
    assert not closing or closing.endswith("Everything is in run.json and in the HTML report.")
    assert "... and " in text  # of the notes


def test_notes_get_a_quarter_of_the_page():
    """Notes that just fit are shown; one more byte and they are counted."""
    shown = [page("T", notes=["x" * length], sections=[], limit=4_000) for length in (997, 998)]
    assert ["* ... and 1 more" in text for text in shown] == [False, True]


def test_characters_of_many_bytes():
    """The limit is in bytes."""
    rows = tuple(("\N{GRINNING FACE}" * 200, "é") for _ in range(500))
    text = page("T", sections=[Section(title="S", head=("a", "b"), rows=rows)])
    assert len(text.encode()) <= PAGE_BYTES


def test_too_many_columns():
    """A matrix of a hundred boards is cut, and says so."""
    head = tuple(str(number) for number in range(100))
    text = page("T", sections=[Section(title="S", head=head, rows=(head,))])
    assert f"| {MAX_COLUMNS - 1} |" in text
    assert f"{CLOSING}{100 - MAX_COLUMNS} columns of S. " in text


def test_a_table_of_numbers_that_is_cut():
    """Columns of numbers stay aligned to the right if the table has fewer columns than they are."""
    head = tuple(str(number) for number in range(MAX_COLUMNS + 1))
    text = page("T", sections=[Section(title="S", head=head, right=len(head))])
    assert f"\n|{'|'.join(['--:'] * MAX_COLUMNS)}|\n" in text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a|b", "a\\|b"),
        ("<script>&amp;", "&lt;script&gt;&amp;amp;"),
        ("**x** _y_ `z` ~q~", "\\*\\*x\\*\\* \\_y\\_ \\`z\\` \\~q\\~"),
        ("[a](b) $c$ \\", "\\[a\\](b) \\$c\\$ \\\\"),
        ("@everyone", "@&#8203;everyone"),
        ("a\nb\r\x1b[0m\u202e", "a b  \\[0m "),
        ("\ud800", " "),
        ("x" * CELL_CHARACTERS, "x" * CELL_CHARACTERS),
        ("x" * 301, "x" * CELL_CHARACTERS + " ..."),
    ],
)
def test_untrusted_text(text, safe):
    """The text has no markup, line breaks, tables or mentions, and is bounded."""
    assert escaped(text) == safe
