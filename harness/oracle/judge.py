"""Compares an expectation with an observation: all mismatches and a verdict. Pure; a TLS mismatch is data, never an exception."""

from __future__ import annotations

from typing import Any

from harness.model import (
    Case,
    Expectation,
    Mismatch,
    Observation,
    Outcome,
    Side,
    Source,
    Stage,
    Verdict,
    VerdictWord,
    Verify,
)

NOTHING = "none"
OPTIONAL_NOTE = "CERT_OPTIONAL: the client verifies the certificate and accepts it whatever it finds"
_SESSION = Expectation(
    source=Source.STATED, outcome=Outcome.CONNECTED, no_server_error=True, no_client_error=True, no_alert=True
)
# A mismatch shows this much of a text; the number of bytes follows.
SHOWN_CHARACTERS = 80


def mismatches(expected: Expectation, observed: Observation) -> tuple[Mismatch, ...]:
    """Return every field in which the two differ; fields that the expectation leaves open are not compared."""
    found: list[Mismatch] = []

    def compare(field: str, wanted: Any, seen: Any) -> None:
        if wanted is not None and wanted != seen:
            found.append(Mismatch(field=field, expected=_text(wanted), observed=_text(seen)))

    compare("outcome", expected.outcome, observed.outcome)
    compare("stage", expected.stage, observed.stage)
    compare("ended_by", expected.ended_by, observed.ended_by)
    server, client = observed.server, observed.client
    compare("server.type", expected.server_type, server.type if server else NOTHING)
    compare("server.reason", expected.server_reason, server.reason if server else NOTHING)
    compare("server.errno", expected.server_errno, server.errno if server else NOTHING)
    compare("server.verify_code", expected.verify_code, server.verify_code if server else NOTHING)
    compare("client.type", expected.client_type, client.type if client else NOTHING)
    compare("client.number", expected.client_number, client.number if client else NOTHING)
    compare("client.name", expected.client_name, client.name if client else NOTHING)
    seen_flags = tuple(sorted(client.flags)) if client and client.flags is not None else NOTHING
    compare(
        "client.flags", tuple(sorted(expected.client_flags)) if expected.client_flags is not None else None, seen_flags
    )
    if expected.no_server_error and server is not None:
        found.append(
            Mismatch(field="server", expected="no error", observed=f"{server.type} {server.reason or ''}".strip())
        )
    if expected.no_client_error and client is not None:
        seen_text = _text(client.number if client.number is not None else client.flags or tuple(client.args))
        found.append(Mismatch(field="client", expected="no error", observed=f"{client.type} {seen_text}"))
    found += _alert_mismatch(expected, observed)
    compare("version", expected.version, observed.negotiated.version)
    compare("suite", expected.suite, observed.negotiated.suite)
    compare("group", expected.group, observed.negotiated.group)
    hello = observed.client_hello
    compare("server_name", expected.server_name, ((hello.sni if hello is not None else None) or ""))
    found += _exchange_mismatches(observed)
    return tuple(found)


def _exchange_mismatches(observed: Observation) -> list[Mismatch]:
    """Check that both sides received exactly the text that the other was to send.

    The server's record catches a board that contradicts it, the board's record one that never read.
    """
    if observed.outcome is not Outcome.CONNECTED:
        return []
    planned = observed.exchange
    wanted_seen = (
        (
            "server.received",
            (planned.sent_text, planned.sent_bytes),
            (observed.received_by_server, observed.server_received_bytes),
        ),
        (
            "client.received",
            (planned.answer_text, planned.answer_bytes),
            (observed.received_by_client, observed.client_received_bytes),
        ),
    )
    return [
        Mismatch(field=field, expected=_received(*wanted), observed=_received(*seen))
        for field, wanted, seen in wanted_seen
        if wanted[0] is not None and wanted != seen
    ]


def _received(text: str | None, count: int | None) -> str:
    if text is None:
        return NOTHING
    cut = text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
    return f"{cut!r} ({'?' if count is None else count} bytes)"


def _alert_mismatch(expected: Expectation, observed: Observation) -> list[Mismatch]:
    fatal = [alert for alert in observed.alerts if alert.is_fatal]
    seen = ", ".join(f"{alert.name} ({alert.code}) from the {alert.sender}" for alert in fatal) or NOTHING
    wanted = expected.alert
    if wanted is not None:
        if [(alert.sender, alert.code) for alert in fatal[:1]] != [(wanted.sender, wanted.code)]:
            return [
                Mismatch(
                    field="alert", expected=f"{wanted.name} ({wanted.code}) from the {wanted.sender}", observed=seen
                )
            ]
    elif expected.no_alert and fatal:
        return [Mismatch(field="alert", expected="no fatal alert", observed=seen)]
    return []


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return "+".join(str(item) for item in value) or NOTHING
    return NOTHING if value is None else str(value)


def judge(case: Case, expected: Expectation, observed: Observation) -> Verdict:
    """Judge one case.

    Args:
        case: the case, which says which side verifies the other.
        expected: stated by the case or predicted.
        observed: what happened.

    Returns:
        `pass` without a mismatch, or if a client with CERT_OPTIONAL accepted what CERT_REQUIRED refuses; a session under
        CERT_OPTIONAL has a note as its reason. `insecure` if a side that verifies accepted what it should have refused, else
        `fail` with all mismatches. `known`, `unsupported` and `error` are not decided here.
    """
    found = mismatches(expected, observed)
    if not found:
        optional = Verify.OPTIONAL in (case.client.verify, case.server.verify)
        noted = optional and observed.outcome is Outcome.CONNECTED
        return Verdict(word=VerdictWord.PASS, reason=expected.note if noted else None)
    if _accepted_optionally(case, expected, observed):
        return Verdict(word=VerdictWord.PASS, reason=OPTIONAL_NOTE)
    if _accepted(expected, observed) and _verifies(case, expected):
        who = expected.ended_by
        return Verdict(
            word=VerdictWord.INSECURE, reason=f"the {who} accepted what it should have refused", mismatches=found
        )
    return Verdict(word=VerdictWord.FAIL, reason=_headline(found), mismatches=found)


def _accepted(expected: Expectation, observed: Observation) -> bool:
    """Whether the side that must refuse did not: it has a session, or it completed the handshake.

    A client that sends its Finished has accepted the certificate (RFC 8446 section 4.4.4, RFC 5246 section 7.4.9), whatever it
    does afterwards. A server completes the handshake only after it has verified the client's certificate, in TLS 1.3, too.
    """
    if expected.outcome is not Outcome.REFUSED:
        return False
    finished = observed.handshake_done and expected.stage is Stage.HANDSHAKE
    return finished or observed.outcome is Outcome.CONNECTED


def _accepted_optionally(case: Case, expected: Expectation, observed: Observation) -> bool:
    """Whether a client with CERT_OPTIONAL has a complete session although it should refuse: mbedTLS continues whatever it found."""
    refuses = expected.outcome is Outcome.REFUSED and expected.ended_by is Side.CLIENT
    optional = case.client.verify is Verify.OPTIONAL and expected.stage is Stage.HANDSHAKE
    complete = observed.outcome is Outcome.CONNECTED and not mismatches(_SESSION, observed)
    return refuses and optional and complete


def _verifies(case: Case, expected: Expectation) -> bool:
    if expected.ended_by is Side.CLIENT:
        return case.client.verify is Verify.REQUIRED
    return case.server.verify is Verify.REQUIRED


def _headline(found: tuple[Mismatch, ...]) -> str:
    first = found[0]
    return f"{first.field}: expected {first.expected}, got {first.observed}"
