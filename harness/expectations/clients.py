"""What is known of the client's TLS library, read from probed facts, and how such a client refuses a certificate.

Knows the numbers and alerts of mbedTLS and axTLS. Decides by what the probe and the first ClientHello showed, never by
MicroPython's version: firmware of one version is built with different libraries. Where a client differs from the
stated expectation of one case, that is a row of `harness.expectations.differences`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from harness.expectations.builders import fatal_alert_number, refused
from harness.expectations.servers import bad_record
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Stage, TlsLibrary
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_name
from harness.wire.extensions import Extension

# The client did not refuse: its server had closed the connection.
_SERVER_WAS_GONE = frozenset({mbedtls.SSL_CONN_EOF, mbedtls.SSL_PEER_CLOSE_NOTIFY})
_EPOCH_2000_S = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
_CLOCK_TOLERANCE_S = 86400

# Which alert goes out for several reasons at once: the first that applies (mbedTLS 2.16 to 3.6, library/ssl_tls.c,
# "The certificate may have been rejected for several reasons").
_ALERT_OF_FLAG = (
    ("other", "access_denied"),
    ("cn_mismatch", "bad_certificate"),
    ("bad_key", "unsupported_certificate"),
    ("expired", "certificate_expired"),
    ("not_trusted", "unknown_ca"),
)
_DATE_FLAGS = frozenset({"expired", "future"})
_NO_DATES = (
    "this mbedTLS was built without a clock (MBEDTLS_HAVE_TIME_DATE) and looks at no date; "
    "micropython b5449b0f09 switched it on for all ports in 1.22"
)

# ssl/ssl_err.c of OpenSSL: which of its two families of names a received alert has.
_OLD_ALERTS = frozenset(
    {
        "close_notify",
        "unexpected_message",
        "bad_record_mac",
        "decompression_failure",
        "handshake_failure",
        "no_certificate",
        "bad_certificate",
        "unsupported_certificate",
        "certificate_revoked",
        "certificate_expired",
        "certificate_unknown",
        "illegal_parameter",
    }
)


# And the ones whose name has no ALERT in it (include/openssl/sslerr.h).
_PLAIN_NAMES = {
    "unsupported_extension": "TLSV1_UNSUPPORTED_EXTENSION",
    "certificate_unobtainable": "TLSV1_CERTIFICATE_UNOBTAINABLE",
    "unrecognized_name": "TLSV1_UNRECOGNIZED_NAME",
    "bad_certificate_status_response": "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE",
    "bad_certificate_hash_value": "TLSV1_BAD_CERTIFICATE_HASH_VALUE",
    "user_canceled": "TLSV1_ALERT_USER_CANCELLED",
    "missing_extension": "TLSV13_ALERT_MISSING_EXTENSION",
    "certificate_required": "TLSV13_ALERT_CERTIFICATE_REQUIRED",
}


def library_version(board: BoardInfo) -> tuple[int, ...] | None:
    """The version of the TLS library from its own text (`mbed TLS 2.28.3`, `Mbed TLS 3.6.6`); None where it gives none."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", board.tls_version or "")
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def is_axtls(board: BoardInfo) -> bool:
    """Whether the client is axTLS."""
    return board.tls_library == TlsLibrary.AXTLS


def is_mbedtls_2(board: BoardInfo) -> bool:
    """Whether the client is mbedTLS 2.x: by its text, else by the first record, whose header names the oldest version it
    speaks (0301; 3.x has nothing older than TLS 1.2 and writes 0303).
    """
    version = library_version(board)
    if version is not None:
        return version < (3,)
    return not is_axtls(board) and board.hello is not None and board.hello.record_version == "0301"


def is_before(board: BoardInfo, *version: int) -> bool:
    """Whether the client is an mbedTLS older than a version. 3.x that does not say which counts as 3.0: only firmware
    older than `MBEDTLS_VERSION` is silent, and the oldest 3.x met there was 3.3.
    """
    known = library_version(board)
    if known is not None:
        return known < version
    return not is_axtls(board) and board.hello is not None


def offers_tls13(board: BoardInfo) -> bool:
    """Whether the client offers TLS 1.3: only builds of distributions do."""
    return board.hello is not None and "0304" in board.hello.versions


def has_full_configuration(board: BoardInfo) -> bool:
    """Whether mbedTLS was configured by Espressif or a distribution instead of by MicroPython (extmod/mbedtls): with the
    extended master secret, PSS signatures on certificates, and every check of key usages.
    """
    return board.hello is not None and Extension.EXTENDED_MASTER_SECRET in board.hello.extensions


def checks_dates(board: BoardInfo) -> bool:
    """Whether the client has a clock to check certificates by.

    An mbedTLS with MBEDTLS_HAVE_TIME writes its clock into the first four bytes of ClientHello.random (RFC 5246 section
    7.4.1.2), except with TLS 1.3. A board that shows no clock there has none in its TLS library.
    """
    hello = board.hello
    if hello is None or board.hello_unix_s is None or len(hello.random) < 8 or offers_tls13(board):
        return not is_axtls(board)
    shown = int(hello.random[:8], 16)
    clocks = [board.hello_unix_s] if board.clock_unix_s is None else [board.hello_unix_s, board.clock_unix_s]
    return any(abs(shown - (clock - epoch)) <= _CLOCK_TOLERANCE_S for clock in clocks for epoch in (0, _EPOCH_2000_S))


def received_alert(alert: str | int) -> str:
    """`SSLError.reason` of a server that received this fatal alert."""
    name = alert if isinstance(alert, str) else alert_name(alert)
    if name in _PLAIN_NAMES:
        return _PLAIN_NAMES[name]
    return f"{'SSLV3' if name in _OLD_ALERTS else 'TLSV1'}_ALERT_{name.upper()}"


def refused_by_client(*, client: int, alert: str, server: str | None = None, note: str | None = None) -> Expectation:
    """Expect the client to give up in the handshake with this number, and to say so with this alert.

    `server` is what the server makes of it, where that is not the alert's name.
    """
    return refused(by=Side.CLIENT, server=server or received_alert(alert), alert=alert, client=client, note=note)


def _who_ended(client: int) -> Side:
    """The side that ended a connection, by what the client noticed: only that the stream or the session was over, or more."""
    return Side.SERVER if client in _SERVER_WAS_GONE else Side.CLIENT


def left_silently(client: int, *, note: str | None = None) -> Expectation:
    """Expect the client to leave a real server in the handshake without an alert: the server sees the end of the stream."""
    return refused(
        by=_who_ended(client),
        server_type="SSLEOFError",
        server="UNEXPECTED_EOF_WHILE_READING",
        client=client,
        note=note,
    )


def gave_up(client: int, *, alert: str | None = None, note: str | None = None) -> Expectation:
    """Expect the client to leave a peer that is no TLS server and states nothing itself; with an alert or without."""
    return refused(by=_who_ended(client), client=client, alert=alert, note=note)


def broken_hashes(board: BoardInfo, server: ServerFacts) -> Expectation:
    """What the server finds when the two sides hashed different flights: with the extended master secret (RFC 7627) the
    keys differ already, without it only the hash in Finished does.
    """
    if has_full_configuration(board):
        return undecipherable(board, server)
    alert = "decrypt_error"
    return refused(by=Side.SERVER, server="DIGEST_CHECK_FAILED", alert=alert, client=fatal_alert_number(board, alert))


def undecipherable(board: BoardInfo, server: ServerFacts) -> Expectation:
    """What the server makes of a record when the two sides' keys or suites differ."""
    alert = "bad_record_mac"
    return refused(by=Side.SERVER, server=bad_record(server), alert=alert, client=fatal_alert_number(board, alert))


def noticed_bad_record(board: BoardInfo, server: ServerFacts) -> Expectation:
    """A record of application data whose MAC does not fit: the client says so only if it was built to say everything
    (MBEDTLS_SSL_ALL_ALERT_MESSAGES: Espressif and distributions).
    """
    if has_full_configuration(board):
        alert = "bad_record_mac"
        return refused(
            by=Side.CLIENT, stage=Stage.READ, server=received_alert(alert), alert=alert, client=mbedtls.SSL_INVALID_MAC
        )
    return refused(by=Side.CLIENT, stage=Stage.READ, client=mbedtls.SSL_INVALID_MAC)


def certificate_alert(flags: tuple[str, ...]) -> str:
    """The alert of a client that refuses a certificate for these reasons."""
    return next((alert for flag, alert in _ALERT_OF_FLAG if flag in flags), "certificate_unknown")


def refuses_certificate(*flags: str) -> ExpectationRule:
    """What a client that checks must do with a certificate that is wrong in these ways.

    Firmware whose API has no `load_verify_locations` reports one number for all reasons.
    """

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        seen, note = flags, None
        if not checks_dates(board):
            # With nothing else wrong the expectation stands, and accepting it is what it is: insecure.
            seen, note = tuple(flag for flag in flags if flag not in _DATE_FLAGS) or flags, _NO_DATES
        alert = certificate_alert(seen)
        if board.names_verify_reason:
            return refused(by=Side.CLIENT, server=received_alert(alert), alert=alert, flags=seen, note=note)
        return refused(
            by=Side.CLIENT, server=received_alert(alert), alert=alert, client=mbedtls.X509_CERT_VERIFY_FAILED, note=note
        )

    return rule


def refuses_own_settings(
    *, client_type: str = "ValueError", client: int | None = None, note: str | None = None
) -> Expectation:
    """Expect the client to refuse its own settings: the server never sees a ClientHello."""
    return refused(by=Side.CLIENT, stage=Stage.CONFIG, client_type=client_type, client=client, note=note)
