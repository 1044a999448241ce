"""Pasted texts: what is recognised, how numbers are read, and that the catalogue is complete."""

import pytest

from harness.explain.catalogue import catalogue, numbers_in, recognise

# Texts of the pages in docs/facts/ as users paste them, and the catalogue entry that must come first.
PASTED = {
    "OSError: 16": "out-of-memory",
    "[Errno 16] EBUSY": "out-of-memory",
    "-30592": "fatal-alert",
    "30592": "fatal-alert",
    "-0x7780": "fatal-alert",
    "0x7780": "fatal-alert",
    "OSError: (-30592, 'MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE')": "fatal-alert",
    "OSError: (-30592, 'SSL - A fatal alert message was received from our peer')": "fatal-alert",
    "[Errno -30592] MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE": "fatal-alert",
    "[SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)": "no-shared-cipher",
    "ssl.SSLError: [SSL: NO_SHARED_CIPHER] no shared cipher (_ssl.c:1006)": "no-shared-cipher",
    "NO_SHARED_CIPHER": "no-shared-cipher",
    "TLS buffer overflow, record size: 20527 (+5)": "record-overflow",
    "TLS buffer overflow, record size: 5296 (+5)": "record-overflow",
    "mbedtls_ssl_handshake error: -4290": "out-of-memory",
    "mbedtls_ssl_handshake error: -7780": "fatal-alert",
    "ValueError: \nThe certificate is not correctly signed by the trusted CA\n": "not-trusted",
    "ImportError: no module named 'ussl'": "missing-module",
    "OSError: -40": "axtls-alert-40",
    "OSError: -70": "axtls-alert-70",
    "MemoryError: memory allocation failed, allocating 16725 bytes": "out-of-memory",
    "OSError: [Errno 12] ENOMEM": "out-of-memory",
    "OSError: (-17040, 'MBEDTLS_ERR_RSA_PUBLIC_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED')": "out-of-memory",
    "(-17168, 'RSA - The private key operation failed : BIGNUM - Memory allocation failed')": "out-of-memory",
    "OSError: (-10368, 'MBEDTLS_ERR_X509_ALLOC_FAILED')": "out-of-memory",
    "-15104": "out-of-memory",
    "[Errno 104] ECONNRESET": "reset",
    "OSError: -104": "reset",
    "TypeError: extra keyword arguments given": "extra-keywords",
    "AttributeError: 'SSLContext' object has no attribute 'load_verify_locations'": "missing-method",
    "certificate verify failed: unable to get local issuer certificate": "client-certificate-refused",
    "[SSL: UNSUPPORTED_PROTOCOL] unsupported protocol (_ssl.c:1006)": "unsupported-protocol",
    "OSError: (-28288, 'MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION')": "bad-protocol-version",
    "OSError: (-29312, 'MBEDTLS_ERR_SSL_CONN_EOF')": "connection-eof",
    "OSError: (-29184, 'MBEDTLS_ERR_SSL_INVALID_RECORD')": "invalid-record",
    "(-257, 'RECORD_OVERFLOW')": "record-overflow",
    "OSError: (-9984, 'MBEDTLS_ERR_X509_CERT_VERIFY_FAILED')": "verify-failed-one-number",
    "ValueError: The certificate validity starts in the future": "dates",
    "ValueError: The certificate validity has expired": "dates",
    "ValueError: The certificate Common Name (CN) does not match with the expected CN": "wrong-name",
    "ValueError: The certificate is signed with an unacceptable hash.": "unacceptable-hash",
    "The certificate is signed with an unacceptable key (eg bad curve, RSA too short).": "unacceptable-key",
    "OSError: (-8960, 'MBEDTLS_ERR_X509_INVALID_ALG')": "pss-signed",
    "OSError: (-30336, 'MBEDTLS_ERR_SSL_CA_CHAIN_REQUIRED')": "no-ca",
    "ValueError: CERT_REQUIRED requires server_hostname": "no-hostname",
    "ValueError: invalid cert": "unreadable-file",
    "ValueError: invalid key": "unreadable-file",
    "AttributeError: 'SSLSocket' object has no attribute 'getpeercert'": "missing-method",
    "OSError: (-24192, 'MBEDTLS_ERR_SSL_BAD_CONFIG')": "bad-config",
    "OSError: 113": "network",
    "OSError: [Errno 113] EHOSTUNREACH": "network",
    "OSError: -202": "name-lookup",
    "OSError: -2": "name-lookup",
    "could not enter raw repl": "board-gone",
    "-31488": "session-ticket",
    "-0x7B00": "session-ticket",
    "OSError: [Errno 110] ETIMEDOUT": "time-out",
    "[SSL: NO_SUITABLE_KEY_SHARE] no suitable key share": "no-key-share",
    "[SSL: NO_SUITABLE_SIGNATURE_ALGORITHM]": "no-signature-algorithm",
    "[SSL: NO_PROTOCOLS_AVAILABLE] no protocols available": "nothing-left",
    "[SSL: PEER_DID_NOT_RETURN_A_CERTIFICATE] peer did not return a certificate": "no-client-certificate",
    "[SSL: CALLBACK_FAILED] callback failed": "callback-failed",
    "[SSL: HTTP_REQUEST] http request": "invalid-record",
    "[SSL: WRONG_VERSION_NUMBER] wrong version number": "invalid-record",
    "[SSL: RECORD_LENGTH_MISMATCH] record length mismatch": "malformed-hello",
    "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol": "client-left",
    "[SSL: EE_KEY_TOO_SMALL] ee key too small": "unacceptable-key",
    "[SSL: CA_MD_TOO_WEAK] ca md too weak": "unacceptable-hash",
    "[SSL: KEY_VALUES_MISMATCH] key values mismatch": "server-files",
    "ssl.SSLError: [SSL] PEM lib (_ssl.c:3900)": "server-files",
    "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca": "not-trusted",
    "[SSL: SSLV3_ALERT_BAD_CERTIFICATE] sslv3 alert bad certificate": "wrong-name",
    "[SSL: TLSV1_ALERT_DECRYPT_ERROR] tlsv1 alert decrypt error": "decrypt-error",
    "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error": "internal-error-alert",
    "OSError: (-31232, 'MBEDTLS_ERR_SSL_BAD_CERTIFICATE')": "wrong-use",
    "OSError: (-9570, 'MBEDTLS_ERR_X509_INVALID_EXTENSIONS+MBEDTLS_ERR_ASN1_UNEXPECTED_TAG')": "unknown-extension",
    "OSError: (-12288, 'MBEDTLS_ERR_X509_FATAL_ERROR')": "chain-too-deep",
    "OSError: (-28928, 'MBEDTLS_ERR_SSL_BAD_INPUT_DATA')": "bad-input",
    "OSError: (-30848, 'MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY')": "bad-message",
    "[SSL: PSK_IDENTITY_NOT_FOUND] psk identity not found": "unknown-psk",
    "[SSL: UNKNOWN_GROUP] unknown group": "unknown-group",
    "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac": "damaged-data",
}


@pytest.mark.parametrize("text", PASTED, ids=list(PASTED))
def test_pasted_text(text):
    """The entry of the most likely cause comes first."""
    assert recognise(text).entries[0].id == PASTED[text]


def test_every_row_is_reached():
    """Every entry is found by some pasted text."""
    assert {entry.id for entry in catalogue()} == set(PASTED.values())


def test_rows_are_complete():
    """Each entry has a cause with a check, and a first fix; ids and numbers are unique."""
    rows = catalogue()
    assert all(entry.causes and entry.fix and all(cause and tell for cause, tell in entry.causes) for entry in rows)
    assert len({entry.id for entry in rows}) == len(rows)
    numbers = [number for entry in rows for number in entry.numbers]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    ("text", "readings"),
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
        ("OSError: -40", ("-40 is the server's alert handshake_failure(40) on axTLS (esp8266)",)),
        (
            "record size: 20527",
            ("record size 20527 = 0x502F is the text 'P/': the peer speaks plain text (HTTP/1.1)",),
        ),
        ("record size: 8307", ("record size 8307 = 0x2073 is the text ' s': the peer speaks plain text",)),
        ("record size: 5296", ("record size 5296: a real record, larger than the client's buffer",)),
        (
            "sslv3 alert handshake failure",
            ("the other side sent the alert handshake_failure(40); its own exception says why",),
        ),
        ("SSL alert number 48", ("the other side sent the alert unknown_ca(48); its own exception says why",)),
        ("-26880", ("-26880 = -0x6900 is MBEDTLS_ERR_SSL_WANT_READ (mbedTLS)",)),
    ],
)
def test_readings(text, readings):
    """A number gets all its names: by library version, by port, and as an errno."""
    assert recognise(text).readings == readings


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("no shared cipher (_ssl.c:1006)", ()),
        ("memory allocation failed, allocating 16725 bytes", ()),
        ('  File "main.py", line 30, in <module>\nOSError: -256', (-256,)),
        ("2026-07-31 12:00:00 failed", ()),
        ("OSError(0x7780)", (-30592,)),
    ],
)
def test_numbers_that_are_errors(text, numbers):
    """Line numbers, sizes and dates are not errors."""
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("text", ["hello world", "", "invalid certificateness", "4711 bytes"])
def test_nothing_known(text):
    """Unknown text gives no readings and no entries."""
    assert not recognise(text)


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, "-0x" + "f" * 5000, "OSError: " + "7" * 5000])
def test_a_number_without_an_end(text):
    """A number that no library has is none, and Python refuses to read it."""
    assert numbers_in(text) == ()
