"""Shared by the prediction tests: ClientHellos (captured and built) and self-signed certificates of every key type."""

from __future__ import annotations

import datetime
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.x509.oid import NameOID

from harness.model import HelloFacts, KeyFacts, ServerFacts
from harness.wire.groups import openssl_group_to_iana
from harness.wire.handshake import read_client_hello

DATA = Path(__file__).parents[2] / "data" / "client_hellos.json"
CAPTURED = {name: bytes.fromhex(entry["hex"]) for name, entry in json.loads(DATA.read_text())["hellos"].items()}
CURVES: dict[str, type[ec.EllipticCurve]] = {
    "p224": ec.SECP224R1,
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "k256": ec.SECP256K1,
    "bp256": ec.BrainpoolP256R1,
}


# The suites of python.org's 3.10 and later on OpenSSL 3.0, and what `set_ciphers("DEFAULT")` adds in front of PSK:
# (code, protocol, OpenSSL name), in the order of the server.
TLS13_SUITES = (
    (0x1302, "TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1301, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
)
PYTHON_SUITES = (
    *TLS13_SUITES,
    (0xC02C, "TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    (0xC030, "TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),
    (0xC02B, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"),
    (0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
    (0xC024, "TLSv1.2", "ECDHE-ECDSA-AES256-SHA384"),
    (0xC028, "TLSv1.2", "ECDHE-RSA-AES256-SHA384"),
    (0xC023, "TLSv1.2", "ECDHE-ECDSA-AES128-SHA256"),
    (0xC027, "TLSv1.2", "ECDHE-RSA-AES128-SHA256"),
)
STATIC_RSA_SUITES = (
    (0x009D, "TLSv1.2", "AES256-GCM-SHA384"),
    (0x003D, "TLSv1.2", "AES256-SHA256"),
    (0x003C, "TLSv1.2", "AES128-SHA256"),
    (0xC009, "TLSv1.0", "ECDHE-ECDSA-AES128-SHA"),
    (0x0035, "SSLv3", "AES256-SHA"),
    (0x002F, "SSLv3", "AES128-SHA"),
)
RSA_KEY = KeyFacts(type="RSA", bits=2048)
EC_KEY = KeyFacts(type="EC", bits=256, curve="secp256r1")


@pytest.fixture(scope="session")
def build_server() -> Callable[..., ServerFacts]:
    """Build a server's facts: Python 3.13 on OpenSSL 3.0 with its default suites and an RSA key, unless changed.

    `keys` takes names (`rsa`, `p256`) or facts; `static_rsa=True` adds the suites Debian's builds and old Pythons have.
    """
    named = {"rsa": RSA_KEY, "p256": EC_KEY}

    def build(*keys: KeyFacts | str, static_rsa: bool = False, **changes: Any) -> ServerFacts:
        facts: dict[str, Any] = {
            "python": "3.13.0",
            "openssl": "OpenSSL 3.0.19",
            "openssl_number": 0x30000130,
            "suites": PYTHON_SUITES + (STATIC_RSA_SUITES if static_rsa else ()),
            "keys": tuple(named[key] if isinstance(key, str) else key for key in keys),
            "minimum_version": "TLSv1.2",
            "security_level": 2,
        }
        return ServerFacts(**(facts | changes))

    return build


@dataclass(frozen=True)
class Certificate:
    """Return one PEM file with key and certificate, and its facts."""

    path: Path
    facts: KeyFacts


@dataclass(frozen=True)
class Hello:
    """A ClientHello to be built; the default is the common configuration's of mbedTLS 3 (family C3)."""

    suites: str = "c02cc030c024c028c00ac014c02bc02fc023c027c009c013009d003d0035009c003c002f00ff"
    groups: str | None = "001700180019"
    signatures: str | None = "060306010503050104030401"
    versions: str | None = None
    shares: tuple[str, ...] | None = None
    legacy: str = "0303"
    record: str = "0303"

    def encode(self) -> bytes:
        """Encode it as one record (RFC 8446 section 4.1.2)."""
        extensions = {0: vector(b"\0" + vector(b"tls.test"))}
        for code, codes in ((10, self.groups), (13, self.signatures)):
            if codes is not None:
                extensions[code] = vector(bytes.fromhex(codes))
        extensions[11] = b"\1\0"
        if self.versions is not None:
            extensions[43] = vector(bytes.fromhex(self.versions), size=1)
            extensions[45] = b"\1\1"
        if self.shares is not None:
            extensions[51] = vector(b"".join(bytes.fromhex(code) + vector(SHARES[code]) for code in self.shares))
        body = bytes.fromhex(self.legacy) + bytes(32) + b"\0" + vector(bytes.fromhex(self.suites)) + b"\1\0"
        body += vector(b"".join(code.to_bytes(2) + vector(data) for code, data in extensions.items()))
        message = b"\1" + vector(body, size=3)
        return b"\x16" + bytes.fromhex(self.record) + vector(message)


def vector(data: bytes, *, size: int = 2) -> bytes:
    """Put the length before the data."""
    return len(data).to_bytes(size) + data


def point(curve: ec.EllipticCurve) -> bytes:
    """A public key of a curve, uncompressed."""
    public = ec.generate_private_key(curve).public_key()
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


SHARES = {
    "0017": point(ec.SECP256R1()),
    "0018": point(ec.SECP384R1()),
    "0019": point(ec.SECP521R1()),
    "001a": point(ec.BrainpoolP256R1()),
    "001d": x25519.X25519PrivateKey.generate().public_key().public_bytes_raw(),
    "6a6a": b"\0",
}

TLS13 = Hello(
    suites="1301130213031304c02cc030cca9cca8c02bc02fc00ac014009d003d0035002f00ff",
    groups="001d0017001800190016001a",
    signatures="060306010503050104030401080608050804020102030303",
    versions="03040303",
    shares=("001d",),
)
OLD = Hello(
    suites="c024c00ac023c009003d0035003c002f00ff",
    groups="00190018001700160015001400130012",
    signatures="0603060105030501040304010303030102030201",
    record="0301",
)
BUILT: dict[str, Hello] = {
    "common": Hello(),
    "old": OLD,
    "only-krsa": Hello(suites="003d0035003c002f00ff", groups=None),
    "only-ecdhe-rsa": Hello(suites="c030c02fc01400ff"),
    "only-ecdhe-ecdsa": Hello(suites="c02cc02bc00a00ff"),
    "only-cbc-sha1": Hello(suites="c00ac0140035002f00ff"),
    "only-psk": Hello(suites="00a900a8008d008c00ff"),
    "dhe-and-grease": Hello(suites="0a0a009f009eccaac02f00ff"),
    "ccm": Hello(suites="c0adc0acc0afc0aec0a0c09c00ff"),
    "chacha-aria-camellia": Hello(suites="cca9cca8c05dc061c073c07700ff"),
    "static-ecdh": Hello(suites="c02ec032c004c00500ff"),
    "no-groups": Hello(groups=None),
    "only-p521": Hello(groups="0019"),
    "only-x25519": Hello(groups="001d"),
    "only-k256": Hello(groups="0016"),
    "only-ffdhe": Hello(groups="01000101"),
    "brainpool-first": Hello(groups="001a0017"),
    "p521-first": Hello(groups="001900180017"),
    "no-signatures": Hello(signatures=None),
    "sha1-only": Hello(signatures="02030201"),
    "sha384-only": Hello(signatures="05030501"),
    "rsa-only-signatures": Hello(signatures="060105010401"),
    "ecdsa-only-signatures": Hello(signatures="060305030403"),
    "pss-in-tls12": Hello(signatures="08040805080604010403"),
    "edwards-in-tls12": Hello(signatures="0807080804030401"),
    "pss-keys-in-tls12": Hello(signatures="0809080a080b0403"),
    "unknown-signatures": Hello(signatures="fefe0a0a"),
    "tls11": replace(OLD, legacy="0302"),
    "tls10": replace(OLD, legacy="0301"),
    "tls11-modern-suites": Hello(suites="c02bc02f009c00ff", legacy="0302"),
    "tls13": TLS13,
    "tls13-retry": replace(TLS13, shares=("0017",), groups="00170018"),
    "tls13-two-shares": replace(TLS13, shares=("0018", "0017")),
    "tls13-empty-shares": replace(TLS13, shares=()),
    "tls13-no-shares": replace(TLS13, shares=None),
    "tls13-stray-share": replace(TLS13, groups="00170018", shares=("001d",)),
    "tls13-stray-share-last": replace(TLS13, groups="00170018", shares=("0017", "001d")),
    "tls13-no-groups": replace(TLS13, groups=None),
    "tls13-no-signatures": replace(TLS13, signatures=None),
    "tls13-pkcs1-only": replace(TLS13, signatures="060105010401"),
    "tls13-p384-signature-only": replace(TLS13, signatures="05030805"),
    "tls13-edwards": replace(TLS13, signatures="080708080403"),
    "tls13-pss-keys": replace(TLS13, signatures="0809080a0804"),
    "tls13-brainpool": replace(TLS13, groups="001a", shares=("001a",)),
    "tls13-brainpool-signature": replace(TLS13, signatures="081a0403"),
    "tls13-unknown-signatures": replace(TLS13, signatures="fefe"),
    "tls13-only": replace(TLS13, versions="0304"),
    "tls13-with-tls12-suites": replace(TLS13, suites="c02bc02f009c003d00ff"),
    "tls13-with-one-suite": replace(TLS13, suites="1301c02fc02b00ff"),
    "tls13-chacha-first": replace(TLS13, suites="130313011302"),
    "tls13-ccm": replace(TLS13, suites="13051304"),
    "tls13-grease": replace(TLS13, suites="6a6a1301", groups="6a6a0017", shares=("6a6a", "0017"), versions="6a6a0304"),
    "tls12-in-versions": replace(TLS13, versions="03030302", shares=None),
}


@pytest.fixture(scope="session")
def hellos() -> dict[str, bytes]:
    """Return every ClientHello record by name: the captured ones and the built ones."""
    return CAPTURED | {name: hello.encode() for name, hello in BUILT.items()}


@pytest.fixture(scope="session")
def build_hello() -> Callable[..., HelloFacts]:
    """Build the facts of a ClientHello from a named one (`like`) with changed fields of `Hello`."""

    def build(*, like: str = "common", **changes: Any) -> HelloFacts:
        captured = CAPTURED.get(like)
        facts = read_client_hello(captured if captured is not None else replace(BUILT[like], **changes).encode())
        assert facts is not None
        return facts

    return build


# ------------------------------------------------------------------------------------------------ certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    """Return a self-signed certificate of every key type that a server may have."""
    folder = tmp_path_factory.mktemp("certificates")
    made = {name: write(folder, name, ec.generate_private_key(curve())) for name, curve in CURVES.items()}
    made["rsa"] = write(folder, "rsa", rsa.generate_private_key(65537, 2048))
    made["rsa1024"] = write(folder, "rsa1024", rsa.generate_private_key(65537, 1024))
    made["ed25519"] = write(folder, "ed25519", ed25519.Ed25519PrivateKey.generate())
    made["ed448"] = write(folder, "ed448", ed448.Ed448PrivateKey.generate())
    made["p256-certsign"] = write(folder, "sign", ec.generate_private_key(ec.SECP256R1()), usage="keyCertSign")
    made["rsa-keyenc"] = write(folder, "keyenc", rsa.generate_private_key(65537, 2048), usage="keyEncipherment")
    if shutil.which("openssl"):
        made["rsa-pss"] = write_with_tool(folder, "RSA-PSS", bits=2048)
        made["rsa512"] = write_with_tool(folder, "RSA", bits=512)
    return made


def write(folder: Path, name: str, key: Any, *, usage: str | None = None) -> Certificate:
    """Make a self-signed certificate for a key and write both."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tls.test")])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(datetime.datetime(2020, 1, 1)).not_valid_after(datetime.datetime(2049, 1, 1))
    if usage is not None:
        names = ("digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement")
        bits = [usage == each for each in (*names, "keyCertSign", "cRLSign")]
        builder = builder.add_extension(x509.KeyUsage(*bits, encipher_only=False, decipher_only=False), critical=True)
    edwards = isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    certificate = builder.sign(key, None if edwards else hashes.SHA256())
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / f"{name}.pem"
    path.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
    used = None if usage is None else (usage,)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = openssl_group_to_iana(key.curve.name)
        facts = KeyFacts(type="EC", bits=key.key_size, curve=curve, key_usage=used)
    elif isinstance(key, rsa.RSAPrivateKey):
        facts = KeyFacts(type="RSA", bits=key.key_size, key_usage=used)
    else:
        facts = KeyFacts(type="Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "Ed448", bits=256)
    return Certificate(path=path, facts=facts)


def write_with_tool(folder: Path, algorithm: str, *, bits: int) -> Certificate:
    """Make keys that the cryptography package refuses: id-RSASSA-PSS keys, and RSA below 1024 bits."""
    key, path = folder / f"{algorithm}-{bits}.key", folder / f"{algorithm}-{bits}.pem"
    options = ["-algorithm", algorithm, "-pkeyopt", f"rsa_keygen_bits:{bits}", "-out", str(key)]
    subprocess.run(["openssl", "genpkey", *options], check=True, capture_output=True)
    request = ["openssl", "req", "-x509", "-new", "-key", str(key), "-subj", "/CN=tls.test", "-days", "9999"]
    made = subprocess.run(request, check=True, capture_output=True)
    path.write_bytes(key.read_bytes() + made.stdout)
    return Certificate(path=path, facts=KeyFacts(type=algorithm, bits=bits))
