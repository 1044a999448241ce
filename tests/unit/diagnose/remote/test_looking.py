"""Probing real servers of this Python with known settings."""

import contextlib
import socket
import ssl
import threading

import pytest

from harness.certificates import Certificates
from harness.diagnose.remote.dialling import Dialler
from harness.diagnose.remote.looking import Looking
from harness.model import Verify


@pytest.fixture(scope="module")
def pair():
    """Return a certificate and its key."""
    with Certificates() as certificates:
        yield certificates.make("server-rsa2048")


@pytest.fixture
def look(pair, tls_listener, hold_to):
    """Return a function that probes a server with these settings: `look(ciphers, version)`."""

    def run(ciphers, version, curve=None, verify=ssl.CERT_NONE):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.chain_file, pair.key_file)
        context.set_ciphers(ciphers)
        context.minimum_version = context.maximum_version = version
        if curve:
            hold_to(context, curve)
        context.verify_mode = verify
        told = []
        port = tls_listener(context, lambda tls: None)
        looking = Looking(Dialler("127.0.0.1", port), name="tls.test", progress=told.append)
        found = looking.facts()
        assert looking.dialler.count > 3
        assert told == [f"probing from this machine which versions, suites and keys 127.0.0.1:{port} accepts"]
        return found

    return run


def test_suites_versions_and_key(look):
    """The probe finds exactly the server's two suites, its key, its only version, and some groups."""
    found = look("ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256", ssl.TLSVersion.TLSv1_2)
    assert {name for _code, _version, name in found.suites} == {
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_RSA_WITH_AES_128_GCM_SHA256",
    }
    assert (found.minimum_version, found.maximum_version) == ("TLSv1.2", "TLSv1.2")
    assert [(key.type, key.bits) for key in found.keys] == [("RSA", 2048)]
    assert {"x25519", "secp256r1", "secp384r1"} <= set(found.groups)
    assert found.python == ""


@pytest.mark.parametrize("curve", ["secp384r1", "X25519"])
def test_groups(look, curve):
    """The probe finds the only group of a server."""
    assert look("ECDHE+AESGCM", ssl.TLSVersion.TLSv1_2, curve=curve).groups == (curve.lower(),)


def test_tls13_only(look):
    """The suites are OpenSSL's three; finding the key needs a handshake."""
    found = look("DEFAULT", ssl.TLSVersion.TLSv1_3)
    assert (found.minimum_version, found.maximum_version) == ("TLSv1.3", "TLSv1.3")
    assert {version for _code, version, _name in found.suites} == {"TLSv1.3"}
    assert [key.type for key in found.keys] == ["RSA"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_requires_a_certificate(look, version):
    """A server that requires a client certificate shows what it accepts anyway."""
    found = look("ECDHE+AESGCM", version, verify=ssl.CERT_REQUIRED)
    assert [key.type for key in found.keys] == ["RSA"]
    assert (bool(found.suites), found.maximum_version) == (True, version.name.replace("v1_", "v1."))
    assert found.verify is (Verify.OPTIONAL if version is ssl.TLSVersion.TLSv1_2 else Verify.NONE)


def test_a_peer_that_speaks_no_tls():
    """A reply that is not TLS ends the probe after a few attempts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _peer = listener.accept()
                    with sock:
                        sock.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        looking = Looking(Dialler("127.0.0.1", listener.getsockname()[1]), name=None, progress=lambda _line: None)
        assert looking.facts() is None
        assert looking.dialler.count < 8
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)


def test_no_handshake_at_all():
    """A server that closes at once reveals nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Looking(Dialler("127.0.0.1", port), name=None, progress=lambda _line: None).facts() is None
