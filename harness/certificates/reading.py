"""Reads certificates that were made elsewhere: key facts, names, issuers. Bytes in, records out; opens no file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtensionOID, NameOID

from harness.certificates.declarations import KEY_USAGES
from harness.certificates.file_forms import Form, read_contents
from harness.certificates.unreadable import UNREADABLE
from harness.certificates.weakness import weak_links
from harness.model import KeyFacts
from harness.wire.groups import openssl_group_to_iana

# RFC 4055 section 1.2 and 3.1.
_PSS_KEY = "1.2.840.113549.1.1.10"
_USAGE_ATTRIBUTES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign"),
)


def key_facts(chain: Sequence[bytes]) -> KeyFacts:
    """Describe a certificate as a prediction sees it.

    Args:
        chain: DER, the certificate first; the rest counts for `chain_bytes` and `weak` only.

    Raises:
        ValueError: the first one cannot be read, or its key has a type that TLS does not support.
    """
    certificate = _loaded(chain[0])
    kind, bits, curve = key_of(certificate)
    return KeyFacts(
        type=kind,
        bits=bits,
        curve=curve,
        signature_hash=hash_of_signature(certificate),
        signature_key_type=kind_of_signature(certificate),
        key_usage=usages_of(certificate),
        chain_bytes=sum(map(len, chain)),
        weak=weak_links(chain),
    )


def _loaded(der: bytes) -> x509.Certificate:
    """Load a certificate.

    Raises:
        ValueError: it cannot be read.
    """
    try:
        return x509.load_der_x509_certificate(der)
    except UNREADABLE as error:
        raise ValueError("unreadable certificate") from error


def hash_of_signature(certificate: x509.Certificate) -> str | None:
    """Return the hash of an RSA or ECDSA signature; None for any other kind, and for one that the library does not know."""
    if kind_of_signature(certificate) not in ("RSA", "EC", "RSA-PSS"):
        return None
    try:
        hashed = certificate.signature_hash_algorithm
    except UNREADABLE:
        return None
    return hashed.name if hashed is not None else None


def key_of(certificate: x509.Certificate) -> tuple[str, int, str | None]:
    """Return the kind of key, its size in bits, and the IANA name of its curve.

    Raises:
        ValueError: TLS does not support this type of key.
    """
    try:
        key = certificate.public_key()
    except UNREADABLE as error:
        raise ValueError("its key has a type that TLS does not support") from error
    if isinstance(key, rsa.RSAPublicKey):
        pss = certificate.public_key_algorithm_oid.dotted_string == _PSS_KEY
        return ("RSA-PSS" if pss else "RSA"), key.key_size, None
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size, openssl_group_to_iana(key.curve.name) or key.curve.name
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", 253, None
    if isinstance(key, ed448.Ed448PublicKey):
        return "Ed448", 456, None
    raise ValueError("its key has a type that TLS does not support")


def kind_of_signature(certificate: x509.Certificate) -> str:
    """The kind of key that signed it, in the words of `KeyFacts.type`."""
    oid = certificate.signature_algorithm_oid
    if oid == x509.SignatureAlgorithmOID.RSASSA_PSS:
        return "RSA-PSS"
    if oid == x509.SignatureAlgorithmOID.ED25519:
        return "Ed25519"
    if oid == x509.SignatureAlgorithmOID.ED448:
        return "Ed448"
    # ansi-X9-62 signatures (RFC 5758), and NIST's id-ecdsa-with-sha3-224 to -512; the rest is PKCS#1.
    arc, _, last = oid.dotted_string.rpartition(".")
    sha3 = arc == "2.16.840.1.101.3.4.3" and 9 <= int(last) <= 12
    return "EC" if sha3 or arc.startswith("1.2.840.10045.4") else "RSA"


def usages_of(certificate: x509.Certificate) -> tuple[str, ...] | None:
    """Return KeyUsage in the words of RFC 5280; None without the extension."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
    pairs = zip(KEY_USAGES, _USAGE_ATTRIBUTES, strict=True)
    return tuple(word for word, attribute in pairs if getattr(usage, attribute))


def host_of(der: bytes) -> str | None:
    """Return a host that this certificate is for: its first name with wildcards replaced, else its common name, else None."""
    certificate = _loaded(der)
    names: list[str] = []
    try:
        found = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert isinstance(found, x509.SubjectAlternativeName)
        names = [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, *UNREADABLE):
        names = [str(item.value) for item in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return names[0].replace("*.", "board.", 1) if names else None


def issuer_among(der: bytes, candidates: Iterable[bytes]) -> bytes | None:
    """Return the certificate whose key signed this one; None if it is not among them.

    Args:
        der: the certificate whose issuer to find; a self-signed one is its own issuer.
        candidates: DER; those that cannot be read are passed over.
    """
    certificate = _loaded(der)
    wanted = certificate.issuer.public_bytes()
    for candidate in (der, *candidates):
        if wanted not in candidate:
            continue  # a machine's store has odd ones; only one that has the name is read
        try:
            certificate.verify_directly_issued_by(x509.load_der_x509_certificate(candidate))
        except (InvalidSignature, *UNREADABLE):
            continue
        return candidate
    return None


def anchor_among(der: bytes, candidates: Sequence[bytes]) -> bytes | None:
    """Return the highest certificate of the chain from this one, signature by signature: what a client has to trust.

    Returns:
        A self-signed one if it is there, else the last one found; None if even the issuer is not among the candidates.
    """
    found, current = None, der
    for _step in range(len(candidates) + 1):
        above = issuer_among(current, candidates)
        if above is None:
            return found
        found = above
        if above == current:
            return found
        current = above
    return found


def in_file(data: bytes) -> tuple[tuple[bytes, ...], str]:
    """Return the certificates of a file as DER, and `pem` or `der`; none and `` for anything that neither OpenSSL nor a board reads."""
    found = read_contents(data)
    if found.form is Form.PEM:
        return found.certificates, "pem"
    return (found.certificates, "der") if found.form in (Form.DER, Form.DER_BUNDLE) else ((), "")
