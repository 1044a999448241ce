"""Untrusted text made harmless."""

import json

import pytest

from harness.reports.record.plain import LIST_LIMIT, TEXT_LIMIT, bounded, one_line, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\rb\x07\x00\x7f", "a\\rb\\x07\\x00\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\ud800", "\\ud800"),
        ("Gr\u00fc\u00dfe \u2713", "Gr\u00fc\u00dfe \u2713"),
        ("<script>", "<script>"),
    ],
)
def test_plain(text, shown):
    """Nothing a terminal would obey; letters of any language stay."""
    assert plain(text) == shown


def test_every_control_character():
    """None of the 65 gets through, but the line end."""
    controls = "".join(map(chr, [*range(32), *range(127, 160)]))
    assert [char for char in plain(controls) if ord(char) < 32 or 127 <= ord(char) < 160] == ["\n"]


def test_one_line():
    """Lines and blanks become one blank."""
    assert one_line(" a\n  b\t\tc\x1b ") == "a b c\\x1b"


def test_bounded():
    """A long text keeps both ends and says what is missing; a long list its beginning; small things stay as they are."""
    text = bounded("a" * 5000 + "b" * 5000)
    assert text.startswith("a" * (TEXT_LIMIT // 2) + " ... 8000 characters left out ... b")
    assert len(text) < TEXT_LIMIT + 50
    assert bounded(list(range(LIST_LIMIT + 7)))[-1] == "... 7 more left out ..."
    small = {"a": ["x" * TEXT_LIMIT, 1, None, True, {"b": 2.5}]}
    assert bounded(small) == small
    assert len(json.dumps(bounded({"a": [{"b": "x" * 10**6}]}))) < 3000
