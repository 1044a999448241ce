"""The user's files as named certificates, and their issuers."""

import dataclasses
from datetime import UTC, datetime

import pytest

from harness.certificates import Unavailable
from harness.diagnose.given import CA, CLIENT, CLIENT_CA, GIVEN, GivenCertificates
from harness.diagnose.request import Files
from harness.errors import UsageError
from harness.model import KeyFacts


def test_the_servers_files_are_used_in_place(files, server):
    """The record has paths, not copies; no field contains the key."""
    given = server("server-rsa2048")
    made = GivenCertificates(given).make(GIVEN)
    assert (made.chain_file, made.key_file) == (given.certificate, given.key)
    assert (made.key_pem, made.key_der, made.key_pkcs8_der) == (b"", b"", b"")
    assert dataclasses.replace(made.facts, chain_bytes=0) == KeyFacts(
        type="RSA",
        bits=2048,
        signature_hash="sha256",
        signature_key_type="RSA",
        key_usage=("digitalSignature", "keyEncipherment"),
    )


def test_the_host_is_a_name_in_the_certificate(server):
    """The host is a name in the certificate, or the user's; generated certificates have the same name."""
    assert GivenCertificates(server("server-p256")).host == "tls.test"
    given = GivenCertificates(server("server-p256"), host="broker.example")
    with given:
        assert given.host == "broker.example"
        assert given.profile("server-p256").dns == ("broker.example", "tls.test")


def test_at_another_moment(server):
    """For a board with a wrong clock, generated certificates change their dates, the user's own files do not."""
    then, given = datetime(2000, 1, 1, tzinfo=UTC), server("server-p256")
    with GivenCertificates(given, host="broker.example").at(then) as moved:
        assert (moved.now, moved.host) == (then, "broker.example")
        assert moved.make(GIVEN).chain_file == given.certificate


def test_ca_and_client_keep_the_form_of_their_files(files, server):
    """The board gets PEM as the file's text, and DER as separate certificates."""
    more = {"client_certificate": files / "client-p256" / "cert.der", "client_key": files / "client-p256" / "pkcs8.der"}
    given = GivenCertificates(server("server-p256", ca=files / "ca-p256" / "cert.pem", **more))
    assert (given.ca_names, given.ca_format, given.client_format) == ((CA,), "pem", "pkcs8")
    assert given.make(CA).certificate_pem == (files / "ca-p256" / "cert.pem").read_bytes()
    assert given.make(CLIENT).key_der == (files / "client-p256" / "key.der").read_bytes()
    assert given.make(CLIENT).key_pkcs8_der == (files / "client-p256" / "pkcs8.der").read_bytes()


def test_several_authorities_in_one_file(files, server, tmp_path):
    """As DER each has its own name; as PEM they stay one text; a server gets all of them."""
    both = tmp_path / "both.pem"
    both.write_bytes((files / "ca-p256" / "cert.pem").read_bytes() + (files / "ca-rsa" / "cert.pem").read_bytes())
    given = GivenCertificates(server("server-p256", ca=both, client_ca=both))
    assert given.ca_names == (CA, "given-ca-2")
    assert given.make("given-ca-2").certificate_der == (files / "ca-rsa" / "cert.der").read_bytes()
    assert given.make(CA).certificate_pem == both.read_bytes()
    assert given.make(CLIENT_CA).root_pem.count(b"BEGIN CERTIFICATE") == 2


def test_two_formats_cannot_be_mixed(files):
    """load_cert_chain on the board accepts both as PEM or both as DER."""
    own = files / "client-p256"
    with pytest.raises(UsageError) as caught:
        GivenCertificates(Files(client_certificate=own / "cert.pem", client_key=own / "key.der"))
    assert str(caught.value) == (
        f"--client-key {own / 'key.der'}: certificate and key have different formats; give both as PEM or both as DER"
    )


def test_the_issuer_is_found_in_the_usual_places(files, server, tmp_path):
    """The issuer is found by its signature, in a given file or in the certificate's folder."""
    given = GivenCertificates(server("server-p256", client_ca=files / "ca-p256" / "cert.pem"))
    assert given.make("issuer").certificate_der == (files / "ca-p256" / "cert.der").read_bytes()
    assert given.places["issuer"].text == str(files / "ca-p256" / "cert.pem")
    for name, source in (("s.pem", "server-p256"), ("our-root.crt", "ca-p256"), ("other.pem", "ca-other")):
        (tmp_path / name).write_bytes((files / source / "cert.pem").read_bytes())
    beside = GivenCertificates(Files(certificate=tmp_path / "s.pem", key=files / "server-p256" / "key.pem"))
    assert beside.make("issuer").certificate_der == given.make("issuer").certificate_der
    assert beside.places["issuer"].text == str(tmp_path / "our-root.crt")


def test_an_issuer_that_is_not_found(server):
    """The reason names the places that were searched."""
    given = GivenCertificates(server("server-p256"))
    with pytest.raises(Unavailable) as caught:
        given.make("issuer")
    assert (
        caught.value.reason == "it was not found in the given files, in their folders or in this machine's trust store"
    )
    with pytest.raises(Unavailable) as caught:
        given.make("client-issuer")
    assert caught.value.reason == "no certificate was given, so there is no issuer to look for"


def test_roots_of_what_is_made(server):
    """A generated certificate has a generated root; the user's own has none."""
    given = GivenCertificates(server("server-p256"))
    names = ("server-p256", "server-rsa2048", "ca-p256", GIVEN, "issuer")
    assert [given.root_of(name) for name in names] == ["ca-p256", "ca-rsa", "ca-p256", None, None]
