"""Issues certificates with any mistake, for tests of chains: EC keys, made in a millisecond each."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
_PURPOSES = {"serverAuth": ExtendedKeyUsageOID.SERVER_AUTH, "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH}


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    name: str
    der: bytes
    key: Any

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return x509.load_der_x509_certificate(self.der).public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PEM, PKCS#8."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def new_key(kind: str) -> Any:
    """Make a key: `EC`, `P-224`, `RSA` (2048 bits) or `RSA-1024`."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[4:] or 2048))
    return ec.generate_private_key(ec.SECP224R1() if kind == "P-224" else ec.SECP256R1())


def issue(
    name: str,
    issuer: Issued | None = None,
    *,
    ca: bool | None = False,
    path_length: int | None = None,
    key: Any = "EC",
    days: tuple[int, int] = (-30, 300),
    now: datetime = NOW,
    usages: tuple[str, ...] | None = None,
    purposes: tuple[str, ...] = (),
    dns: tuple[str, ...] = (),
    ip: tuple[str, ...] = (),
    hashed: Any = None,
    url: str | None = None,
    permitted: tuple[str, ...] = (),
    excluded: tuple[str, ...] = (),
    critical_constraints: bool = True,
) -> Issued:
    """Issue a certificate; without an issuer it signs itself. `ca=None` leaves BasicConstraints out, `usages=None` KeyUsage."""
    own = new_key(key) if isinstance(key, str) else key
    common = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    above = common if issuer is None else x509.load_der_x509_certificate(issuer.der).subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(common)
        .issuer_name(above)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
    if usages is not None:
        flags = {word: word in usages for word in (*_USAGES, "key_cert_sign", "crl_sign")}
        builder = builder.add_extension(x509.KeyUsage(encipher_only=False, decipher_only=False, **flags), critical=True)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage([_PURPOSES[word] for word in purposes]), critical=False)
    if dns or ip:
        names = [*map(x509.DNSName, dns), *(x509.IPAddress(ip_address(text)) for text in ip)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not name)
    if url is not None:
        access = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(url))
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if permitted or excluded:
        limits = x509.NameConstraints(_subtrees(permitted), _subtrees(excluded))
        builder = builder.add_extension(limits, critical=critical_constraints)
    made = builder.sign(own if issuer is None else issuer.key, hashed or hashes.SHA256())
    return Issued(name=name, der=made.public_bytes(serialization.Encoding.DER), key=own)


def _subtrees(texts: tuple[str, ...]) -> list[x509.GeneralName] | None:
    """Return networks, which have a slash, and DNS names; None for none."""
    return [x509.IPAddress(ip_network(text)) if "/" in text else x509.DNSName(text) for text in texts] or None
