"""The wire in brief: the messages of a recorded connection with their important parts, in order. Pure."""

from __future__ import annotations

from harness.model import WireStep
from harness.run.handshake import Handshake
from harness.wire.message_rows import Row, message_rows


def wire_steps(tried: Handshake) -> tuple[WireStep, ...]:
    """Name every message of a handshake; consecutive equal ones from one side are one step. The group is shown with the other choices."""
    rows = message_rows(tried.report.wire, tried.wire, alerts=tried.observation.alerts)
    return tuple(
        WireStep(sender=row.sender, at_ms=row.at_ms, name=row.name, detail=_detail(row, tried.wire.negotiated.group))
        for row in rows
    )


def _detail(row: Row, group: str | None) -> str:
    """Up to TLS 1.2 the server names the group in a separate message (RFC 5246 section 7.4.3), which the brief list omits."""
    if row.name != "ServerHello" or group is None or group in row.detail.split():
        return row.detail
    return f"{row.detail} {group}"
