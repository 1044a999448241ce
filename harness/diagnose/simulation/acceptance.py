"""Whether a firmware accepts a chain of certificates, by its row of the table of firmware. Pure: bytes in, problems out.

Knows mbedTLS's checks as far as MicroPython's builds differ: what they read at all, and what they check with CERT_REQUIRED. Trust is
judged only if the client's CA certificates are given. Must not know servers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.certificates.reading import issuer_among, kind_of_signature
from harness.certificates.unreadable import UNREADABLE
from harness.firmware.table import Firmware
from harness.model import CertificateProblem, TlsLibrary
from harness.wire.groups import openssl_group_to_iana
from harness.wire.host_names import is_ip_address

# MBEDTLS_SSL_IN_CONTENT_LEN of extmod/mbedtls/mbedtls_config_common.h, and the headers of the message.
_MESSAGE_BYTES = 16384
_HEADER_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What a client knows when it judges a certificate.

    `name` is server_hostname; None is not compared. `static_rsa`: the key decrypts instead of signing. `anchors` are the CA certificates
    of the client, None if they are not known. `now` is its clock.
    """

    name: str | None
    now: datetime
    static_rsa: bool = False
    anchors: tuple[bytes, ...] | None = None


def problems(chain: Sequence[bytes], firmware: Firmware, *, judge: Judge) -> tuple[CertificateProblem, ...]:
    """Return what this firmware does not accept of a chain: first what it refuses always, then what it refuses when it verifies.

    Args:
        chain: DER, the server's first.
        firmware: the row.
        judge: what else the client knows.
    """
    found = [*_unreadable(chain, firmware)]
    if firmware.api.verifies and firmware.build.library is TlsLibrary.MBEDTLS:
        with contextlib.suppress(*UNREADABLE):
            found += _refused(chain, firmware, judge=judge)
    return tuple(dict.fromkeys(found))


# ----------------------------------------------------------------------------------------------- always


def _unreadable(chain: Sequence[bytes], firmware: Firmware) -> Iterator[CertificateProblem]:
    size = sum(3 + len(der) for der in chain) + _HEADER_BYTES
    limit = min(firmware.build.record_in_bytes, _MESSAGE_BYTES)
    if size > limit:
        text = f"the chain has {size} bytes, and this firmware reads a message of {limit} bytes at most"
        yield _problem(firmware, "unreadable", text, always=True, basis="record_in_bytes")
    for place, der in enumerate(chain):
        try:
            kind = kind_of_signature(x509.load_der_x509_certificate(der))
        except UNREADABLE:
            yield _problem(firmware, "unreadable", f"{_whose(place)} cannot be read", always=True, basis="keys")
            continue
        if kind == "RSA-PSS" and not firmware.build.pss:
            text = f"{_whose(place)} is signed with RSA-PSS, which this build cannot read"
            yield _problem(firmware, "unreadable", text, always=True, basis="pss")


# ----------------------------------------------------------------------------------------------- with CERT_REQUIRED


def _refused(chain: Sequence[bytes], firmware: Firmware, *, judge: Judge) -> Iterator[CertificateProblem]:
    loaded = [x509.load_der_x509_certificate(der) for der in chain]
    for place, certificate in enumerate(loaded):
        yield from _one(certificate, firmware, whose=_whose(place), now=judge.now)
    leaf = loaded[0]
    if judge.name is not None and not _names(leaf, judge.name, addresses=firmware.build.ip_names):
        text = f"it is not for {judge.name}"
        if is_ip_address(judge.name) and _names(leaf, judge.name, addresses=True):
            text = f"this firmware does not compare IP addresses, so {judge.name} does not match"
        yield _problem(firmware, "cn_mismatch", text, basis="ip_names")
    usage = _wrong_usage(leaf, static_rsa=judge.static_rsa) if firmware.build.key_usage else None
    if usage is not None:
        yield _problem(firmware, "other", usage, basis="key_usage")
    if judge.anchors is not None and not _trusted(chain, judge.anchors):
        yield _problem(firmware, "not_trusted", "no CA that the client has signed it", basis="hashes")


def _one(
    certificate: x509.Certificate, firmware: Firmware, *, whose: str, now: datetime
) -> Iterator[CertificateProblem]:
    """Check what is checked of each certificate of a chain."""
    if firmware.dates and now > certificate.not_valid_after_utc:
        text = f"{whose} expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
        yield _problem(firmware, "expired", text, basis="dates")
    if firmware.dates and now < certificate.not_valid_before_utc:
        text = f"{whose} is valid only from {certificate.not_valid_before_utc:%Y-%m-%d} on"
        yield _problem(firmware, "future", text, basis="dates")
    hashed = certificate.signature_hash_algorithm
    if hashed is not None and certificate.issuer != certificate.subject and hashed.name not in firmware.build.hashes:
        yield _problem(firmware, "bad_md", f"{whose} is signed with {hashed.name.upper()}", basis="hashes")
    key = certificate.public_key()
    smallest, largest = firmware.build.rsa_bits
    if isinstance(key, rsa.RSAPublicKey) and not smallest <= key.key_size <= largest:
        yield _problem(firmware, "bad_key", f"{whose} has an RSA key of {key.key_size} bits", basis="rsa_bits")
    if isinstance(key, ec.EllipticCurvePublicKey):
        curve = openssl_group_to_iana(key.curve.name) or key.curve.name
        if curve not in firmware.build.curves:
            yield _problem(firmware, "bad_key", f"{whose} has a key on {curve}", basis="curves")


def _names(leaf: x509.Certificate, name: str, *, addresses: bool) -> bool:
    """Whether a certificate is for a host: its subjectAltName decides, and the common name only if there is none."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return any(_matches(str(item.value), name) for item in common)
    if any(_matches(item, name) for item in names.get_values_for_type(x509.DNSName)):
        return True
    if not addresses or not is_ip_address(name):
        return False
    return ip_address(name) in names.get_values_for_type(x509.IPAddress)


def _matches(pattern: str, name: str) -> bool:
    """Compare as mbedTLS does: without case, and `*.` stands for the first label."""
    pattern, name = pattern.lower(), name.lower()
    if pattern == name:
        return True
    first, dot, rest = name.partition(".")
    return pattern.startswith("*.") and bool(first and dot) and pattern[2:] == rest


def _wrong_usage(leaf: x509.Certificate, *, static_rsa: bool) -> str | None:
    """Return which usage is missing (mbedtls_ssl_check_cert_usage); None if none is."""
    with contextlib.suppress(x509.ExtensionNotFound):
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        if not (usage.key_encipherment if static_rsa else usage.digital_signature):
            return f"its keyUsage lacks {'keyEncipherment' if static_rsa else 'digitalSignature'}"
    with contextlib.suppress(x509.ExtensionNotFound):
        allowed = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(allowed):
            return "its extendedKeyUsage lacks serverAuth"
    return None


def _trusted(chain: Sequence[bytes], anchors: tuple[bytes, ...]) -> bool:
    """Whether signatures lead from the server's certificate to an anchor, over certificates that may sign others."""
    current = chain[0]
    for _step in range(len(chain) + 1):
        if current in anchors:
            return True
        above = issuer_among(current, anchors)
        if above is not None and above in anchors:
            return True
        above = issuer_among(current, [der for der in chain[1:] if der != current and _is_authority(der)])
        if above is None or above == current:
            return False
        current = above
    return False


def _is_authority(der: bytes) -> bool:
    with contextlib.suppress(x509.ExtensionNotFound, *UNREADABLE):
        certificate = x509.load_der_x509_certificate(der)
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    return False


def _whose(place: int) -> str:
    return "the server's certificate" if place == 0 else f"CA certificate {place} of the chain"


def _problem(firmware: Firmware, flag: str, text: str, *, basis: str, always: bool = False) -> CertificateProblem:
    return CertificateProblem(flag=flag, text=text, always=always, basis=firmware.basis(basis).value)
