"""Alerts instead of a ServerHello. mbedTLS reports every fatal alert with the same number."""

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
    """Expect a refusal with this alert: mbedTLS raises one number for all alerts, axTLS the alert's own."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        return refused(by=Side.SERVER, alert=code, client=fatal_alert_number(board, alert_name(code)))

    return rule


@table(tier=Tier.FULL)
def fatal_alerts() -> Iterable[Row]:
    """Fatal alerts."""
    for name, code, reason in (
        ("handshake-failure", 40, "The alert that follows NO_SHARED_CIPHER"),
        ("protocol-version", 70, "The alert of a server that allows only TLS 1.3"),
        ("close-notify-fatal", 0, "close_notify at the wrong level; the level decides"),
        ("unknown-255", 255, "An alert that no RFC names"),
    ):
        # axTLS negates the code, so alert 0 is no error to it, and it reads on.
        needs = (MBEDTLS,) if code == 0 else ()
        situation = peer("not-tls.alert", fatal(code), needs=needs, level=FATAL, code=code)
        yield Row(name, f"Fatal alert {code}. {reason}.", situation)


@table(tier=Tier.FULL)
def other_levels() -> Iterable[Row]:
    """Warnings, an undefined level, and half an alert."""
    for name, level, code, text, expect in (
        (
            "close-notify-warning",
            WARNING,
            0,
            "close_notify. The server ends the session before it begins.",
            gave_up(mbedtls.SSL_PEER_CLOSE_NOTIFY),
        ),
        (
            "no-renegotiation-warning",
            WARNING,
            100,
            "no_renegotiation. The reply to a request that the board never made.",
            gave_up(mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
        ),
        (
            "unrecognized-name-warning",
            WARNING,
            112,
            "unrecognized_name, then FIN. The board ignores the warning and reports the end of the stream.",
            gave_up(mbedtls.SSL_CONN_EOF),
        ),
        (
            "level-3",
            NO_LEVEL,
            40,
            "an undefined level, then FIN. mbedTLS ignores the alert.",
            gave_up(mbedtls.SSL_CONN_EOF),
        ),
    ):
        situation = peer(
            "not-tls.alert", expect, level=level, code=code, fin=expect.client_number == mbedtls.SSL_CONN_EOF
        )
        yield Row(name, f"Alert {code}, level {level}: {text}", situation)
    yield Row(
        "truncated",
        "Half an alert. The record has one byte instead of two.",
        peer("not-tls.alert-truncated", gave_up(mbedtls.SSL_INVALID_RECORD), needs=(MBEDTLS,)),
    )
