"""What `cryptography` makes instead of `openssl`: the same forms, names, extensions and signatures."""

import datetime
import shutil

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.diagnose import openssl
from harness.diagnose.stand_in import created
from harness.model import Command
from harness.system.commands import run_command

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
CHAIN = (
    openssl.new_key("EC", out="own-ca-key.pem"),
    openssl.authority("own-ca-key.pem", out="own-ca.pem", name="Own CA"),
    openssl.new_key("RSA", out="rsa-key.pem"),
    openssl.issued("rsa-key.pem", out="rsa-cert.pem", ca="own-ca.pem", ca_key="own-ca-key.pem", host="10.0.0.1"),
    openssl.certificate_to_der("own-ca.pem", out="own-ca.der"),
    openssl.key_to_der("EC", "own-ca-key.pem", out="own-ca-key.der"),
    openssl.key_to_der("RSA", "rsa-key.pem", out="rsa-key.der"),
    Command(arguments=("cat", "rsa-cert.pem", "own-ca.pem"), creates=("chain.pem",), output="chain.pem"),
)


def shape(files):
    """Return what must be the same in both."""
    leaf, ca = (x509.load_pem_x509_certificate(files[name]) for name in ("rsa-cert.pem", "own-ca.pem"))
    leaf.verify_directly_issued_by(ca)
    return [
        *(
            (one.subject, sorted((item.oid.dotted_string, item.critical) for item in one.extensions))
            for one in (leaf, ca)
        ),
        leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value,
        ca.extensions.get_extension_for_class(x509.KeyUsage).value,
        ca.extensions.get_extension_for_class(x509.BasicConstraints).value,
        (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days,
        x509.load_der_x509_certificate(files["own-ca.der"]) == ca,
        serialization.load_der_private_key(files["rsa-key.der"], None).public_key() == leaf.public_key(),
        files["rsa-key.der"][:8].hex()[8:16],
        # SEC1, not PKCS#8: the object identifier of EC keys is not in it.
        bytes.fromhex("06072a8648ce3d0201") in files["own-ca-key.der"],
        len(x509.load_pem_x509_certificates(files["chain.pem"])),
    ]


def test_as_openssl_does_it(tmp_path):
    """Both make the same files from the same commands."""
    own = {}
    for command in CHAIN:
        own |= created(command, read=own.__getitem__, now=NOW)
    assert set(own) == {name for command in CHAIN for name in command.creates}
    assert shape(own)[-1] == 2
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to compare with")
    for command in CHAIN:
        run_command(command.arguments, folder=tmp_path, output=tmp_path / command.output if command.output else None)
    assert shape({path.name: path.read_bytes() for path in tmp_path.iterdir()}) == shape(own)


@pytest.mark.parametrize("words", [("rm", "-r", "x"), ("openssl", "ca", "-out", "x"), ("cat", "x")])
def test_other_commands_are_refused(words):
    """Only what a recipe has."""
    with pytest.raises(ValueError, match="no stand-in for"):
        created(Command(arguments=words), read=lambda _name: b"", now=NOW)


def test_a_file_that_cannot_be_read():
    """The file is named."""
    with pytest.raises(ValueError, match=r"cannot read ca\.pem"):
        created(openssl.certificate_to_der("ca.pem", out="ca.der"), read=lambda _name: b"x", now=NOW)
