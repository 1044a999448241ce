"""Counts connections that were dropped because they came from somebody else, whatever the server was open for.

A case needs more than its own handshake: the first contact, a positive control, the sanity session after a hang, a second try. A
stranger may come into any of them, and whoever looks after the network wants all of them told. Knows reports only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.model import ServerProfile, ServerReport, Strangers
from harness.server import ServerHost, ServerStart, Serving
from harness.system.deadline import Deadline

MAX_NAMED = 8


class CountedServer:
    """A `ServerHost` that keeps count of the strangers another one met.

    Args:
        host: the one that serves.
    """

    def __init__(self, host: ServerHost) -> None:
        self.host = host
        self._met = Strangers()

    def take_strangers(self) -> Strangers:
        """Who was dropped since this was asked last."""
        met, self._met = self._met, Strangers()
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

    def _count(self, report: ServerReport) -> None:
        self._met = together(self._met, Strangers(count=report.strangers, addresses=report.stranger_addresses))


def together(*met: Strangers) -> Strangers:
    """Add up; each address is named once, in the order of arrival, and not more than a person reads."""
    names = dict.fromkeys(address for each in met for address in each.addresses)
    return Strangers(count=sum(each.count for each in met), addresses=tuple(names)[:MAX_NAMED])
