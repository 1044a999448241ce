"""The causes of NO_SHARED_CIPHER: each rule matches only its own failure and gives the stored text."""

import dataclasses

from harness.explain import candidates, fixes
from harness.model import KeyFacts, ServerFacts, ServerProfile, Side, Stage

NO_SHARED_CIPHER = {"server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER"}, "by": Side.SERVER}
SERVER = ServerFacts(python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), security_level=2)


def test_tls13_without_suites(made, stored):
    """A TLS 1.3 client offers only TLS 1.2 suites: the server chooses 1.3 and finds none (invented: a distribution's build)."""
    hello = dataclasses.replace(
        made.hello, versions=("0304", "0303"), extensions=(0, 10, 13, 43, 51), key_share_groups=("0017",)
    )
    suites = ((0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"), (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"))
    key = KeyFacts(type="EC", bits=256, curve="secp256r1")
    facts = dataclasses.replace(SERVER, suites=suites, keys=(key,))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/tls13-without-suites", result)


def test_unknown_words(made, stored):
    """set_ciphers raises the only SSLError without reason and number (invented; tests/unit/diagnose has a real one)."""
    failure = {"type": "SSLError", "reason": None, "errno": None}
    profile = ServerProfile(ciphers="TLS_RSA_WITH_AES_128_CBC_SHA")
    stored("ciphers/unknown-words", made(stage=Stage.CONFIG, server=failure, by=Side.SERVER, profile=profile))


def test_no_dh_parameters(made, stored):
    """Only DHE is shared, and Python loads no DH parameters by default (invented: esp32 up to 1.20 offers DHE)."""
    facts = dataclasses.replace(
        SERVER, suites=((0x009E, "TLSv1.2", "DHE-RSA-AES128-GCM-SHA256"),), keys=(KeyFacts(type="RSA", bits=2048),)
    )
    hello = dataclasses.replace(made.hello, suites=("009e", "00ff"))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/no-dh-parameters", result)


def test_security_level(made, stored):
    """Security level 3 allows nothing without forward secrecy (invented)."""
    facts = dataclasses.replace(
        SERVER,
        suites=((0x009C, "TLSv1.2", "AES128-GCM-SHA256"),),
        keys=(KeyFacts(type="RSA", bits=3072),),
        security_level=3,
    )
    hello = dataclasses.replace(made.hello, suites=("009c", "00ff"))
    result = made("OSError", -30592, **NO_SHARED_CIPHER, client_hello=hello, server_facts=facts)
    stored("ciphers/security-level", result)


def test_axtls_with_current_python(made):
    """esp8266 raises alert 40 as a number; the cause is the same as for the oldest mbedTLS."""
    facts = dataclasses.replace(
        SERVER, suites=((0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),), keys=(KeyFacts(type="RSA", bits=2048),)
    )
    hello = dataclasses.replace(made.hello, suites=("002f", "003c", "0035", "003d"), groups=(), extensions=(13, 0))
    info = made.board("1.22.0", tls_library="axTLS", platform="esp8266")
    result = made("OSError", -40, **NO_SHARED_CIPHER, info=info, client_hello=hello, server_facts=facts)
    assert [item.rule for item in candidates(result)] == ["ciphers/plain-rsa-only"]


def test_plain_rsa_is_discouraged():
    """TLS_RSA is always marked as discouraged, with the reason."""
    fix = fixes.plain_rsa("AES128-SHA256")
    assert (fix.discouraged, fix.because) == (True, fixes.NO_FORWARD_SECRECY)
