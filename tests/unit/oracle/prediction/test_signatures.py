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
    """OpenSSL's order is by size upwards, mbedTLS's downwards; the deciding side's is used."""
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
    """SHA-1 is worth 64 bits since 3.0, too few for level 1."""
    server = build_server(security_level=level, openssl_number=number)
    assert len(shared_signatures(build_hello(signatures="02030201"), server=server)) == left


def test_without_the_extension_tls12_means_sha1(build_hello: MakeHello, build_server: MakeServer) -> None:
    """RFC 5246 section 7.4.1.4.1: no extension is SHA-1, which level 2 does not let sign."""
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


@pytest.mark.parametrize(("code", "bits", "fits"), [(0x0401, 512, True), (0x0501, 512, False), (0x0601, 1024, True)])
def test_pkcs1_needs_room_for_the_digest(code: int, bits: int, fits: bool) -> None:
    """An RSA-512 signature holds SHA-256 but not SHA-384."""
    info = signature_info(code)
    assert info is not None
    assert fits_digest(info, key=KeyFacts(type="RSA", bits=bits)) is fits
