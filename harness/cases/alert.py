"""Alerts that arrive instead of a ServerHello: mbedTLS has one number for all fatal ones."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, table
from harness.cases.not_tls import peer
from harness.expectations.builders import fatal_alert_number, refused
from harness.expectations.clients import gave_up
from harness.expectations.needs import MBEDTLS
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Tier
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_name

WARNING, FATAL, NO_LEVEL = 1, 2, 3


def fatal(code: int) -> ExpectationRule:
    """A fatal alert of the server: the one number of mbedTLS, the alert itself of axTLS."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        return refused(by=Side.SERVER, alert=code, client=fatal_alert_number(board, alert_name(code)))

    return rule


@table(tier=Tier.FULL)
def fatal_alerts() -> Iterable[Row]:
    """Level fatal."""
    for name, code, reason in (
        ("handshake-failure", 40, "The one that NO_SHARED_CIPHER sends"),
        ("protocol-version", 70, "A server of TLS 1.3 only"),
        ("close-notify-fatal", 0, "close_notify with the wrong level: the level counts"),
        ("unknown-255", 255, "An alert that no RFC names"),
    ):
        needs = () if code in (40, 70) else (MBEDTLS,)
        situation = peer("not-tls.alert", fatal(code), needs=needs, level=FATAL, code=code)
        yield Row(name, f"Fatal alert {code}. {reason}.", situation)


@table(tier=Tier.FULL)
def other_levels() -> Iterable[Row]:
    """Warnings, a level that does not exist, and half an alert."""
    for name, level, code, text, expect in (
        (
            "close-notify-warning",
            WARNING,
            0,
            "close_notify. The server says goodbye first.",
            gave_up(mbedtls.SSL_PEER_CLOSE_NOTIFY),
        ),
        (
            "no-renegotiation-warning",
            WARNING,
            100,
            "no_renegotiation. An answer to what nobody asked.",
            gave_up(mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
        ),
        (
            "unrecognized-name-warning",
            WARNING,
            112,
            "unrecognized_name and the end. The warning is ignored, the end is not.",
            gave_up(mbedtls.SSL_CONN_EOF),
        ),
        (
            "level-3",
            NO_LEVEL,
            40,
            "A level that does not exist, and the end. mbedTLS passes over it.",
            gave_up(mbedtls.SSL_CONN_EOF),
        ),
    ):
        situation = peer(
            "not-tls.alert", expect, level=level, code=code, fin=expect.client_number == mbedtls.SSL_CONN_EOF
        )
        yield Row(name, f"Alert {code}, level {level}: {text}", situation)
    yield Row(
        "truncated",
        "Half an alert. A record of one byte.",
        peer("not-tls.alert-truncated", gave_up(mbedtls.SSL_INVALID_RECORD)),
    )
