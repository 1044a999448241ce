"""Every form in which MicroPython 1.14 to 1.29 reports a failure is normalised."""

from __future__ import annotations

from typing import Any

import pytest

from harness.model import ClientFailure, Stage
from harness.oracle.client_errors import client_failure

MBED_2 = "mbed TLS 2.28.3"
MBED_3 = "Mbed TLS 3.6.6"
NOT_TRUSTED = "The certificate is not correctly signed by the trusted CA"
EXPIRED = "The certificate validity has expired"
CN = "The certificate Common Name (CN) does not match with the expected CN"


def failure(kind: str, *args: Any, **settings: Any) -> ClientFailure:
    """Normalise an error, by default of a board in the handshake whose ClientHello arrived."""
    known: dict[str, Any] = {
        "stage": Stage.HANDSHAKE,
        "tls_library": "mbedTLS",
        "tls_version": MBED_3,
        "hello_sent": True,
    } | settings
    return client_failure(kind, args, **known)


@pytest.mark.parametrize(
    ("args", "name"),
    [
        ((-30592, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"), "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"),
        ((-30592,), "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"),
        ((-30592, "SSL - A fatal alert message was received from our peer"), "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE"),
        ((-17040,), "MBEDTLS_ERR_RSA_PUBLIC_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED"),
        (
            (-17168, "RSA - The private key operation failed : BIGNUM - Memory allocation failed"),
            "MBEDTLS_ERR_RSA_PRIVATE_FAILED+MBEDTLS_ERR_MPI_ALLOC_FAILED",
        ),
        ((-9570,), "MBEDTLS_ERR_X509_INVALID_EXTENSIONS+MBEDTLS_ERR_ASN1_UNEXPECTED_TAG"),
        ((-9984, "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED"), "MBEDTLS_ERR_X509_CERT_VERIFY_FAILED"),
        ((-8960, "a text of a build nobody knows"), "MBEDTLS_ERR_X509_INVALID_ALG"),
        ((-30000,), None),
    ],
)
def test_the_number_names_the_error_and_the_text_is_ignored(args: tuple[Any, ...], name: str | None) -> None:
    """With one or two arguments, names or English text, only the number decides the name, and the arguments are kept."""
    expected = ClientFailure(type="OSError", args=args, number=args[0], flags=None, name=name, stage=Stage.HANDSHAKE)
    assert failure("OSError", *args) == expected


@pytest.mark.parametrize(
    ("number", "old", "new"),
    [
        (-31488, "SSL_BAD_HS_SERVER_KEY_EXCHANGE", "SSL_RECEIVED_NEW_SESSION_TICKET"),
        (-28288, "SSL_BAD_HS_PROTOCOL_VERSION", "SSL_BAD_PROTOCOL_VERSION"),
        (-30720, "SSL_PEER_VERIFY_FAILED", "SSL_UNRECOGNIZED_NAME"),
        (-29440, "SSL_UNKNOWN_CIPHER", "SSL_DECODE_ERROR"),
        (-28160, "SSL_BAD_HS_NEW_SESSION_TICKET", "SSL_HANDSHAKE_FAILURE"),
        (-29952, "SSL_CERTIFICATE_TOO_LARGE", "SSL_UNSUPPORTED_EXTENSION"),
        (-26112, "SSL_INVALID_VERIFY_HASH", "SSL_ILLEGAL_PARAMETER"),
    ],
)
def test_reused_numbers_are_read_with_the_version_of_the_client(number: int, old: str, new: str) -> None:
    """A number that mbedTLS 3.0 gave a new meaning has both names only if the version is unknown."""
    old, new = f"MBEDTLS_ERR_{old}", f"MBEDTLS_ERR_{new}"
    names = [failure("OSError", number, tls_version=version).name for version in (MBED_2, MBED_3, "3.3.0", None)]
    assert names == [old, new, new, f"{old}|{new}"]


def test_a_number_all_versions_agree_on_needs_no_version() -> None:
    """-29312 is CONN_EOF in all of 2.16, 2.28 and 3.6."""
    assert failure("OSError", -29312, tls_version=None).name == "MBEDTLS_ERR_SSL_CONN_EOF"


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (4, "MBEDTLS_ERR_MPI_BAD_INPUT_DATA"),
        (14, "MBEDTLS_ERR_MPI_NOT_ACCEPTABLE"),
        (16, "MBEDTLS_ERR_MPI_ALLOC_FAILED"),
        (18, "MBEDTLS_ERR_GCM_AUTH_FAILED"),
        (46, "MBEDTLS_ERR_OID_NOT_FOUND"),
        (60, "MBEDTLS_ERR_ENTROPY_SOURCE_FAILED"),
        (96, "MBEDTLS_ERR_ASN1_OUT_OF_DATA"),
        (98, "MBEDTLS_ERR_ASN1_UNEXPECTED_TAG"),
        (100, "MBEDTLS_ERR_ASN1_INVALID_LENGTH"),
        (102, "MBEDTLS_ERR_ASN1_LENGTH_MISMATCH"),
        (106, "MBEDTLS_ERR_ASN1_ALLOC_FAILED"),
        (32, "EPIPE"),
        (110, "ETIMEDOUT"),
        (103, "ECONNABORTED"),
        (113, "EHOSTUNREACH"),
        (12, "ENOMEM"),
        (104, "ECONNRESET|MBEDTLS_ERR_ASN1_INVALID_DATA"),
    ],
)
def test_folded_errnos_in_the_handshake(number: int, name: str) -> None:
    """An error that MicroPython mapped to 1..255 keeps its number; the name is its meaning from wrap_socket."""
    seen = failure("OSError", number)
    assert (seen.number, seen.name) == (number, name)


def test_connection_reset_is_only_ambiguous_once_the_peer_could_have_answered() -> None:
    """104 before a ClientHello arrived, or after the handshake, cannot come from the peer's certificate."""
    before = failure("OSError", 104, hello_sent=False)
    later = failure("OSError", 104, stage=Stage.READ)
    assert (before.name, later.name, later.stage) == ("ECONNRESET", "ECONNRESET", Stage.READ)


def test_an_error_of_close_is_the_ports_own() -> None:
    """Closing checks nothing of TLS: 16 is EBUSY there, out of memory before."""
    assert failure("OSError", 16, stage=Stage.CLOSE).name == "EBUSY"


def test_a_refused_setting_needs_a_hello_that_is_known_to_be_missing() -> None:
    """BAD_INPUT_DATA may come from the peer's message, too, where nobody knows whether the board had begun."""
    stages = [failure("OSError", -28928, hello_sent=sent).stage for sent in (False, None, True)]
    assert stages == [Stage.CONFIG, Stage.HANDSHAKE, Stage.HANDSHAKE]


def test_a_negative_errno_of_1_24_is_the_same_errno() -> None:
    """1.24 raises OSError(-104) from read instead of OSError(104); the number is kept unchanged."""
    seen = failure("OSError", -104, stage=Stage.READ)
    assert (seen.number, seen.name) == (-104, "ECONNRESET")


@pytest.mark.parametrize(
    ("number", "others", "esp32"),
    [
        (113, "EHOSTUNREACH", "ECONNABORTED"),
        (116, None, "ETIMEDOUT"),
        (118, None, "EHOSTUNREACH"),
        (128, None, "ENOTCONN"),
    ],
)
def test_esp32_numbers_errno_like_newlib(number: int, others: str | None, esp32: str) -> None:
    """113 is EHOSTUNREACH on a Pico and ECONNABORTED on an ESP32."""
    names = [failure("OSError", number, stage=Stage.CONNECT, platform=port).name for port in ("rp2", "esp32")]
    assert names == [others, esp32]


def test_a_macos_interpreter_raises_the_errnos_of_its_host() -> None:
    """54 is ECONNRESET on macOS, where it is plausible."""
    assert failure("OSError", 54, platform="darwin").name == "ECONNRESET"
    assert failure("OSError", 54, platform="linux").name == "MBEDTLS_ERR_CTR_DRBG_REQUEST_TOO_BIG"


@pytest.mark.parametrize(
    ("number", "name"), [(-2, "EAI_NONAME"), (-202, "EAI_FAIL"), (111, "ECONNREFUSED"), (16, "EBUSY")]
)
def test_nothing_is_decoded_as_tls_before_tls(number: int, name: str) -> None:
    """While connecting, negative numbers are the resolver's and positive ones errnos, whatever the library."""
    for library in ("mbedTLS", "axTLS", None):
        assert failure("OSError", number, stage=Stage.CONNECT, tls_library=library, hello_sent=False).name == name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (-40, "alert handshake_failure"),
        (-42, "alert bad_certificate"),
        (-48, "alert unknown_ca"),
        (-70, "alert protocol_version"),
        (-112, "alert unrecognized_name"),
        (-1, "NOT_OK"),
        (-4, "EAGAIN"),
        (-256, "CONN_LOST"),
        (-257, "RECORD_OVERFLOW"),
        (-268, "BAD_CERTIFICATE"),
        (-274, "NOT_SUPPORTED"),
        (107, "ENOTCONN"),
    ],
)
def test_axtls_numbers(number: int, name: str) -> None:
    """axTLS has its own numbers, and shows a received alert as its negated code."""
    assert failure("OSError", number, tls_library="axTLS", tls_version=None).name == name
    if number < 0:
        assert failure("OSError", number, tls_library=None, tls_version=None).name == name


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        (f"\n{NOT_TRUSTED}\n", ("not_trusted",)),
        (f"{NOT_TRUSTED}\n", ("not_trusted",)),
        (f"\n{CN}\n", ("cn_mismatch",)),
        (f"\n{EXPIRED}\n{CN}\n", ("cn_mismatch", "expired")),
        (f"\n{EXPIRED}\n{NOT_TRUSTED}\n", ("expired", "not_trusted")),
        ("\nThe certificate validity starts in the future\n", ("future",)),
        ("\nThe certificate is signed with an unacceptable hash.\n", ("bad_md",)),
        ("\nThe certificate is signed with an unacceptable key (eg bad curve, RSA too short).\n", ("bad_key",)),
        ("\nThe certificate has been revoked (is on a CRL)\n", ("revoked",)),
        ("\nUsage does not match the extendedKeyUsage extension\n", ("other",)),
        ("something else entirely", ()),
        ("", ()),
        ("invalid cert", None),
        ("CERT_REQUIRED requires server_hostname", None),
    ],
)
def test_verification_texts_become_flags(text: str, flags: tuple[str, ...] | None) -> None:
    """Each fixed line of mbedTLS is a flag; other text is not a flag and stays in the arguments."""
    seen = failure("ValueError", text)
    assert (seen.flags, seen.args, seen.number, seen.name) == (flags, (text,), None, None)


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("ValueError", ("invalid cert",)),
        ("ValueError", ("invalid key",)),
        ("ValueError", ("CERT_REQUIRED requires server_hostname",)),
        ("TypeError", ("extra keyword arguments given",)),
        ("AttributeError", ("'SSLContext' object has no attribute 'load_verify_locations'",)),
        ("OSError", (-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")),
        ("OSError", (-28928,)),
    ],
)
def test_a_refusal_of_own_settings_is_config_even_out_of_wrap_socket(kind: str, args: tuple[Any, ...]) -> None:
    """Without a ClientHello on the wire the settings caused these errors; with one they did not."""
    stages = [failure(kind, *args, hello_sent=sent).stage for sent in (False, True)]
    assert stages == [Stage.CONFIG, Stage.HANDSHAKE]


@pytest.mark.parametrize("stage", [Stage.CONFIG, Stage.READ, Stage.WRITE, Stage.CLOSE, Stage.CONNECT])
def test_other_stages_are_unchanged(stage: Stage) -> None:
    """Only the handshake stage can contain errors of settings; a TypeError in read keeps that stage."""
    assert failure("TypeError", "x", stage=stage, hello_sent=None).stage is stage


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("MemoryError", ("memory allocation failed, allocating 16725 bytes",)),
        ("MemoryError", ()),
        ("OSError", ()),
        ("OSError", ("text only",)),
        ("OSError", (True,)),
    ],
)
def test_errors_without_a_number(kind: str, args: tuple[Any, ...]) -> None:
    """A MemoryError, an OSError without arguments or with a bool first has neither number nor name."""
    expected = ClientFailure(type=kind, args=args, number=None, flags=None, name=None, stage=Stage.HANDSHAKE)
    assert failure(kind, *args) == expected


def test_a_timeout_of_asyncio() -> None:
    """asyncio.wait_for raises a class of its own without arguments: it is a time-out like ETIMEDOUT of a socket."""
    expected = ClientFailure(type="TimeoutError", args=(), number=None, flags=None, name="ETIMEDOUT", stage=Stage.READ)
    assert failure("TimeoutError", stage=Stage.READ) == expected
