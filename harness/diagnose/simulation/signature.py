"""Whether the server's signature fits its certificate: a server that replays the certificate of another does not connect. Pure."""

from __future__ import annotations

from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils

from harness.certificates.unreadable import UNREADABLE
from harness.wire.server_flight import Signed
from harness.wire.signature_algorithms import signature_info

_HASHES: dict[str | None, Any] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def signature_fits(signed: Signed, certificate: bytes) -> bool | None:
    """Check the signature of a server's first flight.

    Args:
        signed: what was signed, and how.
        certificate: DER of the server's.

    Returns:
        None where it cannot be checked: an unknown scheme, or a key that cannot be read.
    """
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except UNREADABLE:
        return None
    try:
        return _checked(key, signed)
    except InvalidSignature:
        return False
    except UNREADABLE:
        return None


def _checked(key: Any, signed: Signed) -> bool | None:
    """Check a signature.

    Raises:
        InvalidSignature: it does not fit.
    """
    if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        key.verify(signed.signature, signed.content)
        return True
    if signed.scheme is None:
        return _checked_old(key, signed)
    info = signature_info(signed.scheme)
    hashed = _HASHES.get(info.hash) if info is not None else None
    if info is None or hashed is None:
        return None
    if isinstance(key, ec.EllipticCurvePublicKey) and info.key_type == "EC":
        key.verify(signed.signature, signed.content, ec.ECDSA(hashed()))
        return True
    if isinstance(key, rsa.RSAPublicKey) and info.padding is not None:
        pss = padding.PSS(mgf=padding.MGF1(hashed()), salt_length=padding.PSS.DIGEST_LENGTH)
        key.verify(signed.signature, signed.content, pss if info.padding == "pss" else padding.PKCS1v15(), hashed())
        return True
    return False


def _checked_old(key: Any, signed: Signed) -> bool | None:
    """Before TLS 1.2 an EC key signs SHA-1; an RSA key signs MD5 and SHA-1 together, which cannot be checked here."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        digest = hashes.Hash(hashes.SHA1())
        digest.update(signed.content)
        key.verify(signed.signature, digest.finalize(), ec.ECDSA(utils.Prehashed(hashes.SHA1())))
        return True
    return None
