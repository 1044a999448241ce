"""Reading certificates of others; for our own, the values must be those of their profiles."""

import ssl

import pytest

from harness.certificates.reading import anchor_among, host_of, in_file, issuer_among, key_facts

KINDS = (
    *("server-p256", "server-p521", "server-secp256k1", "server-brainpool-p256", "server-ed25519", "server-ed448"),
    *("server-rsa2048-pss-signed", "server-p256-by-rsa", "server-sha1", "server-no-extensions"),
    *("server-rsa2048", "server-rsa2048-encrypts-only", "server-rsa-pss", "server-sha3-256"),
)


@pytest.mark.parametrize("name", KINDS)
def test_facts_are_those_it_was_made_with(certificates, name):
    """Reading a certificate gives the factory's facts: kind, size, curve, signature, usages, bytes."""
    made = certificates.make(name)
    assert key_facts(made.chain_der) == made.facts


def test_bytes_that_are_not_a_certificate():
    """Bytes of another kind are a ValueError."""
    with pytest.raises(ValueError, match=r".*"):
        key_facts((b"nothing",))


@pytest.mark.parametrize(
    ("name", "host"),
    [("server-p256", "tls.test"), ("ca-p256", "TLS harness ca-p256"), ("server-wildcard", "board.tls.test")],
)
def test_a_host_that_it_is_for(certificates, name, host):
    """The host is the first name, with a wildcard filled in; without names it is the subject's."""
    assert host_of(certificates.make(name).certificate_der) == host


def test_who_issued_it(certificates):
    """The issuer is found by signature, not by name: the twin has the same name and another key."""
    leaf, root = certificates.make("server-p256").certificate_der, certificates.make("ca-p256").certificate_der
    twin = certificates.make("ca-twin").certificate_der
    assert issuer_among(leaf, [b"nothing", twin, root]) == root
    assert issuer_among(leaf, [twin]) is None
    assert issuer_among(root, []) == root


def test_the_anchor_is_the_highest(certificates):
    """The anchor is the self-signed certificate if it exists, or else the last one in the chain."""
    deep = next(name for name in certificates.names() if len(certificates.make(name).chain_der) == 3)
    made = certificates.make(deep)
    assert anchor_among(made.certificate_der, [*made.chain_der, made.root_der]) == made.root_der
    assert anchor_among(made.certificate_der, made.chain_der) == made.chain_der[-1]
    assert anchor_among(made.certificate_der, []) is None
    own = certificates.make("server-self-signed").certificate_der
    assert anchor_among(own, []) == own


def test_forms_of_a_file(certificates):
    """PEM and DER may contain several certificates; anything else contains none, also if it could be repaired."""
    made = certificates.make("server-p256")
    both = made.certificate_pem + made.root_pem
    assert in_file(both) == ((made.certificate_der, made.root_der), "pem")
    assert in_file(made.root_der) == ((made.root_der,), "der")
    assert in_file(made.root_der * 2) == ((made.root_der,) * 2, "der")
    assert in_file(both.replace(b"\n", b"\r")) == ((), "")
    assert in_file(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == ((), "")
    assert in_file(b"") == ((), "")


def odd_certificates(der):
    """Certificates that are well-formed DER and that the library does not know, or refuses to interpret."""
    ecdsa_sha256, unknown = bytes.fromhex("2a8648ce3d040302"), bytes.fromhex("2a8648ce3d04037e")
    version_3, version_6 = bytes.fromhex("a003020102"), bytes.fromhex("a003020105")
    assert ecdsa_sha256 in der
    assert version_3 in der
    key_usage, basic_constraints = bytes.fromhex("0603551d0f"), bytes.fromhex("0603551d13")
    return {
        "signature": der.replace(ecdsa_sha256, unknown),
        "version": der.replace(version_3, version_6),
        "extension twice": der.replace(key_usage, basic_constraints),
        "name": der.replace(b"\x82\x08tls.test", b"\x83\x08tls.test"),
    }


@pytest.mark.parametrize("what", ["signature", "version", "extension twice", "name"])
def test_what_the_library_does_not_know(certificates, what):
    """An unknown signature, an odd version, an extension that is there twice, an odd name: facts or a ValueError, nothing else."""
    made = certificates.make("server-p256")
    odd = odd_certificates(made.certificate_der)[what]
    if what == "version":
        for read in (host_of, lambda der: key_facts((der,)), lambda der: issuer_among(der, [])):
            with pytest.raises(ValueError, match=r"^unreadable certificate$"):
                read(odd)
    else:
        assert (key_facts((odd,)).type, host_of(odd)) == ("EC", {"signature": "tls.test"}.get(what, host_of(odd)))
    pem = ssl.DER_cert_to_PEM_cert(odd).encode()
    for data in (odd, pem):
        found, form = in_file(data)
        assert form in ("pem", "der", "")
        assert bool(found) is bool(form)
    assert issuer_among(made.certificate_der, [odd, made.root_der]) == made.root_der
    if what == "signature":
        assert key_facts((odd,)).signature_hash is None
