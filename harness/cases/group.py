"""Groups of the key exchange: a server held to one."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import refused
from harness.expectations.needs import server_takes_curve
from harness.model import Side, Stage, Tier

TLS12 = "TLSv1.2"
REASONS = {
    "prime256v1": "P-256: the one group that every ECDHE client has.",
    "secp384r1": "P-384: a larger curve, in every mbedTLS since 1.20.",
    "secp521r1": "P-521: the largest NIST curve.",
    "X25519": "X25519: the first choice of every browser, and switched off in MicroPython's configuration since 1.20.",
    "secp256k1": "secp256k1: in mbedTLS 2.x configurations, in no TLS 1.3.",
    "brainpoolP256r1": "Brainpool P-256: nobody offers it but Espressif's older and a distribution's mbedTLS.",
    "X448": "X448: a distribution's mbedTLS only.",
    "secp224r1": "P-224: below what OpenSSL's level 3 allows, dropped by mbedTLS 3.",
}
FULL = ("X448", "secp224r1")


@table(tier=Tier.CORE)
def with_ec_key() -> Iterable[Row]:
    """A P-256 certificate and one group: only the key exchange changes."""
    for name, reason in REASONS.items():
        yield Row(
            name.lower(),
            f"Key exchange only with {name}. {reason} Without it the reason is NO_SHARED_CIPHER, though the suites fit.",
            ordinary("server-p256", curve=name, needs=(server_takes_curve(name),)),
            Tier.FULL if name in FULL else None,
        )


@table(tier=Tier.FULL)
def with_rsa_key() -> Iterable[Row]:
    """The same with an RSA key: the group matters there too, or not at all."""
    for name in ("prime256v1", "secp384r1", "X25519"):
        yield Row(
            f"rsa-{name.lower()}",
            f"RSA key, key exchange only with {name}. ECDHE_RSA needs a group as well; plain RSA, where allowed, does not.",
            ordinary("server-rsa2048", curve=name, needs=(server_takes_curve(name),)),
        )
    yield Row(
        "tls12-x25519",
        "TLS 1.2 and X25519 only. RFC 8422 brought it to TLS 1.2; the client's list decides.",
        ordinary("server-p256", curve="X25519", maximum_version=TLS12, needs=(server_takes_curve("X25519"),)),
    )
    yield Row(
        "plain-rsa-needs-none",
        "X25519 only, but plain RSA allowed. A key exchange without a group does not care which ones are left.",
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
        "A group that does not exist. Python refuses the setting itself, before any connection.",
        Situation(
            server=ordinary("server-p256", curve="secp999r9").server,
            expect=refused(by=Side.SERVER, stage=Stage.CONFIG, server_type="ValueError"),
        ),
    )
