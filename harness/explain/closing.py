"""The connection ended or stalled: end of stream, reset, timeout, on either side."""

from __future__ import annotations

from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.model import Change, Explanation, Fix, Outcome, Side, Stage, Verify
from harness.wire import mbedtls_numbers as mbedtls

_AXTLS_LOST = -256
_EOF_ERRNOS = frozenset({"EPIPE", "ECONNABORTED", "ENOTCONN"})


def _gave_up_waiting(evidence: Evidence) -> bool:
    failure = evidence.seen.server
    return failure is not None and failure.type in ("TimeoutError", "timeout")


def _server_timed_out(evidence: Evidence) -> bool:
    return _gave_up_waiting(evidence) and evidence.seen.outcome is not Outcome.HUNG


def _board_too_slow(evidence: Evidence) -> bool:
    """Whether our own server gave up while the board was computing, which noticed the closed connection only afterwards."""
    seen = evidence.seen
    late = seen.outcome is Outcome.HUNG and seen.stage is Stage.HANDSHAKE
    noticed = _ended_at_end(evidence) or "ECONNRESET" in evidence.client_names
    return late and _gave_up_waiting(evidence) and noticed


def _ended_at_end(evidence: Evidence) -> bool:
    return evidence.number in (mbedtls.SSL_CONN_EOF, _AXTLS_LOST) or bool(evidence.client_names & _EOF_ERRNOS)


def _out_of_time(evidence: Evidence) -> bool:
    """Whether a server that is not ours was still in the handshake when its time was over: the relay ended the connection then."""
    return evidence.seen.outcome is Outcome.HUNG and evidence.seen.server is None


def _other_cause(evidence: Evidence) -> bool:
    """Whether another rule applies: a server without TLS, one that insists on more, or one that requests a certificate and closes."""
    asked = evidence.server is not None and evidence.server.verify is not Verify.NONE
    cut = asked and evidence.seen.server is None and bool(evidence.client_names & {"EPIPE", "ECONNRESET"})
    return cut or evidence.plain is not None or evidence.insists is not None


@rule("closing/server-time-out")
def server_time_out(evidence: Evidence) -> Explanation | None:
    """A slow board and a server with a short timeout."""
    if not _server_timed_out(evidence):
        return None
    took = evidence.seen.handshake_board_ms
    return told(
        why=(
            f"the board worked for {took:.0f} ms" if took is not None else "the board's time is not known",
            "EC without ECP_NIST_OPTIM takes seconds on a microcontroller (stm32, mimxrt); RSA-4096 too",
        ),
        fixes=(
            Fix(title="give slow boards 30 seconds for the handshake", server_lines=("sock.settimeout(30)",)),
            Fix(
                title="use P-256 or RSA-2048 instead of larger keys",
                change=Change(server={"certificates": ("server-p256",)}),
            ),
        ),
    )


@rule("closing/slow-board")
def slow_board(evidence: Evidence) -> Explanation | None:
    """A board that is slower than the harness's own server waits."""
    if not _board_too_slow(evidence):
        return None
    took = evidence.seen.handshake_board_ms
    return told(
        why=(
            f"the board worked for {took / 1000:.0f} s" if took is not None else "the board's time is not known",
            "the server waits for 30 s, times timeout_multiplier of boards.toml",
            "EC without ECP_NIST_OPTIM takes long on a microcontroller; so do RSA-4096 and P-521",
        ),
        fixes=(
            Fix(
                title="give this board more time: timeout_multiplier = 4 in boards.toml (every time limit is multiplied)"
            ),
        ),
    )


@rule("closing/closed-by-server")
def closed_by_server(evidence: Evidence) -> Explanation | None:
    """The stream ended before the handshake did."""
    if not _ended_at_end(evidence) or _gave_up_waiting(evidence) or _other_cause(evidence) or evidence.accepted:
        return None
    if _out_of_time(evidence):
        return None
    sent = evidence.wire.server_bytes
    where = "in the middle of the handshake" if evidence.seen.stage is Stage.HANDSHAKE else "after the handshake"
    return told(
        f"the server closed the connection {where} without giving a reason",
        why=(
            f"it had sent {sent} bytes" + (", the last record truncated" if evidence.wire.server_truncated else ""),
            "a server that crashed, a timeout there, a load balancer without a backend, or a process that ignores the alert",
        ),
        fixes=(
            Fix(title="read the server's log"),
            Fix(
                title="let the server wait for the alert to be read: shut down, drain, then close",
                server_lines=("sock.shutdown(socket.SHUT_WR)",),
            ),
        ),
    )


@rule("closing/reset")
def reset(evidence: Evidence) -> Explanation | None:
    """RST: a killed server or a firewall; or a certificate that mbedTLS reports as ASN1_INVALID_DATA (also 104)."""
    if (
        "ECONNRESET" not in evidence.client_names
        or _other_cause(evidence)
        or _board_too_slow(evidence)
        or _out_of_time(evidence)
        or evidence.seen.stage is Stage.CONNECT
    ):
        return None
    failure = evidence.seen.server
    return told(
        why=(
            f"at {evidence.seen.stage}; the server reports {failure.reason or failure.type}"
            if failure
            else f"at {evidence.seen.stage}; the server reports nothing",
            "a server that was killed, a firewall that inspects traffic, or a server that closed with unread data",
            "in the handshake, 104 can also be mbedTLS's ASN1_INVALID_DATA: a damaged certificate",
        ),
        fixes=(
            Fix(title="read the server's log"),
            Fix(
                title="try from another machine on the same network",
                server_lines=("$ openssl s_client -connect HOST:PORT",),
            ),
        ),
    )


@rule("closing/silent-server")
def silent_server(evidence: Evidence) -> Explanation | None:
    """The handshake never ended."""
    if evidence.seen.outcome is not Outcome.HUNG or evidence.seen.stage in (Stage.READ, Stage.WRITE):
        return None
    if _board_too_slow(evidence) or evidence.plain is not None:
        return None
    begun = (
        "the server began to answer and did not complete the handshake in time" if evidence.wire.server_bytes else ""
    )
    return told(
        begun,
        why=(
            f"it sent {evidence.wire.server_bytes} bytes",
            "without settimeout() before wrap_socket the board waits forever",
        ),
        fixes=(
            Fix(
                title="set a timeout on the board",
                client_lines=("sock.settimeout(10)", "tls = context.wrap_socket(sock, ...)"),
            ),
            Fix(
                title="handle each connection of the server in its own thread, handshake included: a slow client must not block the others"
            ),
        ),
    )


def _sent(evidence: Evidence) -> str:
    text = evidence.case.client.text
    return "the board sent its greeting" if text is None else f"the board sent {text!r}"


def _received(evidence: Evidence) -> str:
    seen = evidence.seen
    if seen.received_by_server is None:
        return _sent(evidence)
    if evidence.case.client.text is None and seen.received_by_server == seen.exchange.sent_text:
        return "the server received the board's greeting"
    return f"the server received {seen.received_by_server!r}"


@rule("closing/silent-after-handshake")
def silent_after_handshake(evidence: Evidence) -> Explanation | None:
    """The handshake succeeded, the board waited for the answer, and it never arrived.

    A board that stopped for another reason and left its connection open is hung as well: then its own error is the cause.
    """
    if evidence.seen.outcome is not Outcome.HUNG or evidence.seen.stage not in (Stage.READ, Stage.WRITE):
        return None
    if "ETIMEDOUT" not in evidence.client_names:
        return None
    return told(
        why=(
            _received(evidence),
            "TLS is not the cause: keys, suites and certificates were accepted",
        ),
        fixes=(Fix(title="check the application: does it wait for more (a newline, a length) than the board sends?"),),
    )


@rule("closing/unanswered")
def unanswered(evidence: Evidence) -> Explanation | None:
    """A foreign server ended the session instead of answering the board."""
    seen, plan = evidence.seen, evidence.case.client
    by_server = seen.outcome is Outcome.REFUSED and seen.ended_by is Side.SERVER and seen.server is None
    if not by_server or not plan.any_answer or not seen.handshake_done or not evidence.silent_end:
        return None
    if evidence.reply is not None:
        return None
    if evidence.number not in (None, mbedtls.SSL_FATAL_ALERT_MESSAGE):
        return None
    alert = evidence.number == mbedtls.SSL_FATAL_ALERT_MESSAGE
    return told(
        why=(
            _sent(evidence),
            "the server sent an encrypted fatal alert; the board cannot tell which" if alert else "the server closed",
            "keys, suites and the server's certificate match; what the board sent, or its own certificate, may be the problem",
        ),
        fixes=(
            Fix(title="read the server's log"),
            Fix(
                title="send a complete request in the server's protocol: HTTP ends with an empty line, MQTT begins with a CONNECT packet"
            ),
        ),
    )
