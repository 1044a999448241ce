"""One certificate, read once: the parts that decide whether a client trusts it. Bytes in, a record out; opens no file."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

from harness.certificates import der as tlv
from harness.certificates.name_constraints import NameConstraints, constraints_of
from harness.certificates.reading import hash_of_signature, key_of, kind_of_signature, usages_of
from harness.certificates.unreadable import UNREADABLE

# RFC 5280 section 4.2.1.12: any purpose.
ANY_PURPOSE = "2.5.29.37.0"
PURPOSES = {"serverAuth": "1.3.6.1.5.5.7.3.1", "clientAuth": "1.3.6.1.5.5.7.3.2"}
_SEQUENCE = 0x30
_LONGEST_NAME = 60
_OLD_HASHES = ("md5", "sha1")
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """One certificate.

    `ca` is None without BasicConstraints; `path_length` is that of a CA. `key_usage` and `purposes` (dotted OIDs) are None without
    their extensions. `dns` and `addresses` are the alternative names, None without that extension. `key` is the kind of key, `bits` its
    size, `curve` its IANA name; all three are empty if the key cannot be read. `explicit_curve`: the key spells out its curve. `hash` and
    `signature` are those of its own signature. `issuer_url` is where its issuer can be downloaded. `critical` are the OIDs of
    its critical extensions. `constraints` limit the names that a CA may issue for; None without that extension.
    """

    der: bytes
    subject: bytes
    issuer: bytes
    name: str
    issuer_name: str
    ca: bool | None
    path_length: int | None
    key_usage: tuple[str, ...] | None
    purposes: tuple[str, ...] | None
    dns: tuple[str, ...] | None
    addresses: tuple[str, ...] | None
    common_names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    key: str
    bits: int
    curve: str | None
    explicit_curve: bool
    hash: str | None
    signature: str
    issuer_url: str | None
    critical: tuple[str, ...]
    constraints: NameConstraints | None = None

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer

    @property
    def names(self) -> tuple[str, ...]:
        """The names it is for: alternative names, or without any the common name."""
        if self.dns is None:
            return self.common_names
        return (*self.dns, *(self.addresses or ()))

    def is_signed_by(self, issuer: Parsed) -> bool | None:
        """Whether the issuer's key made this signature; None if it cannot be checked here."""
        if issuer.key and issuer.key.removesuffix("-PSS") != self.signature.removesuffix("-PSS"):
            return False
        return _signed(self.der, issuer.der)

    def shares_key_with(self, other: Parsed) -> bool:
        """Whether both have the same public key."""
        return _key_info(self.der) == _key_info(other.der)


@functools.lru_cache(maxsize=512)
def parsed(der: bytes) -> Parsed:
    """Read a certificate.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return _parsed(x509.load_der_x509_certificate(der))
    except UNREADABLE as error:
        raise ValueError("unreadable certificate") from error


def _parsed(certificate: x509.Certificate) -> Parsed:
    der = _bytes(certificate)
    basic = _extension(certificate, x509.BasicConstraints)
    purposes = _extension(certificate, x509.ExtendedKeyUsage)
    names = _extension(certificate, x509.SubjectAlternativeName)
    limits = _extension(certificate, x509.NameConstraints)
    try:
        kind, bits, curve = key_of(certificate)
    except ValueError:
        kind, bits, curve = "", 0, None
    return Parsed(
        der=der,
        subject=certificate.subject.public_bytes(),
        issuer=certificate.issuer.public_bytes(),
        name=_short(certificate.subject),
        issuer_name=_short(certificate.issuer),
        ca=basic.ca if basic is not None else None,
        path_length=basic.path_length if basic is not None else None,
        key_usage=usages_of(certificate),
        purposes=tuple(item.dotted_string for item in purposes) if purposes is not None else None,
        dns=tuple(names.get_values_for_type(x509.DNSName)) if names is not None else None,
        addresses=tuple(map(str, names.get_values_for_type(x509.IPAddress))) if names is not None else None,
        common_names=_attribute(certificate.subject, NameOID.COMMON_NAME),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=kind,
        bits=bits,
        curve=curve,
        explicit_curve=_explicit_curve(der),
        hash=hash_of_signature(certificate),
        signature=kind_of_signature(certificate),
        issuer_url=_issuer_url(certificate),
        critical=_critical(certificate),
        constraints=constraints_of(limits) if limits is not None else None,
    )


def _bytes(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None


def _short(name: x509.Name) -> str:
    """Return the common name, else the organisation, else the whole name."""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = _attribute(name, oid)
        if found:
            return found[0][:_LONGEST_NAME]
    return name.rfc4514_string()[:_LONGEST_NAME]


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(item.value) for item in name.get_attributes_for_oid(oid))


def _issuer_url(certificate: x509.Certificate) -> str | None:
    """Return the http URL of the issuer's certificate (RFC 5280 section 4.2.2.1)."""
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
    assert isinstance(found, x509.AuthorityInformationAccess)
    for item in found:
        where = item.access_location
        if item.access_method == AuthorityInformationAccessOID.CA_ISSUERS and isinstance(
            where, x509.UniformResourceIdentifier
        ):
            return where.value
    return None


def _critical(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        return tuple(item.oid.dotted_string for item in certificate.extensions if item.critical)
    except UNREADABLE:
        return ()


def _key_info(der: bytes) -> bytes:
    """Return SubjectPublicKeyInfo as it is encoded; empty if the structure is not that of a certificate."""
    try:
        parts = tlv.children(tlv.children(der)[0])
        # The version is optional; issuer and subject are not.
        return parts[6 if parts[0][:1] == b"\xa0" else 5]
    except (ValueError, IndexError):
        return b""


def _explicit_curve(der: bytes) -> bool:
    """Whether an EC key has its curve's parameters instead of its name (RFC 5480 section 2.1.1 forbids that)."""
    try:
        algorithm = tlv.children(tlv.children(_key_info(der))[0])
    except (ValueError, IndexError):
        return False
    is_ec = algorithm[0] == bytes.fromhex("06072a8648ce3d0201")
    return is_ec and len(algorithm) > 1 and algorithm[1][:1] == bytes((_SEQUENCE,))


@functools.lru_cache(maxsize=2048)
def _signed(der: bytes, issuer: bytes) -> bool | None:
    try:
        certificate, above = x509.load_der_x509_certificate(der), x509.load_der_x509_certificate(issuer)
        if parsed(der).hash not in _OLD_HASHES:
            certificate.verify_directly_issued_by(above)
        else:
            _verify_old(certificate, above.public_key())
    except InvalidSignature:
        return False
    except UNREADABLE:
        return None
    return True


def _verify_old(certificate: x509.Certificate, key: CertificatePublicKeyTypes) -> None:
    """Check a signature with MD5 or SHA-1, which `verify_directly_issued_by` refuses."""
    hashed = certificate.signature_hash_algorithm
    if hashed is None:
        raise ValueError("no hash")
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashed)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashed))
    else:
        raise ValueError("unknown key")
