"""Server flights that were falsified on their way: TLS 1.2, where the flight is in the clear.

OpenSSL knows nothing of the change. What the board does with it is stated for mbedTLS 3.6; where other clients differ is
in `harness.expectations.differences`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, checked, ordinary, table
from harness.expectations.builders import connected
from harness.expectations.clients import (
    broken_hashes,
    left_silently,
    noticed_bad_record,
    refused_by_client,
    refuses_certificate,
)
from harness.expectations.needs import OFFERS_ECDHE_ECDSA
from harness.model import Expectation, ExpectationRule, Tier
from harness.wire import mbedtls_numbers as mbedtls


def falsified(name: str, expect: Expectation | ExpectationRule, **words: Any) -> Situation:
    """A P-256 server of TLS 1.2 with this change of its flights; nothing is computed."""
    return ordinary(
        "server-p256",
        behaviour={"name": f"tampered.{name}"},
        maximum_version="TLSv1.2",
        expect=expect,
        predicted=False,
        needs=(OFFERS_ECDHE_ECDSA,),
        **words,
    )


@table(tier=Tier.FULL)
def hello() -> Iterable[Row]:
    """ServerHello, and what may come before it."""
    for name, text, expect in (
        (
            "sh-version-0302",
            "ServerHello says TLS 1.1. A downgrade that nobody agreed to.",
            # The alert goes out in a record of TLS 1.1, which OpenSSL objects to before it reads it.
            refused_by_client(
                client=mbedtls.SSL_BAD_PROTOCOL_VERSION, alert="protocol_version", server="WRONG_VERSION_NUMBER"
            ),
        ),
        (
            "sh-cipher-not-offered",
            "ServerHello picks a suite that was not offered. Taking it would be a downgrade by the server.",
            refused_by_client(client=mbedtls.SSL_BAD_INPUT_DATA, alert="internal_error"),
        ),
        (
            "sh-unsolicited-alpn",
            "ServerHello answers ALPN that was not asked for. mbedTLS reads over it; the hashes then differ.",
            broken_hashes,
        ),
        (
            "warning-alert-unrecognized-name",
            "A warning before ServerHello. RFC 6066 wants it ignored, and it is.",
            connected(),
        ),
        (
            "hello-request-first",
            "HelloRequest before ServerHello. To be ignored by RFC 5246 section 7.4.1.1; mbedTLS does not.",
            refused_by_client(client=mbedtls.SSL_DECODE_ERROR, alert="decode_error"),
        ),
    ):
        yield Row(name, text, falsified(name, expect))


@table(tier=Tier.FULL)
def certificate() -> Iterable[Row]:
    """The Certificate message."""
    yield Row(
        "cert-bitflip-sig",
        "The last byte of the certificate is flipped. The signature of the CA no longer fits.",
        checked(
            "server-p256",
            behaviour={"name": "tampered.cert-bitflip-sig"},
            maximum_version="TLSv1.2",
            expect=refuses_certificate("not_trusted"),
            positive_control="cert/good",
        ),
    )
    yield Row(
        "cert-der-broken",
        "The first byte of the certificate is broken. Not even DER any more.",
        falsified("cert-der-broken", refused_by_client(client=mbedtls.X509_INVALID_FORMAT, alert="bad_certificate")),
    )
    yield Row(
        "cert-empty",
        "An empty list of certificates. Only a client may send that.",
        falsified("cert-empty", refused_by_client(client=mbedtls.SSL_DECODE_ERROR, alert="decode_error")),
    )


@table(tier=Tier.FULL)
def key_exchange() -> Iterable[Row]:
    """ServerKeyExchange and ServerHelloDone."""
    for name, text, expect in (
        (
            "ske-bad-signature",
            "The signature of the key exchange is broken. Without this check anybody could be in the middle.",
            refused_by_client(client=mbedtls.ECP_VERIFY_FAILED, alert="decrypt_error"),
        ),
        (
            "ske-bad-curve",
            "The key exchange names another curve than its point is on. Not offered by most, wrong for all.",
            refused_by_client(client=mbedtls.SSL_ILLEGAL_PARAMETER, alert="illegal_parameter"),
        ),
        (
            "ske-missing",
            "No ServerKeyExchange. ECDHE cannot do without.",
            refused_by_client(client=mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
        ),
        (
            "shd-missing",
            "No ServerHelloDone, then the end of the stream. The board waits for it and sees the end.",
            left_silently(mbedtls.SSL_CONN_EOF),
        ),
    ):
        # A client that prefers X25519 would meet the true name of the curve.
        yield Row(name, text, falsified(name, expect, curve="prime256v1"))


@table(tier=Tier.FULL)
def after_keys() -> Iterable[Row]:
    """From ChangeCipherSpec on."""
    yield Row(
        "ccs-missing",
        "No ChangeCipherSpec, then the end of the stream. Finished comes encrypted before the board expects it.",
        falsified("ccs-missing", left_silently(mbedtls.SSL_CONN_EOF)),
    )
    for name, suite, reason in (
        ("appdata-bad-mac", "ECDHE-ECDSA-AES128-GCM-SHA256", "GCM. Any change on the way must be noticed"),
        ("appdata-bad-mac-cbc", "ECDHE-ECDSA-AES128-SHA256", "CBC. The same with a MAC of its own"),
    ):
        situation = ordinary(
            "server-p256",
            ciphers=suite,
            behaviour={"name": "tampered.appdata-bad-mac"},
            maximum_version="TLSv1.2",
            expect=noticed_bad_record,
            needs=(OFFERS_ECDHE_ECDSA,),
        )
        yield Row(name, f"A broken record of application data, {reason}.", situation)
