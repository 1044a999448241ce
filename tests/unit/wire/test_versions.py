"""Tests of harness/wire/versions.py."""

from __future__ import annotations

import ssl

import pytest

from harness.wire.versions import is_grease, version_code, version_name


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_spelling_is_pythons(tls_session, version: ssl.TLSVersion) -> None:
    """A version is spelled as the server's own SSLObject spells it."""
    session = tls_session(version)
    assert session.cipher is not None
    assert version_code(version_name(version.value)) == version.value
    assert version_name(version.value) == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_unknown_version() -> None:
    """A code that is not a TLS version is shown as hex."""
    assert (version_name(0x7F1C), version_code("TLSv9")) == ("0x7F1C", None)


def test_grease() -> None:
    """Exactly the sixteen values of RFC 8701 are GREASE."""
    assert [0x0A0A + 0x1010 * number for number in range(16)] == [code for code in range(0x10000) if is_grease(code)]
