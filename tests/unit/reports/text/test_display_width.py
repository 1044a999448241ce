"""Terminal columns of a text."""

from harness.reports.text.display_width import cut, display_width


def test_display_width():
    """Wide characters count twice, and a cut text ends in dots."""
    assert (display_width("ab"), display_width("漢字")) == (2, 4)
    assert (cut("abcdefgh", 8), cut("abcdefgh", 6), cut("漢字漢字", 7)) == ("abcdefgh", "abc...", "漢字...")
    assert (cut("abcdef", 2), cut("abcdef", 0)) == ("..", "")
