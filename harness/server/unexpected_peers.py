"""Counts connections from unexpected peers: those that were dropped because they came from another address than the board's.

A case may need several handshakes (first contact, positive control, baseline, retry), and each may meet such a peer; the count
covers all of them. Knows server reports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import ServerProfile, ServerReport, UnexpectedPeers
from harness.server import ServerHost, ServerStart, Serving
from harness.system.deadline import Deadline

MAX_NAMED = 8


class CountedServer:
    """A `ServerHost` that counts the unexpected peers of another one.

    Args:
        host: the host that serves.
    """

    def __init__(self, host: ServerHost) -> None:
        self.host = host
        self._met = UnexpectedPeers()

    def take_unexpected_peers(self) -> UnexpectedPeers:
        """Return the peers that were dropped since the last call."""
        met, self._met = self._met, UnexpectedPeers()
        return met

    def describe(self) -> Mapping[str, Any]:
        """See `ServerHost`."""
        return self.host.describe()

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """See `ServerHost`."""
        return self.host.open(profile, serving)

    def finish(self, deadline: Deadline) -> ServerReport:
        """See `ServerHost`."""
        report = self.host.finish(deadline)
        self._count(report)
        return report

    def cancel(self) -> ServerReport | None:
        """See `ServerHost`."""
        report = self.host.cancel()
        if report is not None:
            self._count(report)
        return report

    def close(self) -> None:
        """See `ServerHost`."""
        self.host.close()

    def add(self, met: UnexpectedPeers) -> None:
        """Count peers that were answered before it was known that they are not the board."""
        self._met = together(self._met, met)

    def _count(self, report: ServerReport) -> None:
        self.add(UnexpectedPeers(count=report.strangers, addresses=report.stranger_addresses))


def together(*met: UnexpectedPeers) -> UnexpectedPeers:
    """Add up counts and addresses; each address once, in order of arrival, at most `MAX_NAMED`."""
    names = dict.fromkeys(address for each in met for address in each.addresses)
    return UnexpectedPeers(count=sum(each.count for each in met), addresses=tuple(names)[:MAX_NAMED])
