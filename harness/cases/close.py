"""How a session ends: with and without close_notify, with a reset, with plain text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, table
from harness.cases.sni import permissive
from harness.expectations.builders import refused
from harness.expectations.needs import MBEDTLS, REPORTS_LOST_CONNECTION
from harness.model import Side, Stage, Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls


def ending(name: str, **words: Any) -> Situation:
    """The server ends the session this way, and the board reads to the end of the stream."""
    return permissive(behaviour={"name": f"close.{name}"}, read_to_end=True, **words)


@table(tier=Tier.CORE)
def good() -> Iterable[Row]:
    """Ends that lose no data."""
    yield Row("notify-first", "close_notify, then FIN. The correct end (RFC 8446 section 6.1).", ending("notify-first"))
    yield Row(
        "tcp-fin-no-notify",
        "FIN without close_notify. Many servers do this; the board reads the end of the stream without an error.",
        ending("tcp-fin-no-notify"),
    )
    yield Row(
        "truncated-record",
        "Half a record, then FIN. The board has all data before it; MicroPython cannot distinguish this end from a correct one.",
        ending("truncated-record"),
    )
    yield Row(
        "client-close-no-notify",
        "The board closes at once, without close_notify. MicroPython never sends one, and the server must accept that.",
        permissive(close_first=True, maximum_version="TLSv1.2", subject=Subject.CLOSE),
    )
    yield Row(
        "client-closes-then-server-unwrap",
        "The server calls unwrap() after the board has closed. It raises, but the session was complete.",
        permissive(behaviour={"name": "close.client-closes-then-server-unwrap"}),
    )


@table(tier=Tier.CORE)
def bad() -> Iterable[Row]:
    """Ends that the board must report."""
    yield Row(
        "rst",
        "A reset after the answer. The server was killed.",
        ending(
            "rst",
            needs=(REPORTS_LOST_CONNECTION,),
            expect=refused(by=Side.SERVER, stage=Stage.READ, client_name="ECONNRESET"),
        ),
    )
    yield Row(
        "plaintext-after-handshake",
        "Plain HTTP in the middle of a session. A proxy that lost its backend sends it.",
        ending(
            "plaintext-after-handshake",
            needs=(MBEDTLS,),
            expect=refused(by=Side.CLIENT, stage=Stage.READ, client=mbedtls.SSL_INVALID_RECORD),
        ),
    )
