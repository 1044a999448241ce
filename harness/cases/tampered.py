"""Server flights that were tampered with on the wire: TLS 1.2, where the flight is in the clear.

OpenSSL does not know of the change. Expectations are stated for mbedTLS 3.6; `harness.expectations.differences` lists the
clients that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.cases import Row, Situation, checked, ordinary, table, with_rsa_form
from harness.expectations.builders import connected
from harness.expectations.clients import (
    broken_hashes,
    left_silently,
    noticed_bad_record,
    refused_by_client,
    refuses_certificate,
)
from harness.expectations.needs import OFFERS_ECDHE_ECDSA, OFFERS_ECDHE_RSA
from harness.model import Expectation, ExpectationRule, Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls

# What only a key exchange with a ServerKeyExchange has: plain RSA has none.
WITH_KEY_EXCHANGE: dict[str, Any] = {"ciphers": "ECDHE+aRSA", "needs": (OFFERS_ECDHE_RSA,)}


def tampered(
    name: str,
    expect: Expectation | ExpectationRule,
    *,
    subject: Subject,
    of_rsa: Mapping[str, Any] | None = None,
    **words: Any,
) -> Situation:
    """A TLS 1.2 server with a P-256 key and this change of its flights; nothing is predicted. `of_rsa`: what differs with an RSA key."""
    situation = ordinary(
        "server-p256",
        behaviour={"name": f"tampered.{name}"},
        maximum_version="TLSv1.2",
        expect=expect,
        subject=subject,
        predicted=False,
        needs=(OFFERS_ECDHE_ECDSA,),
        **words,
    )
    return with_rsa_form(situation, **(of_rsa or {}))


@table(tier=Tier.FULL)
def hello() -> Iterable[Row]:
    """ServerHello and messages before it."""
    for name, text, expect in (
        (
            "sh-version-0302",
            "ServerHello with version TLS 1.1. A downgrade that the client did not offer.",
            # The alert is sent in a TLS 1.1 record, which OpenSSL refuses before it reads the alert.
            refused_by_client(
                client=mbedtls.SSL_BAD_PROTOCOL_VERSION, alert="protocol_version", server="WRONG_VERSION_NUMBER"
            ),
        ),
        (
            "sh-cipher-not-offered",
            "ServerHello with a suite that was not offered. Accepting it would allow a downgrade.",
            refused_by_client(client=mbedtls.SSL_BAD_INPUT_DATA, alert="internal_error"),
        ),
        (
            "sh-unsolicited-alpn",
            "ServerHello with an unsolicited ALPN extension. mbedTLS ignores it; the handshake hashes then differ.",
            broken_hashes,
        ),
        (
            "warning-alert-unrecognized-name",
            "A warning before ServerHello. The board ignores it, as RFC 6066 allows.",
            connected(),
        ),
        (
            "hello-request-first",
            "HelloRequest before ServerHello. RFC 5246 section 7.4.1.1 says to ignore it; mbedTLS does not.",
            refused_by_client(client=mbedtls.SSL_DECODE_ERROR, alert="decode_error"),
        ),
    ):
        yield Row(name, text, tampered(name, expect, subject=Subject.NEGOTIATION))


@table(tier=Tier.FULL)
def certificate() -> Iterable[Row]:
    """The Certificate message."""
    yield Row(
        "cert-bitflip-sig",
        "The last byte of the certificate is changed. The CA's signature no longer matches.",
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
        "The first byte of the certificate is changed. It is no longer DER.",
        tampered(
            "cert-der-broken",
            refused_by_client(client=mbedtls.X509_INVALID_FORMAT, alert="bad_certificate"),
            subject=Subject.SERVER_CERTIFICATE,
        ),
    )
    yield Row(
        "cert-empty",
        "An empty list of certificates. Only a client may send one.",
        tampered(
            "cert-empty",
            refused_by_client(client=mbedtls.SSL_DECODE_ERROR, alert="decode_error"),
            subject=Subject.SERVER_CERTIFICATE,
        ),
    )


@table(tier=Tier.FULL)
def key_exchange() -> Iterable[Row]:
    """ServerKeyExchange and ServerHelloDone."""
    bad_rsa_signature = refused_by_client(client=mbedtls.RSA_VERIFY_FAILED, alert="decrypt_error")
    for name, text, expect, of_rsa in (
        (
            "ske-bad-signature",
            "The signature of the key exchange is changed. A client that accepts it allows a man in the middle.",
            refused_by_client(client=mbedtls.ECP_VERIFY_FAILED, alert="decrypt_error"),
            {**WITH_KEY_EXCHANGE, "expect": bad_rsa_signature},
        ),
        (
            "ske-bad-curve",
            "The key exchange names a curve that its point is not on. Most clients do not offer the curve; all must refuse.",
            refused_by_client(client=mbedtls.SSL_ILLEGAL_PARAMETER, alert="illegal_parameter"),
            WITH_KEY_EXCHANGE,
        ),
        (
            "ske-missing",
            "No ServerKeyExchange. ECDHE requires it.",
            refused_by_client(client=mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message"),
            WITH_KEY_EXCHANGE,
        ),
        (
            "shd-missing",
            "No ServerHelloDone, then FIN. The board waits for the message and sees the end of the stream.",
            left_silently(mbedtls.SSL_CONN_EOF),
            {},
        ),
    ):
        # A client that prefers X25519 would see the real name of the curve.
        situation = tampered(name, expect, subject=Subject.SERVER_CERTIFICATE, of_rsa=of_rsa, curve="prime256v1")
        yield Row(name, text, situation)


@table(tier=Tier.FULL)
def after_keys() -> Iterable[Row]:
    """From ChangeCipherSpec on."""
    yield Row(
        "ccs-missing",
        "ChangeCipherSpec is omitted, and the connection ends (FIN). Finished arrives encrypted before the board expects encryption.",
        tampered("ccs-missing", left_silently(mbedtls.SSL_CONN_EOF), subject=Subject.FINISHED),
    )
    for name, cipher, reason in (
        ("appdata-bad-mac", "AES128-GCM-SHA256", "GCM. The client must notice any change"),
        ("appdata-bad-mac-cbc", "AES128-SHA256", "CBC. The same with a separate MAC"),
    ):
        situation = ordinary(
            "server-p256",
            ciphers=f"ECDHE-ECDSA-{cipher}",
            behaviour={"name": "tampered.appdata-bad-mac"},
            maximum_version="TLSv1.2",
            expect=noticed_bad_record,
            subject=Subject.DATA,
            needs=(OFFERS_ECDHE_ECDSA,),
        )
        text = f"A changed record of application data, {reason}."
        yield Row(name, text, with_rsa_form(situation, ciphers=f"ECDHE-RSA-{cipher}:{cipher}"))
