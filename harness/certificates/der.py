"""Splits and joins DER, for certificates that `cryptography` reads but refuses to write.

That is: signatures with MD5 and SHA-1, keys marked id-RSASSA-PSS, and EC keys that spell out their curve. `cryptography` still computes
those signatures (`key.sign`); only its certificate builder refuses. So the certificate is built with SHA-256, and its algorithm
identifiers and signature are replaced here. No openssl program is needed, which macOS and Windows would not have.
Knows TLV structure (X.690) and five algorithm identifiers; signs nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

SEQUENCE: Final = 0x30
OCTET_STRING: Final = 0x04
_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03

# AlgorithmIdentifiers (RFC 3279 section 2.2, RFC 4055 section 3.1). RSA has NULL parameters, ECDSA and PSS keys none.
WEAK_SIGNATURES: Final[dict[tuple[str, str], bytes]] = {
    ("md5", "RSA"): bytes.fromhex("300d06092a864886f70d0101040500"),
    ("sha1", "RSA"): bytes.fromhex("300d06092a864886f70d0101050500"),
    ("sha1", "EC"): bytes.fromhex("300906072a8648ce3d0401"),
}
PSS_KEY: Final = bytes.fromhex("300b06092a864886f70d01010a")
# id-ecPublicKey and prime-field (RFC 3279 section 2.3.5).
_EC_KEY: Final = bytes.fromhex("06072a8648ce3d0201")
_PRIME_FIELD: Final = bytes.fromhex("06072a8648ce3d0101")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimeCurve:
    """A curve y^2 = x^3 - 3x + b over a prime field; `order` is that of its generator, and the cofactor is 1 (FIPS 186-4, D.1.2)."""

    prime: int
    order: int
    generator: tuple[int, int]

    @property
    def b(self) -> int:
        """The last coefficient, for which the generator is a point of the curve."""
        x, y = self.generator
        return (y**2 - x**3 + 3 * x) % self.prime


def tlv(tag: int, content: bytes) -> bytes:
    """Write one element with a definite length."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def children(element: bytes) -> list[bytes]:
    """Split the content of a constructed element into its elements, each with its header.

    Raises:
        ValueError: if the lengths do not fit.
    """
    start, end = _content(element, 0)
    if end != len(element):
        raise ValueError(f"{len(element) - end} bytes after the element")
    parts: list[bytes] = []
    while start < end:
        _, stop = _content(element, start)
        parts.append(element[start:stop])
        start = stop
    return parts


def _content(data: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element at `at` starts and ends (single-byte tags only: X.509 has no others)."""
    if at + 2 > len(data):
        raise ValueError("the element has no length")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        octets = length & 0x7F
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    if start + length > len(data):
        raise ValueError("the element is cut off")
    return start, start + length


def resigned(
    certificate: bytes,
    *,
    sign: Callable[[bytes], bytes],
    signature: bytes | None = None,
    key: bytes | None = None,
    version_1: bool = False,
) -> bytes:
    """Replace algorithm identifiers in a certificate and sign it again.

    Args:
        certificate: DER (RFC 5280 section 4.1), version 3.
        sign: gives the signature over the new TBSCertificate.
        signature: AlgorithmIdentifier of the signature; None keeps what is there.
        key: AlgorithmIdentifier of the subject's key; None keeps what is there.
        version_1: leave out the version, whose default is 1, and the extensions, which version 1 does not have.
    """
    body, algorithm, _ = children(certificate)
    algorithm = signature or algorithm
    # version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions
    parts = children(body)
    parts[2] = algorithm
    if key is not None:
        parts[6] = tlv(SEQUENCE, key + children(parts[6])[1])
    if version_1:
        parts = parts[1:7]
    body = tlv(SEQUENCE, b"".join(parts))
    return tlv(SEQUENCE, body + algorithm + tlv(_BIT_STRING, b"\0" + sign(body)))


def explicit_curve(curve: PrimeCurve) -> bytes:
    """Return the AlgorithmIdentifier of an EC key that spells out its curve (RFC 3279 section 2.3.5) instead of naming it."""
    octets = (curve.prime.bit_length() + 7) // 8
    a, b, x, y = (value.to_bytes(octets, "big") for value in (curve.prime - 3, curve.b, *curve.generator))
    field = tlv(SEQUENCE, _PRIME_FIELD + _integer(curve.prime))
    equation = tlv(SEQUENCE, tlv(OCTET_STRING, a) + tlv(OCTET_STRING, b))
    generator = tlv(OCTET_STRING, b"\x04" + x + y)
    numbers = _integer(1), field, equation, generator, _integer(curve.order), _integer(1)
    return tlv(SEQUENCE, _EC_KEY + tlv(SEQUENCE, b"".join(numbers)))


def _integer(value: int) -> bytes:
    return tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def pss_private_key(pkcs8: bytes) -> bytes:
    """Mark a PKCS#8 RSA key as id-RSASSA-PSS (RFC 5958 section 2, RFC 4055 section 3.1)."""
    version, _, key = children(pkcs8)[:3]
    return tlv(SEQUENCE, version + PSS_KEY + key)
