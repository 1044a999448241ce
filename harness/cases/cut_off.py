"""Servers that end the connection in the middle of a handshake. TLS 1.2."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table, with_rsa_form
from harness.expectations.builders import refused
from harness.expectations.clients import left_silently
from harness.expectations.needs import OFFERS_ECDHE_ECDSA, OFFERS_RSA
from harness.model import Expectation, Side, Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls


def cut_off(name: str, expect: Expectation, *, subject: Subject = Subject.SERVER_CERTIFICATE) -> Situation:
    """A server that ends the connection at this point."""
    return with_rsa_form(
        ordinary(
            "server-p256",
            behaviour={"name": f"cut-off.{name}"},
            maximum_version="TLSv1.2",
            expect=expect,
            subject=subject,
            predicted=False,
            needs=(OFFERS_ECDHE_ECDSA,),
        ),
        needs=(OFFERS_RSA,),
    )


@table(tier=Tier.CORE)
def points() -> Iterable[Row]:
    """Where the handshake is cut off."""
    yield Row(
        "fin-mid-certificate",
        "FIN in the middle of the certificate. A server process that died, or a proxy that gave up.",
        cut_off("fin-mid-certificate", left_silently(mbedtls.SSL_CONN_EOF)),
    )
    yield Row(
        "fin-after-shd",
        "Closed after the first flight. The board writes to a closed connection.",
        cut_off(
            "fin-after-shd",
            refused(
                by=Side.SERVER,
                server_type="ConnectionAbortedError",
                server="ECONNABORTED",
                client_type="OSError",
                open_because="the board sends its flight in several writes: whether the reset arrives before the second one (EPIPE), "
                "in between (ECONNRESET) or after them (SSL_CONN_EOF) is a race of the network",
            ),
        ),
    )
    yield Row(
        "fin-before-finished",
        "FIN instead of Finished. The last moment before data is exchanged.",
        cut_off("fin-before-finished", left_silently(mbedtls.SSL_CONN_EOF), subject=Subject.FINISHED),
    )
