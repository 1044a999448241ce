"""The tables of OpenSSL releases."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from harness.model import ServerFacts
from harness.oracle.prediction import openssl

MakeServer = Callable[..., ServerFacts]


def test_release_of_a_version_number(build_server: MakeServer) -> None:
    """1.1.1w, 3.0.19 and 3.5.7 use two numbering schemes; only major and minor count."""
    numbers = (0x1010117F, 0x30000130, 0x30500070)
    assert [openssl.release(build_server(openssl_number=number)) for number in numbers] == [(1, 1), (3, 0), (3, 5)]
    assert openssl.release(build_server(openssl_number=ssl.OPENSSL_VERSION_NUMBER)) == ssl.OPENSSL_VERSION_INFO[:2]


def test_default_groups_by_release(build_server: MakeServer) -> None:
    """1.1.1 has only curves, 3.0 adds finite fields, 3.5 groups them into tuples with a hybrid first."""
    first = [openssl.group_tuples(build_server(openssl_number=n))[0] for n in (0x1010117F, 0x30000130, 0x30500070)]
    assert [len(first[0]), len(first[1]), first[2]] == [5, 10, ("X25519MLKEM768",)]
    assert openssl.group_tuples(build_server(groups=("secp384r1",))) == (("secp384r1",),)


@pytest.mark.parametrize(
    ("group", "tls12", "tls13"),
    [
        ("secp256r1", True, True),
        ("x25519", True, True),
        ("secp256k1", True, False),
        ("brainpoolP256r1", True, False),
        ("brainpoolP256r1tls13", False, True),
        ("ffdhe2048", False, True),
        ("X25519MLKEM768", False, True),
    ],
)
def test_groups_by_version(group: str, tls12: bool, tls13: bool, build_server: MakeServer) -> None:
    """RFC 8446 section 4.2.7 dropped curves from TLS 1.3, and TLS 1.2 never had the finite fields as groups."""
    server = build_server()
    assert [openssl.group_fits_version(group, server=server, tls13=each) for each in (False, True)] == [tls12, tls13]


def test_level_limits_groups_and_versions(build_server: MakeServer) -> None:
    """P-224 has 112 bits: level 2 accepts it, level 3 does not; TLS 1.1 needs level 0 since 3.1."""
    levels = [openssl.group_allowed("secp224r1", server=build_server(security_level=level)) for level in (2, 3)]
    old = [
        openssl.version_allowed(0x0302, server=build_server(security_level=level, openssl_number=number))
        for level, number in ((1, 0x30000130), (1, 0x30100040), (0, 0x30500070))
    ]
    assert (levels, old) == ([True, False], [True, False, True])


@pytest.mark.parametrize(
    ("number", "highest"),
    [
        (0x1010117F, {0x0301: 2, 0x0302: 3, 0x0303: 5, 0x0304: 5}),
        (0x30000130, {0x0301: 2, 0x0302: 3, 0x0303: 5, 0x0304: 5}),
        (0x30100000, {0x0301: 0, 0x0302: 0, 0x0303: 5, 0x0304: 5}),
        (0x30500070, {0x0301: 0, 0x0302: 0, 0x0303: 5, 0x0304: 5}),
    ],
)
def test_the_highest_level_of_a_version(number: int, highest: dict[int, int], build_server: MakeServer) -> None:
    """Up to 3.0 TLS 1.0 ends at level 2 and TLS 1.1 at level 3; since 3.1 both need level 0. Newer versions have no limit."""
    allowed = {
        version: [
            level
            for level in range(6)
            if openssl.version_allowed(version, server=build_server(security_level=level, openssl_number=number))
        ]
        for version in highest
    }
    assert allowed == {version: list(range(last + 1)) for version, last in highest.items()}


@pytest.mark.parametrize(
    ("group", "highest"),
    [
        ("secp192r1", 1),
        ("secp224r1", 2),
        ("ffdhe2048", 2),
        ("secp256r1", 3),
        ("x25519", 3),
        ("secp384r1", 4),
        ("x448", 4),
        ("X25519MLKEM768", 4),
        ("secp521r1", 5),
        ("SecP384r1MLKEM1024", 5),
        ("unheard of", 0),
    ],
)
def test_the_highest_level_of_a_group(group: str, highest: int, build_server: MakeServer) -> None:
    """A group is allowed as long as its bits reach the level's: 80, 112, 128, 192, 256; a level above 5 counts as 5."""
    levels = [level for level in range(8) if openssl.group_allowed(group, server=build_server(security_level=level))]
    assert levels == (list(range(8)) if highest == 5 else list(range(highest + 1)))


def test_default_group_order_of_3_5(build_server: MakeServer) -> None:
    """The tuples of 3.5, the preferred first; a share for a group of an earlier tuple wins."""
    assert openssl.group_tuples(build_server(openssl_number=0x30500000)) == (
        ("X25519MLKEM768",),
        ("x25519", "secp256r1"),
        ("x448", "secp384r1", "secp521r1"),
        ("ffdhe2048", "ffdhe3072"),
    )
    assert openssl.group_tuples(build_server(openssl_number=0x30400000)) == openssl.group_tuples(build_server())
    curves = ("x25519", "secp256r1", "x448", "secp521r1", "secp384r1")
    assert openssl.group_tuples(build_server())[0][:5] == curves
    assert openssl.group_tuples(build_server(openssl_number=0x1010117F)) == (curves,)


def test_1_1_1_uses_any_curve_in_any_version(build_server: MakeServer) -> None:
    """OpenSSL 1.1.1 has no table of groups by version."""
    old = build_server(openssl_number=0x1010117F)
    assert all(openssl.group_fits_version("secp256k1", server=old, tls13=each) for each in (False, True))


@pytest.mark.parametrize(
    ("cipher", "bits"),
    [
        ("AES_128_GCM", 128),
        ("AES_256_CBC", 256),
        ("CHACHA20_POLY1305", 256),
        ("3DES_EDE_CBC", 112),
        ("DES_CBC", 56),
        ("NULL", 0),
    ],
)
def test_strength_of_ciphers(cipher: str, bits: int, build_server: MakeServer) -> None:
    """The strength that OpenSSL assigns follows from the cipher's name; CCM_8 lost most of it in 3.2."""
    assert openssl.suite_strength(cipher, server=build_server()) == bits
    short_tag = [
        openssl.suite_strength("AES_128_CCM_8", server=build_server(openssl_number=n)) for n in (0x30000130, 0x30200020)
    ]
    assert short_tag == [128, 64]
