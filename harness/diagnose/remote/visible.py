"""Infer why a foreign server failed from the wire and from a probe of it. Pure.

The rules of `harness.explain` read `SSLError.reason` and the live settings of our own servers. A foreign server shows only alerts and
messages. If these allow one reason only, it is filled in for the rules; reports still show what was seen.
"""

from __future__ import annotations

from dataclasses import replace

from harness.model import Observation, Outcome, ServerFacts, ServerFailure, Side
from harness.oracle.predict import predict
from harness.wire.alerts import AlertCode
from harness.wire.insistence import Insistence
from harness.wire.last_word import LastWord, last_word
from harness.wire.plain_protocols import PlainPeer
from harness.wire.reading import WireReading
from harness.wire.versions import TLS13, version_name

# RFC 8446 section 6.2 -> include/openssl/x509_vfy.h: the verify codes of a server that refuses a client's certificate.
_VERIFY_CODES: dict[int, int] = {
    AlertCode.UNKNOWN_CA: 20,
    AlertCode.CERTIFICATE_EXPIRED: 10,
    AlertCode.UNSUPPORTED_CERTIFICATE: 26,
    AlertCode.BAD_CERTIFICATE: 1,
    AlertCode.CERTIFICATE_UNKNOWN: 1,
    AlertCode.CERTIFICATE_REVOKED: 23,
}
_SAID_NOTHING = "whether it accepts the board: in TLS 1.3 a server refuses a client after the handshake, and this one sent nothing then"
_SAID_MORE = "whether it accepts the board: it sent more than an alert's length after the handshake, but a padded alert looks the same"


def worth_looking(seen: Observation, wire: WireReading) -> bool:
    """Whether the server's settings would explain the refusal: it refused the ClientHello itself."""
    refused = seen.outcome is Outcome.REFUSED and wire.client_hello is not None and wire.server_hello is None
    return refused and wire.server_plain is None


def worth_plain_words(seen: Observation, wire: WireReading) -> bool:
    """Whether the server may be one without TLS: nothing that it sent is TLS."""
    refused = seen.outcome in (Outcome.REFUSED, Outcome.HUNG) and wire.client_hello is not None
    return refused and wire.server_hello is None and not wire.retry and not wire.alerts


def completed(seen: Observation, wire: WireReading, *, facts: ServerFacts | None) -> Observation:
    """Return the observation with the server's reason filled in if it follows from what is visible.

    Args:
        seen: as it was.
        wire: the reading of the recorded bytes.
        facts: what the server accepts from this machine; None without a probe.
    """
    reason, code = _of_the_certificate(seen, wire)
    if reason is None and facts is not None and seen.client_hello is not None:
        predicted = predict(seen.client_hello, facts)
        agrees = predicted.alert is not None and predicted.alert.code == _servers_alert(seen)
        reason = predicted.server_reason if predicted.outcome is Outcome.REFUSED and agrees else None
    if reason is None:
        return seen
    failure = ServerFailure(type="SSLError", reason=reason, errno=1, verify_code=code)
    return replace(seen, server=failure, server_facts=facts)


def _servers_alert(seen: Observation) -> int | None:
    alert = seen.fatal_alert(sender=Side.SERVER)
    return alert.code if alert else None


def _of_the_certificate(seen: Observation, wire: WireReading) -> tuple[str | None, int | None]:
    """Return the reason of a refusal after the server requested the client's certificate and got its answer."""
    alert, sent = _servers_alert(seen), wire.client_certificates
    if alert == AlertCode.CERTIFICATE_REQUIRED or (alert == AlertCode.HANDSHAKE_FAILURE and sent == ()):
        return "PEER_DID_NOT_RETURN_A_CERTIFICATE", None
    if sent and alert in _VERIFY_CODES:
        return "CERTIFICATE_VERIFY_FAILED", _VERIFY_CODES[alert]
    if sent and alert == AlertCode.DECRYPT_ERROR:
        return "BAD_SIGNATURE", None
    return None, None


def unseen(
    seen: Observation,
    wire: WireReading,
    *,
    told: Observation,
    asked: int | None,
    sent: str | None = None,
    plain: PlainPeer | None = None,
    insists: Insistence | None = None,
) -> tuple[str, ...]:
    """Return what is not visible of a foreign server, and what was inferred instead.

    Args:
        seen: as it was.
        wire: the reading of the recorded bytes.
        told: the observation for the rules.
        asked: in how many connections this machine probed the server; None if it must not.
        sent: the board's text after the handshake; None if it closed.
        plain: what the server speaks without TLS, if that was found: then nothing else of TLS is to be known.
        insists: what it requires beyond what the board sends, if that was found.
    """
    lines = ["the server's settings, its log and its own error: only what it sends"]
    if plain is not None:
        return tuple(lines)
    counted = f" (probed with {asked} connections; --no-probe skips them)"
    if told.server is not None and seen.server is None and told.server.reason:
        source = (
            f"what it accepts from this machine{counted}"
            if told.server_facts is not None
            else "its messages and its alert"
        )
        lines.append(f"that it is {told.server.reason} (in OpenSSL's words) follows from {source}; its log must say so")
    elif insists is not None:
        lines.append(f"that it requires this follows from its answers to this machine{counted}")
    elif asked and worth_looking(seen, wire) and _servers_alert(seen) != AlertCode.UNRECOGNIZED_NAME:
        lines.append(
            f"why it refuses: it accepts nothing from this machine either, or refuses it with a different alert{counted}"
        )
    elif worth_looking(seen, wire) and asked is None:
        lines.append("what it would accept: not probed (--no-probe)")
    if wire.negotiated.version == version_name(TLS13):
        lines.append("its certificates and every alert after ServerHello: TLS 1.3 encrypts them")
    word = last_word(wire)
    if seen.outcome is Outcome.CONNECTED and sent is None:
        lines += [] if word is None else [_SAID_MORE if word is LastWord.MORE else _SAID_NOTHING]
        lines.append(
            "what the application does: the board closed after the handshake (--send TEXT makes it send a request)"
        )
    return tuple(lines)
