"""Tests of harness/wire/suites.py: names both ways, and what a suite needs."""

from __future__ import annotations

import ssl

import pytest

from harness.wire.suites import (
    SuiteInfo,
    all_suites,
    iana_suite_name,
    is_signal,
    mbedtls_suite_name,
    suite_code,
    suite_info,
    suite_name,
)


def test_names_both_ways() -> None:
    """Every code gives its name and every name its code."""
    assert [code for code in all_suites()] == [suite_code(suite_name(code)) for code in all_suites()]


def test_unknown_suite() -> None:
    """A code outside the table is shown as hex; a name outside it has no code."""
    assert (suite_name(0x1A1A), suite_code("TLS_NO_SUCH_SUITE")) == ("0x1A1A", None)
    assert suite_info(0x1A1A) is None


@pytest.mark.parametrize(
    ("iana", "mbedtls"),
    [
        ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", "TLS-ECDHE-ECDSA-WITH-AES-128-CBC-SHA256"),
        ("TLS_AES_128_CCM_8_SHA256", "TLS1-3-AES-128-CCM-8-SHA256"),
        ("TLS_CHACHA20_POLY1305_SHA256", "TLS1-3-CHACHA20-POLY1305-SHA256"),
        ("TLS_RSA_WITH_AES_256_CCM_8", "TLS-RSA-WITH-AES-256-CCM-8"),
        ("TLS_PSK_DHE_WITH_AES_128_CCM_8", "TLS-DHE-PSK-WITH-AES-128-CCM-8"),
        ("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS-EMPTY-RENEGOTIATION-INFO-SCSV"),
    ],
)
def test_mbedtls_spelling(iana: str, mbedtls: str) -> None:
    """mbedTLS's and IANA's spellings are converted in both directions, including TLS 1.3 and the two PSK_DHE names."""
    assert (mbedtls, iana) == (mbedtls_suite_name(iana), iana_suite_name(mbedtls))


def test_mbedtls_spelling_round_trip() -> None:
    """Every suite of the table is unchanged after conversion to mbedTLS's spelling and back."""
    for code in all_suites():
        assert suite_name(code) == iana_suite_name(mbedtls_suite_name(suite_name(code)))


@pytest.mark.parametrize(
    ("name", "exchange", "authentication", "minimum", "mac", "hash_name", "forward"),
    [
        ("TLS_RSA_WITH_AES_128_CBC_SHA", "RSA", "RSA", "TLSv1", "SHA", "SHA256", False),
        ("TLS_RSA_WITH_AES_256_CBC_SHA256", "RSA", "RSA", "TLSv1.2", "SHA256", "SHA256", False),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE", "ECDSA", "TLSv1.2", "SHA384", "SHA384", True),
        ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE", "RSA", "TLSv1.2", "AEAD", "SHA256", True),
        ("TLS_DHE_RSA_WITH_AES_256_CCM_8", "DHE", "RSA", "TLSv1.2", "AEAD", "SHA256", True),
        ("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", "ECDH", "ECDSA", "TLSv1", "SHA", "SHA256", False),
        ("TLS_PSK_WITH_AES_128_CBC_SHA256", "PSK", "PSK", "TLSv1", "SHA256", "SHA256", False),
        ("TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", "ECDHE_PSK", "PSK", "TLSv1", "SHA", "SHA256", True),
        ("TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", "RSA_PSK", "RSA", "TLSv1.2", "AEAD", "SHA384", False),
        ("TLS_DH_anon_WITH_AES_128_GCM_SHA256", "DHE", "anon", "TLSv1.2", "AEAD", "SHA256", True),
        ("TLS_AES_256_GCM_SHA384", "any", "any", "TLSv1.3", "AEAD", "SHA384", True),
        ("TLS_SHA256_SHA256", "any", "any", "TLSv1.3", "SHA256", "SHA256", True),
    ],
)
def test_properties(
    name: str, exchange: str, authentication: str, minimum: str, mac: str, hash_name: str, forward: bool
) -> None:
    """What a suite needs is read from its name."""
    code = suite_code(name)
    assert code is not None
    info = suite_info(code)
    assert info is not None
    expected = (exchange, authentication, minimum, mac, hash_name, forward, "PSK" in name)
    assert expected == (
        info.key_exchange,
        info.authentication,
        info.minimum_version,
        info.mac,
        info.hash,
        info.forward_secret,
        info.needs_psk,
    )
    assert (mac == "AEAD", minimum == "TLSv1.3") == (info.aead, info.tls13)


def test_signals_are_not_suites() -> None:
    """The two signalling values have names and no properties."""
    assert (suite_name(0x00FF), suite_name(0x5600)) == ("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV")
    assert (is_signal(0x00FF), is_signal(0x5600), is_signal(0x002F)) == (True, True, False)
    assert suite_info(0x00FF) is None


def test_every_suite_has_properties() -> None:
    """The parser handles every name of the table."""
    for code in all_suites():
        assert is_signal(code) or isinstance(suite_info(code), SuiteInfo)


# `openssl ciphers -V` spells these as Kx=/Au=; "any" in TLS 1.3.
_OPENSSL_EXCHANGES = {
    "kx-rsa": {"RSA"},
    "kx-ecdhe": {"ECDHE"},
    "kx-dhe": {"DHE"},
    "kx-psk": {"PSK"},
    "kx-ecdhe-psk": {"ECDHE_PSK"},
    "kx-dhe-psk": {"DHE_PSK"},
    "kx-rsa-psk": {"RSA_PSK"},
    "kx-srp": {"SRP"},
    "kx-any": {"any"},
}
_OPENSSL_AUTHENTICATIONS = {
    "auth-rsa": "RSA",
    "auth-ecdsa": "ECDSA",
    "auth-dss": "DSS",
    "auth-psk": "PSK",
    "auth-srp": "SRP",
    "auth-null": "anon",
    "auth-any": "any",
}


def test_properties_agree_with_openssl() -> None:
    """Every suite of this Python's OpenSSL has the key exchange, authentication and version OpenSSL gives it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    ciphers = context.get_ciphers()
    assert len(ciphers) > 20
    for cipher in ciphers:
        info = suite_info(cipher["id"] & 0xFFFF)
        assert info is not None, cipher
        assert info.key_exchange in _OPENSSL_EXCHANGES[cipher["kea"]], cipher
        assert info.authentication == _OPENSSL_AUTHENTICATIONS[cipher["auth"]], cipher
        assert info.aead == cipher["aead"], cipher
        # OpenSSL lists SSL 3.0, too; no peer here supports it.
        oldest = {"SSLv3": "TLSv1", "TLSv1.0": "TLSv1"}
        assert info.minimum_version == oldest.get(cipher["protocol"], cipher["protocol"]), cipher
