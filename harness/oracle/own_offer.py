"""How clients of mbedTLS 3.0 to 3.6.6 with TLS 1.3 differ: RSA-PSS in TLS 1.2, and groups that they did not offer.

RFC 8446 section 4.2.3: a client that lists rsa_pss_rsae must accept it in TLS 1.2, too. A client of mbedTLS 3.0 to 3.6.6 with TLS
1.3 lists it for 1.3 and answers a TLS 1.2 ServerKeyExchange signed with it with illegal_parameter
(library/ssl_tls12_client.c; fixed in 3.6.7, Mbed-TLS/mbedtls #10672). Neither the ClientHello nor MBEDTLS_VERSION, which
is the version of the headers, distinguishes the two: it has to be tried on the board once. The result also tells how it
answers a HelloRetryRequest, because 3.6.7 fixed that as well (ChangeLog 3.6.7, CVE-2026-25832). Pure.
"""

from __future__ import annotations

from dataclasses import replace

from harness.model import Expectation, HelloFacts, Outcome, ServerFacts
from harness.oracle.predict import group_refused_by_client
from harness.oracle.prediction.refusal import refused_by_client
from harness.oracle.prediction.signatures import choose_tls12
from harness.oracle.prediction.suites import signing_key_types
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode
from harness.wire.suites import suite_code, suite_info
from harness.wire.versions import TLS12, version_name


def before_3_6_7(predicted: Expectation, hello: HelloFacts, server: ServerFacts) -> Expectation | None:
    """Return what an mbedTLS before 3.6.7 does instead of the prediction; None if there is no difference.

    Args:
        predicted: what the hello gets from this server.
        hello: the ClientHello.
        server: the live settings.
    """
    if depends_on_own_offer(predicted, hello, server):
        return refusal_of_own_offer()
    return leaves_without_a_group(server) if predicted == group_refused_by_client() else None


def leaves_without_a_group(server: ServerFacts) -> Expectation:
    """Return how such a client answers a request for a group that it cannot share.

    ssl_tls13_parse_hrr_key_share_ext (library/ssl_tls13_client.c) accepts any group, and ssl_tls13_reset_key_share then gives
    up without an alert.
    """
    kind, reason = server.eof
    return replace(
        group_refused_by_client(),
        server_type=kind,
        server_reason=reason,
        client_number=mbedtls.SSL_INTERNAL_ERROR,
        alert=None,
        no_alert=True,
    )


def depends_on_own_offer(predicted: Expectation, hello: HelloFacts, server: ServerFacts) -> bool:
    """Return whether a client that refuses its own RSA-PSS offer would end a predicted session.

    Args:
        predicted: what the hello gets from this server.
        hello: the ClientHello.
        server: the live settings.
    """
    if predicted.outcome is not Outcome.CONNECTED or predicted.version != version_name(TLS12):
        return False
    code = suite_code(predicted.suite or "")
    suite = suite_info(code) if code is not None else None
    if suite is None or suite.authentication != "RSA" or suite.key_exchange != "ECDHE":
        return False
    scheme = choose_tls12(hello, server=server, version=TLS12, key_types=signing_key_types(suite))
    return scheme is not None and scheme.padding == "pss"


def refusal_of_own_offer() -> Expectation:
    """Return how such a client refuses."""
    return refused_by_client(
        AlertCode.ILLEGAL_PARAMETER,
        reason="SSLV3_ALERT_ILLEGAL_PARAMETER",
        number=mbedtls.SSL_ILLEGAL_PARAMETER,
        note="the client lists rsa_pss_rsae for TLS 1.3 and refuses it in TLS 1.2 (Mbed-TLS/mbedtls #10672, fixed in 3.6.7)",
    )
