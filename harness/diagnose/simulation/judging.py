"""Judge one server's answer by one firmware's row, and explain a refusal by the rules that explain a board's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from harness.diagnose.own import case_of
from harness.diagnose.remote.visible import completed
from harness.diagnose.settings import Settings
from harness.diagnose.simulation.acceptance import Judge, problems
from harness.diagnose.simulation.signature import signature_fits
from harness.diagnose.simulation.targets import Answer
from harness.explain import explain
from harness.explain.evidence import Evidence
from harness.firmware.table import Basis, Firmware
from harness.model import (
    Alert,
    CertificateProblem,
    ClientFailure,
    Explanation,
    HelloFacts,
    Negotiated,
    Observation,
    Outcome,
    ServerFacts,
    ServerFailure,
    Side,
    Simulated,
    SimulatedFirmware,
    Stage,
    Verify,
)
from harness.oracle.mbedtls_errors import error_name
from harness.oracle.prediction.client import number_for_alert
from harness.oracle.weakness import weaknesses
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode, alert_name
from harness.wire.groups import group_name
from harness.wire.reading import WireReading
from harness.wire.server_flight import Flight
from harness.wire.signature_algorithms import signature_info
from harness.wire.suites import suite_info, suite_name
from harness.wire.versions import TLS12, TLS13, version_name

# extmod/modtls_axtls.c.
_AXTLS_RECORD_OVERFLOW = -257
# RFC 8446 section 5.2: what protection may add to a record.
_RECORD_OVERHEAD = 256
_FLAG_ALERTS = (
    ("cn_mismatch", AlertCode.BAD_CERTIFICATE),
    ("other", AlertCode.UNSUPPORTED_CERTIFICATE),
    ("bad_key", AlertCode.UNSUPPORTED_CERTIFICATE),
    ("expired", AlertCode.CERTIFICATE_EXPIRED),
    ("not_trusted", AlertCode.UNKNOWN_CA),
)
_NOT_TLS = "not a TLS server"
LookedUp = Callable[[HelloFacts], ServerFacts | None]
"""Finds out what a server that is not ours accepts; called once at most, after the first refusal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is simulated: the settings of both sides, what the client knows, and how a foreign server is looked at.

    `name` is sent as SNI, None sends none. `anchors` are the CA certificates of the client, which then verifies; None: it does not.
    """

    settings: Settings
    name: str | None
    host: str | None
    anchors: tuple[bytes, ...] | None = None
    now: datetime | None = None
    look: LookedUp | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One distinct hello with its answer."""

    hello: HelloFacts
    answer: Answer
    wire: WireReading


def judged(firmware: Firmware, answered: Answered, *, question: Question) -> Simulated:
    """Judge one answer by one row."""
    row, answer, flight = (_row(firmware),), answered.answer, answered.answer.exchange.flight
    if answer.refused_settings:
        reason = answer.failure.reason or answer.failure.type if answer.failure else None
        return Simulated(firmware=row, outcome=Outcome.REFUSED, ended_by=Side.SERVER, reason=reason)
    if not (flight.complete or flight.unread or flight.violation or flight.certificates):
        return _without_flight(row, answered)
    negotiated, weak = _negotiated(flight), _weak(answered)
    found = problems(flight.certificates, firmware, judge=_judge(flight, question)) if flight.certificates else ()
    refusing = [item for item in found if item.always or question.anchors is not None]
    session = Simulated(
        firmware=row,
        outcome=Outcome.CONNECTED,
        negotiated=negotiated,
        retry=flight.retry,
        weak=weak,
        problems=tuple(item for item in found if item not in refusing),
        verifies=firmware.api.verifies,
        asks_certificate=flight.asks_certificate,
        unread=flight.unread,
    )
    return _as_refused(session, firmware, flight, refusing)


def _without_flight(row: tuple[SimulatedFirmware, ...], answered: Answered) -> Simulated:
    """Return what came instead of a flight: an alert, silence, the end of the stream, or another protocol."""
    answer, flight = answered.answer, answered.answer.exchange.flight
    if flight.plain is not None:
        return Simulated(firmware=row, outcome=Outcome.REFUSED, ended_by=Side.CLIENT, reason=_NOT_TLS)
    reason = answer.failure.reason or answer.failure.type if answer.failure is not None else None
    if flight.alert is not None:
        name = alert_name(flight.alert)
        number = number_for_alert(answered.hello, alert=flight.alert)
        return Simulated(
            firmware=row,
            outcome=Outcome.REFUSED,
            ended_by=Side.SERVER,
            reason=reason or name,
            alert=name,
            client_number=number,
        )
    if answer.exchange.timed_out:
        return Simulated(firmware=row, outcome=Outcome.HUNG, reason="no answer to the ClientHello")
    return Simulated(
        firmware=row,
        outcome=Outcome.REFUSED,
        ended_by=Side.SERVER,
        reason=reason or "closed without an alert",
        client_number=mbedtls.SSL_CONN_EOF,
    )


def _as_refused(
    session: Simulated, firmware: Firmware, flight: Flight, refusing: Sequence[CertificateProblem]
) -> Simulated:
    """Return the result of a client that gives up after this flight; unchanged if it would go on."""
    if flight.violation is not None:
        number = mbedtls.SSL_BAD_PROTOCOL_VERSION if flight.violation.alert is AlertCode.PROTOCOL_VERSION else None
        return _refused(session, flight.violation.what, alert=flight.violation.alert, number=number)
    limit = firmware.build.record_in_bytes
    if flight.largest_record > limit + _RECORD_OVERHEAD:
        text = f"a record of {flight.largest_record} bytes; this firmware reads {limit} at most"
        return _refused(session, text, alert=AlertCode.RECORD_OVERFLOW, number=_AXTLS_RECORD_OVERFLOW)
    if flight.spans_records and not firmware.build.spans_records:
        text = "a handshake message in several records, which this library reads only from 3.6.3 on"
        return _refused(session, text, number=mbedtls.SSL_FEATURE_UNAVAILABLE)
    pss = signature_info(flight.signature_algorithm or 0)
    if flight.version == TLS12 and pss is not None and pss.padding == "pss" and not firmware.build.own_pss:
        text = "an RSA-PSS signature in TLS 1.2, which this mbedTLS offers and refuses (fixed in 3.6.7)"
        return _refused(session, text, alert=AlertCode.ILLEGAL_PARAMETER, number=mbedtls.SSL_ILLEGAL_PARAMETER)
    signed = flight.signed
    if signed is not None and flight.certificates and signature_fits(signed, flight.certificates[0]) is False:
        text = "the server's signature does not fit its certificate"
        return _refused(session, text, alert=AlertCode.DECRYPT_ERROR)
    return _certificate_refused(session, firmware, refusing) if refusing else session


def _certificate_refused(session: Simulated, firmware: Firmware, refusing: Sequence[CertificateProblem]) -> Simulated:
    """Return a refusal of the certificate: unreadable ones first, then the flags of all others together."""
    reason = "; ".join(item.text for item in refusing)
    flags = tuple(sorted({item.flag for item in refusing}))
    first = refusing[0]
    if first.number is not None and (first.flag == "unreadable" or set(flags) == {"other"}):
        return replace(_refused(session, reason, number=first.number), alert=first.alert)
    alert = next((code for flag, code in _FLAG_ALERTS if flag in flags), AlertCode.CERTIFICATE_UNKNOWN)
    if firmware.api.names_reason:
        return replace(_refused(session, reason, alert=alert), client_flags=flags)
    return _refused(session, reason, alert=alert, number=mbedtls.X509_CERT_VERIFY_FAILED)


def _refused(
    session: Simulated, reason: str, *, alert: AlertCode | None = None, number: int | None = None
) -> Simulated:
    name = None if alert is None else alert_name(alert)
    return replace(
        session, outcome=Outcome.REFUSED, ended_by=Side.CLIENT, reason=reason, alert=name, client_number=number
    )


def _judge(flight: Flight, question: Question) -> Judge:
    info = suite_info(flight.suite or 0)
    return Judge(
        name=question.host,
        now=question.now or datetime.now(UTC),
        static_rsa=info is not None and not info.forward_secret and not info.tls13,
        anchors=question.anchors,
        tls13=flight.version == TLS13,
    )


def _negotiated(flight: Flight) -> Negotiated:
    if flight.version is None or flight.suite is None:
        return Negotiated()
    return Negotiated(
        version=version_name(flight.version),
        suite=suite_name(flight.suite),
        group=group_name(flight.group) if flight.group is not None else None,
    )


def _weak(answered: Answered) -> tuple[str, ...]:
    flight = answered.answer.exchange.flight
    if flight.version is None:
        return ()
    wire = replace(answered.wire, certificates=flight.certificates)
    return weaknesses(_negotiated(flight), wire, facts=answered.answer.facts)


def _row(firmware: Firmware) -> SimulatedFirmware:
    return SimulatedFirmware(
        port=firmware.port,
        version=firmware.version,
        library=firmware.library,
        source=firmware.source,
        measured=firmware.basis("hello") is Basis.MEASURED,
        composed=not firmware.hello.captured,
        nearest=firmware.nearest,
    )


def explained(
    firmware: Firmware, answered: Answered, result: Simulated, *, question: Question, facts: ServerFacts | None
) -> Explanation:
    """Explain a refusal by the rules that explain a board's."""
    seen = _observed(firmware, answered, result)
    if answered.answer.facts is None and result.ended_by is Side.SERVER:
        seen = completed(seen, answered.wire, facts=facts)
    settings = question.settings
    if question.anchors is not None:
        settings = replace(settings, client=replace(settings.client, verify=Verify.REQUIRED))
    wire = replace(answered.wire, certificates=answered.answer.exchange.flight.certificates)
    evidence = Evidence(
        case_of("simulate", settings), seen, firmware.board(), wire=wire, authorities=question.anchors or ()
    )
    return explain(evidence)


def _observed(firmware: Firmware, answered: Answered, result: Simulated) -> Observation:
    """Return the result as the observation that a board would have given."""
    answer = answered.answer
    config = answer.failure is not None and answer.failure.stage is Stage.CONFIG
    alerts: tuple[Alert, ...] = ()
    if result.alert is not None:
        code = AlertCode[result.alert.upper()] if result.alert.upper() in AlertCode.__members__ else 0
        alerts = (Alert(sender=result.ended_by or Side.SERVER, level="fatal", code=int(code), name=result.alert),)
    client = None
    if result.client_number is not None or result.client_flags is not None:
        name = error_name(result.client_number, tls_version=firmware.library) if result.client_number else None
        client = ClientFailure(
            type="OSError" if result.client_flags is None else "ValueError",
            args=() if result.client_number is None else (result.client_number, name or ""),
            number=result.client_number,
            flags=result.client_flags,
            name=name,
            stage=Stage.HANDSHAKE,
        )
    failure: ServerFailure | None = answer.failure
    return Observation(
        outcome=result.outcome,
        stage=Stage.CONFIG if config else Stage.HANDSHAKE,
        ended_by=result.ended_by,
        server=failure,
        client=client,
        alerts=alerts,
        negotiated=result.negotiated,
        client_hello=answered.hello,
        server_facts=answer.facts,
    )
