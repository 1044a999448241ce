"""Checksums of both ends are equal for the same bytes, and different after any damage of one bit or one byte."""

import pytest

from harness.boards.agent.check_sum import KINDS, check_sum, fits
from harness.boards.agent.scripts import script

DATA = b'{"host":"192.0.2.1","port":4433}'


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_longer_than_what_a_board_keeps(kind):
    """A checksum is its kind and 32 bits in hexadecimal, with zeros: MicroPython keeps string literals of up to 10 characters."""
    assert len(check_sum(b"", kind=kind)) == 11
    assert check_sum(DATA, kind=kind)[0] == kind
    assert fits(DATA, check_sum(DATA, kind=kind))


@pytest.mark.parametrize("check", ["", "c", "c001234567", "x0012345678", "c001234567g", "C0012345678", "c00123456789"])
def test_invalid_text_matches_nothing(check):
    """Text of another form counts as a damaged checksum."""
    assert not fits(DATA, check)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_board_computes_the_same(kind, monkeypatch):
    """device_scripts/line.py gives what the host computes, for each kind that it may choose."""
    names = {}
    exec(script("line"), names)
    if kind != "c":
        names["th_binascii"] = type("no_crc32", (), {"hexlify": staticmethod(names["th_binascii"].hexlify)})
    if kind == "a":
        names["th_hashlib"] = None
    for data in (b"", b"a", DATA, bytes(range(256)) * 5):
        assert names["th_sum"](data) == check_sum(data, kind=kind)
