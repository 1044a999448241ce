"""The contents of a server certificate: issuer, validity, names, usage, signature, extensions.

The board verifies unless a row says otherwise. Expectations state what a correct client must do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, checked, ordinary, table
from harness.expectations.builders import connected
from harness.expectations.certificates import (
    certificate_sign_only,
    old_hash,
    refused_with,
    unknown_hash,
    wrong_usage,
)
from harness.expectations.clients import refuses_certificate
from harness.expectations.needs import CHECKS_CERTIFICATES, OFFERS_ECDHE_RSA
from harness.model import Subject, Tier, Verify
from harness.wire import mbedtls_numbers as mbedtls

ANY_LEVEL = "ALL:@SECLEVEL=0"
CONTROL = "cert/good"
RSA_CONTROL = "key/rsa2048"
# x509_crt.c of mbedTLS.
INVALID_EXTENSIONS = mbedtls.X509_INVALID_EXTENSIONS + mbedtls.ASN1_UNEXPECTED_TAG


def accept(name: str, text: str, certificate: str, tier: Tier | None = None, **words: Any) -> Row:
    """A certificate that a correct client accepts."""
    return Row(name, text, checked(certificate, **words), tier)


def refuse(name: str, text: str, certificate: str, *flags: str, tier: Tier | None = None, **words: Any) -> Row:
    """A certificate that a correct client refuses, for the reasons of these flags."""
    expect = words.pop("expect", None) or refuses_certificate(*flags)
    control = words.pop("positive_control", CONTROL)
    return Row(name, text, checked(certificate, expect=expect, positive_control=control, **words), tier)


@table(tier=Tier.CORE)
def issuer() -> Iterable[Row]:
    """Who signed the certificate, and whom the board trusts."""
    yield accept(
        "good",
        "A valid P-256 certificate under a P-256 root. The positive control of the refusals below.",
        "server-p256",
        Tier.SMOKE,
    )
    yield refuse(
        "selfsigned-untrusted",
        "Self-signed and not in the trust store. Anyone can make such a certificate.",
        "server-self-signed",
        "not_trusted",
        tier=Tier.SMOKE,
    )
    yield accept(
        "selfsigned-trusted",
        "Self-signed and loaded as CA. Pinning is the simplest secure setup.",
        "server-self-signed",
        ca="server-self-signed",
    )
    yield refuse(
        "trust-leaf-pinned",
        "The CA-signed leaf is loaded as CA. mbedTLS needs the issuer; only a self-signed leaf can be pinned.",
        "server-p256",
        "not_trusted",
        ca="server-p256",
    )
    yield refuse(
        "untrusted-root",
        "Signed by a root that the client does not trust. A client that accepts it accepts any server.",
        "server-untrusted",
        "not_trusted",
    )
    yield refuse(
        "untrusted-twin",
        "Signed by a root with the same name as the trusted one but a different key. The signature decides, not the name.",
        "server-by-twin",
        "not_trusted",
        tier=Tier.FULL,
    )
    yield accept(
        "two-roots",
        "Two trusted CAs, of which the second one signed. load_verify_locations adds to the trust store.",
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
            f"RSA key, {defect}. The same as with an EC key, through other code of the library.",
            f"server-rsa2048-{defect}",
            flag,
            tier=Tier.FULL,
            ca="ca-rsa",
            positive_control=RSA_CONTROL,
        )


@table(tier=Tier.CORE)
def time() -> Iterable[Row]:
    """The validity period of the certificate, which the board compares with its clock."""
    yield refuse(
        "expired",
        "Expired a day ago. The board's clock is set, so the client must notice.",
        "server-expired",
        "expired",
        tier=Tier.SMOKE,
    )
    yield refuse(
        "not-yet-valid",
        "Valid from tomorrow. A board whose clock says 2000-01-01 sees every certificate like this.",
        "server-not-yet-valid",
        "future",
    )
    yield refuse(
        "expired-root",
        "A valid certificate under an expired root. A trust anchor has a validity period, too.",
        "server-expired-root",
        "expired",
        ca="ca-expired",
    )
    yield Row(
        "expired-verify-none",
        "Expired a day ago, CERT_NONE. The client verifies nothing.",
        ordinary("server-expired", expect=connected(), subject=Subject.SERVER_CERTIFICATE),
    )
    yield Row(
        "expired-verify-optional",
        "Expired a day ago, CERT_OPTIONAL. In a client this checks nothing: mbedTLS continues whatever it found.",
        ordinary(
            "server-expired",
            verify=Verify.OPTIONAL,
            ca=("ca-p256",),
            expect=connected(
                note="CERT_OPTIONAL: the client verifies the certificate and accepts it whatever it finds"
            ),
            subject=Subject.SERVER_CERTIFICATE,
            needs=(CHECKS_CERTIFICATES,),
        ),
    )
    yield accept(
        "notafter-9999",
        "Valid until the year 9999. The date is a GeneralizedTime and does not fit 32 bits.",
        "server-until-9999",
    )
    yield refuse(
        "two-errors-expired-wronghost",
        "Expired, and for a different host. The client reports both reasons; the alert can carry only one.",
        "server-expired-wrong-host",
        "expired",
        "cn_mismatch",
    )
    yield refuse(
        "two-errors-untrusted-expired",
        "Self-signed and expired. The alert names the date.",
        "server-self-signed-expired",
        "not_trusted",
        "expired",
    )


@table(tier=Tier.CORE)
def names() -> Iterable[Row]:
    """The host that the certificate is for."""
    yield refuse(
        "wrong-host",
        "A certificate for other.test. An attacker can easily get a valid certificate for another name.",
        "server-wrong-host",
        "cn_mismatch",
        tier=Tier.SMOKE,
    )
    yield accept(
        "wildcard-ok",
        "Wildcard *.tls.test, host board.tls.test. The wildcard matches one label.",
        "server-wildcard",
        server_hostname="board.tls.test",
    )
    yield refuse(
        "wildcard-two-labels",
        "Wildcard *.tls.test, host a.board.tls.test. The wildcard matches only one label (RFC 6125 section 6.4.3).",
        "server-wildcard",
        "cn_mismatch",
        server_hostname="a.board.tls.test",
    )
    yield refuse(
        "wildcard-apex", "Wildcard *.tls.test, host tls.test. It must match a label.", "server-wildcard", "cn_mismatch"
    )
    yield accept(
        "wildcard-top-level",
        "Wildcard *.test. mbedTLS has no list of public suffixes.",
        "server-wildcard-top-level",
        Tier.FULL,
    )
    yield accept(
        "host-case-insensitive",
        "Host TLS.test. DNS names are case-insensitive (RFC 4343).",
        "server-p256",
        server_hostname="TLS.test",
    )
    yield refuse(
        "host-trailing-dot",
        "Host tls.test with a trailing dot. The same name in DNS, a different one for mbedTLS.",
        "server-p256",
        "cn_mismatch",
        server_hostname="tls.test.",
    )
    yield accept(
        "cn-only-match",
        "The name is only in the subject. RFC 9525 forbids this; mbedTLS accepts it.",
        "server-common-name-only",
    )
    yield refuse(
        "cn-match-san-other",
        "The subject names the host, the subjectAltName a different one. Only the subjectAltName is used.",
        "server-common-name-other-san",
        "cn_mismatch",
    )
    yield accept(
        "ip-san-match",
        "IP address in the subjectAltName, host 127.0.0.1. Boards often connect to an address.",
        "server-ip",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "ip6-san-match", "IPv6 address as SAN, host ::1. The same with 16 bytes.", "server-ip6", server_hostname="::1"
    )
    yield accept(
        "ip-as-dns-san",
        "An address as a DNS name in the subjectAltName. Wrong but common; mbedTLS accepts it.",
        "server-ip-as-dns",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "ip-in-cn-only",
        "The address is only in the subject. Old guides for home servers produce this.",
        "server-ip-in-common-name",
        server_hostname="127.0.0.1",
    )
    yield accept(
        "no-subject",
        "An empty subject and a critical subjectAltName. RFC 5280 allows it; it is rare enough to break parsers.",
        "server-no-subject",
        Tier.FULL,
    )


@table(tier=Tier.CORE)
def usage() -> Iterable[Row]:
    """What the certificate may be used for (KeyUsage, ExtendedKeyUsage)."""
    yield refuse(
        "eku-client-only",
        "ExtendedKeyUsage clientAuth only. A client that accepts it lets every client of the CA impersonate the server.",
        "server-for-clients",
        expect=wrong_usage,
    )
    yield accept("eku-none", "No ExtendedKeyUsage. Every use is allowed.", "server-no-extended-key-usage")
    yield accept("eku-any", "anyExtendedKeyUsage. mbedTLS accepts it as serverAuth.", "server-any-extended-key-usage")
    yield refuse(
        "ku-keyenc-only-ecdhe",
        "RSA key whose keyUsage allows only encryption. ECDHE_RSA signs with the key, which that forbids (RFC 5246 section 7.4.2).",
        "server-rsa2048-encrypts-only",
        expect=wrong_usage,
        ca="ca-rsa",
        ciphers="ECDHE+aRSA",
        needs=(OFFERS_ECDHE_RSA,),
        positive_control=RSA_CONTROL,
    )
    yield refuse(
        "ku-certsign-only",
        "KeyUsage keyCertSign only. In TLS 1.2 OpenSSL ignores the key and finds no shared cipher; in TLS 1.3 the client refuses.",
        "server-certificate-sign-only",
        expect=certificate_sign_only,
    )
    for name, text, certificate in (
        ("leaf-is-ca", "The leaf is a CA. Unwise, but not forbidden.", "server-is-ca"),
        ("no-extensions", "No extensions. Old home-made certificates often look like this.", "server-no-extensions"),
        (
            "no-aki",
            "No AuthorityKeyIdentifier. OpenSSL's X509_STRICT refuses it; mbedTLS has no such check.",
            "server-no-authority-key-identifier",
        ),
    ):
        yield accept(name, text, certificate, Tier.FULL)


@table(tier=Tier.FULL)
def signatures() -> Iterable[Row]:
    """The hash and padding of the CA's signature."""
    yield refuse(
        "sha1-leaf",
        "Signed with SHA-1. The server refuses to load it if its OpenSSL checks the signature of its own certificate.",
        "server-sha1",
        expect=old_hash,
        tier=Tier.CORE,
    )
    yield refuse(
        "sha1-leaf-sec0",
        "Signed with SHA-1, security level 0. The client must refuse.",
        "server-sha1",
        "bad_md",
        ciphers=ANY_LEVEL,
    )
    yield refuse(
        "md5-rsa-leaf-sec0",
        "Signed with MD5, security level 0. Collisions are found in seconds.",
        "server-rsa2048-md5",
        "bad_md",
        ciphers=ANY_LEVEL,
        ca="ca-rsa",
        positive_control=RSA_CONTROL,
    )
    yield accept("sha384-leaf", "Signed with SHA-384. ECDSA allows it with a P-256 key.", "server-sha384")
    yield accept("sha512-leaf", "Signed with SHA-512. Small builds leave it out.", "server-sha512")
    yield refuse(
        "sha3-256-leaf",
        "Signed with SHA3-256. No TLS signature scheme has it; the server refuses first.",
        "server-sha3-256",
        expect=unknown_hash,
    )
    yield refuse(
        "pss-signed-by-ca",
        "RSASSA-PSS signature on the certificate. MicroPython's own configuration cannot read it.",
        "server-rsa2048-pss-signed",
        expect=refused_with(mbedtls.X509_INVALID_ALG, "bad_certificate"),
        ca="ca-rsa",
        tier=Tier.CORE,
        positive_control=RSA_CONTROL,
    )
    yield accept(
        "root-sha1-selfsig",
        "A root signed with SHA-1. The signature of a root proves nothing and must be ignored.",
        "server-under-sha1-root",
        ca="ca-sha1",
    )


@table(tier=Tier.CORE)
def extensions() -> Iterable[Row]:
    """Critical and non-critical extensions that the client does not know."""
    for name, certificate, which in (
        ("nameconstraint-ok", "server-name-constraint-kept", "satisfied"),
        ("nameconstraint-violated", "server-name-constraint-broken", "violated"),
    ):
        yield refuse(
            name,
            f"Critical nameConstraints, {which}. mbedTLS cannot read them, so it must refuse both.",
            certificate,
            expect=refused_with(INVALID_EXTENSIONS, "bad_certificate"),
        )
    yield accept(
        "nameconstraint-not-critical",
        "Violated nameConstraints that are not critical. A client that cannot read them may ignore them; OpenSSL enforces them.",
        "server-name-constraint-not-critical",
    )
    yield refuse(
        "unknown-critical-ext",
        "An unknown critical extension. A client must refuse a critical extension that it does not know (RFC 5280 section 4.2).",
        "server-unknown-critical-extension",
        expect=refused_with(INVALID_EXTENSIONS, "bad_certificate"),
    )
    yield accept(
        "unknown-noncritical-ext",
        "An unknown non-critical extension. The client must ignore it.",
        "server-unknown-extension",
        Tier.FULL,
    )
    yield accept(
        "must-staple",
        "Must-staple without OCSP response. Neither library checks it.",
        "server-must-staple",
        Tier.FULL,
    )
