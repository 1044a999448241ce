"""Makes one X.509 certificate from its profile, its key and its issuer.

Knows RFC 5280 and how the words of a declaration become extensions; knows no files and no chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import ip_address
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from harness.certificates import der
from harness.certificates.declarations import HOST, KEY_USAGES, Profile
from harness.certificates.keys import CURVES, PrivateKey
from harness.certificates.weakness import weak_links
from harness.model import KeyFacts

# 32473 is the enterprise number for examples (RFC 5612): these extensions have no meaning.
_PADDING = x509.ObjectIdentifier("1.3.6.1.4.1.32473.1")
_UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.32473.2")
_Strong = hashes.SHA224 | hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | hashes.SHA3_256
_STRONG: Final[dict[str, _Strong]] = {
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha3-256": hashes.SHA3_256(),
}
# The certificate builder of cryptography refuses these (50 as well as 44); its keys still sign with them.
_WEAK: Final[dict[str, hashes.HashAlgorithm]] = {"md5": hashes.MD5(), "sha1": hashes.SHA1()}
_EXTENDED_KEY_USAGES: Final = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "anyExtendedKeyUsage": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
_KEY_USAGE_ARGUMENTS: Final = {
    "digitalSignature": "digital_signature",
    "nonRepudiation": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}
_WORDS: Final[dict[type[x509.ExtensionType], str]] = {
    x509.BasicConstraints: "basic-constraints",
    x509.KeyUsage: "key-usage",
    x509.ExtendedKeyUsage: "extended-key-usage",
    x509.SubjectKeyIdentifier: "subject-key-identifier",
    x509.AuthorityKeyIdentifier: "authority-key-identifier",
    x509.SubjectAlternativeName: "subject-alternative-name",
    x509.NameConstraints: "name-constraints",
}
# IANA "TLS Supported Groups".
_GROUPS: Final = {
    "p224": "secp224r1",
    "p256": "secp256r1",
    "p384": "secp384r1",
    "p521": "secp521r1",
    "secp256k1": "secp256k1",
    "brainpool-p256": "brainpoolP256r1",
}
# FIPS 186-4, D.1.2: the prime of the field and the order of the generator.
_PRIMES: Final = {
    "p224": (2**224 - 2**96 + 1, 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D),
    "p256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "p384": (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        2**384 - 0x389CB27E0BC8D220A7E5F24DB74F58851313E695333AD68D,
    ),
    "p521": (2**521 - 1, 2**521 - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs: the profile that gives the name, and the key."""

    profile: Profile
    key: PrivateKey


def make_certificate(profile: Profile, *, key: PrivateKey, issuer: Issuer, now: datetime) -> bytes:
    """Make the certificate of a profile.

    Args:
        profile: what to make.
        key: the subject's key.
        issuer: who signs; the profile itself for a self-signed one.
        now: what the days of the profile count from, with a time zone.

    Returns:
        DER.
    """
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(profile))
        .issuer_name(_name(issuer.profile))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(profile.not_before, now=now, end_of_day=False))
        .not_valid_after(_moment(profile.not_after, now=now, end_of_day=True))
    )
    for extension, critical in _extensions(profile, key=key, issuer=issuer):
        builder = builder.add_extension(extension, critical=critical)
    return _signed(builder, profile=profile, issuer=issuer)


def facts(profile: Profile, *, issuer: Profile, chain_der: Sequence[bytes]) -> KeyFacts:
    """Return the facts of this certificate that decide a handshake; `signature_key_type` is RSA-PSS for a PSS signature."""
    signer = "RSA-PSS" if profile.signature_padding == "pss" else key_type(issuer.key)
    return KeyFacts(
        type=key_type(profile.key),
        bits=key_bits(profile.key),
        curve=_GROUPS.get(profile.key),
        # Ed25519 and Ed448 sign the message itself: there is no hash to choose (RFC 8410 section 3).
        signature_hash=None if signer.startswith("Ed") else profile.signature,
        signature_key_type=signer,
        key_usage=None if "key-usage" in profile.omit else tuple(u for u in KEY_USAGES if u in profile.key_usage),
        chain_bytes=sum(map(len, chain_der)),
        weak=weak_links(chain_der),
    )


def key_type(kind: str) -> str:
    """Give the word of `KeyFacts.type` for a key of a declaration."""
    if kind.startswith("rsa-"):
        return "RSA-PSS" if kind.startswith("rsa-pss") else "RSA"
    return {"ed25519": "Ed25519", "ed448": "Ed448"}.get(kind, "EC")


def key_bits(kind: str) -> int:
    """Give the size of a key of a declaration, as OpenSSL counts it."""
    if kind.startswith("rsa-"):
        return int(kind.rpartition("-")[2])
    return {"ed25519": 253, "ed448": 456, "secp256k1": 256, "brainpool-p256": 256}.get(kind) or int(kind[1:])


def _name(profile: Profile) -> x509.Name:
    if not profile.subject:
        return x509.Name([])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, profile.subject)])


def _moment(day: int | date, *, now: datetime, end_of_day: bool) -> datetime:
    """Turn a day of a declaration into a moment in UTC, in whole seconds, as X.509 requires."""
    if isinstance(day, int):
        return (now.astimezone(UTC) + timedelta(days=day)).replace(microsecond=0)
    return datetime.combine(day, time(23, 59, 59) if end_of_day else time(0, 0), tzinfo=UTC)


def _extensions(profile: Profile, *, key: PrivateKey, issuer: Issuer) -> list[tuple[x509.ExtensionType, bool]]:
    """List the extensions with their criticality, as RFC 5280 section 4.2 has it for each."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if "basic-constraints" not in profile.omit:
        found.append((x509.BasicConstraints(ca=profile.ca, path_length=profile.path_length), True))
    if profile.key_usage:
        bits = {argument: word in profile.key_usage for word, argument in _KEY_USAGE_ARGUMENTS.items()}
        found.append((x509.KeyUsage(**bits, encipher_only=False, decipher_only=False), True))
    if profile.extended_key_usage:
        usages = [_EXTENDED_KEY_USAGES[word] for word in profile.extended_key_usage]
        found.append((x509.ExtendedKeyUsage(usages), False))
    if "subject-key-identifier" not in profile.omit:
        found.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
    if "authority-key-identifier" not in profile.omit:
        found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False))
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in profile.dns]
    names += [x509.IPAddress(ip_address(address)) for address in profile.ip]
    names += [x509.DNSName(f"name-{number:04d}.{HOST}") for number in range(1, profile.many_dns + 1)]
    if names:
        # Without a subject the alternative name is the only name and must be critical (RFC 5280 section 4.2.1.6).
        found.append((x509.SubjectAlternativeName(names), not profile.subject))
    found += _unusual_extensions(profile)
    found = [(one, _is_critical(one, profile, usual=critical)) for one, critical in found]
    own = [
        (x509.UnrecognizedExtension(x509.ObjectIdentifier(one.oid), one.content), one.critical)
        for one in profile.extensions
    ]
    return [*found, *own]


def _is_critical(extension: x509.ExtensionType, profile: Profile, *, usual: bool) -> bool:
    """Return what the profile says of an extension's criticality, else what RFC 5280 says."""
    word = _WORDS.get(type(extension), "")
    return word in profile.critical or (usual and word not in profile.not_critical)


def _unusual_extensions(profile: Profile) -> list[tuple[x509.ExtensionType, bool]]:
    """Return the rare extensions: name constraints, must-staple, padding, an unknown extension."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if profile.permitted_dns or profile.excluded_dns:
        permitted = [x509.DNSName(name) for name in profile.permitted_dns] or None
        excluded = [x509.DNSName(name) for name in profile.excluded_dns] or None
        found.append((x509.NameConstraints(permitted, excluded), True))
    if profile.must_staple:
        found.append((x509.TLSFeature([x509.TLSFeatureType.status_request]), False))
    if profile.padding_bytes:
        content = der.tlv(der.OCTET_STRING, bytes(profile.padding_bytes))
        found.append((x509.UnrecognizedExtension(_PADDING, content), False))
    if profile.unknown_extension:
        content = der.tlv(der.OCTET_STRING, b"unknown")
        found.append((x509.UnrecognizedExtension(_UNKNOWN, content), profile.unknown_extension == "critical"))
    return found


def _signed(builder: x509.CertificateBuilder, *, profile: Profile, issuer: Issuer) -> bytes:
    """Sign; use `harness.certificates.der` where `cryptography` refuses the hash or does not know the key type."""
    key, weak = issuer.key, profile.signature in _WEAK
    algorithm = hashes.SHA256() if weak else _STRONG[profile.signature]
    if profile.signature_padding == "pss" and isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
        made = builder.sign(key, algorithm, rsa_padding=pss)
    elif isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        made = builder.sign(key, algorithm)
    else:
        made = builder.sign(key, None)
    certificate = made.public_bytes(serialization.Encoding.DER)
    subject_key = _unusual_key(profile)
    if not weak and subject_key is None and profile.version != 1:
        return certificate
    return der.resigned(
        certificate,
        sign=lambda body: _raw_signature(body, key=key, algorithm=_WEAK.get(profile.signature, algorithm)),
        signature=der.WEAK_SIGNATURES[profile.signature, key_type(issuer.profile.key)] if weak else None,
        key=subject_key,
        version_1=profile.version == 1,
    )


def _unusual_key(profile: Profile) -> bytes | None:
    """Return the AlgorithmIdentifier of a key that `cryptography` does not write; None for any other key."""
    if key_type(profile.key) == "RSA-PSS":
        return der.PSS_KEY
    if profile.ec_parameters == "named":
        return None
    return der.explicit_curve(prime_curve(profile.key))


def prime_curve(kind: str) -> der.PrimeCurve:
    """Return the parameters of the curve of a key that can spell them out (`declarations.EXPLICIT`)."""
    prime, order = _PRIMES[kind]
    # The public key of the private key 1 is the generator.
    point = ec.derive_private_key(1, CURVES[kind]()).public_key().public_numbers()
    return der.PrimeCurve(prime=prime, order=order, generator=(point.x, point.y))


def _raw_signature(body: bytes, *, key: PrivateKey, algorithm: hashes.HashAlgorithm) -> bytes:
    """Sign bytes with any hash; the declarations keep Edwards keys and PSS signatures away from here."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(body, padding.PKCS1v15(), algorithm)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(body, ec.ECDSA(algorithm))
    raise TypeError(f"cannot sign again with {type(key).__name__}")
