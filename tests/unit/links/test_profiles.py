"""Tests of harness/links/profiles.py: the table of networks, and how long a session may take in each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.links.profiles import CLIENT_FLIGHT_BYTES, FLIGHTS, HANDSHAKE_BYTES, PROFILES, LinkProfile, profile_forms

DOCS = Path(__file__).parents[3] / "docs/lab.md"


def link(**figures) -> LinkProfile:
    """Return a network with these figures only."""
    return LinkProfile(name="x", about="a test", source="this file", **figures)


def test_names_are_ascii_words_that_a_test_id_can_have() -> None:
    """A name is part of test ids: lower case, digits and dashes; and no name of two is the same."""
    assert all(name == profile.name and name.replace("-", "").isalnum() for name, profile in PROFILES.items())
    assert list(PROFILES) == ["slow-3g", "gprs", "satellite", "lossy-wifi", "mtu-576", "stalls"]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_figure_has_a_source(profile) -> None:
    """Each network says where its figures are from."""
    assert profile.source


def test_help_names_every_profile_with_its_figures() -> None:
    """The help of the option is made of the table."""
    assert profile_forms() == (
        "slow-3g (a mobile network with a weak signal: 200 ms each way, 400 kbit/s, segments of 1460 bytes); "
        "gprs (a 2G modem: 250 ms each way, 20 kbit/s from the board and 50 to it, segments of 1460 bytes); "
        "satellite (a geostationary satellite: 279 ms each way, segments of 1460 bytes); "
        "lossy-wifi (WiFi at the edge of its range: 5 ms each way (+ up to 20 ms), segments of 536 bytes, every 5th delayed by 200 ms); "
        "mtu-576 (the smallest packets that every IPv4 host must accept: segments of 536 bytes); "
        "stalls (an access point that stalls repeatedly: segments of 536 bytes, every 8th delayed by 1500 ms)"
    )


def test_the_documentation_has_the_table() -> None:
    """docs/lab.md lists every network with its figures and their source; UPDATE_TEXTS=1 rewrites it."""
    before, mark, rest = DOCS.read_text(encoding="utf-8").partition("<!-- link profiles -->\n")
    old, end, after = rest.partition("<!-- end of link profiles -->\n")
    assert mark
    assert end
    rows = "".join(
        f"| `{profile.name}` | {profile.about} | {profile.figures} | {profile.source} |\n"
        for profile in PROFILES.values()
    )
    new = f"| name | network | figures | source |\n|---|---|---|---|\n{rows}"
    if os.environ.get("UPDATE_TEXTS"):
        DOCS.write_text(f"{before}{mark}{new}{end}{after}", encoding="utf-8")
    else:
        assert old == new


@pytest.mark.parametrize(
    ("figures", "fits"),
    [({}, True), ({"latency_ms": 250}, True), ({"latency_ms": 251}, False), ({"hold_every": 1, "hold_ms": 251}, False)],
)
def test_a_time_limit_needs_twice_the_wait(figures, fits) -> None:
    """Of a limit of one second the network may take half."""
    assert link(**figures).fits(1.0) is fits


@pytest.mark.parametrize(
    ("figures", "wait_s"),
    [
        ({}, 0.0),
        ({"latency_ms": 100}, 0.2),
        ({"latency_ms": 100, "jitter_ms": 50}, 0.3),
        ({"hold_every": 3, "hold_ms": 500}, 1.0),
        ({"up_kbit": 8, "down_kbit": 1}, CLIENT_FLIGHT_BYTES / 1000),
    ],
)
def test_longest_wait_of_one_read(figures, wait_s) -> None:
    """Both ways with jitter and hold, and the board's own flight at its rate; the server's may arrive in parts."""
    assert link(**figures).wait_s == pytest.approx(wait_s)


@pytest.mark.parametrize(
    ("figures", "session_s"),
    [
        ({}, 0.0),
        ({"latency_ms": 100, "jitter_ms": 50}, FLIGHTS * 0.15),
        ({"up_kbit": 8, "down_kbit": 16}, (HANDSHAKE_BYTES + 1000) / 1000),
        ({"up_kbit": 16, "down_kbit": 8}, (HANDSHAKE_BYTES + 1000) / 1000),
        ({"segment_bytes": 512, "hold_every": 10, "hold_ms": 1000}, 2 + (HANDSHAKE_BYTES + 1000) // 5120),
    ],
)
def test_longest_session(figures, session_s) -> None:
    """Every flight is late, all bytes go the slower way, and each n-th segment is held, in both directions at least once."""
    assert link(**figures).session_s(1000) == pytest.approx(session_s)
