"""Refusals of one certificate: by the client, or by a server whose security level comes first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.expectations.certificates import old_hash, refused_with, unknown_hash, wrong_usage
from harness.model import BoardInfo, ServerFacts, Side, Stage
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.handshake import read_client_hello

DATA = json.loads((Path(__file__).parents[2] / "data" / "client_hellos.json").read_text(encoding="utf-8"))["hellos"]
HELLO = read_client_hello(bytes.fromhex(DATA["1.23.0-stm32"]["hex"]))
BOARD = BoardInfo(hello=HELLO, tls_version="Mbed TLS 3.6.6")
WITH_TLS13 = BoardInfo(hello=replace(HELLO, versions=("0304", "0303")), tls_version="Mbed TLS 3.6.6")


def server(level: int) -> ServerFacts:
    """Return a server that checks its own certificate's signature at this security level."""
    return ServerFacts(
        python="3", openssl="OpenSSL", openssl_number=0x30000130, suites=(), security_level=level, checks_own_signature=True
    )  # fmt: skip


def test_a_number_and_an_alert():
    """The client's expectation has both; the server's reason follows from the alert."""
    expected = refused_with(-0x1234, "bad_certificate")(BOARD, server(0))
    assert (expected.ended_by, expected.client_number) == (Side.CLIENT, -0x1234)
    assert (expected.alert.name, expected.server_reason) == ("bad_certificate", "SSLV3_ALERT_BAD_CERTIFICATE")


@pytest.mark.parametrize(("version", "noted"), [("mbed TLS 2.28.3", True), ("Mbed TLS 3.6.6", False)])
def test_usage_is_checked_by_mbedtls_3(version, noted):
    """The expectation is the same for all; if accepting is likely, the note says why."""
    expected = wrong_usage(replace(BOARD, tls_version=version), server(0))
    assert (expected.client_number, expected.alert.name) == (mbedtls.SSL_BAD_CERTIFICATE, "unsupported_certificate")
    assert (expected.note is not None) is noted


@pytest.mark.parametrize("rule", [old_hash, unknown_hash])
def test_the_server_s_security_level_comes_first(rule):
    """From level 1 on OpenSSL 3 does not load such a certificate, so that no client sees it."""
    expected = rule(BOARD, server(2))
    assert (expected.ended_by, expected.stage, expected.server_reason) == (Side.SERVER, Stage.CONFIG, "CA_MD_TOO_WEAK")
    assert rule(BOARD, server(0)).ended_by is Side.CLIENT


def test_an_unknown_hash_in_each_version():
    """In TLS 1.2 the client ignores the certificate and has none; in TLS 1.3 it disconnects without an alert."""
    assert unknown_hash(BOARD, server(0)).client_number == mbedtls.X509_CERT_VERIFY_FAILED
    expected = unknown_hash(WITH_TLS13, server(0))
    assert (expected.client_number, expected.no_alert) == (mbedtls.X509_UNKNOWN_SIG_ALG + mbedtls.OID_NOT_FOUND, True)
