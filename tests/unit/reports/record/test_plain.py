"""Untrusted text made safe to show."""

import pytest

from harness.reports.record.plain import LIST_LIMIT, TEXT_LIMIT, bounded, one_line, plain
from harness.reports.record.result_types import ClientFault
from harness.reports.record.run_types import JournalPlan


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
    """No character that a terminal would obey is left; letters of any language stay."""
    assert plain(text) == shown


def test_every_control_character():
    """Of the 65 control characters only the line end stays."""
    controls = "".join(map(chr, [*range(32), *range(127, 160)]))
    assert [char for char in plain(controls) if ord(char) < 32 or 127 <= ord(char) < 160] == ["\n"]


def test_one_line():
    """Line breaks and runs of blanks become one blank."""
    assert one_line(" a\n  b\t\tc\x1b ") == "a b c\\x1b"


def test_bounded():
    """A long text keeps both ends and says how much is missing; a long list its beginning; short ones stay as they are."""
    long = bounded(JournalPlan(board="a" * 5000 + "b" * 5000, server="s", cases=("c",) * (LIST_LIMIT + 7)))
    assert long.board.startswith("a" * (TEXT_LIMIT // 2) + " ... 8000 characters omitted ... b")
    assert len(long.board) < TEXT_LIMIT + 50
    assert long.cases[-2:] == ("c", "... 7 more omitted ...")
    small = JournalPlan(board="x" * TEXT_LIMIT, server="s", cases=("c",) * LIST_LIMIT)
    assert bounded(small) == small


def test_a_bounded_list_keeps_its_type():
    """No text is added to a long list of numbers, so that the entry still matches its definition."""
    fault = ClientFault(type="OSError", args=(list(range(5000)),), number=None, flags=None, name=None, stage=None)
    assert bounded(fault).args == (list(range(LIST_LIMIT)),)
