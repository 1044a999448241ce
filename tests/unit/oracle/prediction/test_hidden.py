"""Settings that Python does not show: what handshakes found is compared with what the settings say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.model import FoundSettings, HelloFacts, Outcome, ServerFacts
from harness.oracle.predict import predict
from harness.oracle.prediction.hidden import GROUPS, SIGNATURES, VERSIONS, as_configured, hidden_settings

MakeServer = Callable[..., ServerFacts]
MakeHello = Callable[..., HelloFacts]
ALL_GROUPS = (
    (
        "x25519",
        "secp256r1",
        "x448",
        "secp521r1",
        "secp384r1",
        "ffdhe2048",
        "ffdhe3072",
        "ffdhe4096",
        "ffdhe6144",
        "ffdhe8192",
    ),
)
ALL_SIGNATURES = (
    *("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448"),
    *("rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"),
    *("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"),
    *("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_sha224", "rsa_pkcs1_sha224"),
)
USUAL = FoundSettings(versions=("TLSv1.2", "TLSv1.3"), groups=ALL_GROUPS, signature_algorithms=ALL_SIGNATURES)
X25519_ONLY = replace(USUAL, groups=(("x25519",),))
RSA_ONLY = replace(USUAL, signature_algorithms=("rsa_pkcs1_sha256",))
TLS13_ONLY = replace(USUAL, versions=("TLSv1.3",))


@pytest.mark.parametrize(
    ("found", "hidden"),
    [
        (None, {}),
        (USUAL, {}),
        (X25519_ONLY, {GROUPS: ("x25519",)}),
        (RSA_ONLY, {SIGNATURES: ("rsa_pkcs1_sha256",)}),
        (TLS13_ONLY, {VERSIONS: ("TLSv1.3",)}),
        # A newer OpenSSL may have more than the tables here know.
        (replace(USUAL, signature_algorithms=(*ALL_SIGNATURES, "mldsa44")), {}),
        (replace(USUAL, groups=(*ALL_GROUPS, ("secp256k1",))), {}),
        (replace(USUAL, groups=(ALL_GROUPS[0][:1], ALL_GROUPS[0][1:])), {}),
    ],
)
def test_hidden_settings(
    found: FoundSettings | None, hidden: dict[str, tuple[str, ...]], build_server: MakeServer
) -> None:
    """A setting is hidden if something of what the settings say is missing."""
    assert hidden_settings(build_server("p256", found=found)) == hidden


def test_a_limit_that_python_set_is_not_hidden(build_server: MakeServer) -> None:
    """set_ecdh_curve, the version limits and the security level explain what is missing."""
    facts = build_server("p256", found=X25519_ONLY, groups=("x25519",))
    assert hidden_settings(facts) == {}
    assert hidden_settings(build_server("p256", found=TLS13_ONLY, minimum_version="TLSv1.3")) == {}
    nothing = FoundSettings(versions=(), groups=(), signature_algorithms=())
    old = {"minimum_version": "TLSv1", "maximum_version": "TLSv1.1", "security_level": 0}
    # Only TLS 1.2 and later lets a server choose a signature algorithm.
    unsigned = replace(USUAL, versions=("TLSv1", "TLSv1.1"), signature_algorithms=())
    assert hidden_settings(build_server("p256", found=unsigned, **old)) == {}
    empty_range = {"minimum_version": "TLSv1.3", "maximum_version": "TLSv1.2"}
    assert hidden_settings(build_server("p256", found=nothing, **empty_range)) == {}
    assert hidden_settings(build_server("p256", found=nothing)) == {VERSIONS: ()}
    assert hidden_settings(as_configured(build_server("p256", found=nothing), VERSIONS)) == {}
    at_level_4 = replace(
        USUAL,
        groups=(("x448", "secp521r1", "secp384r1", "ffdhe8192"),),
        signature_algorithms=tuple(name for name in ALL_SIGNATURES if name.endswith(("384", "512", "448"))),
    )
    assert hidden_settings(build_server("p256", found=at_level_4, security_level=4)) == {}
    assert set(hidden_settings(build_server("p256", found=at_level_4))) == {GROUPS, SIGNATURES}


def test_as_configured(build_server: MakeServer) -> None:
    """Only the named settings are replaced by what the settings say."""
    both = build_server("p256", found=replace(X25519_ONLY, signature_algorithms=("ed25519",)))
    assert hidden_settings(as_configured(both, GROUPS)) == {SIGNATURES: ("ed25519",)}
    assert hidden_settings(as_configured(both, GROUPS, SIGNATURES, VERSIONS)) == {}
    unknown = build_server("p256")
    assert as_configured(unknown, GROUPS) is unknown


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (X25519_ONLY, "NO_SHARED_CIPHER"),
        (RSA_ONLY, "NO_SHARED_CIPHER"),
        (replace(USUAL, signature_algorithms=("ed448",)), "NO_SHARED_SIGNATURE_ALGORITHMS"),
        (TLS13_ONLY, "UNSUPPORTED_PROTOCOL"),
        (FoundSettings(versions=(), groups=(), signature_algorithms=()), "NO_PROTOCOLS_AVAILABLE"),
    ],
)
def test_what_is_found_decides_the_prediction(
    found: FoundSettings, reason: str, build_server: MakeServer, build_hello: MakeHello
) -> None:
    """The same settings connect without the finding, and are refused with it."""
    hello = build_hello()
    assert predict(hello, build_server("p256", found=USUAL)).outcome is Outcome.CONNECTED
    assert predict(hello, build_server("p256", found=found)).server_reason == reason


def test_group_and_order_come_from_what_is_found(build_server: MakeServer, build_hello: MakeHello) -> None:
    """A connection uses the first found group that the client has."""
    found = replace(USUAL, groups=(("secp384r1", "secp256r1"),))
    assert predict(build_hello(), build_server("p256", found=found)).group == "secp384r1"
    assert predict(build_hello(), build_server("p256", found=USUAL)).group == "secp256r1"
