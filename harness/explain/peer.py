"""A peer that is not a TLS server, or one whose messages are wrong; and alerts without any other reason."""

from __future__ import annotations

from harness.expectations.differences import known_reason
from harness.explain import fixes
from harness.explain.evidence import Evidence
from harness.explain.registry import rule, told
from harness.model import Explanation, Fix, Outcome, Side, Stage
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode
from harness.wire.insistence import Addition, Insistence
from harness.wire.records import describe_plain
from harness.wire.signature_algorithms import signature_name

_FIRST_BYTES = 40
_AXTLS_PRINTS = "axTLS prints them as `TLS buffer overflow, record size: N`: 20527 is 0x502F, the text 'P/' of HTTP/1.1"
# What mbedTLS 2 and 3 report for a message that they cannot use.
_BAD_MESSAGES = frozenset(
    {
        mbedtls.SSL_DECODE_ERROR,
        mbedtls.SSL_ILLEGAL_PARAMETER,
        mbedtls.SSL_UNEXPECTED_MESSAGE,
        mbedtls.SSL_BAD_HS_SERVER_HELLO,
        mbedtls.SSL_BAD_HS_CERTIFICATE,
        mbedtls.SSL_BAD_HS_CERTIFICATE_REQUEST,
        mbedtls.SSL_BAD_HS_SERVER_KEY_EXCHANGE,
        mbedtls.SSL_BAD_HS_SERVER_HELLO_DONE,
        mbedtls.SSL_BAD_HS_CHANGE_CIPHER_SPEC,
        mbedtls.SSL_BAD_HS_FINISHED,
        mbedtls.ECP_VERIFY_FAILED,
        mbedtls.RSA_VERIFY_FAILED,
        mbedtls.SSL_BAD_PROTOCOL_VERSION,
        mbedtls.SSL_UNSUPPORTED_EXTENSION,
        mbedtls.SSL_NO_APPLICATION_PROTOCOL,
    }
)
_LARGEST = 16384
# RFC 8446 section 5.1: content type, major version 3.
_RECORD_STARTS = tuple(bytes((kind, 3)) for kind in (20, 21, 22, 23))
# axTLS (extmod/modtls_axtls.c).
_RECORD_OVERFLOW, _AXTLS_BAD_MESSAGES = -257, frozenset({-260, -261, -262, -264, -271})


def _plain(evidence: Evidence) -> bytes | None:
    """The first bytes of a server that never sent TLS; a record that is only too long is TLS by its header."""
    start = evidence.wire.server_plain
    return None if start is None or start[:2] in _RECORD_STARTS else start


def _shows_plain_text(evidence: Evidence) -> bool:
    return _plain(evidence) is not None


def _hard_numbers(evidence: Evidence) -> bool:
    """Whether the client reports that no record could be read."""
    return evidence.number in (mbedtls.SSL_INVALID_RECORD, _RECORD_OVERFLOW)


def _spans_records(evidence: Evidence) -> bool:
    """Whether the client refused a message that spans records: mbedTLS before 3.6.3."""
    return evidence.number == mbedtls.SSL_FEATURE_UNAVAILABLE


def _largest_chain(evidence: Evidence) -> int:
    return max((key.chain_bytes for key in evidence.server.keys), default=0) if evidence.server else 0


@rule("peer/plain-text")
def plain_text(evidence: Evidence) -> Explanation | None:
    """Wrong port, STARTTLS, http instead of https."""
    start = _plain(evidence)
    if start is None or evidence.accepted or evidence.plain is not None:
        return None
    return told(
        f"what answers is not a TLS server: {describe_plain(start)}",
        why=(
            f"the first bytes are {start[:_FIRST_BYTES]!r}",
            *((_AXTLS_PRINTS,) if evidence.is_axtls else ()),
        ),
        fixes=(
            Fix(title="connect to the TLS port (8883 for MQTT, 443 for HTTP, 465 for SMTP)"),
            Fix(title="let the server speak TLS", server_lines=("tls = context.wrap_socket(sock, server_side=True)",)),
        ),
    )


@rule("peer/plain-text-in-session")
def plain_text_in_session(evidence: Evidence) -> Explanation | None:
    """After the handshake something other than TLS arrived."""
    if (
        evidence.number != mbedtls.SSL_INVALID_RECORD
        or evidence.seen.stage not in (Stage.READ, Stage.WRITE)
        or _shows_plain_text(evidence)
    ):
        return None
    return told(
        why=(
            f"captured traffic: {evidence.wire.server_wrong or 'not recorded'}",
            "a proxy that lost its backend answers in plain text",
        ),
        fixes=(Fix(title="check the proxy or the server: what writes to the plain socket after wrap_socket?"),),
    )


@rule("peer/fragments-too-small")
def fragments_too_small(evidence: Evidence) -> Explanation | None:
    """Handshake records shorter than a message's header, or fragments that mbedTLS before 3.6.3 does not reassemble."""
    cut = evidence.behaviour.startswith("fragments.") and evidence.number == mbedtls.SSL_INVALID_RECORD
    if not cut and (not _spans_records(evidence) or evidence.behaviour.startswith("tampered.")):
        return None
    if evidence.seen.stage is not Stage.HANDSHAKE or _largest_chain(evidence) > _LARGEST:
        return None
    return told(
        why=("mbedTLS reassembles fragments since 3.6.3, but needs the four bytes of a message header in one record",),
        fixes=(
            Fix(title="larger records on the server: at least one message each"),
            Fix(title="update the board's firmware"),
        ),
    )


@rule("peer/record-too-large")
def record_too_large(evidence: Evidence) -> Explanation | None:
    """A record longer than TLS allows, or than the client's buffer."""
    too_long = (
        evidence.number == mbedtls.SSL_BAD_INPUT_DATA
        and evidence.seen.stage is not Stage.CONFIG
        and _largest_chain(evidence) <= _LARGEST
        and evidence.silent_end
    )
    overflow = evidence.number == _RECORD_OVERFLOW
    if not (too_long or overflow) or _shows_plain_text(evidence):
        return None
    return told(
        why=(
            f"captured traffic: {evidence.wire.server_wrong or 'no record is wrong'}",
            "mbedTLS accepts 16384 bytes, axTLS on esp8266 about 5 kB",
        ),
        fixes=(
            Fix(title="write smaller pieces on the server", server_lines=("tls.sendall(data[:4096])  # and so on",)),
            Fix(title="a shorter certificate chain"),
        ),
    )


@rule("peer/broken-messages")
def broken_messages(evidence: Evidence) -> Explanation | None:
    """Valid records with wrong content."""
    if evidence.reason == "TLSV1_ALERT_PROTOCOL_VERSION" or _shows_plain_text(evidence) or evidence.accepted:
        return None
    refused_input = evidence.number == mbedtls.SSL_BAD_INPUT_DATA and evidence.alert("client") is not None
    usage = (
        evidence.number == mbedtls.SSL_BAD_CERTIFICATE and evidence.alert("client") == AlertCode.UNSUPPORTED_CERTIFICATE
    )
    spans = _spans_records(evidence) and evidence.behaviour.startswith("tampered.")
    wrong = (evidence.number in _BAD_MESSAGES | _AXTLS_BAD_MESSAGES or refused_input or spans) and not usage
    record = (
        _hard_numbers(evidence)
        and evidence.number == mbedtls.SSL_INVALID_RECORD
        and evidence.seen.stage is Stage.HANDSHAKE
    )
    if not wrong and not (record and not evidence.behaviour.startswith("fragments.")):
        return None
    if evidence.number == mbedtls.SSL_BAD_PROTOCOL_VERSION and evidence.reason != "WRONG_VERSION_NUMBER":
        return None
    alert = next((item.name for item in evidence.seen.alerts if item.sender == "client"), "no alert")
    known = known_reason(evidence.case.id, evidence.info) if spans else None
    return told(
        why=(
            f"the board says {' '.join(sorted(evidence.client_names)) or evidence.number}, and sends {alert}",
            f"captured traffic: {evidence.wire.server_wrong or 'well-formed records'}",
            *((known,) if known else ()),
        ),
        fixes=(
            Fix(title="connect directly, without a proxy, TLS inspection or load balancer"),
            Fix(
                title="try the server with another client", server_lines=("$ openssl s_client -connect HOST:PORT -msg",)
            ),
        ),
    )


@rule("peer/damaged-data")
def damaged_data(evidence: Evidence) -> Explanation | None:
    """A record whose authentication fails: changed in transit, or two different keys."""
    mac = evidence.number == mbedtls.SSL_INVALID_MAC or evidence.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    psk = evidence.case.client.psk_key is not None
    if not mac or psk:
        return None
    return told(
        why=("bad_record_mac: certificates and suites are never the cause",),
        fixes=(Fix(title="connect directly, without a proxy; a bad cable or bad RAM can cause this, too"),),
    )


@rule("peer/wrong-signature")
def wrong_finished(evidence: Evidence) -> Explanation | None:
    """The two sides saw different handshakes."""
    if evidence.reason not in ("DIGEST_CHECK_FAILED", "BAD_SIGNATURE") or not evidence.behaviour.startswith(
        "tampered."
    ):
        return None
    return told(
        why=("the server refuses the client's Finished (alert decrypt_error)",),
        fixes=(Fix(title="connect directly, without a proxy or TLS inspection"),),
    )


@rule("peer/pre-shared-key-differs")
def pre_shared_key_differs(evidence: Evidence) -> Explanation | None:
    """PSK: another key, or an identity that the server does not know."""
    unknown = evidence.reason == "PSK_IDENTITY_NOT_FOUND"
    mac = evidence.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC" and evidence.case.client.psk_key is not None
    if not unknown and not mac:
        return None
    return told(
        "the server does not know the board's PSK identity"
        if unknown
        else "the two sides have different pre-shared keys",
        why=(f"identity sent: {evidence.case.client.psk_identity!r}",),
        fixes=(
            Fix(
                title="give both sides the same identity and key",
                server_lines=(
                    "context.set_psk_server_callback(lambda identity: KEYS.get(identity, b''))  # Python 3.13",
                ),
                client_lines=('context.psk_identity = b"board-1"', "context.psk_key = KEY"),
            ),
        ),
    )


def _tried(insists: Insistence) -> str:
    """Return how it was found out."""
    return f"this machine sent what the board sends: refused; accepted with {' and '.join(insists.additions)}"


@rule("peer/alpn-required")
def alpn_required(evidence: Evidence) -> Explanation | None:
    """Several protocols behind one port, told apart by a name in the ClientHello (RFC 7301)."""
    insists = evidence.insists
    if insists is None or Addition.ALPN not in insists.additions or Addition.SERVER_NAME in insists.additions:
        return None
    return told(
        "the server requires ALPN (the name of the protocol inside TLS), and no MicroPython sends it",
        why=(_tried(insists), *((f"the server then chose {insists.alpn!r}",) if insists.alpn else ())),
        fixes=(
            Fix(title="connect to a port that needs no ALPN: 8883 for MQTT (AWS IoT requires it on 443 only)"),
            Fix(
                title="let the server accept clients without it",
                server_lines=("HAProxy    remove the rule on req.ssl_alpn or ssl_fc_alpn",),
            ),
        ),
    )


@rule("peer/more-required")
def more_required(evidence: Evidence) -> Explanation | None:
    """A policy on signatures, groups or extensions that the board's ClientHello does not meet."""
    insists = evidence.insists
    if insists is None or {Addition.ALPN, Addition.SERVER_NAME} & set(insists.additions):
        return None
    chosen = (
        (Addition.SIGNATURES, "signs with", insists.signature),
        (Addition.GROUPS, "uses the group", insists.group),
    )
    offered = [signature_name(int(code, 16)) for code in evidence.hello.signature_algorithms] if evidence.hello else []
    return told(
        f"the server requires more than the board offers: {' and '.join(insists.additions)}",
        why=(
            _tried(insists),
            *(f"the server then {does} {what}" for item, does, what in chosen if item in insists.additions and what),
            *(
                (f"the board's signature algorithms: {', '.join(offered)}",)
                if Addition.SIGNATURES in insists.additions
                else ()
            ),
        ),
        fixes=tuple(_ALLOWED[item] for item in insists.additions),
    )


_SIGNATURES = "ECDSA+SHA256:RSA+SHA256"
_ALLOWED = {
    Addition.SIGNATURES: Fix(
        title="let the server sign with ECDSA or RSA PKCS#1 and SHA-256, too",
        server_lines=(
            "Python     # the line SignatureAlgorithms of openssl.cnf",
            f"nginx      ssl_conf_command SignatureAlgorithms {_SIGNATURES};",
            "mosquitto  # the line SignatureAlgorithms of openssl.cnf",
            f"Apache     SSLOpenSSLConfCmd SignatureAlgorithms {_SIGNATURES}",
            f"HAProxy    bind ... ssl sigalgs {_SIGNATURES}  # 2.8 and later",
            f"s_server   -sigalgs {_SIGNATURES}",
        ),
    ),
    Addition.GROUPS: fixes.default_groups(),
    Addition.EXTENDED_MASTER_SECRET: Fix(
        title="let the server accept clients without extended_master_secret (RFC 7627): servers in FIPS mode require it",
        server_lines=("$ update-crypto-policies --set FIPS:NO-ENFORCE-EMS  # Red Hat Enterprise Linux 9",),
    ),
}


@rule("peer/alert-only")
def alert_only(evidence: Evidence) -> Explanation | None:
    """A fatal alert without a reason: the peer's log is needed."""
    code = evidence.alert("server")
    if evidence.seen.server is not None or evidence.seen.ended_by is not Side.SERVER or code in (None, 70, 112):
        return None
    if evidence.insists is not None:
        return None
    name = next(item.name for item in evidence.seen.alerts if item.sender == "server")
    return told(
        f"the server refused and sent only {name}({code})",
        why=(
            "the board cannot know more: mbedTLS shows -30592 for every fatal alert, axTLS the alert's number negated",
            *(
                ("handshake_failure is almost always NO_SHARED_CIPHER: the key type, the suites or the groups",)
                if code == AlertCode.HANDSHAKE_FAILURE
                else ()
            ),
        ),
        fixes=(Fix(title="read the server's log; for Python: the SSLError's reason"),),
    )


@rule("peer/early-goodbye")
def early_goodbye(evidence: Evidence) -> Explanation | None:
    """close_notify in the middle of the handshake."""
    if evidence.number != mbedtls.SSL_PEER_CLOSE_NOTIFY or evidence.seen.outcome is Outcome.CONNECTED:
        return None
    return told(
        why=("it closed cleanly: a server that is shutting down, or one that does not serve this name",),
        fixes=(Fix(title="read the server's log"),),
    )
