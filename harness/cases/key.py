"""Server keys: type, size, curve and issuer. The board verifies the certificate.

A key that some clients have no signature scheme or group for is a case about the negotiation (`expect=None`); with the others the board
must connect.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness.cases import Row, Situation, checked, ordinary, table, with_unverified_form
from harness.expectations.builders import connected, refused
from harness.expectations.clients import refuses_certificate
from harness.expectations.servers import refuses_short_key
from harness.model import BoardInfo, Expectation, ServerFacts, Side, Stage, Tier

TLS12 = "TLSv1.2"
ANY_LEVEL = "ALL:@SECLEVEL=0"


def key(certificate: str, *, ca: str = "ca-p256", **words: Any) -> Situation:
    """A server with this key. Firmware that cannot verify its certificate connects without."""
    return with_unverified_form(checked(certificate, ca=ca, **words))


def short_key(board: BoardInfo, server: ServerFacts) -> Expectation:
    """RSA-1024: the server's security level refuses it, otherwise the client's certificate profile (2048 bits)."""
    return refuses_short_key(server) or refuses_certificate("bad_key")(board, server)


def short_key_unverified(board: BoardInfo, server: ServerFacts) -> Expectation:
    """RSA-1024 and a client that does not look at it: only the server's security level may refuse it."""
    return refuses_short_key(server) or connected()


@table(tier=Tier.CORE)
def sizes() -> Iterable[Row]:
    """RSA keys of all lengths, and EC keys on all curves."""
    yield Row(
        "rsa1024",
        "RSA-1024 key. The server refuses its own settings, so no client ever sees this key.",
        with_unverified_form(
            checked("server-rsa1024", ca="ca-rsa", expect=short_key, predicted=False), expect=short_key_unverified
        ),
    )
    yield Row(
        "rsa1024-sec0",
        "RSA-1024 key, security level 0. The server accepts it; the client's profile requires 2048 bits.",
        checked("server-rsa1024", ca="ca-rsa", ciphers=ANY_LEVEL, expect=refuses_certificate("bad_key")),
    )
    yield Row(
        "rsa2048",
        "RSA-2048 key. The most common server; a client without ECDHE_RSA has no suite for it.",
        key("server-rsa2048", ca="ca-rsa"),
        Tier.SMOKE,
    )
    yield Row(
        "rsa3072",
        "RSA-3072 key. The German BSI requires this length since 2023.",
        key("server-rsa3072", ca="ca-rsa"),
    )
    yield Row(
        "rsa4096",
        "RSA-4096 key. A slow board needs seconds to verify it (micropython #13332).",
        key("server-rsa4096", ca="ca-rsa"),
    )
    yield Row(
        "rsa8192",
        "RSA-8192 key. The largest that mbedTLS supports (MBEDTLS_MPI_MAX_SIZE).",
        key("server-rsa8192", ca="ca-rsa"),
        Tier.FULL,
    )
    yield Row(
        "p256",
        "P-256 key. The recommended key: small, fast, and supported by every client since 1.20.",
        key("server-p256"),
    )
    yield Row("p384", "P-384 key. The next larger curve.", key("server-p384"))
    yield Row("p521", "P-521 key. The largest NIST curve; slow on a board.", key("server-p521"))
    yield Row(
        "p224",
        "P-224 key. The client must list the curve of the key, and mbedTLS 3 dropped this one.",
        key("server-p224", expect=None),
    )
    yield Row(
        "k256",
        "secp256k1 key. Bitcoin's curve, in mbedTLS 2.x configurations and not in TLS 1.3.",
        key("server-secp256k1", expect=None),
    )
    yield Row(
        "brainpool-p256",
        "Brainpool P-256 key. Common in Germany; since OpenSSL 3.2 it has TLS 1.3 code points, which changes the result.",
        key("server-brainpool-p256", expect=None),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def other_types() -> Iterable[Row]:
    """Keys of other types, and a key that does not match its certificate."""
    yield Row("ed25519", "Ed25519 key. No mbedTLS client can verify it.", key("server-ed25519", expect=None))
    yield Row("ed448", "Ed448 key. Like Ed25519, but larger.", key("server-ed448", expect=None), Tier.FULL)
    yield Row(
        "rsa-pss",
        "RSA-PSS key. It may make only PSS signatures, and an ordinary client has no scheme for it.",
        key("server-rsa-pss", ca="ca-rsa", expect=None),
    )
    yield Row(
        "rsa-pss-tls12",
        "RSA-PSS key, TLS 1.2. Without rsa_pss_pss in the client's list there is no shared cipher.",
        key("server-rsa-pss", ca="ca-rsa", maximum_version=TLS12, expect=None),
        Tier.FULL,
    )
    yield Row(
        "foreign-key",
        "Certificate and key do not match. load_cert_chain refuses them; the message does not say which file is wrong.",
        Situation(
            server=ordinary("server-p256-foreign-key").server,
            expect=refused(by=Side.SERVER, stage=Stage.CONFIG, server="KEY_VALUES_MISMATCH"),
        ),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def issuers() -> Iterable[Row]:
    """A key of one type signed by a CA of another. The client needs both."""
    yield Row(
        "rsa2048-ca-p256",
        "RSA key under an EC root. The suite uses RSA, and the certificate is signed with ECDSA.",
        key("server-rsa2048-by-p256"),
    )
    yield Row(
        "p256-ca-rsa2048",
        "EC key under an RSA root. Many public CAs issue such certificates.",
        key("server-p256-by-rsa", ca="ca-rsa"),
    )
    yield Row(
        "p256-ca-p521",
        "EC key under a P-521 root. Only the signature of the certificate uses the larger curve and SHA-512.",
        key("server-p256-by-p521", ca="ca-p521"),
    )
    yield Row(
        "p256-ca-rsa1024",
        "EC key under an RSA-1024 root. The client's profile applies to the CA's key, too.",
        checked(
            "server-p256-by-rsa1024",
            ca="ca-rsa1024",
            expect=refuses_certificate("bad_key"),
            positive_control="key/p256-ca-rsa2048",
        ),
    )


@table(tier=Tier.CORE)
def two_keys() -> Iterable[Row]:
    """Two certificates: the server selects one by the client's offer, which serves every client."""
    both = ("server-rsa2048", "server-p256")
    one_root = replace(checked("server-p256"), server=ordinary("server-rsa2048-by-p256", "server-p256").server)
    yield Row(
        "dual-rsa-ec",
        "RSA and EC keys on one server. The fix that works for all clients: each gets a key that it supports.",
        with_unverified_form(one_root, server=ordinary(*both).server),
    )
    yield Row(
        "dual-ec-first",
        "EC and RSA keys, reverse order. The order of load_cert_chain must not matter.",
        ordinary(*reversed(both)),
        Tier.FULL,
    )
    yield Row(
        "dual-picks-rsa",
        "Both keys, only ECDHE_RSA suites. The suites select the key.",
        ordinary(*both, ciphers="ECDHE+aRSA+AESGCM:ECDHE+aRSA", maximum_version=TLS12),
    )
    yield Row(
        "dual-picks-ec",
        "Both keys, only ECDHE_ECDSA suites. The same with the other key.",
        ordinary(*both, ciphers="ECDHE+aECDSA", maximum_version=TLS12),
    )
    yield Row(
        "dual-with-plain-rsa",
        "Both keys, plain RSA suites last. Works even with a board running 2021 firmware, but without forward secrecy for that board.",
        ordinary(*both, ciphers="ECDHE+AESGCM:ECDHE+AES:kRSA+AES", maximum_version=TLS12),
    )
    yield Row(
        "dual-p256-p384",
        "Two EC keys. OpenSSL keeps one key of each type and sends the one that was loaded last.",
        ordinary("server-p256", "server-p384"),
        Tier.FULL,
    )
