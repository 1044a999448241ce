"""Settings of OpenSSL's configuration: what handshakes found explains a refusal exactly if it was decisive."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import FoundSettings, KeyFacts, ServerFacts, Side

SUITES = (
    (0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
)
P256 = KeyFacts(type="EC", bits=256, curve="secp256r1")
GROUPS = (
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
SIGNATURES = (
    *("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ecdsa_secp521r1_sha512", "ed25519", "ed448"),
    *("rsa_pss_pss_sha256", "rsa_pss_pss_sha384", "rsa_pss_pss_sha512"),
    *("rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512"),
    *("rsa_pkcs1_sha256", "rsa_pkcs1_sha384", "rsa_pkcs1_sha512", "ecdsa_sha224", "rsa_pkcs1_sha224"),
)
USUAL = FoundSettings(versions=("TLSv1.2", "TLSv1.3"), groups=GROUPS, signature_algorithms=SIGNATURES)
SERVER = ServerFacts(
    python="3.11.7",
    openssl="OpenSSL 3.0.19",
    openssl_number=0x30000130,
    suites=SUITES,
    keys=(P256,),
    minimum_version="TLSv1.2",
    found=USUAL,
)


@pytest.fixture
def refused(made):
    """Return a refusal by a server with these findings, for this reason; `hello` changes the ClientHello."""

    def make(reason="NO_SHARED_CIPHER", *, hello=None, keys=(P256,), **found):
        facts = dataclasses.replace(SERVER, keys=keys, found=dataclasses.replace(USUAL, **found))
        return made(
            "OSError",
            -30592,
            by=Side.SERVER,
            server={"type": "SSLError", "reason": reason},
            server_facts=facts,
            client_hello=dataclasses.replace(made.hello, **(hello or {})),
        )

    return make


def test_groups(refused, stored):
    """An EC key and `Groups = X25519`: the board has suites for the key, and no group in common."""
    stored("configuration/found-by-handshake", refused(groups=(("x25519",),)))


def lines_of(result):
    """Return the title, the reasons and the fixes of the only explanation."""
    (said,) = candidates(result)
    assert said.rule == "configuration/found-by-handshake"
    return said.title, said.why, [fix.title for fix in said.fixes]


def test_signature_algorithms(refused):
    """`SignatureAlgorithms` without any for the key: another key helps, if one is left for it."""
    title, why, fixes = lines_of(refused(signature_algorithms=("rsa_pkcs1_sha256", "rsa_pkcs1_sha384")))
    assert title == "OpenSSL's configuration on the server limits the signature algorithms, which Python does not show"
    assert why[:2] == (
        "signature algorithms determined by test handshakes: rsa_pkcs1_sha256, rsa_pkcs1_sha384",
        "the board lists the schemes ecdsa_secp256r1_sha256, rsa_pkcs1_sha256",
    )
    assert fixes == [
        "give the server an RSA key (2048 bits or more)",
        "change OpenSSL's configuration on the server's machine",
    ]


def test_a_key_that_the_server_has_is_no_fix(refused):
    """With an RSA key already loaded, no other key is offered; another group is one that the board has."""
    both = (P256, KeyFacts(type="RSA", bits=2048))
    _title, _why, fixes = lines_of(refused(keys=both, groups=(("x25519",),), hello={"groups": ("0018",)}))
    assert fixes[0].startswith("let the server use secp384r1 for the key exchange")
    limited = refused(keys=both, hello={"suites": ("c02b",)}, signature_algorithms=("rsa_pkcs1_sha256",))
    _title, _why, fixes = lines_of(limited)
    assert fixes == ["change OpenSSL's configuration on the server's machine"]


@pytest.mark.parametrize(("count", "more"), [(6, ""), (7, " and 1 more")])
def test_long_lists_are_shortened(refused, count, more):
    """Six values are shown."""
    names = tuple(f"rsa_pkcs1_sha256{'x' * place}" for place in range(count))
    _title, why, _fixes = lines_of(refused(signature_algorithms=names))
    assert why[0] == f"signature algorithms determined by test handshakes: {', '.join(names[:6])}{more}"


def test_versions(refused):
    """`Protocol = -TLSv1.2`: only TLS 1.3 is left."""
    title, why, fixes = lines_of(refused("UNSUPPORTED_PROTOCOL", versions=("TLSv1.3",)))
    assert title == "OpenSSL's configuration on the server limits the versions, which Python does not show"
    assert why[:2] == ("versions determined by test handshakes: TLSv1.3", "the board offers TLSv1.2")
    assert fixes == ["change OpenSSL's configuration on the server's machine"]


def test_no_version_is_left(refused):
    """`Protocol = -TLSv1.2` and maximum_version TLS 1.2: the versions alone are the cause."""
    nothing = {"versions": (), "groups": (), "signature_algorithms": ()}
    title, why, _fixes = lines_of(refused("NO_PROTOCOLS_AVAILABLE", **nothing))
    assert title == "OpenSSL's configuration on the server limits the versions, which Python does not show"
    assert why[0] == "versions determined by test handshakes: none"


def test_only_the_decisive_setting_is_named(refused):
    """Signature algorithms that leave one for the key are not a cause, however few they are."""
    title, _why, _fixes = lines_of(refused(groups=(("x25519",),), signature_algorithms=("ecdsa_secp256r1_sha256",)))
    assert title == "OpenSSL's configuration on the server limits the groups, which Python does not show"


def test_two_decisive_settings(refused):
    """If each of two alone is enough for the refusal, both are named."""
    title, _why, _fixes = lines_of(
        refused(groups=(("x25519",),), signature_algorithms=("ed25519",), reason="NO_SHARED_SIGNATURE_ALGORITHMS")
    )
    assert (
        title
        == "OpenSSL's configuration on the server limits the groups and signature algorithms, which Python does not show"
    )


def test_a_limit_that_does_not_matter(refused):
    """The board has suites for RSA keys only: that stays the cause, whatever the configuration limits."""
    (said,) = candidates(refused(hello={"suites": ("c02f", "003d")}, groups=(("secp256r1",),)))
    assert said.rule == "ciphers/ecdhe-rsa-only"


def test_unreadable(refused, stored):
    """NO_SHARED_CIPHER although nothing excludes a suite."""
    stored("configuration/unreadable", refused())
