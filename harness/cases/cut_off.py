"""Servers that break off in the middle of a handshake. TLS 1.2."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import refused
from harness.expectations.clients import left_silently
from harness.expectations.needs import OFFERS_ECDHE_ECDSA
from harness.model import Expectation, Side, Tier
from harness.wire import mbedtls_numbers as mbedtls


def broken_off(name: str, expect: Expectation) -> Situation:
    """A server that ends its stream at this point."""
    return ordinary(
        "server-p256",
        behaviour={"name": f"cut-off.{name}"},
        maximum_version="TLSv1.2",
        expect=expect,
        predicted=False,
        needs=(OFFERS_ECDHE_ECDSA,),
    )


@table(tier=Tier.CORE)
def points() -> Iterable[Row]:
    """Where it breaks off."""
    yield Row(
        "fin-mid-certificate",
        "In the middle of the certificate. A server process that died, a proxy that gave up.",
        broken_off("fin-mid-certificate", left_silently(mbedtls.SSL_CONN_EOF)),
    )
    yield Row(
        "fin-after-shd",
        "After the first flight, closed at once. The board writes to a connection that is gone.",
        broken_off(
            "fin-after-shd",
            refused(
                by=Side.SERVER,
                server_type="ConnectionAbortedError",
                server="ECONNABORTED",
                client_type="OSError",
                open_because="the board sends its flight in several writes: whether the reset is there for the second one (EPIPE), "
                "in between (ECONNRESET) or after them (mbedtls.SSL_CONN_EOF) is a race of the network",
            ),
        ),
    )
    yield Row(
        "fin-before-finished",
        "Instead of Finished. The last moment at which nothing was exchanged yet.",
        broken_off("fin-before-finished", left_silently(mbedtls.SSL_CONN_EOF)),
    )
