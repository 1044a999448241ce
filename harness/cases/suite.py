"""Cipher suites of TLS 1.2: each one alone on the server, and the client's own settings."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import fatal_alert_number, refused
from harness.expectations.clients import refuses_own_settings
from harness.expectations.needs import SETS_CIPHERS, can_offer_exactly, server_has_suite
from harness.model import BoardInfo, Expectation, ServerFacts, Side, Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls

TLS12 = "TLSv1.2"

# Enabled in extmod/mbedtls/mbedtls_config_common.h of MicroPython 1.24 and later.
COMMON = tuple(
    f"{exchange}{cipher}"
    for exchange in ("ECDHE-ECDSA-", "ECDHE-RSA-", "")
    for cipher in (
        *("AES256-GCM-SHA384", "AES128-GCM-SHA256"),
        *(("AES256-SHA384",) if exchange else ("AES256-SHA256",)),
        *("AES128-SHA256", "AES256-SHA", "AES128-SHA"),
    )
)
# Only in Espressif's or a distribution's mbedTLS (full), or in none (the two of core).
RARE = (
    *("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"),
    *("ECDHE-ECDSA-AES256-CCM", "ECDHE-ECDSA-AES128-CCM", "ECDHE-ECDSA-AES256-CCM8", "ECDHE-ECDSA-AES128-CCM8"),
    *("AES256-CCM", "AES128-CCM8", "ARIA128-GCM-SHA256"),
    *("ECDHE-ECDSA-ARIA256-GCM-SHA384", "ECDHE-ECDSA-ARIA128-GCM-SHA256", "ECDHE-ARIA128-GCM-SHA256"),
    *("ECDHE-ECDSA-CAMELLIA256-SHA384", "ECDHE-ECDSA-CAMELLIA128-SHA256", "ECDHE-RSA-CAMELLIA128-SHA256"),
    *("CAMELLIA128-SHA256", "CAMELLIA256-SHA", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES128-SHA256"),
)
RARE_IN_CORE = ("ECDHE-ECDSA-CHACHA20-POLY1305", "DHE-RSA-AES256-GCM-SHA384")


def only_suite(name: str) -> Situation:
    """A server limited to one suite, with a matching key; security level 0, so that only the suite decides."""
    key = "server-p256" if "ECDSA" in name else "server-rsa2048"
    return ordinary(
        key,
        ciphers=f"{name}:@SECLEVEL=0",
        maximum_version=TLS12,
        needs=(server_has_suite(name),),
    )


@table(tier=Tier.CORE)
def certificate_suites() -> Iterable[Row]:
    """Every certificate suite of MicroPython's own mbedTLS configuration."""
    for name in COMMON:
        yield Row(
            name.lower(),
            f"Only {name}. Each suite of the common configuration works, or its absence gives NO_SHARED_CIPHER.",
            only_suite(name),
        )


@table(tier=Tier.FULL)
def rare_suites() -> Iterable[Row]:
    """Suites that most firmware lacks."""
    for name in RARE:
        yield Row(
            f"rare-{name.lower()}",
            f"Only {name}. Most firmware was built without it; firmware that has it must connect.",
            only_suite(name),
            Tier.CORE if name in RARE_IN_CORE else None,
        )


@table(tier=Tier.CORE)
def key_against_suite() -> Iterable[Row]:
    """The server's key and suites do not match each other, or the client."""
    yield Row(
        "default-rsa",
        "Python's defaults and an RSA key. Users meet this case first: nothing is set, and firmware before 1.24 fails.",
        ordinary("server-rsa2048"),
        Tier.SMOKE,
    )
    yield Row(
        "client-krsa-vs-default",
        "A client limited to plain RSA, a default server. Python 3.10 dropped these suites; some distributions kept them.",
        ordinary(
            "server-rsa2048",
            suites=("TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA"),
            maximum_version=TLS12,
            needs=(SETS_CIPHERS,),
        ),
        Tier.FULL,
    )
    yield Row(
        "ecdsa-suite-rsa-cert",
        "Only ECDHE_ECDSA suites and an RSA key. The server's settings contradict each other; Python raises no error at start.",
        ordinary("server-rsa2048", ciphers="ECDHE+aECDSA", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "rsa-suite-ec-cert",
        "Only ECDHE_RSA suites and an EC key. The same with the other key type.",
        ordinary("server-p256", ciphers="ECDHE+aRSA", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "no-cert-server",
        "A server without a certificate. load_cert_chain was not called; the client's error is the same as for a wrong suite.",
        ordinary(),
        Tier.FULL,
    )


def psk_suite_without_key(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect no common suite if the library knows this one; otherwise set_ciphers refuses the name."""
    if "TLS-PSK-WITH-AES-128-GCM-SHA256" in board.suites:
        alert = "handshake_failure"
        return refused(by=Side.SERVER, server="NO_SHARED_CIPHER", alert=alert, client=fatal_alert_number(board, alert))
    return refuses_own_settings(client_type="OSError", client=mbedtls.SSL_BAD_CONFIG)


@table(tier=Tier.FULL)
def client_lists() -> Iterable[Row]:
    """What the client's set_ciphers accepts and refuses."""
    refused_list = refuses_own_settings(client_type="OSError", client=mbedtls.SSL_BAD_CONFIG)
    yield Row(
        "client-only-psk-no-key",
        "A client that offers a PSK suite without a key. set_ciphers accepts it if the library knows PSK, but it can never be used.",
        ordinary(
            "server-p256",
            suite_words=("TLS-PSK-WITH-AES-128-GCM-SHA256",),
            maximum_version=TLS12,
            expect=psk_suite_without_key,
            subject=Subject.NEGOTIATION,
            needs=(SETS_CIPHERS,),
        ),
    )
    yield Row(
        "client-unknown-name",
        "A suite name that does not exist. The client raises SSL_BAD_CONFIG before any connection; the server must not wait for it.",
        ordinary("server-p256", suite_words=("TLS-NOPE",), expect=refused_list, needs=(SETS_CIPHERS,)),
    )
    yield Row(
        "client-iana-underscore",
        "A suite name as IANA spells it. mbedTLS uses dashes: the most common mistake with set_ciphers.",
        ordinary(
            "server-p256",
            suite_words=("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",),
            expect=refused_list,
            needs=(SETS_CIPHERS,),
        ),
    )
    yield Row(
        "client-empty",
        "An empty list of suites. The client refuses it; it does not mean the default.",
        ordinary("server-p256", suite_words=(), expect=refused_list, needs=(SETS_CIPHERS,)),
    )
    yield Row(
        "client-one-suite",
        "A client that offers one ECDHE_ECDSA suite. Only that suite may be chosen.",
        ordinary(
            "server-p256",
            suites=("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",),
            maximum_version=TLS12,
            needs=(can_offer_exactly(("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",)),),
        ),
    )


@table(tier=Tier.FULL)
def server_order() -> Iterable[Row]:
    """Whose preference counts, and suite strings that people use."""
    yield Row(
        "server-prefers-cbc",
        "A server whose first suite is a CBC one. Python's servers use their own order, whatever the client prefers.",
        ordinary("server-p256", ciphers="ECDHE-ECDSA-AES128-SHA256:ECDHE+AESGCM:ECDHE+AES", maximum_version=TLS12),
    )
    yield Row(
        "openssl-default",
        "set_ciphers('DEFAULT') and an RSA key. OpenSSL's own list still has plain RSA; people find this fix by trying.",
        ordinary("server-rsa2048", ciphers="DEFAULT", maximum_version=TLS12),
    )
    yield Row(
        "high",
        "set_ciphers('HIGH') and an EC key. Many tutorials contain this line.",
        ordinary("server-p256", ciphers="HIGH:!aNULL:!MD5"),
    )
    yield Row(
        "seclevel-3",
        "Security level 3 and a P-256 key. Its 128 bits are enough; RSA-2048 would be too weak.",
        ordinary("server-p256", ciphers="ECDHE+AESGCM:ECDHE+AES:@SECLEVEL=3"),
    )
