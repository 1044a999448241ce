"""Predicts the result of a ClientHello and a server's live settings: version, suite and group, or the exact refusal.

Sees these two records only and imports nothing that knows an observation: a prediction that could see what happened would
prove nothing. Chooses as RFC 5246, 8422 and 8446 and OpenSSL 1.1.1 to 3.6 do; the decisions are in
`harness/oracle/prediction/`. Not predicted: whether the client accepts the certificate, whether a client
certificate is asked for and found, PSK identities, and what the server's odd behaviours do to the flight.
"""

from __future__ import annotations

from harness.model import Expectation, ExpectedAlert, HelloFacts, Outcome, ServerFacts, Side, Source, Stage
from harness.oracle.prediction.client import (
    number_for_alert,
    oldest_version,
)
from harness.oracle.prediction.groups import KeyExchange, shared_group, tls13_group
from harness.oracle.prediction.openssl import OPENSSL_3_0, is_tls13_group, release
from harness.oracle.prediction.refusal import Refusal, refused_by_client
from harness.oracle.prediction.signatures import (
    can_sign_old,
    choose_tls12,
    choose_tls13,
    fits_digest,
    keys_by_type,
    sends_algorithms,
    shared_signatures,
)
from harness.oracle.prediction.suites import Exclusion, SuiteVerdict, judge_suites, signing_key_types
from harness.oracle.prediction.versions import choose_version, own_settings_refusal
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode, alert_name
from harness.wire.extensions import Extension
from harness.wire.suites import SuiteInfo, suite_info
from harness.wire.versions import TLS12, TLS13, version_name

__all__ = ["Exclusion", "SuiteVerdict", "explain_selection", "group_refused_by_client", "predict"]

_ELLIPTIC = frozenset({"ECDHE", "ECDHE_PSK"})


def predict(hello: HelloFacts, server: ServerFacts) -> Expectation:
    """Predict what this hello gets from this server.

    Args:
        hello: the first ClientHello as recorded.
        server: the live settings of the context it met.

    Returns:
        An expectation with source `predicted`: connected with version, suite and group (None for static RSA), or
        refused with both sides' errors and the alert.
    """
    refusal = own_settings_refusal(server)
    if refusal is not None:
        return _refused(refusal, hello=hello)
    version = choose_version(hello, server=server)
    if isinstance(version, Refusal):
        return _refused(version, hello=hello)
    result = _tls13(hello, server=server) if version == TLS13 else _tls12(hello, server=server, version=version)
    if isinstance(result, Refusal):
        return _refused(result, hello=hello)
    if version < oldest_version(hello):
        return _version_refused_by_client()
    suite, group = result
    if version == TLS13 and group is not None and not is_tls13_group(group):
        return group_refused_by_client()
    return Expectation(
        source=Source.PREDICTED,
        outcome=Outcome.CONNECTED,
        version=version_name(version),
        suite=suite.name,
        group=group,
    )


def explain_selection(hello: HelloFacts, server: ServerFacts) -> tuple[SuiteVerdict, ...]:
    """Return every offered suite with all reasons against it: the evidence for NO_SHARED_CIPHER.

    Without a common version the suites are judged for TLS 1.2, so that the table still shows which pairings would work.
    """
    version = choose_version(hello, server=server)
    return judge_suites(hello, server=server, version=TLS12 if isinstance(version, Refusal) else version)


def _tls13(hello: HelloFacts, *, server: ServerFacts) -> tuple[SuiteInfo, str | None] | Refusal:
    """Choose in TLS 1.3, in OpenSSL's order: suite, key share, signature (tls_early_post_process_client_hello)."""
    suite = _chosen(judge_suites(hello, server=server, version=TLS13))
    if suite is None:
        return Refusal(reason="NO_SHARED_CIPHER", alert=AlertCode.HANDSHAKE_FAILURE)
    exchange = tls13_group(hello, server=server)
    if Extension.SIGNATURE_ALGORITHMS not in hello.extensions and not _malformed_share(exchange):
        return Refusal(reason="MISSING_SIGALGS_EXTENSION", alert=AlertCode.MISSING_EXTENSION)
    if isinstance(exchange, Refusal):
        return exchange
    if not shared_signatures(hello, server=server):
        return Refusal(reason="NO_SHARED_SIGNATURE_ALGORITHMS", alert=AlertCode.HANDSHAKE_FAILURE)
    if choose_tls13(hello, server=server) is None:
        return Refusal(reason="NO_SUITABLE_SIGNATURE_ALGORITHM", alert=AlertCode.HANDSHAKE_FAILURE)
    return suite, exchange.group


def _malformed_share(exchange: KeyExchange | Refusal) -> bool:
    """Whether the key share was refused while parsing, which comes before checks for missing parts."""
    return isinstance(exchange, Refusal) and exchange.reason in ("BAD_KEY_SHARE", "MISSING_SUPPORTED_GROUPS_EXTENSION")


def _tls12(hello: HelloFacts, *, server: ServerFacts, version: int) -> tuple[SuiteInfo, str | None] | Refusal:
    """Choose in TLS 1.2 or older: shared signatures, suite, then the signature for the key of that suite."""
    if sends_algorithms(hello, version=version) and not shared_signatures(hello, server=server):
        return Refusal(reason="NO_SHARED_SIGNATURE_ALGORITHMS", alert=AlertCode.HANDSHAKE_FAILURE)
    suite = _chosen(judge_suites(hello, server=server, version=version))
    if suite is None:
        return Refusal(reason="NO_SHARED_CIPHER", alert=AlertCode.HANDSHAKE_FAILURE)
    # Every suite with a certificate goes through tls_choose_sigalg, static RSA too, although nothing is signed there.
    if signing_key_types(suite):
        refusal = _signature_refusal(suite, hello=hello, server=server, version=version)
        if refusal is not None:
            return refusal
    return suite, shared_group(hello, server=server) if suite.key_exchange in _ELLIPTIC else None


def _signature_refusal(suite: SuiteInfo, *, hello: HelloFacts, server: ServerFacts, version: int) -> Refusal | None:
    """Return why none of the keys for a suite can sign in this version; None if one can."""
    key_types = signing_key_types(suite)
    if version < TLS12:
        signs = can_sign_old(key_types[0], server=server)
        return None if signs else _unsigned(hello, server=server, version=version)
    scheme = choose_tls12(hello, server=server, version=version, key_types=key_types)
    if scheme is None:
        return _unsigned(hello, server=server, version=version)
    if suite.key_exchange in _ELLIPTIC and not fits_digest(scheme, key=keys_by_type(server)[scheme.key_type]):
        # The reason is one of the RSA library's that CPython's table of names does not have.
        return Refusal(reason=None, alert=AlertCode.INTERNAL_ERROR)
    return None


def _unsigned(hello: HelloFacts, *, server: ServerFacts, version: int) -> Refusal:
    """Name a missing signature as tls_choose_sigalg does; the alert, and in 1.1.1 the reason, differ for old schemes."""
    if sends_algorithms(hello, version=version):
        return Refusal(reason="NO_SUITABLE_SIGNATURE_ALGORITHM", alert=AlertCode.HANDSHAKE_FAILURE)
    if release(server) < OPENSSL_3_0:
        return Refusal(reason=None, alert=AlertCode.INTERNAL_ERROR)
    return Refusal(
        reason="NO_SUITABLE_SIGNATURE_ALGORITHM",
        alert=AlertCode.INTERNAL_ERROR if version < TLS12 else AlertCode.HANDSHAKE_FAILURE,
    )


def _chosen(verdicts: tuple[SuiteVerdict, ...]) -> SuiteInfo | None:
    """Return the suite that was chosen."""
    return next((suite_info(int(verdict.code, 16)) for verdict in verdicts if verdict.chosen), None)


def _refused(refusal: Refusal, *, hello: HelloFacts) -> Expectation:
    """Return a refusal by the server as an expectation of both sides and the wire."""
    return Expectation(
        source=Source.PREDICTED,
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.SERVER,
        server_type="SSLError",
        server_reason=refusal.reason,
        client_type="OSError",
        client_number=number_for_alert(hello, alert=refusal.alert),
        alert=ExpectedAlert(sender=Side.SERVER, code=refusal.alert, name=alert_name(refusal.alert)),
    )


def _version_refused_by_client() -> Expectation:
    """Return how a client that speaks only TLS 1.2 (mbedTLS 3.x) refuses an older ServerHello."""
    return refused_by_client(
        AlertCode.PROTOCOL_VERSION,
        reason="TLSV1_ALERT_PROTOCOL_VERSION",
        number=mbedtls.SSL_BAD_PROTOCOL_VERSION,
    )


def group_refused_by_client() -> Expectation:
    """Return how a client refuses a request for a share of a group that TLS 1.3 does not have (RFC 8446 section 4.2.8).

    Only OpenSSL 1.1.1 asks for brainpoolP256r1, and of MicroPython's clients only mbedTLS speaks TLS 1.3.
    """
    return refused_by_client(
        AlertCode.ILLEGAL_PARAMETER,
        reason="SSLV3_ALERT_ILLEGAL_PARAMETER",
        number=mbedtls.SSL_ILLEGAL_PARAMETER,
        note="OpenSSL 1.1.1 asks in TLS 1.3 for a group that only TLS 1.2 has",
    )
