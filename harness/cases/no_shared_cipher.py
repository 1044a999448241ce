"""The nine causes of NO_SHARED_CIPHER, each with two cases (docs/facts/python-ssl.md, "The causes of NO_SHARED_CIPHER")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.needs import OFFERS_TLS13, SETS_CIPHERS, can_offer_exactly, server_takes_curve
from harness.model import Tier

TLS12 = "TLSv1.2"
ECDHE_ECDSA = (
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
)
ECDHE_RSA = (
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
)
# All that firmware with plain RSA only offers: it has no set_ciphers, so a shorter list could not be tried there.
PLAIN_RSA = (
    "TLS_RSA_WITH_AES_256_CBC_SHA256",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_CBC_SHA",
)
TLS13_SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")


def only(suites: tuple[str, ...], *certificates: str, **words: Any) -> Situation:
    """A TLS 1.2 client that offers exactly these suites."""
    return ordinary(*certificates, suites=suites, maximum_version=TLS12, needs=(can_offer_exactly(suites),), **words)


@table(tier=Tier.CORE)
def key_and_suites() -> Iterable[Row]:
    """Causes a to d: the suites of both sides and the server's key."""
    yield Row(
        "key-type-rsa",
        "RSA key, a client with only ECDHE_ECDSA suites. The key must change, not the suites.",
        only(ECDHE_ECDSA, "server-rsa2048"),
    )
    yield Row(
        "key-type-ec",
        "EC key, a client with ECDHE_RSA and plain RSA suites. The key type does not match.",
        only((*ECDHE_RSA, *PLAIN_RSA), "server-p384"),
        Tier.FULL,
    )
    yield Row(
        "plain-rsa-only-rsa-key",
        "Plain RSA only. The key and the suites match, but Python's default list no longer has them.",
        only(PLAIN_RSA, "server-rsa2048"),
    )
    yield Row(
        "plain-rsa-only-ec-key",
        "The client offers only RSA key exchange; the server has an EC key. "
        "Two problems at once: enabling those suites would not be enough.",
        only(PLAIN_RSA, "server-p256"),
        Tier.FULL,
    )
    yield Row(
        "ecdhe-rsa-only-p256-key",
        "ECDHE_RSA only, P-256 key. The counterpart of the seed: a client without ECDSA.",
        only(ECDHE_RSA, "server-p256"),
    )
    yield Row(
        "ecdhe-rsa-only-p521-key",
        "ECDHE_RSA with GCM only, P-521 key. The curve does not matter.",
        only(ECDHE_RSA[:1], "server-p521"),
        Tier.FULL,
    )
    yield Row(
        "sha1-mac-only-ecdsa",
        "CBC with SHA-1 only, EC key. Python's default list excludes SHA1: key and key exchange match, the MAC does not.",
        only(("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"), "server-p256"),
    )
    yield Row(
        "sha1-mac-only-rsa",
        "CBC with SHA-1 only, RSA key. The same for ECDHE_RSA.",
        only(("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",), "server-rsa2048"),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def server_alone() -> Iterable[Row]:
    """Causes e to h: no certificate, or a key or group that the client does not list."""
    yield Row(
        "no-certificate",
        "No certificate loaded, TLS 1.2. The server starts without an error and has no suite for any client.",
        ordinary(maximum_version=TLS12),
    )
    yield Row(
        "no-certificate-all-suites",
        "No certificate loaded, every suite allowed. More suites do not help without a key.",
        ordinary(ciphers="ALL", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "key-without-scheme-ed25519",
        "Ed25519 key, TLS 1.2. An ECDSA suite matches, but the client does not list ed25519 among its signature algorithms.",
        ordinary("server-ed25519", maximum_version=TLS12),
    )
    yield Row(
        "key-without-scheme-rsa-pss",
        "RSA-PSS key, TLS 1.2. An ECDHE_RSA suite matches, but the client does not list rsa_pss_pss.",
        ordinary("server-rsa-pss", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "key-curve-p224",
        "P-224 key, TLS 1.2. The key's own curve must be among the client's groups (RFC 8422 section 5.1).",
        ordinary("server-p224", maximum_version=TLS12),
    )
    yield Row(
        "key-curve-secp256k1",
        "secp256k1 key, TLS 1.2. Like P-224; only mbedTLS 2.x lists it.",
        ordinary("server-secp256k1", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "no-group-ec-key",
        "Key exchange with X25519 only, EC key. The suites and the key match, but no group does.",
        ordinary("server-p256", curve="X25519", maximum_version=TLS12, needs=(server_takes_curve("X25519"),)),
    )
    yield Row(
        "no-group-rsa-key",
        "Key exchange with secp256k1 only, RSA key. The same with a key that has no curve.",
        ordinary("server-rsa2048", curve="secp256k1", ciphers="ECDHE", maximum_version=TLS12),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def version_without_suites() -> Iterable[Row]:
    """Cause i: the client offers TLS 1.3 without its suites; and the fixes."""
    tls13 = (OFFERS_TLS13, SETS_CIPHERS)
    yield Row(
        "tls13-without-suites-ec",
        "A TLS 1.3 client limited to TLS 1.2 suites, EC key. It still offers TLS 1.3; OpenSSL selects it and finds no suite.",
        ordinary("server-p256", suites=ECDHE_ECDSA, needs=tls13),
    )
    yield Row(
        "tls13-without-suites-rsa",
        "A TLS 1.3 client limited to TLS 1.2 suites, RSA key. The usual fixes for TLS 1.2 do not help.",
        ordinary("server-rsa2048", suites=(*ECDHE_RSA, *PLAIN_RSA), ciphers="ALL", needs=tls13),
        Tier.FULL,
    )
    yield Row(
        "tls13-with-suites",
        "The same client with TLS 1.3 suites in its list. The fix on the client's side.",
        ordinary("server-p256", suites=(*TLS13_SUITES, *ECDHE_ECDSA), needs=tls13),
        Tier.FULL,
    )
    yield Row(
        "tls13-kept-out",
        "The same client, a server limited to TLS 1.2. The fix on the server's side.",
        ordinary("server-p256", suites=ECDHE_ECDSA, maximum_version=TLS12, needs=tls13),
        Tier.FULL,
    )
