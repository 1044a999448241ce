"""Groups of the key exchange, and the curve of an EC key, which must also be among the client's groups."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.evidence import Evidence
from harness.explain.no_shared_cipher import Cause, cause, settings, suite_table
from harness.explain.registry import rule, told
from harness.model import Explanation, Fix, Side, Stage


@rule("groups/key-curve")
def key_curve(evidence: Evidence) -> Explanation | None:
    """RFC 8422 section 5.1: the certificate's own curve must be one that the client listed."""
    if cause(evidence) is not Cause.KEY_CURVE or evidence.server is None:
        return None
    curve = next((key.curve for key in evidence.server.keys if key.curve), "?")
    return told(
        f"the server's EC key is on {curve}, a curve that the board does not list",
        why=suite_table(evidence),
        fixes=(fixes.ec_key(),),
    )


@rule("groups/no-common-group")
def no_common_group(evidence: Evidence) -> Explanation | None:
    """Suites and key match; set_ecdh_curve left no group that the client has."""
    if cause(evidence) is not Cause.NO_GROUP:
        return None
    return told(
        why=suite_table(evidence),
        fixes=(fixes.default_groups(),),
    )


@rule("groups/no-common-group-tls13")
def no_key_share(evidence: Evidence) -> Explanation | None:
    """TLS 1.3 has a separate reason for it."""
    if evidence.reason != "NO_SUITABLE_KEY_SHARE" or evidence.hidden:
        return None
    return told(
        why=settings(evidence),
        fixes=(fixes.default_groups(),),
    )


@rule("groups/unknown-name")
def unknown_name(evidence: Evidence) -> Explanation | None:
    """set_ecdh_curve got a name that this Python or OpenSSL does not know."""
    failure = evidence.seen.server
    curve = evidence.case.server.curve
    if (
        failure is None
        or failure.stage is not Stage.CONFIG
        or curve is None
        or evidence.seen.ended_by is not Side.SERVER
    ):
        return None
    if failure.type != "ValueError" and failure.reason != "UNKNOWN_GROUP":
        return None
    return told(
        f"this server cannot be limited to the group {curve!r}: set_ecdh_curve does not know it",
        why=(
            "no client ever connected: the setting itself is refused",
            "X25519 and X448 are accepted since Python 3.11.7 and 3.12 (with OpenSSL 3); NIST curves always",
        ),
        fixes=(fixes.default_groups(), Fix(title="use a newer Python: 3.15 has context.set_groups()")),
    )
