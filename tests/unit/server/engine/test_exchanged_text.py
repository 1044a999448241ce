"""Tests of harness/server/engine/exchanged_text.py."""

import pytest

from harness.server.engine.exchanged_text import TEXT_CHARACTERS, reply_of, shown


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"reply": "Hallo, Client!"}, b"Hallo, Client!"),
        ({"reply": "x", "send_bytes": None}, b"x"),
        ({"reply": "x", "send_bytes": 0}, b""),
        ({"reply": "x", "send_bytes": 18}, b"0123456789abcdef01"),
    ],
)
def test_reply(settings, expected):
    """The answer is the text, or as many bytes of the pattern as the settings request."""
    assert reply_of(settings) == expected


def test_shown_text_is_printable_and_bounded():
    """Control characters and invalid UTF-8 of an untrusted client are escaped, and long text is cut."""
    assert shown(b"a\x1b[2K\n\xff\xc3\xa4") == "a\\x1b[2K\\n\\xffä"
    assert shown(b"x" * 1000) == "x" * TEXT_CHARACTERS
