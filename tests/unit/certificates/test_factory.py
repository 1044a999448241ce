"""From profile names to materials: files, formats, caching, the clock, and cleanup."""

from __future__ import annotations

import re
import ssl
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from harness.certificates import Certificates, Unavailable, der, factory, keys, reading
from harness.errors import UsageError

CHECKOUT = Path(factory.__file__).parents[2]
DECLARED = """
[root]
description = "r"
role = "authority"
key = "p256"

[leaf]
description = "l"
role = "server"
key = "rsa-1024"
issuer = "root"
"""


def label(pem: bytes) -> str:
    """Return the label of a PEM text (RFC 7468). Tests use the label alone, or a search for keys in git would find them."""
    return pem.splitlines()[0].decode().removeprefix("-----BEGIN ").removesuffix("-----")


def test_importing_and_listing_load_no_cryptography() -> None:
    """Start-up time counts: cryptography comes with the first certificate, not before."""
    code = "import sys; from harness.certificates import Certificates; Certificates().names()\n"
    code += "print([name for name in sys.modules if name.partition('.')[0] in ('cryptography', 'ssl', '_ssl')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_names_that_the_seed_cases_need_are_declared(made: Certificates) -> None:
    """The smoke set uses these names."""
    needed = {"server-p256", "server-rsa2048", "server-rsa1024", "ca-p256", "ca-rsa", "ca-other", "client-p256"}
    assert needed - set(made.names()) == set()
    assert made.profile("server-p256").name == "server-p256"


def test_an_unknown_name_lists_the_known_ones(made: Certificates) -> None:
    """The error has the unknown name and the known ones."""
    with pytest.raises(
        UsageError, match=re.escape("unknown certificate profile 'nope' (`tls-harness files certs` prints the folder")
    ):
        made.make("nope")


def test_a_profile_is_made_once(made: Certificates) -> None:
    """The same object is returned, and a chain contains the issuers' own certificates."""
    assert made.make("server-depth-2") is made.make("server-depth-2")
    assert made.make("server-depth-2").chain_der[1] == made.make("inter-1").certificate_der
    assert made.make("server-depth-2").root_der == made.make("ca-p256").certificate_der


def test_files_are_private_and_removed(tmp_path: Path) -> None:
    """The directory is 0700, files are 0600, and all are removed after the `with`; the record has their content."""
    with Certificates(tmp_path / "keys") as certificates:
        material = certificates.make("server-depth-2")
        folder = material.key_file.parent
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, material.key_file, material.chain_file)]
        assert modes == [0o700, 0o600, 0o600]
        assert material.key_file.read_bytes() == material.key_pem
        assert material.chain_file.read_bytes() == material.chain_pem
    assert not folder.exists()


def test_it_can_be_used_again_after_close(tmp_path: Path) -> None:
    """A later `make` writes the same certificate to a new file."""
    with Certificates(tmp_path / "keys") as certificates:
        before = certificates.make("server-p256")
        certificates.close()
        after = certificates.make("server-p256")
        assert after.certificate_der == before.certificate_der
        assert after.key_file.exists()


@pytest.mark.parametrize("name", ["server-p256", "server-rsa2048", "server-ed25519", "server-rsa-pss", "client-p521"])
def test_the_server_can_load_the_files(made: Certificates, name: str) -> None:
    """`load_cert_chain` accepts the key and chain files."""
    material = made.make(name)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(material.chain_file, material.key_file)


def test_an_rsa_key_is_pkcs1(made: Certificates) -> None:
    """RSAPrivateKey (RFC 8017 appendix A.1.2): version 0 and eight numbers, no algorithm identifier."""
    material = made.make("server-rsa2048")
    parts = der.children(material.key_der)
    assert [part[0] for part in parts] == [0x02] * 9
    assert parts[0] == bytes.fromhex("020100")
    assert label(material.key_pem) == "RSA PRIVATE KEY"


@pytest.mark.parametrize(("name", "curve"), [("client-p256", "2a8648ce3d030107"), ("server-p384", "2b81040022")])
def test_an_ec_key_is_sec1_with_its_curve(made: Certificates, name: str, curve: str) -> None:
    """ECPrivateKey (RFC 5915): version 1, the number, [0] the curve, [1] the point; mbedTLS needs the curve there."""
    material = made.make(name)
    parts = der.children(material.key_der)
    assert [part[0] for part in parts] == [0x02, 0x04, 0xA0, 0xA1]
    assert parts[0] == bytes.fromhex("020101")
    assert der.children(parts[2])[0][2:].hex() == curve
    assert label(material.key_pem) == "EC PRIVATE KEY"


@pytest.mark.parametrize(
    ("name", "oid"),
    [
        ("server-rsa2048", "2a864886f70d010101"),
        ("server-rsa-pss", "2a864886f70d01010a"),
        ("server-p256", "2a8648ce3d0201"),
        ("server-ed25519", "2b6570"),
    ],
)
def test_the_other_form_is_pkcs8(made: Certificates, name: str, oid: str) -> None:
    """PrivateKeyInfo (RFC 5958): version, algorithm, key; the algorithm is that of the certificate's key."""
    material = made.make(name)
    version, algorithm, _ = der.children(material.key_pkcs8_der)[:3]
    assert version == bytes.fromhex("020100")
    assert der.children(algorithm)[0][2:].hex() == oid
    key_info = der.children(der.children(material.certificate_der)[0])[6]
    assert der.children(der.children(key_info)[0])[0][2:].hex() == oid


@pytest.mark.parametrize("name", ["server-ed25519", "server-rsa-pss"])
def test_a_key_without_an_older_form_is_pkcs8(made: Certificates, name: str) -> None:
    """Edwards and PSS keys have no traditional form."""
    material = made.make(name)
    assert material.key_der == material.key_pkcs8_der
    assert label(material.key_pem) == "PRIVATE KEY"


@pytest.mark.parametrize("name", ["server-rsa2048", "client-p256", "server-p521"])
def test_all_forms_are_the_same_key(made: Certificates, name: str) -> None:
    """PEM, traditional DER and PKCS#8 contain the same key, the certificate's."""
    material = made.make(name)
    loaded = [
        serialization.load_pem_private_key(material.key_pem, None),
        serialization.load_der_private_key(material.key_der, None),
        serialization.load_der_private_key(material.key_pkcs8_der, None),
    ]
    wanted = x509.load_der_x509_certificate(material.certificate_der).public_key()
    assert [key.public_key() for key in loaded] == [wanted] * 3


def test_pem_and_der_are_the_same_certificates(made: Certificates) -> None:
    """An independent reader converts the PEM texts to the same DER bytes."""
    material = made.make("server-depth-5")
    read = x509.load_pem_x509_certificates(material.chain_pem)
    assert tuple(one.public_bytes(serialization.Encoding.DER) for one in read) == material.chain_der
    assert ssl.PEM_cert_to_DER_cert(material.certificate_pem.decode()) == material.certificate_der
    assert ssl.PEM_cert_to_DER_cert(material.root_pem.decode()) == material.root_der


def test_a_foreign_key_is_of_the_same_kind(made: Certificates) -> None:
    """The key in the file is a P-256 key, but not the one in the certificate; the facts are the certificate's."""
    material = made.make("client-foreign-key")
    key = serialization.load_pem_private_key(material.key_file.read_bytes(), None)
    assert key.public_key() != x509.load_der_x509_certificate(material.certificate_der).public_key()
    assert (material.facts.type, material.facts.curve) == ("EC", "secp256r1")


def test_validity_counts_from_the_clock_that_is_given(tmp_path: Path) -> None:
    """For a board whose clock is stuck in 2000, certificates are valid in 2000."""
    then = datetime(2000, 1, 1, 12, tzinfo=UTC)
    with Certificates(tmp_path / "keys", now=then) as certificates:
        for name in ("server-p256", "ca-p256"):
            made_then = x509.load_der_x509_certificate(certificates.make(name).certificate_der)
            assert made_then.not_valid_before_utc < then < made_then.not_valid_after_utc
        expired = x509.load_der_x509_certificate(certificates.make("server-expired").certificate_der)
        assert expired.not_valid_after_utc == datetime(1999, 12, 31, 12, tzinfo=UTC)


def test_at_another_moment(tmp_path: Path) -> None:
    """The host and declarations are the same, valid from the given time."""
    then = datetime(2000, 1, 1, 12, tzinfo=UTC)
    with Certificates(tmp_path / "keys", host="broker.example").at(then) as certificates:
        made_then = x509.load_der_x509_certificate(certificates.make("server-p256").certificate_der)
        assert made_then.not_valid_before_utc < then < made_then.not_valid_after_utc
        assert certificates.profile("server-p256").dns[0] == "broker.example"


def test_a_clock_without_time_zone_is_refused() -> None:
    """A naive time would be interpreted in the machine's time zone."""
    with pytest.raises(UsageError, match=r"now = 2000-01-01T00:00:00 has no time zone"):
        Certificates(now=datetime(2000, 1, 1))


def test_rsa_keys_are_kept_and_certificates_are_not(tmp_path: Path) -> None:
    """Two runs with one store share the slow key; the certificate is new, so that it is never out of date."""
    (tmp_path / "some.toml").write_text(DECLARED, encoding="utf-8")
    found = []
    for _ in range(2):
        with Certificates(tmp_path / "keys", folder=tmp_path) as certificates:
            found.append(certificates.make("leaf"))
    assert found[0].key_der == found[1].key_der
    assert found[0].certificate_der != found[1].certificate_der
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["leaf.rsa-1024.pem"]


def test_what_this_machine_cannot_make_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cryptography without a curve or hash is a reason for `unsupported`, not a crash.

    No such build is available here, so the key maker is replaced by one that refuses.
    """

    def refuse(kind: str) -> keys.PrivateKey:
        raise UnsupportedAlgorithm(f"no {kind} in this build")

    monkeypatch.setattr(keys, "make_key", refuse)
    with Certificates(tmp_path / "keys") as certificates, pytest.raises(Unavailable) as caught:
        certificates.make("server-p224")
    assert (caught.value.profile, caught.value.reason) == ("server-p224", "no p224 in this build")


@pytest.mark.parametrize(("host", "ip"), [("broker.example", ()), ("192.0.2.7", ("192.0.2.7",))])
def test_server_certificates_for_another_host(host, ip):
    """The user's host is added to server certificates for tls.test, an address as both kinds of name; other certificates stay."""
    with Certificates(host=host) as certificates:
        assert certificates.profile("server-p256").dns == (host, "tls.test")
        assert certificates.profile("server-p256").ip == ip
        assert certificates.profile("server-wrong-host").dns == Certificates().profile("server-wrong-host").dns
        assert certificates.profile("client-p256") == Certificates().profile("client-p256")
        assert reading.host_of(certificates.make("server-p256").certificate_der) == host
