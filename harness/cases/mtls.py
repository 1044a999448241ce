"""Mutual TLS: the server requests a certificate from the board. The board does not verify the server here.

In TLS 1.3 the server refuses after the client's handshake: the board sees the alert at its first read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, ordinary, table, with_rsa_form
from harness.expectations.builders import connected, fatal_alert_number, refused
from harness.expectations.clients import left_silently, offers_tls13, refuses_own_settings
from harness.expectations.needs import (
    LOADS_CLIENT_CERTIFICATE,
    MBEDTLS,
    OFFERS_ECDHE_ECDSA,
    OFFERS_RSA,
    OFFERS_TLS_RSA,
    READS_EC_KEYS,
    READS_PEM,
    READS_PKCS8,
)
from harness.expectations.servers import short_client_key
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Tier, Verify
from harness.wire import mbedtls_numbers as mbedtls

TLS12 = "TLSv1.2"
CLIENT_CAS = ("ca-p256", "ca-rsa")
# Of a case about the board's EC key: only the server's key is another one.
OWN_KEY: dict[str, Any] = {"needs": (OFFERS_RSA, MBEDTLS, READS_EC_KEYS)}
# include/openssl/x509_vfy.h.
NO_LOCAL_ISSUER, NOT_YET_VALID, HAS_EXPIRED, SELF_SIGNED, WRONG_PURPOSE = 20, 9, 10, 18, 26


def mutual(certificate: str | None, *, form: str = "der", **words: Any) -> Situation:
    """A server that requires a certificate, and a board that presents this one."""
    words.setdefault("server_verify", Verify.REQUIRED)
    words.setdefault("expect", connected())
    words.setdefault("client_ca", CLIENT_CAS)
    of_rsa = words.pop("of_rsa", {"certificate": rsa_twin(certificate)})
    needs = (OFFERS_ECDHE_ECDSA, LOADS_CLIENT_CERTIFICATE, *words.pop("needs", ()))
    made = ordinary("server-p256", certificate=certificate, certificate_format=form, needs=needs, **words)
    return with_rsa_form(made, **of_rsa)


def rsa_twin(certificate: str | None) -> str | None:
    """Return the client certificate that differs only in its RSA key: firmware without ECDHE_ECDSA may read no EC keys."""
    if certificate is None or certificate.startswith("client-rsa"):
        return certificate
    return certificate.replace("client-", "client-rsa2048-", 1).removesuffix("-p256")


def unverified(code: int, alert: str) -> ExpectationRule:
    """Expect the server to refuse the client's certificate with this verification error and alert."""
    return lambda board, server: refused(
        by=Side.SERVER,
        server_type="SSLCertVerificationError",
        server="CERTIFICATE_VERIFY_FAILED",
        verify_code=code,
        alert=alert,
        client=fatal_alert_number(board, alert),
    )


def none_sent(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect a refusal because no certificate was sent; TLS 1.3 has an alert for it (RFC 8446 section 4.4.2.4)."""
    tls13 = offers_tls13(board) and server.maximum_version in (None, "TLSv1.3")
    alert = "certificate_required" if tls13 else "handshake_failure"
    return refused(
        by=Side.SERVER,
        server="PEER_DID_NOT_RETURN_A_CERTIFICATE",
        alert=alert,
        client=fatal_alert_number(board, alert),
    )


def long_enough(expect: Expectation | ExpectationRule, *, rsa_bits: int) -> ExpectationRule:
    """Expect this unless the client's RSA key, or its issuer's of 2048 bits, is too short for the server's security level."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        code = short_client_key(server, rsa_bits=rsa_bits, issuer_bits=2048)
        if code is not None:
            return unverified(code, "bad_certificate")(board, server)
        return expect if isinstance(expect, Expectation) else expect(board, server)

    return rule


def mismatch(board: BoardInfo, server: ServerFacts) -> Expectation:
    """Expect CertificateVerify not to match the certificate (RFC 5246 section 7.4.8)."""
    client = fatal_alert_number(board, "decrypt_error")
    return refused(by=Side.SERVER, server="BAD_SIGNATURE", alert="decrypt_error", client=client)


@table(tier=Tier.FULL)
def good() -> Iterable[Row]:
    """Keys and file formats that work."""
    for name, certificate, form, reason in (
        ("ok-p256", "client-p256", "pkcs8", "The output of `openssl genpkey` as DER"),
        ("ok-p256-sec1", "client-p256", "der", "SEC1, which every firmware with EC keys reads"),
        ("ok-rsa2048", "client-rsa2048", "pkcs8", "An RSA key with an EC server; the types need not match"),
        ("ok-rsa2048-pkcs1", "client-rsa2048", "der", "PKCS#1, which even the oldest firmware reads"),
    ):
        needs = (READS_PKCS8,) if form == "pkcs8" else ()
        of_rsa, expect = (
            ({}, long_enough(connected(), rsa_bits=2048)) if "rsa" in certificate else (OWN_KEY, connected())
        )
        text = f"Client certificate {certificate[7:]}, key as {form}. {reason}."
        tier = Tier.SMOKE if name == "ok-p256" else Tier.CORE
        yield Row(name, text, mutual(certificate, form=form, needs=needs, of_rsa=of_rsa, expect=expect), tier)
    yield Row(
        "ok-rsa4096",
        "Client certificate rsa4096. A slow board needs many seconds to sign.",
        mutual("client-rsa4096", expect=long_enough(connected(), rsa_bits=4096)),
    )
    yield Row("ok-p384", "Client certificate p384. A larger curve.", mutual("client-p384", of_rsa=OWN_KEY))
    yield Row("ok-p521", "Client certificate p521. The largest curve.", mutual("client-p521", of_rsa=OWN_KEY))
    yield Row(
        "ok-tls12",
        "Client certificate p256, TLS 1.2. The signature is made differently in TLS 1.3.",
        mutual("client-p256", maximum_version=TLS12, of_rsa=OWN_KEY),
    )
    yield Row(
        "ok-rsa-plain-rsa",
        "RSA on both sides with plain RSA suites. Firmware before 1.20 has no others.",
        ordinary(
            "server-rsa2048",
            certificate="client-rsa2048",
            # With the hash of the suite, not one of the server's list, mbedTLS signs; SHA-384 would have to be on that list.
            ciphers="AES256-SHA256:AES128-SHA256:AES256-SHA:AES128-SHA",
            maximum_version=TLS12,
            server_verify=Verify.REQUIRED,
            client_ca=CLIENT_CAS,
            expect=connected(),
            needs=(OFFERS_TLS_RSA, LOADS_CLIENT_CERTIFICATE, MBEDTLS),
        ),
    )
    yield Row(
        "optional-none-sent",
        "CERT_OPTIONAL and no certificate. The server requests one but does not require it.",
        mutual(
            None,
            server_verify=Verify.OPTIONAL,
            expect=connected(note="CERT_OPTIONAL: the server accepts a client without a certificate"),
        ),
    )
    yield Row(
        "optional-sent",
        "CERT_OPTIONAL and a valid certificate. The server verifies it.",
        mutual("client-p256", server_verify=Verify.OPTIONAL),
    )
    yield Row(
        "not-requested-but-loaded",
        "A certificate that the server does not request. The board does not send it.",
        mutual("client-p256", server_verify=Verify.NONE),
    )
    yield Row(
        "eku-none",
        "A client certificate without ExtendedKeyUsage. Every use is allowed.",
        mutual("client-no-extended-key-usage"),
    )
    yield Row(
        "no-aki",
        "A client certificate without AuthorityKeyIdentifier. Only X509_STRICT refuses it, which a plain SSLContext does not set.",
        mutual("client-no-authority-key-identifier"),
    )


@table(tier=Tier.FULL)
def bad() -> Iterable[Row]:
    """Certificates that the server refuses. A board sees the same number for all of them."""
    yield Row(
        "required-none-sent",
        "CERT_REQUIRED and no certificate. The board has none.",
        mutual(None, expect=none_sent),
        Tier.CORE,
    )
    yield Row(
        "required-none-sent-tls12",
        "CERT_REQUIRED and no certificate, TLS 1.2. The alert is an ordinary handshake_failure.",
        mutual(None, expect=none_sent, maximum_version=TLS12),
    )
    for name, certificate, code, alert, reason in (
        (
            "untrusted",
            "client-untrusted",
            NO_LOCAL_ISSUER,
            "unknown_ca",
            "Signed by a CA that the server does not trust",
        ),
        ("untrusted-rsa", "client-rsa2048-untrusted", NO_LOCAL_ISSUER, "unknown_ca", "The same with RSA"),
        ("self-signed", "client-self-signed", SELF_SIGNED, "unknown_ca", "Anyone can make a self-signed certificate"),
        (
            "expired",
            "client-expired",
            HAS_EXPIRED,
            "certificate_expired",
            "Expired a day ago; devices outlive certificates",
        ),
        (
            "not-yet-valid",
            "client-not-yet-valid",
            NOT_YET_VALID,
            "bad_certificate",
            "Valid from tomorrow; a server's clock can be wrong, too",
        ),
        (
            "eku-server-only",
            "client-for-servers",
            WRONG_PURPOSE,
            "unsupported_certificate",
            "ExtendedKeyUsage serverAuth only",
        ),
    ):
        tier = Tier.CORE if name in ("untrusted", "expired") else None
        text = f"Client certificate {name}. {reason}."
        expect = unverified(code, alert)
        yield Row(
            name,
            text,
            mutual(certificate, expect=long_enough(expect, rsa_bits=2048) if "rsa" in certificate else expect),
            tier,
        )
    yield Row(
        "rsa1024",
        "Client certificate rsa1024. The key is too short for the server's security level.",
        mutual("client-rsa1024", expect=long_enough(connected(), rsa_bits=1024)),
    )
    yield Row(
        "key-mismatch",
        "Certificate and key do not match. The board does not notice; the server refuses the signature.",
        mutual("client-foreign-key", expect=mismatch),
        Tier.CORE,
    )


@table(tier=Tier.FULL)
def chains_and_sizes() -> Iterable[Row]:
    """Chains, large certificates, and long lists of CAs."""
    listed = tuple(f"ca-listed-{number:02}" for number in range(1, 61))
    of_rsa = {"certificate": "client-rsa2048", "client_ca": ("ca-rsa", *listed)}
    yield Row(
        "chain-2",
        "Leaf and intermediate in one PEM text. The only way for a board to send a chain.",
        mutual("client-depth-2", form="pem-chain", needs=(READS_PEM,)),
    )
    yield Row(
        "chain-2-inter-missing",
        "The intermediate is missing. The most common mistake, as on the server's side.",
        mutual("client-missing-intermediate", expect=unverified(NO_LOCAL_ISSUER, "unknown_ca")),
    )
    yield Row(
        "large-client-cert-3k",
        "A client certificate of 3 kB. It fills most of the outgoing buffer of 4096 bytes.",
        mutual("client-size-3000"),
    )
    yield Row(
        "large-5k",
        "A client certificate of 5 kB. Larger than the outgoing buffer (MBEDTLS_SSL_OUT_CONTENT_LEN).",
        mutual("client-size-5000", expect=left_silently(mbedtls.SSL_BUFFER_TOO_SMALL)),
        Tier.CORE,
    )
    yield Row(
        "many-ca-names",
        "A server that lists 61 CAs. mbedTLS skips the long list in CertificateRequest.",
        mutual("client-p256", client_ca=("ca-p256", *listed), of_rsa=of_rsa),
    )


@table(tier=Tier.FULL)
def unreadable() -> Iterable[Row]:
    """Files that the board cannot load. The client refuses before any connection."""
    refused_key = refuses_own_settings()
    yield Row(
        "ed25519",
        "An Ed25519 key. The client raises `invalid key`: mbedTLS does not support it.",
        mutual("client-ed25519", expect=refused_key, of_rsa={}),
    )
    yield Row(
        "key-garbage",
        "Bytes that are not a key. The client raises `invalid key` before any connection.",
        mutual("client-p256", form="garbage-key", expect=refused_key),
    )
    yield Row(
        "cert-garbage",
        "Bytes that are not a certificate. The client raises `invalid cert` before any connection.",
        mutual("client-p256", form="garbage-certificate", expect=refused_key),
    )
