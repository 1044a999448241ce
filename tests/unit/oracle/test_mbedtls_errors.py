"""The table of mbedTLS numbers, and combinations of two."""

from __future__ import annotations

import pytest

from harness.oracle.mbedtls_errors import GENERATIONS, error_name, generation, low_level_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mbed TLS 2.28.3", "2.28"),
        ("Mbed TLS 3.6.6", "3.6"),
        ("3.3.0", "3.6"),
        ("2.16.12", "2.16"),
        ("Mbed TLS 4.0.0", "3.6"),
        ("", None),
        (None, None),
        ("axTLS", None),
    ],
)
def test_generation_of_a_version_text(text: str | None, expected: str | None) -> None:
    """MicroPython's version texts, in both spellings, belong to one of three generations."""
    assert generation(text) == expected


def test_every_generation_has_its_names() -> None:
    """The number of names per generation is that of the headers from which the table was made."""
    counts = [sum(1 for number in range(1, 0x8000) if _alone(-number, known=known)) for known in GENERATIONS]
    assert counts == [250, 254, 231]


def _alone(number: int, *, known: str) -> bool:
    """Return whether a number is a single entry of a generation, not a combination."""
    name = error_name(number, tls_version=known)
    return name is not None and "+" not in name


@pytest.mark.parametrize("number", [0, 5, -0x8000, -0x7FFF, -0x1000])
def test_numbers_that_are_not_mbedtls(number: int) -> None:
    """Zero, positive, too large and unassigned numbers have no name."""
    assert error_name(number) is None


def test_a_half_known_number_has_no_name() -> None:
    """A known high half with an unknown low half has no name."""
    assert error_name(-(0x7780 + 0x7F)) is None


def test_low_level_names_end_at_127() -> None:
    """0x80 and above are not low-level codes, whatever the table has there."""
    assert [low_level_name(number) for number in (0, 16, 128)] == [None, "MBEDTLS_ERR_MPI_ALLOC_FAILED", None]
