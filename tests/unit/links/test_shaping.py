"""Tests of harness/links/shaping.py: when each byte arrives, by a clock of the test."""

from __future__ import annotations

import pytest

from harness.links.profiles import PROFILES, LinkProfile
from harness.links.shaping import Shaper


def shaper(*, kbit: float | None = None, seed: str = "up", **figures) -> Shaper:
    """Return one direction of a network with these figures only."""
    return Shaper(LinkProfile(name="x", about="a test", source="this file", **figures), kbit=kbit, seed=seed)


def arrivals(line: Shaper) -> list[tuple[float, bytes]]:
    """Return what is under way with the time of its arrival, rounded to a microsecond."""
    found = []
    while line.next_at is not None:
        found.append((round(line.next_at, 6), line.take()))
    return found


def test_latency_delays_every_byte() -> None:
    """A byte arrives the latency after it was sent."""
    line = shaper(latency_ms=200)
    line.push(b"a", now=10.0)
    line.push(b"b", now=10.5)
    assert arrivals(line) == [(10.2, b"a"), (10.7, b"b")]


def test_rate_sends_one_byte_after_the_other() -> None:
    """At 8 kbit/s 1,000 bytes take a second, and the next ones begin when they have left; a line at rest does not save up time."""
    line = shaper(kbit=8)
    line.push(b"a" * 1000, now=10.0)
    line.push(b"b" * 500, now=10.2)
    line.push(b"c" * 100, now=20.0)
    assert [at for at, _piece in arrivals(line)] == [11.0, 11.46, 11.5, 20.1]


def test_rate_and_latency_add_up() -> None:
    """The last byte must leave before it travels."""
    line = shaper(kbit=8, latency_ms=100)
    line.push(b"a" * 1000, now=0.0)
    assert [at for at, _piece in arrivals(line)] == [1.1]


def test_segments_are_cut_at_fixed_places() -> None:
    """Pieces end at multiples of the size, whatever the writes were."""
    line = shaper(segment_bytes=4)
    line.push(b"abcde", now=0.0)
    line.push(b"f", now=0.0)
    line.push(b"ghij", now=0.0)
    assert [piece for _at, piece in arrivals(line)] == [b"abcd", b"e", b"f", b"gh", b"ij"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 24])
def test_the_same_bytes_are_held_however_they_were_written(size) -> None:
    """Segments are numbered by their place in the stream: the second, and every third after it, with all that follow them."""
    stream = bytes(range(24))
    line = shaper(segment_bytes=4, hold_every=3, hold_ms=500)
    for at in range(0, len(stream), size):
        line.push(stream[at : at + size], now=0.0)
    when = {byte: at for at, piece in arrivals(line) for byte in piece}
    assert bytes(when) == stream
    assert [when[byte] for byte in stream[::4]] == [0.0, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_a_hold_belongs_to_its_segment() -> None:
    """What is sent after a held segment has arrived is not late; the next held one is."""
    line = shaper(segment_bytes=1, hold_every=2, hold_ms=500)
    for second in range(4):
        line.push(b"x", now=float(second))
    assert [at for at, _piece in arrivals(line)] == [0.0, 1.5, 2.0, 3.5]


def test_order_is_kept() -> None:
    """Jitter never has a byte overtake another."""
    line = shaper(segment_bytes=1, jitter_ms=1000)
    stream = bytes(range(200))
    for number in stream:
        line.push(bytes([number]), now=number / 1000)
    found = arrivals(line)
    assert b"".join(piece for _at, piece in found) == stream
    assert [at for at, _piece in found] == sorted(at for at, _piece in found)


def jitter(**words) -> list[float]:
    """Return the delays of ten segments that are far apart."""
    line = shaper(segment_bytes=1, jitter_ms=100, latency_ms=50, **words)
    for second in range(10):
        line.push(b"x", now=float(second))
    return [round(at - second, 6) for second, (at, _piece) in enumerate(arrivals(line))]


def test_jitter_is_seeded() -> None:
    """It is between nothing and its limit, differs from segment to segment, and is the same with the same seed only."""
    assert all(0.05 <= delay <= 0.15 for delay in jitter())
    assert len(set(jitter())) == 10
    assert jitter() == jitter()
    assert jitter() != jitter(seed="down")


def test_the_end_arrives_last() -> None:
    """An empty piece, one latency after it was sent, never before the bytes."""
    line = shaper(segment_bytes=1, latency_ms=100, hold_every=2, hold_ms=500)
    line.push(b"ab", now=0.0)
    line.end(now=0.1)
    assert arrivals(line) == [(0.1, b"a"), (0.6, b"b"), (0.6, b"")]
    line = shaper(latency_ms=100)
    line.push(b"a", now=0.0)
    line.end(now=1.0)
    assert arrivals(line) == [(0.1, b"a"), (1.1, b"")]


def test_the_end_waits_for_a_slow_line() -> None:
    """The end is sent after the last byte has left."""
    line = shaper(kbit=8, latency_ms=100)
    line.push(b"a" * 1000, now=0.0)
    line.end(now=0.0)
    assert [at for at, _piece in arrivals(line)] == [1.1, 1.1]


def test_bytes_under_way_are_counted() -> None:
    """What has been sent and has not been taken."""
    line = shaper(segment_bytes=4)
    line.push(b"abcdef", now=0.0)
    assert (line.waiting_bytes, line.take(), line.waiting_bytes, line.take()) == (6, b"abcd", 2, b"ef")
    assert (line.waiting_bytes, line.next_at) == (0, None)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_no_session_is_slower_than_its_bound(profile) -> None:
    """The largest handshake in one direction, all of it sent at once, arrives within the bound that time limits grow by."""
    for kbit in (profile.up_kbit, profile.down_kbit):
        line = Shaper(profile, kbit=kbit, seed="up")
        line.push(b"x" * 24 * 1024, now=0.0)
        line.end(now=0.0)
        assert arrivals(line)[-1][0] <= profile.session_s()
