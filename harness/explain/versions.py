"""Protocol versions that have nothing in common."""

from __future__ import annotations

from harness.explain import fixes
from harness.explain.evidence import Evidence, table
from harness.explain.registry import rule, told
from harness.firmware.since import Feature, since
from harness.model import Change, Explanation, Fix, Side, TlsVersion
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode

_NOTHING_LEFT = ("NO_PROTOCOLS_AVAILABLE", "NO_CIPHERS_AVAILABLE")


def _versions(evidence: Evidence) -> tuple[str, ...]:
    return table(
        ("board offers", ", ".join(evidence.client_versions) or "unknown"), ("server allows", evidence.server_versions)
    )


def _server_is_older(evidence: Evidence) -> bool:
    """Whether the server's newest version is older than the client's oldest."""
    newest = evidence.server.maximum_version if evidence.server else None
    return newest in (TlsVersion.TLSv1, TlsVersion.TLSv1_1)


def _raise_version(evidence: Evidence) -> Fix:
    return Fix(
        title="let the server speak TLS 1.2 or newer",
        server_lines=(
            "context.minimum_version = ssl.TLSVersion.TLSv1_2",
            "context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED",
        ),
        change=Change(server={"minimum_version": "TLSv1.2", "maximum_version": None}),
    )


@rule("versions/server-too-new")
def server_too_new(evidence: Evidence) -> Explanation | None:
    """A server with only TLS 1.3, which no official firmware supports."""
    if evidence.reason != "UNSUPPORTED_PROTOCOL" or _server_is_older(evidence) or evidence.hidden:
        return None
    shown = "OSError -70" if evidence.is_axtls else "OSError -30592"
    return told(
        f"the server requires {evidence.server.minimum_version if evidence.server else 'a newer version'}, "
        "and the board speaks TLS 1.2 at most",
        why=(
            *_versions(evidence),
            f"no official MicroPython has TLS 1.3; on the board this is {shown} like other refusals",
        ),
        fixes=(fixes.allow_tls12(),),
    )


@rule("versions/server-too-old")
def server_too_old(evidence: Evidence) -> Explanation | None:
    """A server limited to TLS 1.1 or older."""
    refused_here = evidence.reason == "UNSUPPORTED_PROTOCOL" and _server_is_older(evidence) and not evidence.hidden
    refused_there = evidence.number == mbedtls.SSL_BAD_PROTOCOL_VERSION and evidence.reason != "WRONG_VERSION_NUMBER"
    if not refused_here and not refused_there:
        return None
    return told(
        why=(
            *_versions(evidence),
            f"mbedTLS 3 has nothing older than TLS 1.2; firmware has it since {since(Feature.ONLY_TLS12)}",
        ),
        fixes=(_raise_version(evidence),),
    )


@rule("versions/server-settings-leave-none")
def settings_leave_none(evidence: Evidence) -> Explanation | None:
    """Versions, suites and security level of the server exclude each other, which shows only when a client connects."""
    # OpenSSL 3.0 at level 1 or more finds no signature for TLS 1.1 only when it has to sign (alert internal_error).
    unsigned = evidence.reason == "NO_SUITABLE_SIGNATURE_ALGORITHM" and _server_is_older(evidence)
    if (evidence.reason not in _NOTHING_LEFT and not unsigned) or evidence.hidden:
        return None
    facts = evidence.server
    level = facts.security_level if facts else None
    return told(
        why=(*_versions(evidence), f"security level {level}: TLS 1.0 and 1.1 need level 0 on OpenSSL 3"),
        fixes=(
            _raise_version(evidence),
            Fix(
                title="lower the server's security level for TLS 1.1",
                discouraged=True,
                because="TLS 1.0 and 1.1 are broken in parts (RFC 8996)",
                server_lines=('context.set_ciphers("ALL:@SECLEVEL=0")',),
                change=Change(server={"ciphers": "ALL:@SECLEVEL=0"}),
            ),
        ),
    )


@rule("versions/alert-only")
def alert_only(evidence: Evidence) -> Explanation | None:
    """The peer's own reason is unknown, but its alert is about versions."""
    if (
        evidence.seen.server is not None
        or evidence.seen.ended_by is not Side.SERVER
        or evidence.alert("server") != AlertCode.PROTOCOL_VERSION
    ):
        return None
    return told(
        why=(*_versions(evidence)[:1], "almost always a TLS 1.3-only server; its log says UNSUPPORTED_PROTOCOL"),
        fixes=(fixes.allow_tls12(),),
    )
