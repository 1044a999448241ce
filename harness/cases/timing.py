"""Servers that are slow or silent."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, table
from harness.cases.sni import anybody
from harness.expectations.builders import hung
from harness.expectations.needs import MBEDTLS
from harness.model import ClientPlan, ServerProfile, Tier

SHORT_S = 1.0


@table(tier=Tier.FULL)
def slow() -> Iterable[Row]:
    """Late, but in time."""
    yield Row(
        "slow-1s",
        "Each flight one second late. A board at the other end of the world, or a server without entropy.",
        anybody(behaviour={"name": "time.slow", "delay_ms": 1000}),
    )
    yield Row(
        "slow-200ms",
        "Each flight 200 ms late. A mobile network.",
        anybody(behaviour={"name": "time.slow", "delay_ms": 200}),
    )


@table(tier=Tier.FULL)
def silent() -> Iterable[Row]:
    """Never."""
    yield Row(
        "silent-server",
        "A server that accepts and says nothing. The socket's timeout bounds the handshake; without one the board hangs for ever.",
        Situation(
            server=ServerProfile(behaviour={"name": "not-tls.silent"}),
            client=ClientPlan(timeout_s=SHORT_S),
            expect=hung(),
            needs=(MBEDTLS,),
        ),
    )
    yield Row(
        "no-answer",
        "A server that shakes hands and never answers. The timeout counts for reading too.",
        anybody(behaviour={"name": "close.no-answer"}, timeout_s=SHORT_S, expect=hung(stage="read"), needs=(MBEDTLS,)),
    )
