"""Which certificates each firmware accepts, by the profiles of `certs/`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from harness.diagnose.simulation.acceptance import Judge, problems

NOW = datetime.now(UTC)


@pytest.fixture
def flags(certificates, row):
    """Return `flags(profile, port, version, ...)`: the flags of the problems; an asterisk marks one that is always refused."""

    def judge(profile, port, version, *, name="tls.test", anchors=None, static_rsa=False, now=NOW):
        knows = Judge(name=name, now=now, static_rsa=static_rsa, anchors=anchors)
        found = problems(certificates.make(profile).chain_der, row(port, version), judge=knows)
        return [item.flag + "*" * item.always for item in found]

    return judge


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("server-p256", []),
        ("server-rsa4096", []),
        ("server-expired", ["expired"]),
        ("server-not-yet-valid", ["future"]),
        ("server-wrong-host", ["cn_mismatch"]),
        ("server-sha1", ["bad_md"]),
        ("server-rsa2048-md5", ["bad_md"]),
        ("server-rsa1024", ["bad_key"]),
        ("server-p224", ["bad_key"]),
        ("server-for-clients", ["other"]),
        ("server-rsa2048-pss-signed", ["unreadable*"]),
        ("server-size-17000", ["unreadable*"]),
        ("server-common-name-only", []),
        ("server-common-name-other-san", ["cn_mismatch"]),
        ("server-expired-wrong-host", ["expired", "cn_mismatch"]),
    ],
)
def test_profiles(flags, profile: str, expected: list[str]) -> None:
    """What a current firmware of a common-configuration port refuses."""
    assert flags(profile, "stm32", "1.28.0") == expected


@pytest.mark.parametrize(
    ("profile", "port", "version", "expected"),
    [
        ("server-expired", "mimxrt", "1.20.0", []),  # no MBEDTLS_HAVE_TIME_DATE before 1.21
        ("server-expired", "mimxrt", "1.22.2", ["expired"]),
        ("server-for-clients", "stm32", "1.22.2", []),  # mbedTLS 2.x of this configuration checks no usages
        ("server-p224", "stm32", "1.22.2", []),
        ("server-rsa2048-pss-signed", "esp32", "1.28.0", []),
        ("server-size-6000", "esp8266", "1.28.0", ["unreadable*"]),
        ("server-wrong-host", "esp8266", "1.28.0", []),  # axTLS never verifies
        ("server-wrong-host", "stm32", "1.19.1", []),  # no API for it
    ],
)
def test_differences_between_firmwares(flags, profile: str, port: str, version: str, expected: list[str]) -> None:
    """Dates, usages, curves, PSS, record sizes and verification itself depend on the row."""
    assert flags(profile, port, version) == expected


def test_address_in_the_san(flags, certificates, row) -> None:
    """IP addresses are compared from mbedTLS 3.5 on; before, the problem says so."""
    name = "127.0.0.1"
    assert flags("server-ip", "stm32", "1.23.0", name=name) == []
    assert flags("server-ip", "stm32", "1.22.2", name=name) == ["cn_mismatch"]
    judge = Judge(name=name, now=NOW)
    (problem,) = problems(certificates.make("server-ip").chain_der, row("stm32", "1.22.2"), judge=judge)
    assert problem.text == "this firmware does not compare IP addresses, so 127.0.0.1 does not match"


def test_wildcard(flags) -> None:
    """A wildcard stands for exactly one label."""
    found = {
        name: flags("server-wildcard", "rp2", "1.28.0", name=name)
        for name in ("a.tls.test", "tls.test", "a.b.tls.test")
    }
    assert found == {"a.tls.test": [], "tls.test": ["cn_mismatch"], "a.b.tls.test": ["cn_mismatch"]}


def test_key_usage_for_static_rsa(flags) -> None:
    """A key that may only decrypt fits static RSA and nothing else."""
    assert flags("server-rsa2048-encrypts-only", "stm32", "1.28.0", static_rsa=True) == []
    assert flags("server-rsa2048-encrypts-only", "stm32", "1.28.0") == ["other"]


@pytest.mark.parametrize(
    ("profile", "anchor", "expected"),
    [
        ("server-p256", "server-p256", []),
        ("server-depth-5", "server-depth-5", []),
        ("server-p256", "ca-other", ["not_trusted"]),
        ("server-missing-intermediate", "server-missing-intermediate", ["not_trusted"]),
        ("server-issuer-not-ca", "server-issuer-not-ca", ["not_trusted"]),
        ("server-self-signed", "server-self-signed", []),
    ],
)
def test_trust(flags, certificates, profile: str, anchor: str, expected: list[str]) -> None:
    """Signatures must lead to a CA of the client over certificates that may sign."""
    assert flags(profile, "rp2", "1.28.0", anchors=(certificates.make(anchor).root_der,)) == expected


def test_basis(certificates, row) -> None:
    """A problem says whether its rule was measured for this firmware."""
    chain, judge = certificates.make("server-expired").chain_der, Judge(name="tls.test", now=NOW)
    basis = [problems(chain, row(port, "1.28.0"), judge=judge)[0].basis for port in ("rp2", "esp32")]
    assert basis == ["measured", "assumed"]


def test_garbage(row) -> None:
    """Bytes that are no certificate are refused always."""
    found = problems((b"\x30\x03abc",), row("rp2", "1.28.0"), judge=Judge(name="x", now=NOW))
    assert [(item.flag, item.always, item.text) for item in found] == [
        ("unreadable", True, "the server's certificate cannot be read")
    ]
