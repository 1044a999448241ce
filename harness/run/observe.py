"""Combine both sides' reports and the wire into one `Observation`: what happened, who ended it, and where. Pure; judges nothing."""

from __future__ import annotations

from harness.boards.agent.protocol import own_text
from harness.model import (
    Alert,
    Behaviour,
    ClientFailure,
    ClientPlan,
    ClientReport,
    Exchange,
    Negotiated,
    Observation,
    Outcome,
    ServerFailure,
    ServerReport,
    Side,
    Stage,
)
from harness.oracle.client_errors import ASYNCIO_TIMEOUT
from harness.run.reached import reached
from harness.server import Serving
from harness.server.engine.exchanged_text import TEXT_BYTES, reply_of, shown
from harness.wire.alerts import alert_code
from harness.wire.mbedtls_numbers import SSL_FATAL_ALERT_MESSAGE
from harness.wire.reading import WireReading

# errno of "timed out" as the ports number it: Linux and bare metal 110, newlib (esp32) 116, macOS 60.
TIMEOUT_NUMBERS = frozenset({110, 116, 60})
# MicroPython 1.24 to 1.26 raise it negated when a TLS socket is read or written (extmod/modtls_mbedtls.c passes on the error of
# the socket below). In a handshake -110 and -60 are mbedTLS errors and not timeouts (error.h, entropy.h).
NEGATED_STAGES = frozenset({Stage.READ, Stage.WRITE})
# How many bytes of what it read the agent reports (device_scripts/tls_client.py, th_read).
ANSWER_SHOWN_BYTES = 64
# OpenSSL names a received alert with one of these prefixes (ssl/ssl_err.c, SSL_AD_REASON_OFFSET).
RECEIVED_ALERT = ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_")
# What a server reports when the peer has closed the connection.
END_OF_FILE = "UNEXPECTED_EOF_WHILE_READING"
PEER_GONE = frozenset({END_OF_FILE, "ECONNRESET", "EPIPE", "ECONNABORTED", "TLSV1_ALERT_NO_ERROR"})
# What a client reports when the server has ended the stream.
SERVER_GONE = frozenset(
    {
        "MBEDTLS_ERR_SSL_CONN_EOF",
        "MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY",
        "CONN_LOST",
        "ECONNRESET",
        "EPIPE",
        "ECONNRESET|MBEDTLS_ERR_ASN1_INVALID_DATA",
    }
)
PEER_GONE_TYPES = frozenset(
    {"SSLEOFError", "SSLZeroReturnError", "SSLSyscallError", "ConnectionResetError", "BrokenPipeError"}
)


def observe(
    server: ServerReport,
    client: ClientReport | None,
    wire: WireReading,
    *,
    plan: ClientPlan | None = None,
    number: int | None = None,
    case_ms: float | None = None,
) -> Observation:
    """Combine the server's record, the board's answer and the wire.

    Args:
        server: the server's own record; it alone decides `connected`.
        client: the board's answer; None if the server refused its own settings, so that the board did not connect.
        wire: the reading of `server.wire`.
        plan: what the board had to send and to read; None for the defaults of a plan.
        number: of the exec, which the plan's own text has; None if the board did not connect.
        case_ms: the duration of the case on the host's clock.

    The `decode_error` that OpenSSL sends when a client closes without close_notify after a finished exchange is omitted:
    every MicroPython does that, so it has no meaning (docs/facts/python-ssl.md, "How a connection ends").
    """
    unanswered = plan is not None and plan.any_answer and not _answered(client, wire)
    connected = server.exchanged and client is not None and client.done and not unanswered
    failure = server.failure
    closed_as_usual = (connected or client_gone_after_exchange(server)) and not _reads_to_end(server)
    if closed_as_usual or _never_spoke(client, wire):
        failure = None
    client_failure = client.failure if client is not None else None
    alerts = _alerts(server, wire)
    outcome, ended_by, stage = _ending(
        server,
        client,
        alerts=alerts,
        connected=connected,
        hello_sent=wire.client_hello is not None,
        unanswered=unanswered,
    )
    return Observation(
        outcome=outcome,
        stage=stage,
        ended_by=ended_by,
        server=failure,
        client=client_failure,
        alerts=alerts,
        negotiated=_negotiated(server, wire),
        client_hello=wire.client_hello,
        handshake_board_ms=client.handshake_ms if client is not None else None,
        handshake_server_ms=server.handshake_ms,
        case_ms=case_ms,
        free_before=client.free_before if client is not None else None,
        free_low=client.free_low if client is not None else None,
        idf_largest=client.idf_largest if client is not None else None,
        free_after=client.free_after if client is not None else None,
        held=client.held if client is not None else None,
        strangers=server.strangers,
        stranger_addresses=server.stranger_addresses,
        received_by_server=server.received_text,
        received_by_client=client.received_text if client is not None else None,
        server_received_bytes=server.received_bytes,
        client_received_bytes=client.received_bytes if client is not None else None,
        exchange=planned_exchange(plan or ClientPlan(), number=number),
        handshake_done=server.handshake_done,
        reached=reached(server, client, wire),
        server_facts=server.facts,
        server_address=_address(server.local, server.local_port),
        board_address=_address(server.peer, server.peer_port),
    )


def planned_text(plan: ClientPlan, *, number: int | None) -> str | None:
    """Return what the board sends in the exec of this number; None if the plan has no text and no exec was made."""
    if plan.text is not None:
        return plan.text
    return None if number is None else own_text(number)


def planned_exchange(plan: ClientPlan, *, number: int | None) -> Exchange:
    """Return what must arrive on each side if the board follows the plan and the server answers in full."""
    if plan.close_first or plan.any_answer:
        return Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None)
    sent = (planned_text(plan, number=number) or "").encode()
    sent += b"x" * ((plan.send_bytes or 0) - len(sent))
    answer = reply_of({"reply": Serving().reply, "send_bytes": plan.receive_bytes})
    return Exchange(
        sent_text=shown(sent[:TEXT_BYTES]) if sent else None,
        sent_bytes=len(sent),
        answer_text=answer[:ANSWER_SHOWN_BYTES].decode(),
        answer_bytes=len(answer),
    )


def _answered(client: ClientReport | None, wire: WireReading) -> bool:
    """Whether a foreign server sent data, by both the client's report and the wire."""
    said = any(message.sender is Side.SERVER and message.name == "ApplicationData" for message in wire.messages)
    return said and client is not None and bool(client.received_bytes)


def _address(host: str | None, port: int | None) -> str | None:
    if host is None or port is None:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def client_gone_after_exchange(server: ServerReport) -> bool:
    """Return whether the server's only error is that the client closed without close_notify after the exchange."""
    failure = server.failure
    return server.exchanged and failure is not None and _peer_left(failure)


def _reads_to_end(server: ServerReport) -> bool:
    """Whether the server was asked to report how the client closed."""
    facts = server.facts
    return facts is not None and facts.behaviour.get("name") == Behaviour.CLOSE_READ_TO_END


def _never_spoke(client: ClientReport | None, wire: WireReading) -> bool:
    """Whether the client refused its own settings, even with an open connection (the API up to 1.21 checks them that late).

    Whether the server notices the empty connection before the harness ends it is a race without meaning.
    """
    refused_own = client is not None and client.failure is not None and client.failure.stage is Stage.CONFIG
    return refused_own and wire.client_hello is None


def _peer_left(failure: ServerFailure) -> bool:
    return failure.reason in PEER_GONE or failure.type in PEER_GONE_TYPES


def _alerts(server: ServerReport, wire: WireReading) -> tuple[Alert, ...]:
    """The alerts of both sources, each once, without the one that only answers the end of the stream.

    OpenSSL 3 answers a client that has closed with decode_error: after the exchange that is every MicroPython, which closes
    without close_notify, and before it a client that gave up silently. In both cases the client ended the connection.
    """
    found = list(wire.alerts)
    known = {(alert.sender, alert.code) for alert in found}
    found += [alert for alert in server.message_alerts if (alert.sender, alert.code) not in known]
    if server.exchanged or (server.failure is not None and server.failure.reason == END_OF_FILE):
        decode_error = alert_code("decode_error")
        found = [alert for alert in found if (alert.sender, alert.code) != (Side.SERVER, decode_error)]
    # close_notify is the normal end of a session, not a refusal (RFC 8446 section 6.1).
    return tuple(alert for alert in found if not (alert.code == 0 and server.handshake_done))


def _negotiated(server: ServerReport, wire: WireReading) -> Negotiated:
    if not server.handshake_done and wire.negotiated.version is None:
        return Negotiated()
    return Negotiated(
        version=server.negotiated_version or wire.negotiated.version,
        suite=wire.negotiated.suite or server.negotiated_suite,
        group=wire.negotiated.group,
    )


def _ending(
    server: ServerReport,
    client: ClientReport | None,
    *,
    alerts: tuple[Alert, ...],
    connected: bool,
    hello_sent: bool,
    unanswered: bool,
) -> tuple[Outcome, Side | None, Stage | None]:
    if connected:
        return Outcome.CONNECTED, None, None
    failure, client_failure = server.failure, client.failure if client is not None else None
    if failure is not None and failure.stage in (Stage.CONFIG, Stage.CONNECT):
        return Outcome.REFUSED, Side.SERVER, failure.stage
    early = client_failure.stage if client_failure and client_failure.stage in (Stage.CONFIG, Stage.CONNECT) else None
    # The server's record decides: an accepted board did connect, and a ClientHello follows all settings.
    contradicted = server.accepted if early is Stage.CONNECT else hello_sent
    if early is not None and not contradicted:
        return Outcome.REFUSED, Side.CLIENT, early
    if _hung(server, client_failure, alerts=alerts, unanswered=unanswered):
        return Outcome.HUNG, None, client_failure.stage if client_failure else Stage.HANDSHAKE
    if server.ended_first:
        return (
            Outcome.REFUSED,
            Side.SERVER,
            Stage.HANDSHAKE,
        )  # the server ended it; the client noticed later, or not at all
    if unanswered and server.exchanged and (client_failure is None or client_failure.number == SSL_FATAL_ALERT_MESSAGE):
        return Outcome.REFUSED, Side.SERVER, client_failure.stage if client_failure else Stage.READ
    if client_failure is not None and _both_report_the_end(failure, client_failure, alerts=alerts):
        return Outcome.REFUSED, Side.SERVER, client_failure.stage
    ender = _ender(failure, client_failure, alerts=alerts)
    if early is not None:
        return Outcome.REFUSED, ender, early  # the board's stage, so that the contradiction shows as a mismatch
    if ender is Side.SERVER:
        return Outcome.REFUSED, ender, failure.stage if failure else client_failure.stage if client_failure else None
    if ender is Side.CLIENT:
        return Outcome.REFUSED, ender, client_failure.stage if client_failure else failure.stage if failure else None
    return Outcome.NOT_RUN, None, None


def _hung(
    server: ServerReport, client_failure: ClientFailure | None, *, alerts: tuple[Alert, ...], unanswered: bool
) -> bool:
    if any(alert.is_fatal for alert in alerts):
        return False
    client_waited = client_failure is not None and _timed_out(client_failure)
    return server.timed_out or (client_waited and (unanswered or not server.exchanged))


def _timed_out(failure: ClientFailure) -> bool:
    if failure.type == ASYNCIO_TIMEOUT:
        return True
    number = failure.number or 0
    return number in TIMEOUT_NUMBERS or (failure.stage in NEGATED_STAGES and -number in TIMEOUT_NUMBERS)


def _both_report_the_end(
    failure: ServerFailure | None, client_failure: ClientFailure, *, alerts: tuple[Alert, ...]
) -> bool:
    """Whether the client only noticed that the server had ended, and the server has no other error.

    A server that ends on purpose, or is not a TLS server, raises nothing or sees the client close in response.
    """
    if any(alert.is_fatal for alert in alerts):
        return False
    return client_failure.name in SERVER_GONE and (failure is None or _peer_left(failure))


def _ender(
    failure: ServerFailure | None, client_failure: ClientFailure | None, *, alerts: tuple[Alert, ...]
) -> Side | None:
    """The side that sent the first fatal alert; without one, the side whose error is not that the other has closed."""
    for alert in alerts:
        if alert.is_fatal:
            return alert.sender
    if failure is None:
        return Side.CLIENT if client_failure is not None else None
    if (failure.reason or "").startswith(RECEIVED_ALERT) or _peer_left(failure):
        return Side.CLIENT
    return Side.SERVER
