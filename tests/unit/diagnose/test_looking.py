"""What a server takes of this machine, asked of real servers of this Python with settings that are known."""

import socket
import ssl

import pytest

from harness.certificates import Certificates
from harness.diagnose.looking import Looking


@pytest.fixture(scope="module")
def pair():
    """A certificate and its key."""
    with Certificates() as certificates:
        yield certificates.make("server-rsa2048")


@pytest.fixture
def look(pair, tls_listener):
    """Looks at a server with these settings of its context: `look(ciphers, version)`."""

    def run(ciphers, version, curve=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain_file, pair.key_file)
        context.set_ciphers(ciphers)
        context.minimum_version = context.maximum_version = version
        if curve:
            context.set_ecdh_curve(curve)
        told = []
        port = tls_listener(context, lambda tls: None)
        found = Looking("127.0.0.1", port, name="tls.test", progress=told.append).facts()
        assert told == [f"asking 127.0.0.1:{port} from here which versions, suites and keys it takes"]
        return found

    return run


def test_suites_versions_and_key(look):
    """Exactly the two suites that the server has, its key, its only version, no limit of groups."""
    found = look("ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2)
    assert {name for _code, _version, name in found.suites} == {"ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256"}
    assert (found.minimum_version, found.maximum_version) == ("TLSv1.2", "TLSv1.2")
    assert [(key.type, key.bits) for key in found.keys] == [("RSA", 2048)]
    assert (found.groups, found.python) == (None, "")


def test_groups(look):
    """A server held to one curve."""
    assert look("ECDHE+AESGCM", ssl.TLSVersion.TLSv1_2, curve="secp384r1").groups == ("secp384r1",)


def test_tls13_only(look):
    """Its suites are OpenSSL's three."""
    found = look("DEFAULT", ssl.TLSVersion.TLSv1_3)
    assert (found.minimum_version, found.maximum_version) == ("TLSv1.3", "TLSv1.3")
    assert {version for _code, version, _name in found.suites} == {"TLSv1.3"}
    assert [key.type for key in found.keys] == ["RSA"]


def test_no_handshake_at_all():
    """A server that closes at once tells nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Looking("127.0.0.1", port, name=None, progress=lambda _line: None).facts() is None
