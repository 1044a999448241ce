"""Tests of harness/wire/signature_algorithms.py."""

from __future__ import annotations

import pytest
from tlslite.constants import SignatureScheme

from harness.wire.signature_algorithms import SignatureInfo, signature_code, signature_info, signature_name


def test_names_agree_with_tlslite() -> None:
    """Every scheme tlslite-ng knows has the same name here."""
    theirs = {
        value[0] << 8 | value[1]: name.lower()
        for name, value in vars(SignatureScheme).items()
        # tlslite-ng keeps the names of the drafts (rsa_pss_sha256) and DSA in addition to the registry's.
        if isinstance(value, tuple) and not name.startswith(("rsa_pss_sha", "dsa"))
    }
    assert len(theirs) > 10
    assert theirs == {code: signature_name(code).lower() for code in theirs}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x0301, "rsa_pkcs1_sha224"),
        (0x0303, "ecdsa_sha224"),
        (0x0202, "dsa_sha1"),
        (0x0101, "rsa_pkcs1_md5"),
        (0x1A1A, "0x1A1A"),
    ],
)
def test_tls12_pairs(code: int, name: str) -> None:
    """Pairs of TLS 1.2 that TLS 1.3 does not name are spelled in the same style; others are hex."""
    assert name == signature_name(code)


@pytest.mark.parametrize(
    ("name", "key_type", "hash_name", "padding", "curve"),
    [
        ("rsa_pkcs1_sha256", "RSA", "sha256", "pkcs1", None),
        ("rsa_pss_rsae_sha384", "RSA", "sha384", "pss", None),
        ("rsa_pss_pss_sha512", "RSA-PSS", "sha512", "pss", None),
        ("ecdsa_secp384r1_sha384", "EC", "sha384", None, "secp384r1"),
        ("ecdsa_sha1", "EC", "sha1", None, None),
        ("ed25519", "Ed25519", None, None, None),
    ],
)
def test_properties(name: str, key_type: str, hash_name: str | None, padding: str | None, curve: str | None) -> None:
    """A scheme determines key, hash and padding, and in TLS 1.3 the curve."""
    code = signature_code(name)
    assert code is not None
    expected = SignatureInfo(
        code=code, name=name, key_type=key_type, hash=hash_name, padding=padding, tls13_curve=curve
    )
    assert expected == signature_info(code)


def test_unknown_scheme() -> None:
    """A scheme without a supported key type has no properties."""
    assert (signature_info(0x1A1A), signature_code("nonsense")) == (None, None)
