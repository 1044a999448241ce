"""Whose log a line comes from."""

import pytest

from harness.explain.catalogue.sides import is_c_program, is_esp_idf, sides_of
from harness.explain.catalogue.signs import LogSide

B, S, C, U = LogSide.BOARD, LogSide.SERVER, LogSide.CLIENT, LogSide.UNKNOWN


@pytest.mark.parametrize(
    ("lines", "sides"),
    [
        (["OSError: -30592"], [B]),
        (["[Errno 104] ECONNRESET"], [B]),
        (["Client <unknown> disconnected"], [S]),
        (["error:1417C086:SSL routines:tls_process_client_certificate:certificate verify failed"], [S]),
        (["http: TLS handshake error from 10.0.0.2:40000: EOF"], [S]),
        (["urllib3.exceptions.SSLError: [SSL: X]"], [C]),
        (["ssl.SSLError: [SSL: NO_SHARED_CIPHER]"], [U]),
        (["hello"], [U]),
        (["hello", "OSError: -30592", "there"], [B, B, B]),
        (["OSError: -30592", "more", "nginx: error", "and more"], [B, B, S, S]),
        (["OSError: -30592", "ssl.SSLError: x"], [B, U]),
        (["ssl.SSLError: x", "Client <unknown> disconnected"], [S, S]),
    ],
)
def test_sides(lines, sides):
    """A line has its own side, that of all marked lines, or that of the one above; a PC has the role that another line shows."""
    assert sides_of(lines) == sides


@pytest.mark.parametrize(
    ("line", "c_program", "idf"),
    [
        ("E (123) esp-tls: x", True, True),
        ("mbedtls_ssl_handshake returned -1", True, False),
        ("OSError: (-30592, 'MBEDTLS_ERR_SSL_X')", False, False),
        ("MBEDTLS_ERR_SSL_INVALID_RECORD", False, False),
        ("OSError: mbedtls_ssl_setup", False, False),
    ],
)
def test_c_programs(line, c_program, idf):
    """A C program's functions are no names of errors, and MicroPython's exceptions are no C program's."""
    assert (is_c_program(line), is_esp_idf(line)) == (c_program, idf)
