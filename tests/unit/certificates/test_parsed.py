"""One certificate as a record: each part, and what cannot be read."""

import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from harness.certificates.parsed import parsed
from tests.certificate_issuer import NOW, issue


def test_every_part_of_a_certificate():
    """A leaf with all extensions that decide trust."""
    root = issue("Root", ca=True, path_length=2, usages=("key_cert_sign",))
    own = issue(
        "tls.test",
        root,
        dns=("tls.test", "*.tls.test"),
        ip=("192.0.2.1",),
        purposes=("serverAuth",),
        usages=("digital_signature",),
        url="http://ca.test/root.der",
    )
    leaf, above = parsed(own.der), parsed(root.der)
    assert (leaf.name, leaf.issuer_name, leaf.ca, leaf.path_length) == ("tls.test", "Root", False, None)
    assert (leaf.key_usage, leaf.purposes) == (("digitalSignature",), ("1.3.6.1.5.5.7.3.1",))
    assert (leaf.dns, leaf.addresses) == (("tls.test", "*.tls.test"), ("192.0.2.1",))
    assert leaf.names == ("tls.test", "*.tls.test", "192.0.2.1")
    assert (leaf.not_after - NOW).days == 300
    assert (leaf.key, leaf.bits, leaf.curve, leaf.explicit_curve) == ("EC", 256, "secp256r1", False)
    assert (leaf.hash, leaf.signature) == ("sha256", "EC")
    assert leaf.issuer_url == "http://ca.test/root.der"
    assert leaf.critical == ("2.5.29.19", "2.5.29.15")
    assert (above.ca, above.path_length, above.key_usage, above.is_self_issued) == (True, 2, ("keyCertSign",), True)
    assert (above.dns, above.names, above.purposes, above.issuer_url) == (None, ("Root",), None, None)
    assert (leaf.is_self_issued, leaf.is_signed_by(above)) == (False, True)
    assert leaf.is_signed_by(parsed(issue("Root", ca=True).der)) is False


def test_another_kind_of_key_is_another_key():
    """Known without checking the signature, which the library refuses to do."""
    own = parsed(issue("x", issue("Root", ca=True)).der)
    assert own.is_signed_by(parsed(issue("Root", ca=True, key="RSA").der)) is False


def test_an_address_alone_is_the_only_name():
    """With alternative names of any type the common name does not count."""
    found = parsed(issue("tls.test", ip=("192.0.2.1",)).der)
    assert (found.dns, found.names) == ((), ("192.0.2.1",))


def test_parameters_of_another_key_are_no_curve(made):
    """An RSA-PSS key has parameters, too."""
    assert not parsed(made.make("server-rsa-pss").certificate_der).explicit_curve


def test_a_name_without_common_name():
    """No name at all is an empty text."""
    assert parsed(issue("").der).name == ""


def test_the_same_key():
    """Two certificates of one CA share the key, whatever else differs."""
    key = ec.generate_private_key(ec.SECP256R1())
    one, other = issue("A", ca=True, key=key), issue("B", key=key, days=(0, 1))
    assert parsed(one.der).shares_key_with(parsed(other.der))
    assert not parsed(one.der).shares_key_with(parsed(issue("A", ca=True).der))


def test_signatures_with_old_hashes(made):
    """MD5 and SHA-1 are checked like others, here and with the wrong key."""
    for name, root, other in (
        ("server-sha1", "ca-p256", "ca-twin"),
        ("server-rsa2048-sha1", "ca-rsa", "ca-other-rsa"),
        ("server-rsa2048-md5", "ca-rsa", "ca-other-rsa"),
    ):
        own = parsed(made.make(name).certificate_der)
        assert own.is_signed_by(parsed(made.make(root).certificate_der))
        assert not own.is_signed_by(parsed(made.make(other).certificate_der))


def test_a_curve_that_is_spelled_out(tmp_path):
    """Made by `openssl ecparam -param_enc explicit`: this library recognises the curve, mbedTLS reads named ones only."""
    script = (
        "openssl ecparam -name prime256v1 -genkey -noout -param_enc explicit -out k.pem && "
        "openssl req -x509 -new -key k.pem -subj /CN=x -outform der -out c.der"
    )
    try:
        subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this machine's openssl does not make such a key: {error}")
    found = parsed((tmp_path / "c.der").read_bytes())
    assert (found.explicit_curve, found.is_self_issued) == (True, True)


@pytest.mark.parametrize("data", [b"", b"\x30\x03abc", b"hello"])
def test_no_certificate(data):
    """A ValueError, whatever the library raises."""
    with pytest.raises(ValueError, match="unreadable certificate"):
        parsed(data)
