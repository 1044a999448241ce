"""Whether a firmware accepts a chain of certificates, by its row of the table of firmware. Pure: bytes in, problems out.

The chain is followed by `harness.certificates.chain` with the rules of the row's build. Trust is judged only if the client's CA
certificates are given. Must not know servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from harness.certificates.chain import read_chain
from harness.certificates.chain_problems import KEYS, NAMES, TRUST, USES, Problem, Reason, Role, Rules
from harness.certificates.placed import Origin, Placed
from harness.firmware.table import Build, Firmware
from harness.model import CertificateProblem, TlsLibrary
from harness.wire import mbedtls_numbers as mbedtls

# MBEDTLS_SSL_IN_CONTENT_LEN of extmod/mbedtls/mbedtls_config_common.h, and the headers of the message.
_MESSAGE_BYTES, _HEADER_BYTES = 16384, 10
# MBEDTLS_X509_MAX_INTERMEDIATE_CA (include/mbedtls/x509.h).
_MOST_INTERMEDIATES = 8
# What is not a refusal: a signature that this machine cannot check, which the client can.
_NO_REFUSAL = frozenset({Reason.UNCHECKED_SIGNATURE})
_CERTIFICATE = {
    Role.LEAF: "the server's certificate",
    Role.INTERMEDIATE: "a CA certificate of the chain",
    Role.ROOT: "the root",
}
_TEXTS = {
    Reason.SELF_SIGNED: "{} is self-signed, and the client does not trust it",
    Reason.LEAF_TRUSTED: "the client trusts {} itself, which is not self-signed",
    Reason.NOT_CA: "{} must not sign others: it is no CA certificate",
    Reason.NO_BASIC_CONSTRAINTS: "{} must not sign others: it has no basicConstraints",
    Reason.NO_CERT_SIGN: "{} must not sign others: its keyUsage lacks keyCertSign",
    Reason.PATH_LENGTH: "{} allows fewer CA certificates below it (pathLenConstraint)",
    Reason.WRONG_ORDER: "the chain is out of order: {} comes before what it signed",
    Reason.OTHER_KEY: "{} is signed by another key than that of the CA with this name",
    Reason.EXTENSION: "{} has the critical extension {detail}, which mbedTLS cannot read",
    Reason.SIGNATURE_ALGORITHM: "{} is signed with {detail}, which this build cannot read",
    Reason.KEY_TOO_SHORT: "{} has an RSA key of {detail} bits",
    Reason.CURVE: "{} has a key on {detail}",
    Reason.EXPLICIT_CURVE: "{} has a key with explicit curve parameters",
    Reason.HASH: "{} is signed with {detail}",
    Reason.EXPIRED: "{} expired on {detail}",
    Reason.NOT_YET_VALID: "{} is valid only from {detail} on",
    Reason.PURPOSE: "the extendedKeyUsage of {} lacks {detail}",
    Reason.KEY_USAGE: "the keyUsage of {} lacks {detail}",
    Reason.NO_NAME: "{} has no name to compare with {detail}",
    Reason.ADDRESS_NAME: "this firmware does not compare IP addresses, so {detail} does not match",
    Reason.OTHER_NAME: "{} is not for {detail}",
}
_UNTRUSTED = "no CA of the client signed {}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What a client knows when it judges a certificate.

    `name` is server_hostname; None is not compared. `static_rsa`: the key decrypts instead of signing. `anchors` are the CA certificates
    of the client, None if they are not known. `now` is its clock. `tls13`: the certificate came in TLS 1.3.
    """

    name: str | None
    now: datetime
    static_rsa: bool = False
    anchors: tuple[bytes, ...] | None = None
    tls13: bool = False


def problems(chain: Sequence[bytes], firmware: Firmware, *, judge: Judge) -> tuple[CertificateProblem, ...]:
    """Return what this firmware does not accept of a chain: first what it refuses always, then what it refuses when it verifies.

    Args:
        chain: DER, the server's first.
        firmware: the row.
        judge: what else the client knows.
    """
    verifies = firmware.api.verifies and firmware.build.library is TlsLibrary.MBEDTLS
    found = [*_too_large(chain, firmware), *_read(chain, firmware, judge=judge)]
    kept = (item for item in found if item.always or verifies)
    return tuple(dict.fromkeys(sorted(kept, key=lambda item: not item.always)))


def _too_large(chain: Sequence[bytes], firmware: Firmware) -> Iterator[CertificateProblem]:
    size = sum(3 + len(der) for der in chain) + _HEADER_BYTES
    limit = min(firmware.build.record_in_bytes, _MESSAGE_BYTES)
    if size > limit:
        text = f"the chain has {size} bytes, and this firmware reads a message of {limit} bytes at most"
        number = mbedtls.SSL_BAD_INPUT_DATA if firmware.build.spans_records else mbedtls.SSL_FEATURE_UNAVAILABLE
        yield _problem(firmware, "unreadable", text, basis="record_in_bytes", number=number)


def rules_of(build: Build, *, static_rsa: bool) -> Rules:
    """Return what a build checks, as rules for a chain."""
    return Rules(
        key_usage=build.key_usage,
        usage="keyEncipherment" if static_rsa else "digitalSignature",
        addresses=build.ip_names,
        rsa_bits=build.rsa_bits[0],
        ec_bits=192 if "secp192r1" in build.curves else 256,
        hashes=frozenset(build.hashes),
        signatures=frozenset({"RSA", "EC", *(("RSA-PSS",) if build.pss else ())}),
    )


def _read(chain: Sequence[bytes], firmware: Firmware, *, judge: Judge) -> Iterator[CertificateProblem]:
    """Follow the chain and translate its problems."""
    build = firmware.build
    reading = read_chain(
        [Placed(der=der, origin=Origin.SENT) for der in chain],
        trusted=[Placed(der=der, origin=Origin.TRUSTED) for der in judge.anchors or ()],
        rules=rules_of(build, static_rsa=judge.static_rsa),
        host=judge.name,
        now=judge.now if firmware.dates else None,
    )
    between = [link for link in reading.path[1:] if not link.trusted and not link.parsed.is_self_issued]
    if len(between) > _MOST_INTERMEDIATES:
        text = f"the chain has {len(between)} CA certificates below the root, and mbedTLS follows {_MOST_INTERMEDIATES}"
        fatal = _problem(
            firmware,
            "other",
            text,
            basis="hashes",
            always=False,
            number=mbedtls.X509_FATAL_ERROR,
            alert="access_denied",
        )
        yield fatal
        return
    for problem in reading.problems:
        untrusted = problem.reason in TRUST and problem.reason is not Reason.UNREADABLE
        unchecked = problem.reason in USES and not build.key_usage
        if problem.reason in _NO_REFUSAL or unchecked or (untrusted and judge.anchors is None):
            continue
        yield _translated(problem, firmware, judge=judge)


def _translated(problem: Problem, firmware: Firmware, *, judge: Judge) -> CertificateProblem:
    reason = problem.reason
    text = _TEXTS.get(reason, _UNTRUSTED).format(_CERTIFICATE[problem.role], detail=problem.detail)
    if reason is Reason.UNREADABLE:
        text = f"{_CERTIFICATE[problem.role]} cannot be read"
        return _problem(
            firmware, "unreadable", text, basis="hashes", number=mbedtls.X509_INVALID_FORMAT, alert="bad_certificate"
        )
    if reason is Reason.EXTENSION:
        number = mbedtls.X509_INVALID_EXTENSIONS + mbedtls.ASN1_UNEXPECTED_TAG
        return _problem(firmware, "unreadable", text, basis="hashes", number=number, alert="bad_certificate")
    if reason is Reason.SIGNATURE_ALGORITHM and problem.detail == "RSA-PSS":
        return _problem(
            firmware, "unreadable", text, basis="pss", number=mbedtls.X509_INVALID_ALG, alert="bad_certificate"
        )
    if reason is Reason.SIGNATURE_ALGORITHM or (
        reason is Reason.HASH and not problem.detail.startswith(("md5", "sha1", "sha224"))
    ):
        return _unknown_algorithm(firmware, text, tls13=judge.tls13)
    if reason in USES:
        number = mbedtls.SSL_BAD_CERTIFICATE
        return _problem(
            firmware, "other", text, basis="key_usage", always=False, number=number, alert="unsupported_certificate"
        )
    if reason in TRUST:
        return _problem(firmware, "not_trusted", text, basis="hashes", always=False)
    if reason in NAMES:
        return _problem(firmware, "cn_mismatch", text, basis="ip_names", always=False)
    if reason in KEYS:
        return _problem(
            firmware, "bad_key", text, basis="rsa_bits" if reason is Reason.KEY_TOO_SHORT else "curves", always=False
        )
    flag, basis = {
        Reason.HASH: ("bad_md", "hashes"),
        Reason.EXPIRED: ("expired", "dates"),
        Reason.NOT_YET_VALID: ("future", "dates"),
    }[reason]
    return _problem(firmware, flag, text, basis=basis, always=False)


def _unknown_algorithm(firmware: Firmware, text: str, *, tls13: bool) -> CertificateProblem:
    """A certificate with an unknown algorithm is skipped up to TLS 1.2, as if it had not been sent (ssl_tls.c); TLS 1.3 gives up."""
    number = mbedtls.X509_UNKNOWN_SIG_ALG + mbedtls.OID_NOT_FOUND if tls13 else mbedtls.X509_CERT_VERIFY_FAILED
    alert = None if tls13 else "bad_certificate"
    return _problem(firmware, "unreadable", text, basis="hashes", always=tls13, number=number, alert=alert)


def _problem(
    firmware: Firmware,
    flag: str,
    text: str,
    *,
    basis: str,
    always: bool = True,
    number: int | None = None,
    alert: str | None = None,
) -> CertificateProblem:
    return CertificateProblem(
        flag=flag, text=text, always=always, basis=firmware.basis(basis).value, number=number, alert=alert
    )
