"""Profiles that a user adds to the harness's own."""

import re
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from harness.certificates import Certificates
from harness.certificates.additions import Additions
from harness.certificates.parsed import parsed
from harness.errors import UsageError

OWN = {
    "description": "The broker of the lab.",
    "role": "server",
    "key": "p384",
    "issuer": "ca-p256",
    "dns": ("broker.lab",),
}
FOLDER = """
[lab-ca]
description = "The root of the lab."
role = "authority"
key = "p256"

[lab-broker]
description = "The broker, from the lab's root."
role = "server"
key = "rsa-2048"
issuer = "lab-ca"
"""


@pytest.fixture
def made():
    """Return certificates that are removed at the end."""
    with Certificates() as factory:
        yield factory


def test_a_profile_of_a_test(made: Certificates) -> None:
    """An added profile is made like any other, from an issuer of the harness; the same declaration again is the same profile."""
    assert made.add("lab-broker", **OWN) == "lab-broker"
    assert made.add("lab-broker", **OWN) == "lab-broker"
    assert made.make("lab-broker").facts.curve == "secp384r1"
    assert made.make("lab-broker").root_der == made.make("ca-p256").certificate_der
    assert made.at(made.now).make("lab-broker").facts.curve == "secp384r1"


@pytest.mark.parametrize(
    ("name", "keys", "message"),
    [
        (
            "lab",
            {**OWN, "keyy": 1},
            "certificates.add(): profile 'lab': unknown key 'keyy'; did you mean 'key'? (expected one of description,",
        ),
        ("lab", {**OWN, "key": "p257"}, "certificates.add(): profile 'lab': key = 'p257': expected 'rsa-1024', "),
        ("lab", {**OWN, "issuer": "nobody"}, "profile 'lab': issuer names 'nobody', which is not declared"),
        ("Lab", OWN, "certificates.add(): profile 'Lab': a name consists of lower-case words joined by dashes"),
        ("server-p256", OWN, "profile 'server-p256' is declared twice: the harness has one of this name"),
    ],
)
def test_a_wrong_profile(made: Certificates, name: str, keys: dict, message: str) -> None:
    """A mistake is one line; the profile is not added."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        made.add(name, **keys)
    assert made.additions.tables == {}


def test_another_declaration_of_the_same_name(made: Certificates) -> None:
    """A second, different profile of one name is refused."""
    made.add("lab-broker", **OWN)
    with pytest.raises(UsageError, match="profile 'lab-broker' is declared twice"):
        made.add("lab-broker", **{**OWN, "key": "p256"})


def test_a_folder(tmp_path: Path) -> None:
    """The profiles of a folder are added to those of the harness, and may refer to each other."""
    (tmp_path / "lab.toml").write_text(FOLDER, encoding="utf-8")
    with Certificates(additions=Additions(folders=(tmp_path,))) as made:
        assert {"lab-ca", "lab-broker", "server-p256"} <= set(made.names())
        assert made.make("lab-broker").root_der == made.make("lab-ca").certificate_der


def test_a_folder_without_declarations(tmp_path: Path) -> None:
    """A folder without profiles is a mistake."""
    with pytest.raises(UsageError, match=rf"^no certificate declarations \(\*\.toml\) in {re.escape(str(tmp_path))}$"):
        Certificates(additions=Additions(folders=(tmp_path,))).names()


def loaded(made: Certificates, name: str) -> x509.Certificate:
    """Return a made certificate as `cryptography` reads it."""
    return x509.load_der_x509_certificate(made.make(name).certificate_der)


def test_a_cross_signed_root(made: Certificates) -> None:
    """A second certificate for a root's key and subject, from another root: a leaf verifies with either."""
    made.add(
        "cross",
        description="x",
        role="authority",
        key="p256",
        key_of="ca-p256",
        subject="TLS harness ca-p256",
        issuer="ca-other",
    )
    root, cross = loaded(made, "ca-p256"), loaded(made, "cross")
    assert (cross.subject, cross.public_key()) == (root.subject, root.public_key())
    assert cross.issuer == loaded(made, "ca-other").subject
    leaf = loaded(made, "server-p256")
    leaf.verify_directly_issued_by(root)
    leaf.verify_directly_issued_by(cross)


def test_version_1(made: Certificates) -> None:
    """Version 1 has no extensions, and its signature is right."""
    made.add("old", description="x", role="server", key="p256", issuer="ca-p256", version=1)
    assert loaded(made, "old").version is x509.Version.v1
    assert len(loaded(made, "old").extensions) == 0
    loaded(made, "old").verify_directly_issued_by(loaded(made, "ca-p256"))


@pytest.mark.parametrize("issuer", ["ca-p256", "ca-rsa", "self"])
def test_a_curve_that_is_spelled_out(made: Certificates, issuer: str) -> None:
    """The certificate spells out the curve of its key, is signed by its issuer, and OpenSSL loads it with its key."""
    made.add("long", description="x", role="server", key="p256", issuer=issuer, ec_parameters="explicit")
    made.add("short", description="x", role="server", key="p256", issuer=issuer, ec_parameters="named")
    material = made.make("long")
    assert parsed(material.certificate_der).explicit_curve
    assert not parsed(made.make("short").certificate_der).explicit_curve
    own = loaded(made, "long")
    own.verify_directly_issued_by(own if issuer == "self" else loaded(made, issuer))
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(material.chain_file, material.key_file)


@pytest.mark.skipif(ssl.OPENSSL_VERSION_INFO < (3, 0), reason="OpenSSL 3.0 introduced this check")
def test_openssl_refuses_a_curve_that_is_spelled_out(made: Certificates) -> None:
    """A client with OpenSSL refuses such a certificate of a CA with X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, which is 94."""
    made.add("long", description="x", role="server", key="p256", issuer="ca-p256", ec_parameters="explicit")
    material = made.make("long")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(material.chain_file, material.key_file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(to_server, to_client, server_side=True)
    trusting = ssl.create_default_context(cadata=material.root_pem.decode())
    client = trusting.wrap_bio(to_client, to_server, server_hostname="tls.test")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        server.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError) as refused:
        client.do_handshake()
    assert refused.value.verify_code == 94


def test_criticality_and_own_extensions(made: Certificates) -> None:
    """The criticality of an extension can be reversed, and an extension of any OID added."""
    made.add(
        "odd",
        description="x",
        role="server",
        key="p256",
        issuer="ca-p256",
        critical=["extended-key-usage"],
        not_critical=["key-usage"],
        extensions=[
            {"oid": "1.3.6.1.4.1.32473.9", "der": "0500", "critical": True},
            {"oid": "1.3.6.1.4.1.32473.10", "der": "0500"},
        ],
    )
    found = {item.oid.dotted_string: (item.critical, item.value) for item in loaded(made, "odd").extensions}
    assert (found["2.5.29.37"][0], found["2.5.29.15"][0], found["2.5.29.19"][0]) == (True, False, True)
    assert (found["1.3.6.1.4.1.32473.9"][0], found["1.3.6.1.4.1.32473.10"][0]) == (True, False)
    assert found["1.3.6.1.4.1.32473.9"][1].value == b"\x05\x00"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"key_of": "ca-rsa"},
            "profile 'odd': key_of names 'ca-rsa'; expected a profile with a key of its own, 'p384' as well",
        ),
        ({"key_of": "nobody"}, "profile 'odd': key_of names 'nobody', which is not declared"),
        (
            {"ec_parameters": "long"},
            "certificates.add(): profile 'odd': ec_parameters = 'long': expected 'named', 'explicit'",
        ),
        ({"version": 2}, "certificates.add(): profile 'odd': version = 2: expected '1', '3'"),
        (
            {"critical": ["san"]},
            "certificates.add(): profile 'odd': critical = ['san']: expected a list of 'basic-constraints', ",
        ),
        (
            {"extensions": [{"oid": "1.2", "der": "05"}, {"oid": "x", "der": "05"}]},
            "certificates.add(): profile 'odd': extensions = [{'oid': '1.2', 'der': '05'}, {'oid': 'x', 'der': '05'}]: expected ",
        ),
        (
            {"extensions": [{"oid": "1.2", "der": "5"}]},
            "certificates.add(): profile 'odd': extensions = [{'oid': '1.2', 'der': '5'}]: expected a list such as [{oid = ",
        ),
        (
            {"version": 1, "key": "ed25519", "issuer": "self"},
            "profile 'odd': version = 1 needs an RSA or EC issuer and signature_padding = 'pkcs1'",
        ),
    ],
)
def test_wrong_words(made: Certificates, keys: dict, message: str) -> None:
    """Each wrong value is one line with what is expected."""
    with pytest.raises(UsageError, match=f"^{re.escape(message)}"):
        made.add("odd", **{**OWN, **keys})
