"""The error numbers of a text: only where the text says that a number is one, in every notation, with every name."""

import pytest

from harness.explain.catalogue.numbers import names_of, numbers_in, readings
from harness.explain.catalogue.sides import is_c_program


def values(line):
    """Return the values of a line's numbers."""
    return [number.value for number in numbers_in(line, c_program=is_c_program(line))]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("no shared cipher (_ssl.c:1006)", []),
        ("memory allocation failed, allocating 16725 bytes", []),
        ('  File "main.py", line 30, in <module>', []),
        ("2026-07-31 12:00:00 failed", []),
        ("Client socket: <socket state=3 timeout=-1 incoming=0 off=0>", []),
        ("rssi=-71 esp-tls", []),
        ("umqtt.simple2.MQTTException: 30", []),
        ("wifi: STA_DISCONNECTED, reason:200", []),
        ("error:0A00010B:SSL routines::wrong version number", []),
        ("I get -4711 here", []),
        ("OSError: -256", [-256]),
        ("OSError(0x7780)", [-30592]),
        ("OSError: (-4, 'SSL_EAGAIN')", [-4]),
        ("[Errno -30592] MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE", [-30592]),
        ("errno=113", [113]),
        ("errno 111", [111]),
        ("Exception serving request: -267", [-267]),
        ("mbedtls_ssl_handshake failed: -19968", [-19968]),
        ("mbedtls_pk_verify() returned -19968 (-0x4e00)", [-19968, -19968]),
        ("mbedtls_ssl_handshake error: -71", [-0x71]),
        ("ssl_handshake_status: -40", [-40]),
        ("(-80) UNKNOWN ERROR CODE (0050)", [-80]),
        ("I get -30592 from wrap_socket", [-30592]),
        ("30592", [-30592]),
        ("-0x7780", [-30592]),
        ("4294936704", [-30592]),
        ("0xFFFF8880", [-30592]),
        ("(-30592, 'SSL - A fatal alert message')", [-30592]),
    ],
)
def test_numbers_that_are_errors(line, found):
    """c: line numbers, sizes, dates, and values of other names are not errors; signed, unsigned, hex and packed numbers are."""
    assert values(line) == found


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "-0x" + "f" * 5000, "OSError: " + "7" * 5000])
def test_a_number_without_an_end(text):
    """A number that no library has is none, and Python refuses to read it."""
    assert values(text) == []


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        (
            "-31488",
            (
                "-31488 = -0x7B00 is MBEDTLS_ERR_SSL_BAD_HS_SERVER_KEY_EXCHANGE in mbedTLS 2.28",
                "-31488 = -0x7B00 is MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET in mbedTLS 3.6",
            ),
        ),
        (
            "OSError: 16",
            (
                "16 is EBUSY",
                "16 may be MBEDTLS_ERR_MPI_ALLOC_FAILED (-0x10): MicroPython reports small mbedTLS error codes as errno values",
            ),
        ),
        ("OSError: 113", ("113 is EHOSTUNREACH on most MicroPython ports", "113 is ECONNABORTED on esp32")),
        ("[Errno 113] EHOSTUNREACH", ("113 is EHOSTUNREACH on most MicroPython ports",)),
        ("OSError: -40", ("-40 is the server's alert handshake_failure(40) on axTLS (esp8266)",)),
        ("OSError: (-4, 'SSL_EAGAIN')", ("-4 is EAGAIN in axTLS (esp8266)",)),
        ("-26880", ("-26880 = -0x6900 is MBEDTLS_ERR_SSL_WANT_READ (mbedTLS)",)),
        ("-0x50", ("-80 = -0x50 is MBEDTLS_ERR_NET_CONN_RESET (mbedTLS)",)),
        (
            "mbedtls_ssl_handshake error: -71",
            ("-113 is ECONNABORTED with its sign turned (esp32; an errno that mbedTLS passed on)",),
        ),
        (
            "OSError: (-116, 'ETIMEDOUT')",
            ("-116 is ETIMEDOUT with its sign turned (esp32; read and write since 1.24)",),
        ),
        ("OSError: -202", ("-202 is EAI_FAIL of the name lookup",)),
        ("OSError: -2", ("-2 is EAI_NONAME of the name lookup",)),
        ("-30952", ()),
    ],
)
def test_readings(line, lines):
    """c: a number gets all its names, by library version, by port, and as an errno; a name in the text leaves that one only."""
    assert tuple(text for number in numbers_in(line) for text in readings(number)) == lines


def test_an_errno_in_a_log_of_esp_idf():
    """esp-idf prints errno values of its own sockets; they are no numbers of mbedTLS."""
    (number,) = numbers_in("E (1) esp-tls: [sock=54] delayed connect error, errno=104", c_program=True)
    assert names_of(number).errno == ("ECONNRESET",)
