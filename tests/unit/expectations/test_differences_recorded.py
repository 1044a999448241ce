"""Judge observations that were written after recorded behaviour of builds that are not here: mbedTLS 2.16 and axTLS.

The numbers and alerts are the recorded ones. Everything else in these observations is invented.
"""

from dataclasses import replace

import pytest

from harness.cases import find_case
from harness.model import (
    Alert,
    BoardInfo,
    ClientFailure,
    Expectation,
    HelloFacts,
    Observation,
    Outcome,
    ServerFacts,
    ServerFailure,
    Side,
    Stage,
    VerdictWord,
)
from harness.oracle.judge import judge
from harness.wire.alerts import alert_name

SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x300000D0, suites=())
HELLO = HelloFacts(
    record_version="0301", versions=("0303",), suites=("003d",), groups=(), signature_algorithms=(), extensions=(0, 13), sni=None,
)  # fmt: skip
ESP32 = replace(HELLO, extensions=(0, 10, 13, 22, 23, 35), fingerprint="E1")
MBEDTLS_2_28 = BoardInfo(tls_library="mbedTLS", hello=HELLO, alerts_unknown_record=False)
ESP32_2_28 = replace(MBEDTLS_2_28, hello=ESP32)
MBEDTLS_2_16 = replace(MBEDTLS_2_28, alerts_unknown_record=True)
ESP32_2_16 = replace(ESP32_2_28, alerts_unknown_record=True)
AXTLS = BoardInfo(tls_library="axTLS")


def recorded(number, code, *, server=None):
    """Return what happened: the client's number, the alert that it sent (None for none), and the server's reason."""
    alerts = () if code is None else (Alert(sender=Side.CLIENT, level="fatal", code=code, name=alert_name(code)),)
    failure = ClientFailure(type="OSError", args=(number,), number=number, flags=None, name=None, stage=Stage.HANDSHAKE)
    error = server and ServerFailure(type="SSLError", reason=server)
    return Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.CLIENT,
        server=error,
        client=failure,
        alerts=alerts,
    )


def verdict(case_id, board, seen):
    """Return the verdict of a case on this board."""
    case = find_case(case_id)
    expected = case.expect if isinstance(case.expect, Expectation) else case.expect(board, SERVER)
    return judge(case, expected, seen).word


@pytest.mark.parametrize(
    ("case_id", "number", "code", "server", "board", "other"),
    [
        ("not-tls/http-400", -29184, 10, None, MBEDTLS_2_16, MBEDTLS_2_28),
        ("not-tls/ssh-banner", -29184, 10, None, MBEDTLS_2_16, MBEDTLS_2_28),
        ("not-tls/ff", -29184, 10, None, MBEDTLS_2_16, MBEDTLS_2_28),
        ("not-tls/record-too-long", -29184, None, None, MBEDTLS_2_16, MBEDTLS_2_28),
        ("tampered/sh-unsolicited-alpn", -31104, 40, "SSLV3_ALERT_HANDSHAKE_FAILURE", ESP32_2_16, ESP32_2_28),
        ("not-tls/http-400", -257, 22, None, AXTLS, MBEDTLS_2_16),
        ("not-tls/ff", -257, 22, None, AXTLS, MBEDTLS_2_16),
    ],
)
def test_recorded_refusals(case_id, number, code, server, board, other):
    """What this library does is as expected, and would be a failure of the other library."""
    seen = recorded(number, code, server=server)
    assert (verdict(case_id, board, seen), verdict(case_id, other, seen)) == (VerdictWord.PASS, VerdictWord.FAIL)


@pytest.mark.parametrize(
    ("case_id", "number", "code", "server", "board"),
    [
        ("not-tls/http-400", -29184, None, None, MBEDTLS_2_28),
        ("not-tls/record-too-long", -28928, None, None, MBEDTLS_2_28),
        ("tampered/sh-unsolicited-alpn", -31104, 110, "TLSV1_UNSUPPORTED_EXTENSION", ESP32_2_28),
    ],
)
def test_the_later_library_keeps_its_own(case_id, number, code, server, board):
    """mbedTLS 2.28 refuses as before."""
    assert verdict(case_id, board, recorded(number, code, server=server)) is VerdictWord.PASS


# --------------------------------------------------------------- read in the source of axTLS, never recorded


@pytest.mark.parametrize(
    ("case_id", "number", "code", "server"),
    [
        ("not-tls/record-too-long", -257, 22, None),
        ("not-tls/record-ver-0304", -260, 10, None),
        ("not-tls/reflect-clienthello", -260, 10, None),
        ("not-tls/serverhellodone-first", -260, 10, None),
        ("not-tls/ccs-first", -260, 10, None),
        ("fragments/hs-records-64", -260, 10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
        ("fragments/hs-records-16", -260, 10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
        ("fragments/hs-records-4", -260, 10, "SSLV3_ALERT_UNEXPECTED_MESSAGE"),
        ("alert/close-notify-warning", 107, None, None),
        ("alert/no-renegotiation-warning", -100, 10, None),
        ("alert/unrecognized-name-warning", -112, 10, None),
        ("alert/level-3", -40, 10, None),
    ],
)
def test_refusals_of_axtls(case_id, number, code, server):
    """Its own numbers and alerts are as expected; with another number or without the alert they are not, nor of mbedTLS."""
    seen = recorded(number, code, server=server)
    assert (verdict(case_id, AXTLS, seen), verdict(case_id, MBEDTLS_2_28, seen)) == (VerdictWord.PASS, VerdictWord.FAIL)
    assert verdict(case_id, AXTLS, recorded(number - 1, code, server=server)) is VerdictWord.FAIL
    assert verdict(case_id, AXTLS, recorded(number, None if code else 10, server=server)) is VerdictWord.FAIL


@pytest.mark.parametrize(
    ("case_id", "server"),
    [
        ("not-tls/half-record", None),
        ("not-tls/close-at-accept", None),
        ("not-tls/close-after-ch", None),
        ("not-tls/reset-after-ch", None),
        ("cut-off/fin-mid-certificate", "UNEXPECTED_EOF_WHILE_READING"),
        ("cut-off/fin-before-finished", "UNEXPECTED_EOF_WHILE_READING"),
    ],
)
def test_axtls_reports_a_lost_connection(case_id, server):
    """The server ended it, and axTLS has one number for that, without an alert."""
    seen = replace(recorded(-256, None), ended_by=Side.SERVER)
    if server is not None:
        seen = replace(seen, server=ServerFailure(type="SSLEOFError", reason=server))
    assert (verdict(case_id, AXTLS, seen), verdict(case_id, MBEDTLS_2_28, seen)) == (VerdictWord.PASS, VerdictWord.FAIL)
    assert verdict(case_id, AXTLS, replace(seen, ended_by=Side.CLIENT)) is VerdictWord.FAIL
