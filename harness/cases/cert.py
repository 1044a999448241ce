"""What a server certificate says: issuer, time, names, usage, signature, extensions.

The board always checks unless a row says otherwise. Expectations are stated: what a correct client must do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, checked, ordinary, table
from harness.expectations.clients import (
    has_full_configuration,
    is_mbedtls_2,
    left_silently,
    offers_tls13,
    refused_by_client,
    refuses_certificate,
)
from harness.expectations.needs import CHECKS_CERTIFICATES
from harness.expectations.servers import refuses_old_hash
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Tier, Verify
from harness.wire import mbedtls_numbers as mbedtls

ANY_LEVEL = "ALL:@SECLEVEL=0"
CONTROL = "cert/good"
RSA_CONTROL = "key/rsa2048"
# x509_crt.c of mbedTLS.
INVALID_EXTENSIONS = mbedtls.X509_INVALID_EXTENSIONS + mbedtls.ASN1_UNEXPECTED_TAG
UNKNOWN_SIG_ALG = mbedtls.X509_UNKNOWN_SIG_ALG + mbedtls.OID_NOT_FOUND


def accept(name: str, text: str, certificate: str, tier: Tier | None = None, **words: Any) -> Row:
    """A certificate that a correct client accepts."""
    return Row(name, text, checked(certificate, **words), tier)


def refuse(name: str, text: str, certificate: str, *flags: str, tier: Tier | None = None, **words: Any) -> Row:
    """A certificate that a correct client refuses, for the reasons of these flags."""
    expect = words.pop("expect", None) or refuses_certificate(*flags)
    control = words.pop("positive_control", CONTROL)
    return Row(name, text, checked(certificate, expect=expect, positive_control=control, **words), tier)


def number(client: int, alert: str) -> ExpectationRule:
    """A refusal that is no verdict on trust: the certificate cannot be read or used."""
    return lambda board, server: refused_by_client(client=client, alert=alert)


def wrong_usage(board: BoardInfo, server: ServerFacts) -> Expectation:
    """A certificate used for what it is not for. A build of mbedTLS 2 that does not look is insecure, and this is why."""
    blind = is_mbedtls_2(board) and not has_full_configuration(board)
    note = (
        "mbedTLS 2.x looks at usages only with MBEDTLS_X509_CHECK_KEY_USAGE and _EXTENDED_KEY_USAGE, which MicroPython's "
        "configuration (extmod/mbedtls) left out up to 1.22; 3.0 always looks"
    )
    return refused_by_client(
        client=mbedtls.SSL_BAD_CERTIFICATE, alert="unsupported_certificate", note=note if blind else None
    )


@table(tier=Tier.CORE)
def whose_word() -> Iterable[Row]:
    """Who vouches for the certificate."""
    yield accept(
        "good",
        "P-256 under a P-256 root, everything right. The control of every refusal below.",
        "server-p256",
        Tier.SMOKE,
    )
    yield refuse(
        "selfsigned-untrusted",
        "Self-signed, not known to the client. A stranger's word for himself.",
        "server-self-signed",
        "not_trusted",
        tier=Tier.SMOKE,
    )
    yield accept(
        "selfsigned-trusted",
        "Self-signed, loaded as CA. Pinning: the simplest set-up that is still safe.",
        "server-self-signed",
        ca="server-self-signed",
    )
    yield refuse(
        "trust-leaf-pinned",
        "The CA-signed leaf itself loaded as CA. mbedTLS wants the issuer; only a self-signed leaf can be pinned.",
        "server-p256",
        "not_trusted",
        ca="server-p256",
    )
    yield refuse(
        "untrusted-root",
        "Under a root that the client was not given. Accepting it would mean talking to anybody.",
        "server-untrusted",
        "not_trusted",
    )
    yield refuse(
        "untrusted-twin",
        "Under a root with the name of the trusted one and another key. The signature counts, not the name.",
        "server-by-twin",
        "not_trusted",
        tier=Tier.FULL,
    )
    yield accept(
        "two-roots",
        "Two CAs trusted, the second one is right. load_verify_locations adds up.",
        "server-p256",
        Tier.FULL,
        ca=("ca-other", "ca-p256"),
    )
    for name, defect, flag in (
        ("selfsigned", "self-signed", "not_trusted"),
        ("untrusted", "untrusted", "not_trusted"),
        ("expired", "expired", "expired"),
        ("wrong-host", "wrong-host", "cn_mismatch"),
    ):
        yield refuse(
            f"rsa-{name}",
            f"RSA key, {defect}. As with an EC key, on another path through the library.",
            f"server-rsa2048-{defect}",
            flag,
            tier=Tier.FULL,
            ca="ca-rsa",
            positive_control=RSA_CONTROL,
        )


@table(tier=Tier.CORE)
def time() -> Iterable[Row]:
    """When the certificate is valid; a board's clock is the other half of it."""
    yield refuse(
        "expired",
        "Ended a day ago. The clock is set before, so it must be noticed.",
        "server-expired",
        "expired",
        tier=Tier.SMOKE,
    )
    yield refuse(
        "not-yet-valid",
        "Starts tomorrow. What a board sees whose clock stands at 2000-01-01.",
        "server-not-yet-valid",
        "future",
    )
    yield refuse(
        "expired-root",
        "Good, under a root that has ended. An anchor has a time too.",
        "server-expired-root",
        "expired",
        ca="ca-expired",
    )
    yield Row(
        "expired-verify-none",
        "Ended a day ago, CERT_NONE. Nothing is checked, so nothing is noticed.",
        ordinary("server-expired"),
    )
    yield Row(
        "expired-verify-optional",
        "Ended a day ago, CERT_OPTIONAL. For a client that is no check at all: mbedTLS goes on whatever it found.",
        ordinary("server-expired", verify=Verify.OPTIONAL, ca=("ca-p256",), needs=(CHECKS_CERTIFICATES,)),
    )
    yield accept("notafter-9999", "Never ends. GeneralizedTime, and beyond 2038 in 32 bits.", "server-until-9999")
    yield refuse(
        "two-errors-expired-wronghost",
        "Ended, and for another host. The client names both reasons, the alert can carry one.",
        "server-expired-wrong-host",
        "expired",
        "cn_mismatch",
    )
    yield refuse(
        "two-errors-untrusted-expired",
        "Self-signed, and ended. Here the time wins the alert.",
        "server-self-signed-expired",
        "not_trusted",
        "expired",
    )


@table(tier=Tier.CORE)
def names() -> Iterable[Row]:
    """Which host the certificate is for."""
    yield refuse(
        "wrong-host",
        "For other.test. The commonest attack is a good certificate of somebody else.",
        "server-wrong-host",
        "cn_mismatch",
        tier=Tier.SMOKE,
    )
    yield accept(
        "wildcard-ok",
        "For *.tls.test, host board.tls.test. One label may be anything.",
        "server-wildcard",
        server_hostname="board.tls.test",
    )
    yield refuse(
        "wildcard-two-labels",
        "For *.tls.test, host a.board.tls.test. The star is one label (RFC 6125 section 6.4.3).",
        "server-wildcard",
        "cn_mismatch",
        server_hostname="a.board.tls.test",
    )
    yield refuse(
        "wildcard-apex", "For *.tls.test, host tls.test. The star is not nothing.", "server-wildcard", "cn_mismatch"
    )
    yield accept(
        "wildcard-top-level",
        "For *.test. mbedTLS knows no list of public suffixes.",
        "server-wildcard-top-level",
        Tier.FULL,
    )
    yield accept(
        "host-case-insensitive",
        "Host TLS.test. DNS names have no case (RFC 4343).",
        "server-p256",
        server_hostname="TLS.test",
    )
    yield refuse(
        "host-trailing-dot",
        "Host tls.test with a dot at the end. Right for DNS, another name for mbedTLS.",
        "server-p256",
        "cn_mismatch",
        server_hostname="tls.test.",
    )
    yield accept(
        "cn-only-match",
        "The name in the subject only. RFC 9525 no longer wants it, mbedTLS accepts it.",
        "server-common-name-only",
    )
    yield refuse(
        "cn-match-san-other",
        "The subject names the host, the alternative names another. These count alone.",
        "server-common-name-other-san",
        "cn_mismatch",
    )
    yield accept(
        "ip-san-match",
        "SAN of type IP, host 127.0.0.1. Boards are often told an address.",
        "server-ip",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "ip6-san-match", "SAN of type IP, host ::1. The same with 16 bytes.", "server-ip6", server_hostname="::1"
    )
    yield accept(
        "ip-as-dns-san",
        "SAN of type DNS that holds an address. Wrong, common, and accepted by mbedTLS.",
        "server-ip-as-dns",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "ip-in-cn-only",
        "The address in the subject only. What old guides for home servers make.",
        "server-ip-in-common-name",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "no-subject",
        "No subject, a critical SAN. Allowed by RFC 5280, rare enough to break parsers.",
        "server-no-subject",
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def usage() -> Iterable[Row]:
    """What the certificate may be used for."""
    yield refuse(
        "eku-client-only",
        "ExtendedKeyUsage clientAuth only. Not a server's; else any client of the CA could play the server.",
        "server-for-clients",
        expect=wrong_usage,
    )
    yield accept("eku-none", "No ExtendedKeyUsage. Then every use is allowed.", "server-no-extended-key-usage")
    yield accept("eku-any", "anyExtendedKeyUsage. mbedTLS takes it as serverAuth.", "server-any-extended-key-usage")
    yield refuse(
        "ku-keyenc-only-ecdhe",
        "RSA key for encryption only. ECDHE signs with it, which it must not (RFC 5246 section 7.4.2).",
        "server-rsa2048-encrypts-only",
        expect=wrong_usage,
        ca="ca-rsa",
        positive_control=RSA_CONTROL,
    )
    yield refuse(
        "ku-certsign-only",
        "KeyUsage keyCertSign only. In TLS 1.2 OpenSSL leaves the key aside and shares no cipher; in 1.3 the client refuses.",
        "server-certificate-sign-only",
        expect=wrong_usage,
    )
    yield accept("leaf-is-ca", "A leaf that is a CA. Unwise, not forbidden.", "server-is-ca", Tier.FULL)
    yield accept(
        "no-extensions",
        "No extension at all. What old home-made certificates look like.",
        "server-no-extensions",
        Tier.FULL,
    )
    yield accept(
        "no-aki",
        "No AuthorityKeyIdentifier. Refused by X509_STRICT, and mbedTLS has no such thing.",
        "server-no-authority-key-identifier",
        Tier.FULL,
    )


def old_hash(board: BoardInfo, server: ServerFacts) -> Expectation:
    """SHA-1: refused by the server's security level, else by the client."""
    return refuses_old_hash(server, name="sha1") or refuses_certificate("bad_md")(board, server)


def unknown_hash(board: BoardInfo, server: ServerFacts) -> Expectation:
    """SHA3: worth nothing to OpenSSL above level 0. mbedTLS passes over a certificate whose algorithm it does not know
    (ssl_tls.c, "maybe a prior certificate was already trusted") and then has none; in TLS 1.3 it gives up at once."""
    if offers_tls13(board):
        return refuses_old_hash(server, name="sha3-256") or left_silently(UNKNOWN_SIG_ALG)
    return refuses_old_hash(server, name="sha3-256") or refused_by_client(
        client=mbedtls.X509_CERT_VERIFY_FAILED, alert="bad_certificate"
    )


@table(tier=Tier.FULL)
def signatures() -> Iterable[Row]:
    """With which hash and padding the CA signed."""
    yield refuse(
        "sha1-leaf",
        "Signed with SHA-1. The server refuses to show it, as long as OpenSSL looks at its own signature.",
        "server-sha1",
        expect=old_hash,
        tier=Tier.CORE,
    )
    yield refuse(
        "sha1-leaf-sec0",
        "Signed with SHA-1, security level 0. Then the client has to refuse.",
        "server-sha1",
        "bad_md",
        ciphers=ANY_LEVEL,
    )
    yield refuse(
        "md5-rsa-leaf-sec0",
        "Signed with MD5, security level 0. Collisions take seconds.",
        "server-rsa2048-md5",
        "bad_md",
        ciphers=ANY_LEVEL,
        ca="ca-rsa",
        positive_control=RSA_CONTROL,
    )
    yield accept("sha384-leaf", "Signed with SHA-384. With a P-256 key, as ECDSA allows.", "server-sha384")
    yield accept("sha512-leaf", "Signed with SHA-512. Small builds leave it out.", "server-sha512")
    yield refuse(
        "sha3-256-leaf",
        "Signed with SHA3-256. No TLS scheme has it; the server refuses first.",
        "server-sha3-256",
        expect=unknown_hash,
    )
    yield refuse(
        "pss-signed-by-ca",
        "RSASSA-PSS signature on the certificate. MicroPython's own configuration cannot read it.",
        "server-rsa2048-pss-signed",
        expect=number(mbedtls.X509_INVALID_ALG, "bad_certificate"),
        ca="ca-rsa",
        tier=Tier.CORE,
        positive_control=RSA_CONTROL,
    )
    yield accept(
        "root-sha1-selfsig",
        "A root signed with SHA-1. Its own signature proves nothing and must be ignored.",
        "server-under-sha1-root",
        ca="ca-sha1",
    )


@table(tier=Tier.CORE)
def extensions() -> Iterable[Row]:
    """Extensions that the client does not know, critical or not."""
    for name, certificate, which in (
        ("nameconstraint-ok", "server-name-constraint-kept", "kept"),
        ("nameconstraint-violated", "server-name-constraint-broken", "broken"),
    ):
        yield refuse(
            name,
            f"Critical nameConstraints, {which}. mbedTLS cannot read them, so it must refuse either way.",
            certificate,
            expect=number(INVALID_EXTENSIONS, "bad_certificate"),
        )
    yield refuse(
        "unknown-critical-ext",
        "An unknown critical extension. Critical means: refuse if you do not know it (RFC 5280 section 4.2).",
        "server-unknown-critical-extension",
        expect=number(INVALID_EXTENSIONS, "bad_certificate"),
    )
    yield accept(
        "unknown-noncritical-ext",
        "An unknown extension. Not critical means: ignore it.",
        "server-unknown-extension",
        Tier.FULL,
    )
    yield accept(
        "must-staple", "Demands a staple that is not sent. Neither library looks.", "server-must-staple", Tier.FULL
    )
