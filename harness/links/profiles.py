"""The networks of `--link-profile` as one table, and how much longer a session takes in each. Pure; the help text is made of it.

Each figure has its source. Must not know boards, servers or TLS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# The network as it is: the value of `--link-profile` for it.
NO_PROFILE = "none"
# Certificates, keys and tickets of the largest handshake, both ways; the data of a case is added.
HANDSHAKE_BYTES = 24 * 1024
# Flights of a whole session: TCP, a TLS 1.2 handshake, text, answer and the end, twice as many for a retry.
FLIGHTS = 12
# A client's longest flight: its certificate chain.
CLIENT_FLIGHT_BYTES = 4 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkProfile:
    """One network. Times and rates are those of one direction.

    Args:
        name: as `--link-profile` takes it.
        about: what it is, in a few words.
        source: where the figures are from.
        latency_ms: delay of every byte.
        jitter_ms: up to so much more, another value for each segment.
        up_kbit: kilobits (1,000) per second from the board; None for no limit.
        down_kbit: the same to the board.
        segment_bytes: the stream is sent in pieces of at most this size.
        hold_every: every n-th segment arrives `hold_ms` later, and all that follow it with it; the second is the first of them. 0 for none.
        hold_ms: a retransmission time-out if segments are lost, or the length of a stall.
    """

    name: str
    about: str
    source: str
    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    up_kbit: float | None = None
    down_kbit: float | None = None
    segment_bytes: int = 1460
    hold_every: int = 0
    hold_ms: float = 0.0

    @property
    def wait_s(self) -> float:
        """How long one read of the board may have to wait more than without this network, in seconds."""
        there_and_back = 2 * (self.latency_ms + self.jitter_ms + self.hold_ms) / 1000
        return there_and_back + _sending_s(CLIENT_FLIGHT_BYTES, self.up_kbit)

    def fits(self, timeout_s: float) -> bool:
        """Whether a read with this time limit, which belongs to a case, still shows the server and not the network."""
        return 2 * self.wait_s <= timeout_s

    def session_s(self, data_bytes: int = 0) -> float:
        """Return how much longer a session may take at most, in seconds.

        Args:
            data_bytes: what is exchanged after the handshake, both ways.
        """
        total = HANDSHAKE_BYTES + data_bytes
        flights_s = FLIGHTS * (self.latency_ms + self.jitter_ms) / 1000
        slower = max(_sending_s(total, self.up_kbit), _sending_s(total, self.down_kbit))
        holds = 2 + total // (self.segment_bytes * self.hold_every) if self.hold_every else 0
        return flights_s + slower + holds * self.hold_ms / 1000

    @property
    def figures(self) -> str:
        """The figures in one line."""
        parts = []
        if self.latency_ms:
            jitter = f" (+ up to {self.jitter_ms:g} ms)" if self.jitter_ms else ""
            parts.append(f"{self.latency_ms:g} ms each way{jitter}")
        if self.up_kbit is not None and self.down_kbit is not None:
            same = self.up_kbit == self.down_kbit
            parts.append(
                f"{self.up_kbit:g} kbit/s"
                if same
                else f"{self.up_kbit:g} kbit/s from the board and {self.down_kbit:g} to it"
            )
        parts.append(f"segments of {self.segment_bytes} bytes")
        if self.hold_every:
            parts.append(f"every {self.hold_every}th delayed by {self.hold_ms:g} ms")
        return ", ".join(parts)


def _sending_s(size: int, kbit: float | None) -> float:
    return 0.0 if kbit is None else size * 8 / (kbit * 1000)


_TABLE = (
    LinkProfile(
        name="slow-3g",
        about="a mobile network with a weak signal",
        source="WebPageTest's connection `3G Slow`: 400 kbit/s, 400 ms round trip",
        latency_ms=200,
        up_kbit=400,
        down_kbit=400,
    ),
    LinkProfile(
        name="gprs",
        about="a 2G modem",
        source="the preset `GPRS` of Firefox's developer tools: 50 kbit/s down, 20 up, 500 ms round trip",
        latency_ms=250,
        up_kbit=20,
        down_kbit=50,
    ),
    LinkProfile(
        name="satellite",
        about="a geostationary satellite",
        source="RFC 2488 section 2: 279 ms from ground to ground at the edge of the view",
        latency_ms=279,
    ),
    LinkProfile(
        name="lossy-wifi",
        about="WiFi at the edge of its range",
        source="Linux retransmits after 200 ms at the earliest (TCP_RTO_MIN), lwIP's default segment is 536 bytes (TCP_MSS); "
        "latency, jitter and one lost segment in five are this project's own choice",
        latency_ms=5,
        jitter_ms=20,
        segment_bytes=536,
        hold_every=5,
        hold_ms=200,
    ),
    LinkProfile(
        name="mtu-576",
        about="the smallest packets that every IPv4 host must accept",
        source="RFC 9293 section 3.7.1: a default segment of 536 bytes",
        segment_bytes=536,
    ),
    LinkProfile(
        name="stalls",
        about="an access point that stalls repeatedly",
        source="this project's own choice: longer than TCP's first retransmission time-out, 1 s (RFC 6298 section 2)",
        segment_bytes=536,
        hold_every=8,
        hold_ms=1500,
    ),
)
PROFILES: Final[Mapping[str, LinkProfile]] = {profile.name: profile for profile in _TABLE}


def profile_forms() -> str:
    """Return the names with what they stand for, for the help of the option."""
    return "; ".join(f"{profile.name} ({profile.about}: {profile.figures})" for profile in _TABLE)
