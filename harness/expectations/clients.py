"""The client's TLS library, as probed facts show it, and how such a client refuses.

Knows the numbers and alerts of mbedTLS and axTLS. Decides by the probe and the first ClientHello, never by
MicroPython's version, because firmware of one version is built with different libraries. A difference in a single case is
a row of `harness.expectations.differences`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from harness.expectations.builders import LEFT, fatal_alert_number, refused
from harness.expectations.servers import bad_record
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Stage, TlsLibrary
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import alert_name
from harness.wire.extensions import Extension

# extmod/modtls_axtls.c. A close_notify in the handshake becomes MP_ENOTCONN there.
AXTLS_CONN_LOST, AXTLS_RECORD_OVERFLOW, AXTLS_INVALID_HANDSHAKE, AXTLS_CLOSED = -256, -257, -260, 107
# The client did not refuse: its server had closed the connection.
_SERVER_WAS_GONE = frozenset({mbedtls.SSL_CONN_EOF, mbedtls.SSL_PEER_CLOSE_NOTIFY, AXTLS_CONN_LOST})
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
    "this mbedTLS was built without MBEDTLS_HAVE_TIME_DATE and checks no dates; "
    "micropython b5449b0f09 enabled it for all ports in 1.22"
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
    """Return the version of the TLS library from its text (`mbed TLS 2.28.3`, `Mbed TLS 3.6.6`), or None."""
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", board.tls_version or "")
    return tuple(int(part) for part in found.groups() if part is not None) if found else None


def is_axtls(board: BoardInfo) -> bool:
    """Return whether the client is axTLS."""
    return board.tls_library == TlsLibrary.AXTLS


def is_mbedtls_2(board: BoardInfo) -> bool:
    """Return whether the client is mbedTLS 2.x: by its text, else by the header of its first record, which has the oldest
    version it speaks (0301; 3.x has none before TLS 1.2 and writes 0303).
    """
    version = library_version(board)
    if version is not None:
        return version < (3,)
    return not is_axtls(board) and board.hello is not None and board.hello.record_version == "0301"


def is_mbedtls_2_16(board: BoardInfo) -> bool:
    """Return whether the client is an mbedTLS 2 that answers a record of an unknown type with an alert. 2.16 does, 2.28 is silent; the
    older has no version text, so the board is asked once (`harness.run.board_facts`).
    """
    return is_mbedtls_2(board) and board.alerts_unknown_record is True


def is_before(board: BoardInfo, *version: int) -> bool:
    """Return whether the client is an mbedTLS older than a version. Without a version text it counts as older: only firmware
    from before `MBEDTLS_VERSION` has none, and no mbedTLS newer than 3.3 was seen there.
    """
    known = library_version(board)
    if known is not None:
        return known < version
    return not is_axtls(board) and board.hello is not None


def offers_tls13(board: BoardInfo) -> bool:
    """Return whether the client offers TLS 1.3; only builds of distributions do."""
    return board.hello is not None and "0304" in board.hello.versions


def has_full_configuration(board: BoardInfo) -> bool:
    """Return whether mbedTLS has the configuration of Espressif or a distribution instead of MicroPython's (extmod/mbedtls): with
    the extended master secret, PSS signatures on certificates, and all checks of key usages.
    """
    return board.hello is not None and Extension.EXTENDED_MASTER_SECRET in board.hello.extensions


def checks_dates(board: BoardInfo) -> bool:
    """Return whether the client compares the validity of certificates with a clock.

    An mbedTLS with MBEDTLS_HAVE_TIME writes its clock into the first four bytes of ClientHello.random (RFC 5246 section
    7.4.1.2), except with TLS 1.3. A board that shows no clock there has none in its TLS library. A clock alone proves nothing: ESP-IDF 4
    and 5 set MBEDTLS_HAVE_TIME without MBEDTLS_HAVE_TIME_DATE, so a board with that clock is asked once (`harness.run.board_facts`).
    """
    hello = board.hello
    if hello is None or board.hello_unix_s is None or len(hello.random) < 8 or offers_tls13(board):
        return not is_axtls(board)
    shown = int(hello.random[:8], 16)
    clocks = [board.hello_unix_s] if board.clock_unix_s is None else [board.hello_unix_s, board.clock_unix_s]
    has_clock = any(
        abs(shown - (clock - epoch)) <= _CLOCK_TOLERANCE_S for clock in clocks for epoch in (0, _EPOCH_2000_S)
    )
    return has_clock and not (has_full_configuration(board) and board.refuses_expired is False)


def received_alert(alert: str | int) -> str:
    """Return the `SSLError.reason` of a server that received this fatal alert."""
    name = alert if isinstance(alert, str) else alert_name(alert)
    if name in _PLAIN_NAMES:
        return _PLAIN_NAMES[name]
    return f"{'SSLV3' if name in _OLD_ALERTS else 'TLSV1'}_ALERT_{name.upper()}"


def refused_by_client(*, client: int, alert: str, server: str | None = None, note: str | None = None) -> Expectation:
    """Expect the client to give up in the handshake with this number and this alert.

    `server` is the server's reason, where it does not follow from the alert.
    """
    return refused(by=Side.CLIENT, server=server or received_alert(alert), alert=alert, client=client, note=note)


def _ended_by(client: int) -> Side:
    """Return the side that ended a connection: the server if the client only noticed the end of the stream or session."""
    return Side.SERVER if client in _SERVER_WAS_GONE else Side.CLIENT


def left_silently(client: int) -> Expectation:
    """Expect the client to leave in the handshake without an alert; the server sees the end of the stream."""
    kind, reason = LEFT
    return refused(by=_ended_by(client), server_type=kind, server=reason, client=client)


def gave_up(client: int, *, alert: str | None = None) -> Expectation:
    """Expect the client to give up on a peer that is not a TLS server and reports nothing, with or without an alert."""
    return refused(by=_ended_by(client), client=client, alert=alert)


def broken_hashes(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect the server to notice that both sides hashed different flights: with the extended master secret (RFC 7627) the
    keys differ, without it only the hash in Finished.
    """
    if has_full_configuration(board):
        return undecipherable(board, server)
    alert = "decrypt_error"
    return refused(by=Side.SERVER, server="DIGEST_CHECK_FAILED", alert=alert, client=fatal_alert_number(board, alert))


def undecipherable(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect the server to fail to decrypt, because the keys or suites of both sides differ."""
    alert = "bad_record_mac"
    return refused(by=Side.SERVER, server=bad_record(server), alert=alert, client=fatal_alert_number(board, alert))


def noticed_bad_record(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect the client to notice a record with a wrong MAC; it sends an alert only if it was built to send all of them
    (MBEDTLS_SSL_ALL_ALERT_MESSAGES: Espressif and distributions).
    """
    if has_full_configuration(board):
        alert = "bad_record_mac"
        return refused(
            by=Side.CLIENT, stage=Stage.READ, server=received_alert(alert), alert=alert, client=mbedtls.SSL_INVALID_MAC
        )
    return refused(by=Side.CLIENT, stage=Stage.READ, client=mbedtls.SSL_INVALID_MAC)


def certificate_alert(flags: tuple[str, ...]) -> str:
    """Return the alert of a client that refuses a certificate for these reasons."""
    return next((alert for flag, alert in _ALERT_OF_FLAG if flag in flags), "certificate_unknown")


def refuses_certificate(*flags: str) -> ExpectationRule:
    """Expect a client that verifies to refuse a certificate with these flags.

    Firmware whose API has no `load_verify_locations` reports one number for all reasons.
    """

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        seen, note = flags, None
        if _DATE_FLAGS.intersection(flags) and not checks_dates(board):
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
