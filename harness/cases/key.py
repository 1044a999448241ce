"""Server keys: type, size and curve, and who signed them. The board checks the certificate."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, checked, ordinary, table
from harness.expectations.builders import connected, refused
from harness.expectations.clients import refuses_certificate
from harness.expectations.servers import refuses_short_key
from harness.model import BoardInfo, Expectation, ServerFacts, Side, Stage, Tier

TLS12 = "TLSv1.2"
ANY_LEVEL = "ALL:@SECLEVEL=0"


def short_key(board: BoardInfo, server: ServerFacts) -> Expectation:
    """RSA-1024: refused by the server's own security level, else by the client's certificate profile (2048 bits)."""
    return refuses_short_key(server) or refuses_certificate("bad_key")(board, server)


@table(tier=Tier.CORE)
def sizes() -> Iterable[Row]:
    """RSA keys of every length, and the elliptic curves."""
    yield Row(
        "rsa1024",
        "RSA-1024 key. The server refuses its own settings, so nobody ever meets this key on the wire.",
        checked("server-rsa1024", ca="ca-rsa", expect=short_key, predicted=False),
    )
    yield Row(
        "rsa1024-sec0",
        "RSA-1024 key, security level 0. The server can be talked into it; the client's profile wants 2048 bits.",
        checked("server-rsa1024", ca="ca-rsa", ciphers=ANY_LEVEL, expect=refuses_certificate("bad_key")),
    )
    yield Row(
        "rsa2048",
        "RSA-2048 key. The commonest server there is; a client without ECDHE_RSA has no suite for it.",
        checked("server-rsa2048", ca="ca-rsa"),
        Tier.SMOKE,
    )
    yield Row("rsa3072", "RSA-3072 key. Longer, as BSI asks since 2023.", checked("server-rsa3072", ca="ca-rsa"))
    yield Row(
        "rsa4096",
        "RSA-4096 key. A time budget: checking takes a slow board seconds (micropython #13332).",
        checked("server-rsa4096", ca="ca-rsa"),
    )
    yield Row(
        "rsa8192",
        "RSA-8192 key. The largest number that mbedTLS holds (MBEDTLS_MPI_MAX_SIZE).",
        checked("server-rsa8192", ca="ca-rsa"),
        Tier.FULL,
    )
    yield Row(
        "p256", "P-256 key. The key to recommend: small, quick, and in every client since 1.20.", checked("server-p256")
    )
    yield Row("p384", "P-384 key. The next larger curve.", checked("server-p384"))
    yield Row("p521", "P-521 key. The largest NIST curve; slow on a board.", checked("server-p521"))
    yield Row(
        "p224",
        "P-224 key. An EC key and yet no suite: the client must also list the key's curve, and mbedTLS 3 dropped this one.",
        checked("server-p224"),
    )
    yield Row(
        "k256",
        "secp256k1 key. Bitcoin's curve: in mbedTLS 2.x configurations, in no TLS 1.3.",
        checked("server-secp256k1"),
    )
    yield Row(
        "brainpool-p256",
        "Brainpool P-256 key. Common in Germany; OpenSSL 3.2 gave it TLS 1.3 code points, which changes what happens.",
        checked("server-brainpool-p256"),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def other_types() -> Iterable[Row]:
    """Keys that are neither plain RSA nor on a curve that a client lists."""
    yield Row("ed25519", "Ed25519 key. Modern, and no mbedTLS client can check it.", checked("server-ed25519"))
    yield Row("ed448", "Ed448 key. As Ed25519, larger.", checked("server-ed448"), Tier.FULL)
    yield Row(
        "rsa-pss",
        "RSA-PSS key. An RSA key that may make PSS signatures only: an ordinary client has no scheme for it.",
        checked("server-rsa-pss", ca="ca-rsa"),
    )
    yield Row(
        "rsa-pss-tls12",
        "RSA-PSS key, TLS 1.2. The client's list decides: without rsa_pss_pss there is no shared cipher.",
        checked("server-rsa-pss", ca="ca-rsa", maximum_version=TLS12),
        Tier.FULL,
    )
    yield Row(
        "foreign-key",
        "Certificate and key of two pairs. load_cert_chain refuses it; the message does not say which file is wrong.",
        Situation(
            server=ordinary("server-p256-foreign-key").server,
            expect=refused(by=Side.SERVER, stage=Stage.CONFIG, server="KEY_VALUES_MISMATCH"),
        ),
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def issuers() -> Iterable[Row]:
    """A key of one type under a CA of another: the client needs both."""
    yield Row(
        "rsa2048-ca-p256",
        "RSA key under an EC root. The suite says RSA, the certificate is signed with ECDSA.",
        checked("server-rsa2048-by-p256"),
    )
    yield Row(
        "p256-ca-rsa2048",
        "EC key under an RSA root. What many public CAs issue.",
        checked("server-p256-by-rsa", ca="ca-rsa"),
    )
    yield Row(
        "p256-ca-p521",
        "EC key under a P-521 root. A larger curve and SHA-512 only in the signature of the certificate.",
        checked("server-p256-by-p521", ca="ca-p521"),
    )
    yield Row(
        "p256-ca-rsa1024",
        "EC key under an RSA-1024 root. The client's profile looks at the CA's key too.",
        checked(
            "server-p256-by-rsa1024",
            ca="ca-rsa1024",
            expect=refuses_certificate("bad_key"),
            positive_control="key/p256-ca-rsa2048",
        ),
    )


@table(tier=Tier.CORE)
def two_keys() -> Iterable[Row]:
    """A server with two certificates picks by what the client offers: the cure that serves every client."""
    both = ("server-rsa2048", "server-p256")
    yield Row(
        "dual-rsa-ec",
        "RSA and EC key on one server. The cure that breaks nobody: each client gets what it can use.",
        Situation(
            server=ordinary(*both).server,
            client=checked("server-p256").client,
            expect=connected(),
            predicted=True,
            needs=checked("server-p256").needs,
        ),
    )
    yield Row(
        "dual-ec-first",
        "EC and RSA key, loaded in the other order. The order of load_cert_chain must not matter.",
        ordinary(*reversed(both)),
        Tier.FULL,
    )
    yield Row(
        "dual-picks-rsa",
        "Both keys, only ECDHE_RSA suites. The suites choose the key, however good the other one is.",
        ordinary(*both, ciphers="ECDHE+aRSA+AESGCM:ECDHE+aRSA", maximum_version=TLS12),
    )
    yield Row(
        "dual-picks-ec",
        "Both keys, only ECDHE_ECDSA suites. The same the other way round.",
        ordinary(*both, ciphers="ECDHE+aECDSA", maximum_version=TLS12),
    )
    yield Row(
        "dual-with-plain-rsa",
        "Both keys, plain RSA suites as the last resort. Serves even a board of 2021, at the price of forward secrecy for it.",
        ordinary(*both, ciphers="ECDHE+AESGCM:ECDHE+AES:kRSA+AES", maximum_version=TLS12),
    )
    yield Row(
        "dual-p256-p384",
        "Two EC keys. OpenSSL keeps one key of a type: the one loaded last is shown.",
        ordinary("server-p256", "server-p384"),
        Tier.FULL,
    )
