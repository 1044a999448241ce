"""Servers that are slow or silent."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, table
from harness.cases.sni import permissive
from harness.expectations.builders import hung
from harness.expectations.needs import REPORTS_LOST_CONNECTION
from harness.model import ClientPlan, ServerProfile, Subject, Tier

SHORT_S = 1.0


@table(tier=Tier.FULL)
def slow() -> Iterable[Row]:
    """Flights that are late but in time."""
    yield Row(
        "slow-1s",
        "Each flight one second late. A board at the other end of the world, or a server that waits for entropy.",
        permissive(behaviour={"name": "time.slow", "delay_ms": 1000}),
    )
    yield Row(
        "slow-200ms",
        "Each flight 200 ms late. As over a mobile network.",
        permissive(behaviour={"name": "time.slow", "delay_ms": 200}),
    )


@table(tier=Tier.FULL)
def silent() -> Iterable[Row]:
    """Servers that never answer."""
    yield Row(
        "silent-server",
        "A server that accepts and stays silent. The socket's timeout limits the handshake; without one the board hangs forever.",
        Situation(
            server=ServerProfile(behaviour={"name": "not-tls.silent"}),
            client=ClientPlan(timeout_s=SHORT_S),
            expect=hung(),
            needs=(REPORTS_LOST_CONNECTION,),
        ),
    )
    yield Row(
        "no-answer",
        "A server that completes the handshake and never answers. The timeout applies to reading, too.",
        permissive(
            behaviour={"name": "close.no-answer"},
            timeout_s=SHORT_S,
            expect=hung(stage="read"),
            subject=Subject.DATA,
            needs=(REPORTS_LOST_CONNECTION,),
        ),
    )
