"""Checksums of data on the serial line, as device_scripts/line.py computes them. Pure.

A kind is the letter a checksum begins with: `c` crc32, `s` the first four bytes of sha256, `a` adler32. The board
decides which one it can compute; they protect against a bad line, not against malice.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable

KINDS: dict[str, Callable[[bytes], int]] = {
    "c": zlib.crc32,
    "s": lambda data: int.from_bytes(hashlib.sha256(data).digest()[:4], "big"),
    "a": zlib.adler32,
}
PATTERN = "[csa]00[0-9a-f]{8}"


def check_sum(data: bytes, *, kind: str) -> str:
    """Return the checksum of some bytes: the letter of its kind, two zeros and eight hexadecimal digits.

    With the zeros it has 11 characters: MicroPython never frees a string literal of up to 10 (py/parse.c,
    MICROPY_ALLOC_PARSE_INTERN_STRING_LEN), and each request has its checksum as one.

    Raises:
        KeyError: there is no such kind.
    """
    return f"{kind}{KINDS[kind](data):010x}"


def fits(data: bytes, check: str) -> bool:
    """Whether a checksum is that of these bytes, whatever its kind."""
    return re.fullmatch(PATTERN, check) is not None and check_sum(data, kind=check[0]) == check
