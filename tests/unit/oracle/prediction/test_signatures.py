"""The choice of a signature scheme."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model import HelloFacts, KeyFacts, ServerFacts
from harness.oracle.prediction.signatures import (
    can_sign_old,
    choose_tls12,
    choose_tls13,
    fits_digest,
    keys_by_type,
    may_sign,
    shared_signatures,
)
from harness.wire.signature_algorithms import signature_info

MakeHello = Callable[..., HelloFacts]
MakeServer = Callable[..., ServerFacts]


def test_the_last_key_of_a_type_is_the_one_in_use(build_server: MakeServer) -> None:
    """A context has one slot per key type, so a second load_cert_chain replaces the first."""
    keys = (KeyFacts(type="EC", bits=256, curve="secp256r1"), KeyFacts(type="EC", bits=384, curve="secp384r1"))
    assert keys_by_type(build_server(*keys)) == {"EC": keys[1]}


def test_shared_schemes_follow_who_decides(build_hello: MakeHello, build_server: MakeServer) -> None:
    """OpenSSL's order is by increasing size, mbedTLS's by decreasing size; the deciding side's order is used."""
    hello = build_hello(signatures="06030503040304010501")
    orders = [
        [info.name for info in shared_signatures(hello, server=build_server(server_preference=ours))]
        for ours in (True, False)
    ]
    first, second = ("ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384"), ("ecdsa_secp521r1_sha512",)
    assert orders[0] == [*first, *second, "rsa_pkcs1_sha256", "rsa_pkcs1_sha384"]
    assert orders[1] == [*second, *reversed(first), "rsa_pkcs1_sha256", "rsa_pkcs1_sha384"]


@pytest.mark.parametrize(("level", "number", "left"), [(0, 0x30000130, 2), (1, 0x30000130, 0), (1, 0x1010117F, 2)])
def test_sha1_needs_level_0_since_3_0(
    level: int, number: int, left: int, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """SHA-1 counts 64 bits since 3.0, too few for level 1."""
    server = build_server(security_level=level, openssl_number=number)
    assert len(shared_signatures(build_hello(signatures="02030201"), server=server)) == left


def test_without_the_extension_tls12_means_sha1(build_hello: MakeHello, build_server: MakeServer) -> None:
    """RFC 5246 section 7.4.1.4.1: no extension means SHA-1, with which level 2 does not sign."""
    hello = build_hello(like="no-signatures")
    names = [
        choose_tls12(hello, server=build_server("rsa", security_level=level), version=0x0303, key_types=("RSA",))
        for level in (0, 2)
    ]
    assert [each.name if each else None for each in names] == ["rsa_pkcs1_sha1", None]


@pytest.mark.parametrize(
    ("signatures", "key", "expected"),
    [
        ("04010804", KeyFacts(type="RSA", bits=2048), "rsa_pss_rsae_sha256"),
        ("0401", KeyFacts(type="RSA", bits=2048), None),
        ("0806", KeyFacts(type="RSA", bits=1024), None),
        ("08060804", KeyFacts(type="RSA", bits=1024), "rsa_pss_rsae_sha256"),
        ("0403", KeyFacts(type="EC", bits=384, curve="secp384r1"), None),
        ("04030503", KeyFacts(type="EC", bits=384, curve="secp384r1"), "ecdsa_secp384r1_sha384"),
        ("0807", KeyFacts(type="Ed25519", bits=256), "ed25519"),
    ],
)
def test_tls13_binds_schemes_to_keys(
    signatures: str, key: KeyFacts, expected: str | None, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """TLS 1.3 has no PKCS#1, one curve per ECDSA scheme, and PSS only in keys that are long enough."""
    found = choose_tls13(build_hello(like="tls13", signatures=signatures), server=build_server(key))
    assert (found.name if found else None) == expected


def test_old_versions_sign_by_level(build_server: MakeServer) -> None:
    """TLS 1.1 signs MD5+SHA-1 with RSA and SHA-1 with ECDSA: level 0 since 3.0; in 1.1.1 RSA up to 3, ECDSA up to 1."""
    able = {
        (number, level): tuple(
            can_sign_old(kind, server=build_server(openssl_number=number, security_level=level))
            for kind in ("RSA", "EC")
        )
        for number, level in ((0x30000130, 0), (0x30000130, 1), (0x1010117F, 1), (0x1010117F, 2))
    }
    assert list(able.values()) == [(True, True), (False, False), (True, True), (True, False)]


@pytest.mark.parametrize(
    ("kind", "highest"), [("RSA", {0x1010117F: 3, 0x30000130: 0}), ("EC", {0x1010117F: 1, 0x30000130: 0})]
)
def test_the_highest_level_of_an_old_signature(kind: str, highest: dict[int, int], build_server: MakeServer) -> None:
    """MD5+SHA-1 counts 144 bits in 1.1.1 and 67 since; SHA-1 80 and 64."""
    for number, last in highest.items():
        levels = [
            level
            for level in range(6)
            if can_sign_old(kind, server=build_server(openssl_number=number, security_level=level))
        ]
        assert levels == list(range(last + 1))


@pytest.mark.parametrize(
    ("scheme", "highest"),
    [("0807", 3), ("0808", 4), ("0403", 3), ("0503", 4), ("0603", 5), ("0303", 2)],
)
def test_the_highest_level_of_a_scheme(
    scheme: str, highest: int, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """The strength is half the hash size in bits; Ed25519 has 128 and Ed448 224 (RFC 8032 section 8.5)."""
    levels = [
        level
        for level in range(6)
        if shared_signatures(build_hello(signatures=scheme), server=build_server(security_level=level))
    ]
    assert levels == list(range(highest + 1))


@pytest.mark.parametrize(("scheme", "bits"), [("0804", 528), ("0805", 784), ("0806", 1040)])
@pytest.mark.parametrize("version", ["TLS 1.2", "TLS 1.3"])
def test_the_shortest_key_of_a_pss_scheme(
    scheme: str, bits: int, version: str, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """It needs twice the hash size plus two bytes, in whole bytes."""
    hello = build_hello(like="tls13", signatures=scheme)
    for length, fits in ((bits - 8, False), (bits - 7, True), (bits, True)):
        server = build_server(KeyFacts(type="RSA", bits=length))
        found = (
            choose_tls13(hello, server=server)
            if version == "TLS 1.3"
            else choose_tls12(hello, server=server, version=0x0303, key_types=("RSA",))
        )
        assert (found is not None) is fits


def test_the_first_shared_scheme_of_a_key_in_use_wins(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Schemes of keys that the server lacks, or that the suite cannot use, are skipped."""
    hello = build_hello(signatures="04030503080708040401")
    both = build_server(KeyFacts(type="EC", bits=256, curve="secp256r1"), KeyFacts(type="RSA", bits=2048))
    cases = {("EC",): "ecdsa_secp256r1_sha256", ("RSA",): "rsa_pss_rsae_sha256", ("Ed25519",): None}
    for kinds, name in cases.items():
        found = choose_tls12(hello, server=both, version=0x0303, key_types=kinds)
        assert (found.name if found else None) == name


def test_brainpool_schemes_are_for_tls13_only(build_hello: MakeHello, build_server: MakeServer) -> None:
    """RFC 8734: 3.2 has them in TLS 1.3, where they precede RSA; in TLS 1.2 the ordinary ECDSA scheme signs."""
    key = KeyFacts(type="EC", bits=256, curve="brainpoolP256r1")
    hello = build_hello(like="tls13", signatures="081a0804")
    server = build_server(key, "rsa", openssl_number=0x30200020)
    newer = choose_tls13(hello, server=server)
    assert newer is not None
    assert newer.code == 0x081A
    assert choose_tls12(hello, server=server, version=0x0303, key_types=("EC",)) is None
    older = choose_tls13(hello, server=build_server(key, "rsa"))
    assert older is not None
    assert older.code == 0x0804


@pytest.mark.parametrize(
    ("signatures", "version", "kind", "may"),
    [
        ("0401", 0x0303, "RSA", True),
        ("0401", 0x0304, "RSA", False),
        ("04010804", 0x0304, "RSA", True),
        ("0403", 0x0303, "RSA", False),
        ("0403", 0x0304, "EC", True),
        ("0403", 0x0302, "RSA", True),
    ],
)
def test_whether_a_key_may_sign_at_all(
    signatures: str, version: int, kind: str, may: bool, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """It may if a scheme of its type is listed; PKCS#1 does not count in TLS 1.3, and before TLS 1.2 the list does not."""
    assert may_sign(build_hello(signatures=signatures), server=build_server(), version=version, key_type=kind) is may


@pytest.mark.parametrize(("kind", "may"), [("RSA", True), ("EC", True), ("Ed25519", False)])
def test_who_may_sign_without_the_extension(
    kind: str, may: bool, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """SHA-1 with RSA or ECDSA may, if the level allows it."""
    hello = build_hello(like="no-signatures")
    found = [
        may_sign(hello, server=build_server(security_level=level), version=0x0303, key_type=kind) for level in (0, 1)
    ]
    assert found == [may, False]


@pytest.mark.parametrize(
    ("code", "bits", "fits"),
    [
        (0x0401, 488, False),
        (0x0401, 489, True),
        (0x0401, 496, True),
        (0x0501, 616, False),
        (0x0501, 617, True),
        (0x0601, 744, False),
        (0x0601, 745, True),
        (0x0804, 8, True),
        (0x0201, 8, True),
    ],
)
def test_pkcs1_needs_room_for_the_digest(code: int, bits: int, fits: bool) -> None:
    """19 bytes before the digest and 11 of padding, counted in whole bytes; PSS keys and SHA-1 are not checked."""
    info = signature_info(code)
    assert info is not None
    assert fits_digest(info, key=KeyFacts(type="RSA", bits=bits)) is fits
