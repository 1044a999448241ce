"""Builders of expectations, for cases and users' tests.

Knows the records and the names of alerts; predicts nothing and sees no observation.
"""

from __future__ import annotations

from dataclasses import replace

from harness.model import BoardInfo, Expectation, ExpectedAlert, Outcome, ServerFacts, Side, Source, Stage, TlsLibrary
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_code, alert_name

# What a current Python reports when a client leaves in the handshake; older ones differ (ServerFacts.eof).
LEFT = ("SSLEOFError", "UNEXPECTED_EOF_WHILE_READING")


def fatal_alert_number(board: BoardInfo, alert: str) -> int:
    """Return the number that a client raises for a fatal alert: axTLS has one for each, mbedTLS has one for all.

    Source: docs/facts/micropython.md, "How mbedTLS numbers become exceptions" and "axTLS errors".
    """
    code = alert_code(alert)
    if board.tls_library == TlsLibrary.AXTLS and code is not None:
        return -code
    return mbedtls.SSL_FATAL_ALERT_MESSAGE


def connected(
    *,
    version: str | None = None,
    suite: str | None = None,
    group: str | None = None,
    note: str | None = None,
    source: Source = Source.STATED,
) -> Expectation:
    """Expect text exchanged in both directions and no error on either side.

    Args:
        version, suite, group: must have been negotiated, as `TLSv1.2`, an IANA suite name, an IANA group name.
        note: why, for the report.
        source: `stated` or `predicted`.
    """
    return Expectation(
        source=source,
        outcome=Outcome.CONNECTED,
        version=version,
        suite=suite,
        group=group,
        no_server_error=True,
        no_client_error=True,
        no_alert=True,
        note=note,
    )


def refused(
    *,
    by: Side | str,
    stage: Stage | str = Stage.HANDSHAKE,
    server: str | None = None,
    server_type: str | None = None,
    server_errno: int | None = None,
    verify_code: int | None = None,
    client: int | None = None,
    client_name: str | None = None,
    client_type: str | None = None,
    flags: tuple[str, ...] | None = None,
    alert: int | str | None = None,
    open_because: str | None = None,
    note: str | None = None,
    source: Source = Source.STATED,
) -> Expectation:
    """Expect one side to end the connection, with exactly these errors and this alert.

    Args:
        by: the side that ends it, `server` or `client`.
        stage: where that side fails.
        server: `SSLError.reason` or the OS error's name; `server_type` defaults to `SSLError` with it.
        server_errno: for an `SSLError` without a reason, its number.
        verify_code: of an `SSLCertVerificationError`.
        client: the number of the client's OSError; `client_type` defaults to `OSError` with it, to `ValueError` with `flags`.
        client_name: the name of it instead, for an errno (ports number them differently).
        flags: the client's verification flags, in any order.
        alert: code or name of the alert that `by` sends; None together with a `config` stage means: none at all.
        open_because: the race that makes a field unpredictable; without it every side's error is compared.
    """
    side, where = Side(by), Stage(stage)
    code = alert_code(alert) if isinstance(alert, str) else alert
    sent = ExpectedAlert(sender=side, code=code, name=alert_name(code)) if code is not None else None
    no_server = server is None and server_type is None and open_because is None
    is_os_error = client is not None or client_name is not None
    no_client = not is_os_error and client_type is None and flags is None and open_because is None
    return Expectation(
        source=source,
        outcome=Outcome.REFUSED,
        stage=where,
        ended_by=side,
        server_type=server_type or ("SSLError" if server else None),
        server_reason=server,
        server_errno=server_errno,
        verify_code=verify_code,
        client_type=client_type or ("OSError" if is_os_error else "ValueError" if flags is not None else None),
        client_number=client,
        client_name=client_name,
        client_flags=tuple(sorted(flags)) if flags is not None else None,
        alert=sent,
        no_server_error=no_server,
        no_client_error=no_client,
        no_alert=sent is None and open_because is None,
        open_because=open_because,
        note=note,
    )


def hung(*, stage: Stage | str = Stage.HANDSHAKE) -> Expectation:
    """Expect the client to wait until its own timeout, without an error on the server.

    Args:
        stage: where it waits. The number is not compared: it is the port's errno of a timeout (110, 116 or 60).
    """
    return Expectation(
        source=Source.STATED,
        outcome=Outcome.HUNG,
        stage=Stage(stage),
        client_type="OSError",
        no_server_error=True,
        no_alert=True,
    )


def with_end_of_stream(expected: Expectation, server: ServerFacts) -> Expectation:
    """Name a client that left in the handshake as this server's Python does; return other expectations unchanged."""
    if (expected.server_type, expected.server_reason) != LEFT:
        return expected
    kind, reason = server.eof
    return replace(expected, server_type=kind, server_reason=reason)


def after_negotiation(predicted: Expectation, stated: Expectation) -> Expectation:
    """Fill the computed values of a successful negotiation into a stated result.

    Args:
        predicted: from `harness.oracle.predict`: connected with version, suite and group.
        stated: what must follow.

    Returns:
        The stated result, with the computed values where it names none and both ends must agree on them: for a session, or for
        a refusal after the hellos.
    """
    if stated.stage in (Stage.CONFIG, Stage.CONNECT):
        return stated
    return replace(
        stated,
        version=stated.version or predicted.version,
        suite=stated.suite or predicted.suite,
        group=stated.group or predicted.group,
    )
