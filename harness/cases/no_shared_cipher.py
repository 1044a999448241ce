"""The nine causes of NO_SHARED_CIPHER, each twice (docs/facts/python-ssl.md, "The causes of NO_SHARED_CIPHER")."""

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
PLAIN_RSA = ("TLS_RSA_WITH_AES_256_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA")
TLS13_SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384")


def only(suites: tuple[str, ...], *certificates: str, **words: Any) -> Situation:
    """A client that offers these suites and no others, in TLS 1.2."""
    return ordinary(*certificates, suites=suites, maximum_version=TLS12, needs=(can_offer_exactly(suites),), **words)


@table(tier=Tier.CORE)
def key_and_suites() -> Iterable[Row]:
    """Causes a to d: the suites of the two sides and the server's key."""
    yield Row(
        "key-type-rsa",
        "Key type, RSA. The client has only ECDHE_ECDSA suites: change the key, not the suites.",
        only(ECDHE_ECDSA, "server-rsa2048"),
    )
    yield Row(
        "key-type-ec",
        "Key type, EC. The client has ECDHE_RSA and plain RSA suites, the key is on a curve.",
        only((*ECDHE_RSA, *PLAIN_RSA), "server-p384"),
        Tier.FULL,
    )
    yield Row(
        "plain-rsa-only-rsa-key",
        "Plain RSA only. The key fits and the suites do too, but Python's default list has dropped them.",
        only(PLAIN_RSA, "server-rsa2048"),
    )
    yield Row(
        "plain-rsa-only-ec-key",
        "Plain RSA only, against an EC key. Two causes at once: allowing the suites would not be enough.",
        only(PLAIN_RSA, "server-p256"),
        Tier.FULL,
    )
    yield Row(
        "ecdhe-rsa-only-p256-key",
        "ECDHE_RSA only, against a P-256 key. The other half of the seed: a client without ECDSA.",
        only(ECDHE_RSA, "server-p256"),
    )
    yield Row(
        "ecdhe-rsa-only-p521-key",
        "ECDHE_RSA with GCM only, against a P-521 key. The curve does not matter then.",
        only(ECDHE_RSA[:1], "server-p521"),
        Tier.FULL,
    )
    yield Row(
        "sha1-mac-only-ecdsa",
        "CBC with SHA-1 only, EC key. Python's default list says !SHA1: key and key exchange fit, the MAC does not.",
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
    """Causes e to h: no certificate, and keys or groups that the client does not list."""
    yield Row(
        "no-certificate",
        "No certificate loaded, TLS 1.2. The server starts without complaint and fits nobody.",
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
        "Ed25519 key, TLS 1.2. An ECDSA suite would fit, but the client lists no ed25519 among its signatures.",
        ordinary("server-ed25519", maximum_version=TLS12),
    )
    yield Row(
        "key-without-scheme-rsa-pss",
        "RSA-PSS key, TLS 1.2. An ECDHE_RSA suite would fit, but the client lists no rsa_pss_pss.",
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
        "secp256k1 key, TLS 1.2. As P-224; only mbedTLS 2.x lists it.",
        ordinary("server-secp256k1", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "no-group-ec-key",
        "Key exchange with X25519 only, EC key. The suites and the key fit, the key exchange has no group.",
        ordinary("server-p256", curve="X25519", maximum_version=TLS12, needs=(server_takes_curve("X25519"),)),
    )
    yield Row(
        "no-group-rsa-key",
        "Key exchange with secp256k1 only, RSA key. The same with a key that has no curve itself.",
        ordinary("server-rsa2048", curve="secp256k1", ciphers="ECDHE", maximum_version=TLS12),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def version_without_suites() -> Iterable[Row]:
    """Cause i: TLS 1.3 is advertised, its suites are not; and the cure."""
    tls13 = (OFFERS_TLS13, SETS_CIPHERS)
    yield Row(
        "tls13-without-suites-ec",
        "A TLS 1.3 client limited to TLS 1.2 suites, EC key. It still offers 1.3; OpenSSL takes it and finds no suite.",
        ordinary("server-p256", suites=ECDHE_ECDSA, needs=tls13),
    )
    yield Row(
        "tls13-without-suites-rsa",
        "A TLS 1.3 client limited to TLS 1.2 suites, RSA key. The ordinary cures for 1.2 change nothing here.",
        ordinary("server-rsa2048", suites=(*ECDHE_RSA, *PLAIN_RSA), ciphers="ALL", needs=tls13),
        Tier.FULL,
    )
    yield Row(
        "tls13-with-suites",
        "The same client with TLS 1.3 suites in its list. The cure on the client's side.",
        ordinary("server-p256", suites=(*TLS13_SUITES, *ECDHE_ECDSA), needs=tls13),
        Tier.FULL,
    )
    yield Row(
        "tls13-kept-out",
        "The same client, a server that stops at TLS 1.2. The cure on the server's side.",
        ordinary("server-p256", suites=ECDHE_ECDSA, maximum_version=TLS12, needs=tls13),
        Tier.FULL,
    )
