"""What a ClientHello reveals about the library that sent it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.model import HelloFacts
from harness.oracle.prediction.client import is_axtls, number_for_alert, oldest_version

MakeHello = Callable[..., HelloFacts]


def test_only_axtls_is_axtls(hellos: dict[str, bytes], build_hello: MakeHello) -> None:
    """Of all hellos only the captured axTLS one counts as axTLS; mbedTLS with the same suites does not."""
    assert [name for name in hellos if is_axtls(build_hello(like=name))] == ["1.20.0-axtls"]
    assert not is_axtls(build_hello(suites="002f003c0035003d", groups=None))


@pytest.mark.parametrize(
    ("like", "expected"),
    [
        ("1.19.1-stm32", 0x0301),
        ("1.20.0-stm32", 0x0301),
        ("1.20.0-axtls", 0x0301),
        ("common", 0x0303),
        ("tls13", 0x0303),
        ("tls13-only", 0x0304),
    ],
)
def test_oldest_version(like: str, expected: int, build_hello: MakeHello) -> None:
    """mbedTLS 2.x shows its minimum in the record header; 3.x has TLS 1.2, and the extension is a full list."""
    assert oldest_version(build_hello(like=like)) == expected


def test_numbers_of_alerts(build_hello: MakeHello) -> None:
    """mbedTLS has one number for all alerts, axTLS one for each."""
    numbers = [number_for_alert(build_hello(like=like), alert=70) for like in ("common", "1.20.0-axtls")]
    assert numbers == [-30592, -70]
