"""Where clients are known to differ from the expectation of a case: one table, each row with its reason and source.

Only differences that are not security defects: a client that accepts what it must refuse keeps the expectation of the case
and is judged `insecure`. Each row is decided by probed facts (`harness.expectations.clients`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.expectations.builders import connected, refused
from harness.expectations.clients import (
    AXTLS_CLOSED,
    AXTLS_CONN_LOST,
    AXTLS_INVALID_HANDSHAKE,
    AXTLS_RECORD_OVERFLOW,
    gave_up,
    has_full_configuration,
    is_axtls,
    is_before,
    is_mbedtls_2,
    is_mbedtls_2_16,
    left_silently,
    offers_tls13,
    refused_by_client,
    refuses_certificate,
    undecipherable,
)
from harness.firmware.fingerprint import families
from harness.firmware.table import library_since
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side
from harness.wire import mbedtls_numbers as mbedtls

AXTLS_READ = "micropython/axtls ssl/tls1.c basic_read and ssl_read; read there, not recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One case in which some clients differ: which clients, what they do, why, and the source."""

    case: str
    when: Callable[[BoardInfo], bool]
    expect: Expectation | ExpectationRule
    why: str
    source: str


def before_defragmentation(board: BoardInfo) -> bool:
    """Whether the client is an mbedTLS before 3.6.3, which reads a handshake message only from one record."""
    return is_before(board, *library_since("spans_records"))


def before_address_names(board: BoardInfo) -> bool:
    """Whether the client is an mbedTLS before 3.5, which compares a host only with DNS names and the subject."""
    return is_before(board, *library_since("ip_names"))


def knows_chacha20(board: BoardInfo) -> bool:
    """Whether the client offered the suite of the tampered ServerHello."""
    return board.hello is not None and "cca9" in board.hello.suites


def knows_alpn(board: BoardInfo) -> bool:
    """Whether the client is an mbedTLS with ALPN: a distribution's, or Espressif's until MicroPython's sdkconfig disabled it (1.22)."""
    known = families().get(board.hello.fingerprint or "") if board.hello is not None else None
    return offers_tls13(board) or (known is not None and known.alpn)


def knows_alpn_2(board: BoardInfo) -> bool:
    """Whether the client is an mbedTLS 2.x with ALPN."""
    return knows_alpn(board) and is_mbedtls_2(board)


def knows_alpn_2_16(board: BoardInfo) -> bool:
    """Whether the client is an mbedTLS 2.16 with ALPN."""
    return knows_alpn(board) and is_mbedtls_2_16(board)


def differ(*cases: str, **fields: Any) -> tuple[Difference, ...]:
    """Return the same row for several cases."""
    return tuple(Difference(case=case, **fields) for case in cases)


DIFFERENCES: tuple[Difference, ...] = (
    *differ(
        "cert/ip-san-match",
        "cert/ip6-san-match",
        when=before_address_names,
        expect=refuses_certificate("cn_mismatch"),
        why="this version does not read IP addresses in the subjectAltName",
        source="mbedTLS ChangeLog 3.5.0, x509_crt.c x509_crt_check_san_ip; measured on MicroPython 1.22 (2.28.3)",
    ),
    *differ(
        "cert/pss-signed-by-ca",
        when=has_full_configuration,
        expect=connected(),
        why="Espressif and distributions build mbedTLS with MBEDTLS_X509_RSASSA_PSS_SUPPORT, so the signature is verified",
        source="micropython extmod/mbedtls/mbedtls_config_common.h leaves it out; measured on Debian's 1.25",
    ),
    *differ(
        "chain/size-17000",
        "chain/size-30000",
        "chain/san-many-1000",
        when=before_defragmentation,
        expect=left_silently(mbedtls.SSL_FEATURE_UNAVAILABLE),
        why="this version refuses a message that spans records before it looks at the size",
        source="mbedTLS ChangeLog 3.6.3 (handshake defragmentation); measured on MicroPython 1.22, 1.24, 1.28",
    ),
    *differ(
        "fragments/hs-records-64",
        "fragments/hs-records-16",
        "fragments/hs-records-4",
        when=before_defragmentation,
        expect=left_silently(mbedtls.SSL_FEATURE_UNAVAILABLE),
        why="this version refuses a message that spans records",
        source="mbedTLS ChangeLog 3.6.3 (handshake defragmentation); measured on MicroPython 1.22, 1.24, 1.28",
    ),
    *differ(
        "mtls/large-5k",
        when=offers_tls13,
        expect=connected(),
        why="a distribution's mbedTLS has outgoing buffers of 16384 bytes, those of MicroPython and Espressif have 4096",
        source="extmod/mbedtls/mbedtls_config_common.h MBEDTLS_SSL_OUT_CONTENT_LEN; measured on Debian's 1.25",
    ),
    *differ(
        "mtls/large-5k",
        when=is_mbedtls_2,
        expect=left_silently(mbedtls.SSL_CERTIFICATE_TOO_LARGE),
        why="mbedTLS 2 uses a different error code for the same refusal",
        source="mbedTLS 2.28 library/ssl_tls.c mbedtls_ssl_write_certificate; 3.0 reassigned the code to a different error",
    ),
    *differ(
        "tampered/sh-version-0302",
        when=is_mbedtls_2,
        expect=refused_by_client(
            client=mbedtls.SSL_BAD_HS_SERVER_HELLO, alert="illegal_parameter", server="WRONG_VERSION_NUMBER"
        ),
        why="this version speaks TLS 1.1, so the suite does not match the version",
        source="mbedTLS 2.28 library/ssl_cli.c ssl_validate_ciphersuite; number measured on MicroPython 1.22",
    ),
    *differ(
        "tampered/sh-cipher-not-offered",
        when=knows_chacha20,
        expect=undecipherable,
        why="the client offered the suite and accepts it; the two sides then encrypt differently",
        source="measured on Debian's 1.25 and 1.26",
    ),
    *differ(
        "tampered/sh-unsolicited-alpn",
        when=knows_alpn_2_16,
        expect=refused_by_client(client=mbedtls.SSL_BAD_HS_SERVER_HELLO, alert="handshake_failure"),
        why="this version has one alert for every extension that it refuses",
        source="mbedTLS 2.16 library/ssl_cli.c ssl_parse_alpn_ext; recorded with a build of 2.16",
    ),
    *differ(
        "tampered/sh-unsolicited-alpn",
        when=knows_alpn_2,
        expect=refused_by_client(client=mbedtls.SSL_BAD_HS_SERVER_HELLO, alert="unsupported_extension"),
        why="a library that knows the extension notices that it is unsolicited",
        source="mbedTLS 2.28 library/ssl_cli.c ssl_parse_alpn_ext",
    ),
    *differ(
        "tampered/sh-unsolicited-alpn",
        when=knows_alpn,
        expect=refused_by_client(client=mbedtls.SSL_UNSUPPORTED_EXTENSION, alert="unsupported_extension"),
        why="a library that knows the extension notices that it is unsolicited",
        source="mbedTLS 3.6 library/ssl_tls12_client.c ssl_parse_alpn_ext; measured on Debian's 1.25 and 1.26",
    ),
    *differ(
        "tampered/hello-request-first",
        when=offers_tls13,
        expect=refused_by_client(client=mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
        why="the TLS 1.3 code checks the type of the message first",
        source="mbedTLS 3.6 library/ssl_tls13_client.c; measured on Debian's 1.25 and 1.26",
    ),
    *differ(
        "tampered/hello-request-first",
        when=is_mbedtls_2,
        expect=refused_by_client(
            client=mbedtls.SSL_BAD_HS_SERVER_HELLO, alert="decode_error", server="WRONG_VERSION_NUMBER"
        ),
        why="mbedTLS 2 uses a different error code, and sends the alert in a TLS 1.0 record",
        source="mbedTLS 2.28 library/ssl_cli.c ssl_parse_server_hello; measured on MicroPython 1.22",
    ),
    *differ(
        "tampered/cert-empty",
        when=is_mbedtls_2,
        expect=refused_by_client(client=mbedtls.SSL_BAD_HS_CERTIFICATE, alert="decode_error"),
        why="mbedTLS 2 uses a different error code for it",
        source="mbedTLS 2.28 library/ssl_tls.c; measured on MicroPython 1.22",
    ),
    *differ(
        "tampered/ske-bad-curve",
        when=is_mbedtls_2,
        expect=refused_by_client(client=mbedtls.SSL_BAD_HS_SERVER_KEY_EXCHANGE, alert="illegal_parameter"),
        why="mbedTLS 2 uses a different error code for it",
        source="mbedTLS 2.28 library/ssl_cli.c ssl_parse_server_key_exchange; measured on MicroPython 1.22",
    ),
    *differ(
        "tampered/ccs-missing",
        when=before_defragmentation,
        expect=left_silently(mbedtls.SSL_FEATURE_UNAVAILABLE),
        why="the encrypted Finished, read as plaintext, seems to span records",
        source="mbedTLS ChangeLog 3.6.3 (handshake defragmentation); measured on MicroPython 1.22, 1.24, 1.28",
    ),
    *differ(
        "not-tls/record-ver-0304",
        "not-tls/reflect-clienthello",
        "not-tls/serverhellodone-first",
        when=offers_tls13,
        expect=gave_up(mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
        why="the TLS 1.3 code accepts any record version and checks the type of the message first",
        source="mbedTLS 3.6 library/ssl_tls13_client.c; measured on Debian's 1.25 and 1.26",
    ),
    *differ(
        "not-tls/reflect-clienthello",
        "not-tls/serverhellodone-first",
        when=is_mbedtls_2,
        expect=gave_up(mbedtls.SSL_BAD_HS_SERVER_HELLO, alert="decode_error"),
        why="mbedTLS 2 uses a different error code for it",
        source="mbedTLS 2.28 library/ssl_cli.c ssl_parse_server_hello; measured on MicroPython 1.22",
    ),
    *differ(
        "not-tls/ccs-first",
        when=offers_tls13,
        expect=gave_up(mbedtls.SSL_CONN_EOF),
        why="TLS 1.3 ignores a ChangeCipherSpec (RFC 8446 section 5), so the client notices only the end of the stream",
        source="measured on Debian's 1.25 and 1.26",
    ),
    *differ(
        "not-tls/http-400",
        "not-tls/ssh-banner",
        "not-tls/ff",
        when=is_mbedtls_2_16,
        expect=gave_up(mbedtls.SSL_INVALID_RECORD, alert="unexpected_message"),
        why="this version answers a record of an unknown type with an alert",
        source="mbedTLS 2.16 library/ssl_tls.c ssl_parse_record_header; recorded with builds of 2.16",
    ),
    *differ(
        "not-tls/record-too-long",
        when=is_mbedtls_2_16,
        expect=gave_up(mbedtls.SSL_INVALID_RECORD),
        why="this version checks the length with the header, where later ones fail to read the record",
        source="mbedTLS 2.16 library/ssl_tls.c ssl_parse_record_header; recorded with builds of 2.16",
    ),
    *differ(
        "not-tls/http-400",
        "not-tls/ff",
        when=is_axtls,
        expect=gave_up(AXTLS_RECORD_OVERFLOW, alert="record_overflow"),
        why="axTLS reads bytes 4 and 5 as the length of a record, here more than it accepts",
        source="micropython extmod/modtls_axtls.c (-257 RECORD_OVERFLOW); measured with axTLS builds of the unix port",
    ),
    *differ(
        "not-tls/record-too-long",
        when=is_axtls,
        expect=gave_up(AXTLS_RECORD_OVERFLOW, alert="record_overflow"),
        why="axTLS checks the length as soon as it has the header, and says so",
        source=AXTLS_READ,
    ),
    *differ(
        "not-tls/half-record",
        "not-tls/close-at-accept",
        "not-tls/close-after-ch",
        when=is_axtls,
        expect=gave_up(AXTLS_CONN_LOST),
        why="axTLS has a number of its own for the end of the stream",
        source=AXTLS_READ,
    ),
    *differ(
        "not-tls/reset-after-ch",
        when=is_axtls,
        expect=refused(by=Side.SERVER, client=AXTLS_CONN_LOST),
        why="axTLS has one number for a reset and the end of the stream",
        source=AXTLS_READ,
    ),
    *differ(
        "cut-off/fin-mid-certificate",
        "cut-off/fin-before-finished",
        when=is_axtls,
        expect=left_silently(AXTLS_CONN_LOST),
        why="axTLS has a number of its own for the end of the stream",
        source=AXTLS_READ,
    ),
    *differ(
        "not-tls/record-ver-0304",
        "not-tls/reflect-clienthello",
        "not-tls/serverhellodone-first",
        "not-tls/ccs-first",
        when=is_axtls,
        expect=gave_up(AXTLS_INVALID_HANDSHAKE, alert="unexpected_message"),
        why="axTLS ignores the version of a record and has one number for every message at the wrong time",
        source=AXTLS_READ,
    ),
    *differ(
        "fragments/hs-records-64",
        "fragments/hs-records-16",
        "fragments/hs-records-4",
        when=is_axtls,
        expect=refused_by_client(client=AXTLS_INVALID_HANDSHAKE, alert="unexpected_message"),
        why="axTLS refuses a message that spans records",
        source="micropython/axtls ssl/tls1.c do_handshake; read there, not recorded",
    ),
    *differ(
        "alert/close-notify-warning",
        when=is_axtls,
        expect=gave_up(AXTLS_CLOSED),
        why="axTLS says that it is no longer connected (ENOTCONN)",
        source="micropython extmod/modtls_axtls.c ssl_socket_make_new; read there, not recorded",
    ),
    *(
        Difference(
            case=case,
            when=is_axtls,
            expect=gave_up(-code, alert="unexpected_message"),
            why="axTLS gives up at an alert of any level, with the alert's number, and answers it with one of its own",
            source=AXTLS_READ,
        )
        for case, code in (
            ("alert/no-renegotiation-warning", 100),
            ("alert/unrecognized-name-warning", 112),
            ("alert/level-3", 40),
        )
    ),
)


def with_differences(
    case_id: str, stated: Expectation | ExpectationRule | None
) -> Expectation | ExpectationRule | None:
    """Return the expectation of a case with the rows of the table applied; the first that matches the board counts."""
    rows = [row for row in DIFFERENCES if row.case == case_id]
    if not rows or stated is None:
        return stated

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        chosen = next((row.expect for row in rows if row.when(board)), stated)
        return chosen if isinstance(chosen, Expectation) else chosen(board, server)

    return rule


def known_reason(case_id: str, board: BoardInfo) -> str | None:
    """Return why this board differs in this case, from the first row that matches; None if no row does."""
    return next((row.why for row in DIFFERENCES if row.case == case_id and row.when(board)), None)
