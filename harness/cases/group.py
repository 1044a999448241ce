"""Groups of the key exchange: the server allows one."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import refused
from harness.expectations.needs import server_takes_curve
from harness.model import Side, Stage, Tier

TLS12 = "TLSv1.2"
REASONS = {
    "prime256v1": "P-256 is the group that every ECDHE client has.",
    "secp384r1": "P-384 is a larger curve; every MicroPython since 1.20 has it.",
    "secp521r1": "P-521 is the largest NIST curve.",
    "X25519": "X25519 is the first choice of every browser; MicroPython's configuration disables it since 1.20.",
    "secp256k1": "secp256k1 is in mbedTLS 2.x configurations and not in TLS 1.3.",
    "brainpoolP256r1": "Only Espressif's older mbedTLS and that of distributions offer Brainpool P-256.",
    "X448": "Only mbedTLS as packaged by Linux distributions offers X448.",
    "secp224r1": "P-224 is too weak for OpenSSL's level 3, and mbedTLS 3 dropped it.",
}
FULL = ("X448", "secp224r1")


@table(tier=Tier.CORE)
def with_ec_key() -> Iterable[Row]:
    """A P-256 certificate and one group; only the key exchange differs."""
    for name, reason in REASONS.items():
        yield Row(
            name.lower(),
            f"Key exchange only with {name}. {reason} A client without it gets NO_SHARED_CIPHER although the suites match.",
            ordinary("server-p256", curve=name, needs=(server_takes_curve(name),)),
            Tier.FULL if name in FULL else None,
        )


@table(tier=Tier.FULL)
def with_rsa_key() -> Iterable[Row]:
    """An RSA key and one group: needed for ECDHE, not for plain RSA."""
    for name in ("prime256v1", "secp384r1", "X25519"):
        yield Row(
            f"rsa-{name.lower()}",
            f"RSA key, key exchange only with {name}. ECDHE_RSA needs a group, too; plain RSA, if allowed, does not.",
            ordinary("server-rsa2048", curve=name, needs=(server_takes_curve(name),)),
        )
    yield Row(
        "tls12-x25519",
        "TLS 1.2 with X25519 only. RFC 8422 added X25519 to TLS 1.2; the client's list decides.",
        ordinary("server-p256", curve="X25519", maximum_version=TLS12, needs=(server_takes_curve("X25519"),)),
    )
    yield Row(
        "plain-rsa-needs-none",
        "X25519 only, but plain RSA allowed. A key exchange without a group connects whatever groups are left.",
        ordinary(
            "server-rsa2048",
            curve="X25519",
            ciphers="ALL",
            maximum_version=TLS12,
            needs=(server_takes_curve("X25519"),),
        ),
    )
    yield Row(
        "unknown-name",
        "A group that does not exist. Python refuses the setting before any connection.",
        Situation(
            server=ordinary("server-p256", curve="secp999r9").server,
            expect=refused(by=Side.SERVER, stage=Stage.CONFIG, server_type="ValueError"),
        ),
    )
