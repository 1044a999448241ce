"""Settings of both sides: as the user gave them, changed, and written as code."""

import pytest

from harness.diagnose.given import CA, CLIENT, CLIENT_CA, GIVEN, GivenCertificates
from harness.diagnose.request import Request
from harness.diagnose.settings import as_given, changed, filled, makes_keys
from harness.explain import fixes
from harness.model import BoardInfo, BoardSpec, Change, Fix, Verify
from harness.run.options import RunOptions

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
API = ("SSLContext.load_cert_chain", "SSLContext.load_verify_locations", "SSLContext.set_ciphers")
INFO = BoardInfo(tls_module="tls", api=tuple(f"tls.{name}" for name in API))


@pytest.fixture
def given(files, server):
    """Return a request with every file, as PEM."""
    own = files / "client-p256"
    authority = files / "ca-p256" / "cert.pem"
    return GivenCertificates(
        server(
            "server-rsa2048",
            ca=authority,
            client_ca=authority,
            client_certificate=own / "cert.pem",
            client_key=own / "key.pem",
        )
    )


@pytest.fixture
def start(given):
    """Return the settings that the user asked for."""
    words = {"ciphers": "ECDHE+AESGCM", "minimum_version": "TLSv1.2", "suites": ("TLS_RSA_WITH_AES_128_CBC_SHA",)}
    request = Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files, **words)
    return as_given(request, given)


def test_as_given(start):
    """Each option sets its field."""
    server, client = start.server, start.client
    assert (server.certificates, server.client_ca, server.verify) == ((GIVEN,), (CLIENT_CA,), Verify.REQUIRED)
    assert (server.ciphers, server.minimum_version, server.maximum_version) == ("ECDHE+AESGCM", "TLSv1.2", None)
    assert (client.verify, client.ca, client.ca_format) == (Verify.REQUIRED, (CA,), "pem")
    assert (client.certificate, client.certificate_format, client.server_hostname) == (CLIENT, "pem", "tls.test")


def test_nothing_given_is_pythons_default(server):
    """By default there is no verification on either side, and suites and versions are Python's."""
    given = GivenCertificates(server("server-p256"))
    found = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files), given)
    assert (found.server.verify, found.client.verify) == (Verify.NONE, Verify.NONE)
    assert (found.server.ciphers, found.client.suites, found.client.ca) == (None, None, ())


def test_a_made_certificate_brings_its_ca(start, given):
    """A generated CA alone replaces what the board trusts; together with the user's own, both are trusted."""
    alone = changed(start, Change(server={"certificates": ("server-p256",)}), given)
    assert (alone.server.certificates, alone.client.ca) == (("server-p256",), ("ca-p256",))
    beside = changed(start, Change(server={"certificates": ("*", "server-p256")}), given)
    assert (beside.server.certificates, beside.client.ca) == ((GIVEN, "server-p256"), (CA, "ca-p256"))


def test_stars_and_words(start, given):
    """`*` stands for the present values, `verify` becomes an enum, and a change may set the host."""
    found = changed(
        start,
        Change(
            server={"client_ca": ("*", "ca-p256"), "verify": "optional"},
            client={"server_hostname": "*", "verify": "none"},
        ),
        given,
    )
    assert (found.server.client_ca, found.server.verify) == ((CLIENT_CA, "ca-p256"), Verify.OPTIONAL)
    assert (found.client.server_hostname, found.client.verify) == ("tls.test", Verify.NONE)


def test_der_is_one_certificate_after_another(server, files, tmp_path):
    """A PEM file with two becomes two."""
    both = tmp_path / "both.pem"
    both.write_bytes((files / "ca-p256" / "cert.pem").read_bytes() + (files / "ca-rsa" / "cert.pem").read_bytes())
    given = GivenCertificates(server("server-p256", ca=both))
    start = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files), given)
    assert changed(start, Change(client={"ca_format": "der"}), given).client.ca == (CA, "given-ca-2")


def test_whether_keys_are_made(given):
    """The user's own key is not generated, nor is `*`, the present one."""
    assert makes_keys(Change(server={"certificates": ("*", "server-p256")}), given)
    assert makes_keys(Change(client={"certificate": "client-p256"}), given)
    assert not makes_keys(Change(server={"certificates": ("*",), "ciphers": None}, client={"ca": ("issuer",)}), given)


def test_placeholders_are_filled(given):
    """HOST becomes the user's host; a kept key has its path, a new one of the same kind does not."""
    assert '"/CN=tls.test"' in filled(fixes.ec_key(), given).server_lines[1]
    second = filled(fixes.second_key("EC"), given)
    assert second.server_lines[0] == f'context.load_cert_chain("{given.files.certificate}", "{given.files.key}")'
    assert filled(fixes.rsa_key(), given).server_lines == fixes.rsa_key().server_lines
    line = Fix(title="", server_lines=("$ openssl x509 -in ca.pem -outform der -out ca.der",))
    assert filled(line, given).server_lines == (f"$ openssl x509 -in {given.files.ca} -outform der -out ca.der",)


def test_the_issuers_file_is_named_only_if_it_is_known(given):
    """The CA's file is not named if it did not issue the certificate."""
    fix = filled(fixes.trust(INFO, host="tls.test"), given)
    assert fix.server_lines == ("$ openssl x509 -in ca.pem -outform der -out ca.der",)
