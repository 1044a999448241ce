"""Tests of harness/wire/mbedtls_numbers.py."""

from __future__ import annotations

from harness.oracle.mbedtls_errors import error_name
from harness.wire import mbedtls_numbers

CONSTANTS = {name: value for name, value in vars(mbedtls_numbers).items() if name.isupper()}


def test_each_number_has_its_name_in_the_table() -> None:
    """A constant has the number that a generation of mbedTLS gives to the error of that name."""
    wrong = {
        name: error_name(number)
        for name, number in CONSTANTS.items()
        if f"MBEDTLS_ERR_{name}" not in (error_name(number) or "").split("|")
    }
    assert wrong == {}
    assert mbedtls_numbers.SSL_FATAL_ALERT_MESSAGE == -30592
