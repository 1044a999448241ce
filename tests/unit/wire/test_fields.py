"""Tests of harness/wire/fields.py: every wrong length is a ValueError that names the message."""

from __future__ import annotations

import pytest

from harness.wire.fields import FieldReader


def test_fields_in_order() -> None:
    """Numbers, vectors and lists are read in the order of the wire."""
    reader = FieldReader(bytes.fromhex("0303 02 abcd 0004 00010002".replace(" ", "")), what="Thing")
    assert (reader.number(2), reader.vector(1), reader.numbers(2, length_size=2)) == (0x0303, b"\xab\xcd", (1, 2))
    assert reader.left == 0
    reader.end()


def test_too_short() -> None:
    """The error for reading past the end names the message and the missing bytes."""
    with pytest.raises(ValueError, match="Thing ends 3 bytes too early"):
        FieldReader(b"\x05ab", what="Thing").vector(1)


def test_too_long() -> None:
    """Bytes after the last field are an error, not ignored."""
    with pytest.raises(ValueError, match="Thing has 2 bytes too many"):
        FieldReader(b"ab", what="Thing").end()


def test_odd_list() -> None:
    """A list of two-byte codes with an odd length is an error."""
    with pytest.raises(ValueError, match="Thing has a list of 3 bytes, not a multiple of 2"):
        FieldReader(b"\x03abc", what="Thing").numbers(2, length_size=1)
