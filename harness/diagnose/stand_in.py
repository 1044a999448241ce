"""What the commands of a recipe create, made with `cryptography` where this machine has no `openssl`. Pure: contents in, contents out.

Knows exactly the commands of `harness.diagnose.openssl`.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from harness.certificates.unreadable import UNREADABLE
from harness.model import Command

_Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_Read = Callable[[str], bytes]
_CA_USAGE = "keyUsage=critical,keyCertSign,cRLSign"


def created(command: Command, *, read: _Read, now: datetime.datetime) -> dict[str, bytes]:
    """Return the content of each file that a command creates.

    Args:
        command: one of `harness.diagnose.openssl`, or `cat`.
        read: returns the content of a file that it names.
        now: the moment from which a certificate is valid.

    Raises:
        ValueError: this command is not known here, or a file is not what it expects.
    """
    program, *words = command.arguments
    if program == "cat" and command.output is not None:
        return {command.output: b"".join(map(read, words))}
    if program != "openssl":
        raise ValueError(f"no stand-in for {program}")
    options = _options(words[1:])
    make = _MAKES.get(words[0])
    if make is None:
        raise ValueError(f"no stand-in for openssl {words[0]}")
    try:
        made = make(options, read, now)
    except UNREADABLE as error:
        raise ValueError(f"cannot read {options.get('-in') or options.get('-key')}") from error
    return {options["-out"]: made}


def _options(words: list[str]) -> dict[str, str]:
    """Return option -> value; `-addext` collects its values, a line each."""
    found: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word in ("-genkey", "-noout", "-x509", "-new", "-sha256", "-traditional") or not word.startswith("-"):
            continue
        value = next(rest)
        found[word] = f"{found[word]}\n{value}" if word == "-addext" and word in found else value
    return found


def _certificate_converted(options: dict[str, str], read: _Read, _now: datetime.datetime) -> bytes:
    data = read(options["-in"])
    if options.get("-inform") == "der":
        return x509.load_der_x509_certificate(data).public_bytes(Encoding.PEM)
    return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)


def _key_to_der(options: dict[str, str], read: _Read, _now: datetime.datetime) -> bytes:
    key = _loaded(read(options["-in"]), is_der=options.get("-inform") == "der")
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _certificate(options: dict[str, str], read: _Read, now: datetime.datetime) -> bytes:
    key = _loaded(read(options["-key"]))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, options["-subj"].removeprefix("/CN="))])
    issuer, signer = subject, key
    issuer_key = key.public_key()
    if "-CA" in options:
        ca = x509.load_pem_x509_certificate(read(options["-CA"]))
        issuer, signer = ca.subject, _loaded(read(options["-CAkey"]))
        issuer_key = signer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=int(options["-days"])))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )
    for extension in options["-addext"].split("\n"):
        value, critical = _extension(extension)
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)


def _extension(text: str) -> tuple[x509.ExtensionType, bool]:
    if text.startswith("basicConstraints"):
        return x509.BasicConstraints(ca=text.endswith("CA:TRUE"), path_length=None), True
    if text == _CA_USAGE:
        off = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        usage = x509.KeyUsage(**off, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
        return usage, True
    name, _equals, value = text.partition("=")
    if name != "subjectAltName":
        raise ValueError(f"no stand-in for the extension {name}")
    names = [
        x509.IPAddress(ip_address(word[3:])) if word.startswith("IP:") else x509.DNSName(word.removeprefix("DNS:"))
        for word in value.split(",")
    ]
    return x509.SubjectAlternativeName(names), False


def _loaded(data: bytes, *, is_der: bool = False) -> _Key:
    load = serialization.load_der_private_key if is_der else serialization.load_pem_private_key
    key = load(data, None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("a key that is neither RSA nor EC")
    return key


def _pem(key: _Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


_MAKES: dict[str, Callable[[dict[str, str], _Read, datetime.datetime], bytes]] = {
    "ecparam": lambda _options, _read, _now: _pem(ec.generate_private_key(ec.SECP256R1())),
    "genrsa": lambda _options, _read, _now: _pem(rsa.generate_private_key(65537, 2048)),
    "x509": _certificate_converted,
    "rsa": _key_to_der,
    "ec": _key_to_der,
    "req": _certificate,
}
