"""Tests of harness/wire/extensions.py."""

from __future__ import annotations

import pytest
from tlslite.constants import ExtensionType

from harness.wire.extensions import Extension, extension_name


def test_extension_names() -> None:
    """Extensions are named as IANA does; an unknown one keeps its number."""
    assert [extension_name(code) for code in (0, 51, 0x1234)] == ["server_name", "key_share", "extension_4660"]


@pytest.mark.parametrize("name", ["server_name", "supported_groups", "signature_algorithms", "key_share", "alpn"])
def test_codes_are_those_of_another_library(name: str) -> None:
    """The codes are those that tlslite-ng has under the same names."""
    own = {"alpn": "APPLICATION_LAYER_PROTOCOL_NEGOTIATION"}.get(name, name.upper())
    assert Extension[own] == getattr(ExtensionType, name)
