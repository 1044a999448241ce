"""Since which MicroPython release a firmware has something, by port: the versions that explanations name. Pure.

Computed from the table of firmware, over the ports that are boards and use mbedTLS.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from harness.firmware.table import Firmware, firmwares, port_of, release_series
from harness.wire.suites import SuiteInfo, suite_info

_PORTS = ("stm32", "mimxrt", "rp2", "esp32")
_EVERY = "every version"
Series = tuple[int, int]


class Feature(StrEnum):
    """What some releases have and older ones do not."""

    ECDHE = "ecdhe"
    ECDHE_RSA = "ecdhe-rsa"
    GCM = "gcm"
    DATES = "dates"
    ADDRESS_NAMES = "address-names"
    KEY_USAGES = "key-usages"
    REASONS = "reasons"
    ONLY_TLS12 = "only-tls12"


def since(feature: Feature) -> str:
    """Return the release of most ports, then the ports that differ: `1.24 (rp2: 1.20; esp32: every version)`."""
    first = first_series(feature)
    main = max(Counter(first.values()).items(), key=lambda item: (item[1], item[0] or (0, 0)))[0]
    others: dict[Series | None, list[str]] = {}
    for port, series in first.items():
        if series != main:
            others.setdefault(series, []).append(port)
    words = [f"{', '.join(ports)}: {_text(series)}" for series, ports in others.items()]
    return f"{_text(main)} ({'; '.join(words)})" if words else _text(main)


def since_on(feature: Feature, *, platform: str) -> Series | None:
    """Return the release series from which on the port of a `sys.platform` has a feature: (0, 0) where every release has it, None for a
    port that is not recorded.
    """
    first, port = first_series(feature), port_of(platform)
    return (first[port] or (0, 0)) if port in first else None


def everywhere(feature: Feature) -> str:
    """Return the release from which every port has a feature, as text."""
    return _text(last_port(feature))


def last_port(feature: Feature) -> Series:
    """Return the release series from which every port has a feature."""
    return max(series or (0, 0) for series in first_series(feature).values())


@functools.cache
def first_series(feature: Feature) -> dict[str, Series | None]:
    """Return for each port the release series from which on it has a feature; None where every recorded release has it."""
    has, found = _TESTS[feature], {}
    for port in _PORTS:
        rows = [row for row in firmwares() if row.port == port]
        lacking = [release_series(row.version) for row in rows if not has(row)]
        later = [
            release_series(row.version) for row in rows if not lacking or release_series(row.version) > max(lacking)
        ]
        found[port] = min(later) if lacking else None
    return found


def _text(series: Series | None) -> str:
    return _EVERY if series is None else f"{series[0]}.{series[1]}"


def _offers(fits: Callable[[SuiteInfo], bool]) -> Callable[[Firmware], bool]:
    """Return a test of whether a firmware offers such a suite."""

    def offered(row: Firmware) -> bool:
        infos = (suite_info(int(code, 16)) for code in row.hello.facts.suites)
        return any(fits(info) for info in infos if info is not None)

    return offered


_TESTS: dict[Feature, Callable[[Firmware], bool]] = {
    Feature.ECDHE: _offers(lambda info: info.key_exchange == "ECDHE"),
    Feature.ECDHE_RSA: _offers(lambda info: info.key_exchange == "ECDHE" and info.authentication == "RSA"),
    Feature.GCM: _offers(lambda info: "GCM" in info.cipher),
    Feature.DATES: lambda row: row.dates,
    Feature.ADDRESS_NAMES: lambda row: row.build.ip_names,
    Feature.KEY_USAGES: lambda row: row.build.key_usage,
    Feature.REASONS: lambda row: row.api.names_reason,
    Feature.ONLY_TLS12: lambda row: not row.build.tls11,
}
