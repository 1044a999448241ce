"""The subject of a case: the point a handshake must reach for its result to be meaningful. The one home of this rule.

A declaration usually says it already: by the stage of a stated failure, by the server's behaviour, by what is verified. Where it does
not, the case states its subject. Knows declarations; must not know observations.
"""

from __future__ import annotations

from harness.model import (
    ClientPlan,
    Expectation,
    ExpectationRule,
    Outcome,
    ServerProfile,
    Source,
    Stage,
    Subject,
    Verify,
)

# What a server with such a behaviour is about, by the first word of its name (`harness/server/engine/odd_peers.py`, `flights.py`).
_OF_BEHAVIOUR = {"not-tls": Subject.HELLO, "records": Subject.DATA, "close": Subject.CLOSE}
# `SSLError.reason` of a server that ends the handshake because of the ClientHello or its own settings, before any certificate.
NEGOTIATION_REASONS = frozenset(
    {
        "BAD_KEY_SHARE",
        "CALLBACK_FAILED",
        "MISSING_SIGALGS_EXTENSION",
        "MISSING_SUPPORTED_GROUPS_EXTENSION",
        "NO_CIPHERS_AVAILABLE",
        "NO_PROTOCOLS_AVAILABLE",
        "NO_SHARED_CIPHER",
        "NO_SHARED_GROUPS",
        "NO_SHARED_SIGNATURE_ALGORITHMS",
        "NO_SUITABLE_KEY_SHARE",
        "NO_SUITABLE_SIGNATURE_ALGORITHM",
        "UNSUPPORTED_PROTOCOL",
        "VERSION_TOO_LOW",
    }
)


def subject_of(
    server: ServerProfile, client: ClientPlan, *, expect: Expectation | ExpectationRule | None, stated: Subject | None
) -> Subject:
    """Return the subject of a case.

    Args:
        server: the server's settings.
        client: what the board does.
        expect: what the case states; None if it is only about the negotiation.
        stated: the subject that the declaration names, if it names one.
    """
    if stated is not None:
        return stated
    if expect is None:
        return Subject.NEGOTIATION
    if isinstance(expect, Expectation) and expect.stage is Stage.CONFIG:
        return Subject.CONFIG
    if client.send_bytes or client.receive_bytes:
        return Subject.DATA
    behaviour = _OF_BEHAVIOUR.get(str(server.behaviour.get("name")).partition(".")[0])
    if behaviour is not None:
        return behaviour
    if server.verify is not Verify.NONE:
        return Subject.CLIENT_CERTIFICATE
    return Subject.SERVER_CERTIFICATE if client.verify is Verify.REQUIRED else Subject.FINISHED


def point_of(subject: Subject, expected: Expectation) -> Subject:
    """Return the point that the evidence must show before an expectation is met.

    This is the subject, unless the expected refusal comes before it: then that refusal is what the case is about, on this board and
    with this server.

    Args:
        subject: of the case.
        expected: what must happen.
    """
    if expected.outcome is not Outcome.REFUSED:
        return subject
    if expected.stage in (Stage.CONFIG, Stage.CONNECT):
        return Subject.CONFIG
    negotiating = expected.source is Source.PREDICTED or expected.server_reason in NEGOTIATION_REASONS
    if expected.stage is Stage.HANDSHAKE and negotiating:
        return min(subject, Subject.NEGOTIATION, key=lambda point: point.place)
    return subject
