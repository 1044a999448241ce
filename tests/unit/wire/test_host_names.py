"""Tests of harness/wire/host_names.py."""

import pytest

from harness.wire.host_names import is_ip_address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("[::1]", False),
        ("tls.test", False),
        ("1.2.3", False),
        ("1.2.3.4.test", False),
        ("", False),
    ],
)
def test_is_ip_address(host: str, expected: bool) -> None:
    """Only a complete address without brackets counts."""
    assert is_ip_address(host) is expected
