"""What is weak in a chain of certificates: short keys, and signatures with SHA-1 or MD5. Bytes in, words out; opens no file."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from harness.certificates.unreadable import UNREADABLE

# NIST SP 800-57 part 1, table 2: below these a key has less than 112 bits of security.
RSA_BITS = 2048
EC_BITS = 224
_WEAK_HASHES = {"md5": "MD5", "sha1": "SHA-1"}


def weak_links(chain: Sequence[bytes]) -> tuple[str, ...]:
    """Return what is weak in a chain, a few words each.

    Args:
        chain: DER, the leaf first. One that cannot be read is passed over. The signature of a self-issued one protects nothing.
    """
    found: list[str] = []
    for place, der in enumerate(chain):
        try:
            certificate = x509.load_der_x509_certificate(der)
        except UNREADABLE:
            continue
        whose = "" if place == 0 else " of a CA"
        found += [f"{text}{whose}" for text in (_weak_key(certificate), _weak_signature(certificate)) if text]
    return tuple(dict.fromkeys(found))


def _weak_key(certificate: x509.Certificate) -> str:
    try:
        key = certificate.public_key()
    except UNREADABLE:
        return ""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS:
        return f"{key.key_size}-bit RSA key"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < EC_BITS:
        return f"{key.key_size}-bit EC key"
    return ""


def _weak_signature(certificate: x509.Certificate) -> str:
    try:
        hashed = certificate.signature_hash_algorithm
        self_issued = certificate.issuer == certificate.subject
    except UNREADABLE:
        return ""
    name = _WEAK_HASHES.get(hashed.name) if hashed is not None and not self_issued else None
    return f"{name} signature on the certificate" if name else ""
