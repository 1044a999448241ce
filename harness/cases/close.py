"""Ends of a good session: with and without close_notify, with a reset, with something else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, table
from harness.cases.sni import anybody
from harness.expectations.builders import refused
from harness.expectations.needs import MBEDTLS
from harness.model import Side, Stage, Tier
from harness.wire import mbedtls_numbers as mbedtls


def ending(name: str, **words: Any) -> Situation:
    """A server that ends the session this way, and a board that reads to the end."""
    return anybody(behaviour={"name": f"close.{name}"}, read_to_end=True, needs=(MBEDTLS,), **words)


@table(tier=Tier.CORE)
def good() -> Iterable[Row]:
    """Ends that lose nothing."""
    yield Row(
        "notify-first", "close_notify and the end. As it should be (RFC 8446 section 6.1).", ending("notify-first")
    )
    yield Row(
        "tcp-fin-no-notify",
        "The end without close_notify. Half of all servers; the board reads an end and no error.",
        ending("tcp-fin-no-notify"),
    )
    yield Row(
        "truncated-record",
        "Half a record, then the end. What arrived before is all there; MicroPython does not tell the two ends apart.",
        ending("truncated-record"),
    )
    yield Row(
        "client-close-no-notify",
        "The board closes at once, without close_notify. MicroPython never sends one; the server must not mind.",
        anybody(close_first=True, maximum_version="TLSv1.2"),
    )
    yield Row(
        "client-closes-then-server-unwrap",
        "The server wants a close_notify of a board that has left. unwrap() raises, and says nothing about the session.",
        anybody(behaviour={"name": "close.client-closes-then-server-unwrap"}),
    )


@table(tier=Tier.CORE)
def bad() -> Iterable[Row]:
    """Ends that the board has to report."""
    yield Row(
        "rst",
        "A reset after the answer. A server that was killed.",
        ending("rst", expect=refused(by=Side.SERVER, stage=Stage.READ, client_name="ECONNRESET")),
    )
    yield Row(
        "plaintext-after-handshake",
        "Plain HTTP in the middle of a session. A proxy that lost its backend.",
        ending(
            "plaintext-after-handshake",
            expect=refused(by=Side.CLIENT, stage=Stage.READ, client=mbedtls.SSL_INVALID_RECORD),
        ),
    )
