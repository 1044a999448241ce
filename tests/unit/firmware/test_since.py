"""The releases that explanations name follow from the table."""

from __future__ import annotations

import pytest

from harness.firmware.since import Feature, everywhere, first_series, last_port, since, since_on

TEXTS = {
    Feature.ECDHE: "1.20 (esp32: every version)",
    Feature.ECDHE_RSA: "1.24 (rp2: 1.20; esp32: every version)",
    Feature.GCM: "1.24 (rp2: 1.20; esp32: every version)",
    Feature.DATES: "1.20 (mimxrt: 1.21; esp32: 1.22)",
    Feature.ADDRESS_NAMES: "1.23 (esp32: 1.24)",
    Feature.KEY_USAGES: "1.23 (esp32: every version)",
    Feature.REASONS: "1.22",
    Feature.ONLY_TLS12: "1.23 (esp32: 1.21)",
}


@pytest.mark.parametrize("feature", Feature)
def test_since(feature: Feature) -> None:
    """Every feature's text, as docs/facts/micropython.md says it: the release of most ports, then those that differ."""
    assert since(feature) == TEXTS[feature]


def test_everywhere() -> None:
    """The release of the last port."""
    assert {feature: everywhere(feature) for feature in Feature} == {
        Feature.ECDHE: "1.20",
        Feature.ECDHE_RSA: "1.24",
        Feature.GCM: "1.24",
        Feature.DATES: "1.22",
        Feature.ADDRESS_NAMES: "1.24",
        Feature.KEY_USAGES: "1.23",
        Feature.REASONS: "1.22",
        Feature.ONLY_TLS12: "1.23",
    }
    assert last_port(Feature.DATES) == (1, 22)


def test_a_port_that_always_had_it() -> None:
    """None stands for every recorded release."""
    assert first_series(Feature.ECDHE)["esp32"] is None


def test_on_one_port() -> None:
    """The release of the port of a `sys.platform`: (0, 0) for one that always had it, None for one that is not recorded."""
    platforms = ("pyboard", "rp2", "esp32", "linux")
    assert [since_on(Feature.ECDHE_RSA, platform=name) for name in platforms] == [(1, 24), (1, 20), (0, 0), None]
