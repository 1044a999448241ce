"""Tests of harness/wire/groups.py."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tlslite.constants import GroupName

from harness.wire.groups import group_code, group_name, openssl_group_to_iana


def test_names_agree_with_tlslite() -> None:
    """Every group tlslite-ng knows has the same name here."""
    theirs = {code: GroupName.toRepr(code) for code in GroupName.all}
    assert len(theirs) > 30
    assert theirs == {code: group_name(code) if code < 0x1000 else group_name(code).lower() for code in theirs}


def test_unknown_group() -> None:
    """A code outside the table is shown as hex; a name outside it has no code."""
    assert (group_name(0x2A2A), group_code("curve1"), openssl_group_to_iana("curve1")) == ("0x2A2A", None, None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("prime256v1", "secp256r1"),
        ("P-256", "secp256r1"),
        ("secp384r1", "secp384r1"),
        ("P-521", "secp521r1"),
        ("X25519", "x25519"),
        ("X448", "x448"),
        ("prime192v1", "secp192r1"),
        ("brainpoolP256r1", "brainpoolP256r1"),
        ("X25519MLKEM768", "X25519MLKEM768"),
        ("ffdhe2048", "ffdhe2048"),
        ("SM2", "curveSM2"),
        ("wap-wsg-idm-ecid-wtls4", None),
    ],
)
def test_openssl_names(name: str, expected: str | None) -> None:
    """OpenSSL's and NIST's spellings are converted to IANA's."""
    assert expected == openssl_group_to_iana(name)


def test_cryptography_names() -> None:
    """Every curve `cryptography` can make a key on has an IANA name, so that certificates and hellos compare."""
    curves = (ec.SECP192R1, ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1, ec.SECP256K1, ec.BrainpoolP256R1)
    for curve in curves:
        assert openssl_group_to_iana(curve().name) is not None
