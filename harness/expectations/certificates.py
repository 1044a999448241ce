"""How a client, or the server before it, refuses one certificate: what it cannot read, a wrong usage, an old or unknown hash.

Rules for `harness/cases/cert.py` and `chain.py`. Must not know profiles or cases.
"""

from __future__ import annotations

from harness.expectations.builders import fatal_alert_number, refused
from harness.expectations.clients import (
    has_full_configuration,
    is_mbedtls_2,
    left_silently,
    offers_tls13,
    refused_by_client,
    refuses_certificate,
)
from harness.expectations.servers import refuses_old_hash
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side
from harness.wire import mbedtls_numbers as mbedtls

# x509_crt.c of mbedTLS.
_UNKNOWN_SIG_ALG = mbedtls.X509_UNKNOWN_SIG_ALG + mbedtls.OID_NOT_FOUND


def refused_with(client: int, alert: str) -> ExpectationRule:
    """Expect a refusal because the certificate cannot be read or used, with this number and alert."""
    return lambda board, server: refused_by_client(client=client, alert=alert)


def wrong_usage(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect a refusal because of the certificate's usage; the note explains why some builds of mbedTLS 2 accept it."""
    blind = is_mbedtls_2(board) and not has_full_configuration(board)
    note = (
        "mbedTLS 2.x checks usages only with MBEDTLS_X509_CHECK_KEY_USAGE and _EXTENDED_KEY_USAGE, which MicroPython's "
        "configuration (extmod/mbedtls) left out up to 1.22; mbedTLS 3.0 always checks"
    )
    return refused_by_client(
        client=mbedtls.SSL_BAD_CERTIFICATE, alert="unsupported_certificate", note=note if blind else None
    )


def certificate_sign_only(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Up to TLS 1.2 OpenSSL has no suite for an EC key that must not sign (ssl_set_masks); in TLS 1.3 it sends the certificate."""
    if offers_tls13(board) and server.maximum_version in (None, "TLSv1.3"):
        return wrong_usage(board, server)
    alert = "handshake_failure"
    return refused(by=Side.SERVER, server="NO_SHARED_CIPHER", alert=alert, client=fatal_alert_number(board, alert))


def old_hash(board: BoardInfo, server: ServerFacts) -> Expectation:
    """SHA-1: the server's security level refuses it, otherwise the client."""
    return refuses_old_hash(server, name="sha1") or refuses_certificate("bad_md")(board, server)


def unknown_hash(board: BoardInfo, server: ServerFacts) -> Expectation:
    """SHA3: OpenSSL refuses it above level 0. mbedTLS skips a certificate whose algorithm it does not know (ssl_tls.c, "maybe a
    prior certificate was already trusted") and then has none; in TLS 1.3 it gives up at once."""
    if offers_tls13(board):
        return refuses_old_hash(server, name="sha3-256") or left_silently(_UNKNOWN_SIG_ALG)
    return refuses_old_hash(server, name="sha3-256") or refused_by_client(
        client=mbedtls.X509_CERT_VERIFY_FAILED, alert="bad_certificate"
    )
