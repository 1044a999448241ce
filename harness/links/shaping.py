"""When the bytes of one direction of a stream arrive on the other side of a network. Pure: the caller has the clock and the sockets.

Segments are cut at fixed places of the stream, not where a read happened to end: the same bytes are held in every session.
"""

from __future__ import annotations

import random
from collections import deque

from harness.links.profiles import LinkProfile


class Shaper:
    """One direction of a network.

    Args:
        profile: of the network.
        kbit: the rate of this direction; None for no limit.
        seed: decides the jitter; equal seeds give equal delays.
    """

    def __init__(self, profile: LinkProfile, *, kbit: float | None, seed: str) -> None:
        self._profile = profile
        self._bytes_per_s = None if kbit is None else kbit * 1000 / 8
        self._random = random.Random(f"{profile.name} {seed}")
        self._sent = 0
        self._free_at = 0.0
        self._latest = 0.0
        self._delay_s = 0.0
        self._under_way: deque[tuple[float, bytes]] = deque()
        self.waiting_bytes = 0

    def push(self, data: bytes, *, now: float) -> None:
        """Send bytes into the network.

        Args:
            data: what one side has sent.
            now: the time in seconds.
        """
        size = self._profile.segment_bytes
        at = 0
        while at < len(data):
            if self._sent % size == 0:
                self._delay_s = self._delay_of(self._sent // size)
            piece = data[at : at + size - self._sent % size]
            self._free_at = max(self._free_at, now)
            if self._bytes_per_s is not None:
                self._free_at += len(piece) / self._bytes_per_s
            self._add(piece, at=self._free_at + self._delay_s)
            self._sent += len(piece)
            at += len(piece)

    def end(self, *, now: float) -> None:
        """Send the end of the stream: an empty piece that arrives after all others."""
        self._add(b"", at=max(self._free_at, now) + self._profile.latency_ms / 1000)

    @property
    def next_at(self) -> float | None:
        """When the next piece arrives, in seconds; None if nothing is under way."""
        return self._under_way[0][0] if self._under_way else None

    def take(self) -> bytes:
        """Return the next piece, each once, in order; the empty one is the end of the stream."""
        piece = self._under_way.popleft()[1]
        self.waiting_bytes -= len(piece)
        return piece

    def _delay_of(self, segment: int) -> float:
        """Return the delay of a segment, which is numbered from 0, in seconds."""
        profile = self._profile
        delay_ms = profile.latency_ms + self._random.uniform(0, profile.jitter_ms)
        if profile.hold_every and segment % profile.hold_every == 1 % profile.hold_every:
            delay_ms += profile.hold_ms
        return delay_ms / 1000

    def _add(self, piece: bytes, *, at: float) -> None:
        """Have a piece arrive at this time, or with the one before it: TCP keeps the order."""
        self._latest = max(self._latest, at)
        self._under_way.append((self._latest, piece))
        self.waiting_bytes += len(piece)
