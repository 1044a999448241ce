"""The content of certificates that were sent or loaded as CA: names, issuer, validity. Verifies nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from harness.certificates.unreadable import UNREADABLE

_SHOWN_NAMES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One certificate: subject and issuer as text, its names, and its validity."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @property
    def is_self_issued(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.subject == self.issuer

    @property
    def valid_text(self) -> str:
        """The days between which it is valid."""
        return f"{self.not_before:%Y-%m-%d} to {self.not_after:%Y-%m-%d}"

    @property
    def names_text(self) -> str:
        """Its first few names."""
        more = f" and {len(self.names) - _SHOWN_NAMES} more" if len(self.names) > _SHOWN_NAMES else ""
        return (", ".join(self.names[:_SHOWN_NAMES]) or "no name at all") + more


def read_certificates(found: tuple[bytes, ...]) -> tuple[Shown, ...]:
    """Read certificates, DER or PEM (of a PEM text the first); those that cannot be read are omitted."""
    return tuple(item for item in map(_read, found) if item is not None)


def _read(der: bytes) -> Shown | None:
    try:
        read = x509.load_pem_x509_certificate if b"-----BEGIN" in der[:4096] else x509.load_der_x509_certificate
        certificate = read(der)
        return Shown(
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            names=_names(certificate),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except UNREADABLE:
        # Damaged on purpose, or with an extension that cryptography does not read: other evidence must suffice.
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The subject alternative names; without the extension the common name counts (mbedTLS x509_crt.c)."""
    try:
        names = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert isinstance(names, x509.SubjectAlternativeName)
        return tuple(str(name.value) for name in names)
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return tuple(f"CN={item.value!s}" for item in common)
