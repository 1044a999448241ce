"""The choice of a protocol version."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model import HelloFacts, KeyFacts, ServerFacts
from harness.oracle.prediction.refusal import Refusal
from harness.oracle.prediction.versions import choose_version, own_settings_refusal, suite_fits

MakeHello = Callable[..., HelloFacts]
MakeServer = Callable[..., ServerFacts]

UNSUPPORTED = Refusal(reason="UNSUPPORTED_PROTOCOL", alert=70)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0x0303),
        ({"legacy": "0302"}, UNSUPPORTED),
        ({"legacy": "0301"}, UNSUPPORTED),
        ({"legacy": "0300"}, Refusal(reason="VERSION_TOO_LOW", alert=70)),
        ({"legacy": "0304"}, 0x0303),
        ({"versions": "03040303"}, 0x0304),
        ({"versions": "0303"}, 0x0303),
        ({"versions": "0302"}, UNSUPPORTED),
        ({"versions": "0a0a"}, UNSUPPORTED),
    ],
)
def test_hello_against_the_default_server(
    changes: dict[str, str], expected: int | Refusal, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """If the extension exists only it counts; without it the hello's version is the highest, at most TLS 1.2."""
    assert choose_version(build_hello(**changes), server=build_server("rsa")) == expected


@pytest.mark.parametrize("like", [{"legacy": "0303"}, {"versions": "030103020303"}, {"versions": "030303020301"}])
@pytest.mark.parametrize(
    ("oldest", "newest", "expected"),
    [
        (None, None, 0x0303),
        ("TLSv1", "TLSv1.2", 0x0303),
        ("TLSv1", "TLSv1.1", 0x0302),
        ("TLSv1", "TLSv1", 0x0301),
        ("TLSv1.3", None, UNSUPPORTED),
    ],
)
def test_the_newest_common_version(
    like: dict[str, str],
    oldest: str | None,
    newest: str | None,
    expected: int | Refusal,
    build_hello: MakeHello,
    build_server: MakeServer,
) -> None:
    """The newest common version wins, whatever the order of the client's list, and with or without the list."""
    server = build_server("rsa", minimum_version=oldest, maximum_version=newest, security_level=0)
    assert choose_version(build_hello(**like), server=server) == expected


@pytest.mark.parametrize(("level", "expected"), [(0, 0x0302), (1, UNSUPPORTED)])
def test_a_version_below_the_security_level_is_not_enabled(
    level: int, expected: int | Refusal, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """Since 3.1 TLS 1.1 needs level 0, whatever the range says."""
    server = build_server("rsa", minimum_version="TLSv1", security_level=level, openssl_number=0x30100000)
    assert choose_version(build_hello(legacy="0302"), server=server) == expected


def test_the_highest_of_the_old_versions(build_hello: MakeHello, build_server: MakeServer) -> None:
    """A client with TLS 1.1 gets TLS 1.1 if the server still has it; TLS 1.0 is the oldest that counts."""
    server = build_server("rsa", minimum_version="TLSv1", security_level=0)
    chosen = [choose_version(build_hello(legacy=legacy), server=server) for legacy in ("0302", "0301", "0300")]
    assert chosen == [0x0302, 0x0301, Refusal(reason="VERSION_TOO_LOW", alert=70)]


@pytest.mark.parametrize(
    ("curve", "number", "expected"),
    [
        ("secp256r1", 0x30000130, 0x0304),
        ("secp224r1", 0x30500070, 0x0303),
        ("brainpoolP256r1", 0x30000130, 0x0303),
        ("brainpoolP256r1", 0x30200020, 0x0304),
    ],
)
def test_tls13_needs_a_key_for_it(
    curve: str, number: int, expected: int, build_hello: MakeHello, build_server: MakeServer
) -> None:
    """A curve without a TLS 1.3 signature scheme keeps the server at TLS 1.2."""
    server = build_server(KeyFacts(type="EC", bits=256, curve=curve), openssl_number=number)
    assert choose_version(build_hello(like="tls13"), server=server) == expected


def test_a_callback_may_provide_the_certificate(build_hello: MakeHello, build_server: MakeServer) -> None:
    """Without a certificate TLS 1.3 counts only if an SNI or PSK callback is set."""
    names = ("", "sni.swap", "psk", "slow")
    found = [choose_version(build_hello(like="tls13"), server=build_server(behaviour={"name": name})) for name in names]
    assert found == [0x0303, 0x0304, 0x0304, 0x0303]


def test_settings_that_leave_nothing(build_server: MakeServer) -> None:
    """A range without a version, and a newest version without a suite, are refused before the hello is read."""
    empty = build_server("rsa", minimum_version="TLSv1.3", maximum_version="TLSv1.2")
    suiteless = build_server("rsa", maximum_version="TLSv1.1", minimum_version="TLSv1", security_level=0)
    assert own_settings_refusal(empty) == Refusal(reason="NO_PROTOCOLS_AVAILABLE", alert=70)
    assert own_settings_refusal(suiteless) == Refusal(reason="NO_CIPHERS_AVAILABLE", alert=40)
    assert own_settings_refusal(build_server("rsa")) is None
    older = build_server("rsa", minimum_version="TLSv1.3", maximum_version="TLSv1.2", openssl_number=0x1010117F)
    assert own_settings_refusal(older) == Refusal(reason=None, alert=80)
    only_tls12 = build_server("rsa", suites=((0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),))
    assert own_settings_refusal(only_tls12) == Refusal(reason="NO_CIPHERS_AVAILABLE", alert=40)


@pytest.mark.parametrize(
    ("protocol", "fitting"),
    [
        ("SSLv3", [0x0301, 0x0302, 0x0303]),
        ("TLSv1.0", [0x0301, 0x0302, 0x0303]),
        ("TLSv1.2", [0x0303]),
        ("TLSv1.3", [0x0304]),
        ("unheard of", []),
    ],
)
def test_suites_by_version(protocol: str, fitting: list[int]) -> None:
    """A suite works from its protocol up to TLS 1.2; those of TLS 1.3 only there."""
    assert [version for version in range(0x0301, 0x0305) if suite_fits(protocol, version=version)] == fitting
