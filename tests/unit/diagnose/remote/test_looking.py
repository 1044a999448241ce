"""What a server takes of this machine, asked of real servers of this Python with settings that are known."""

import contextlib
import socket
import ssl
import threading

import pytest

from harness.certificates import Certificates
from harness.diagnose.remote.looking import Looking
from harness.model import Verify


@pytest.fixture(scope="module")
def pair():
    """A certificate and its key."""
    with Certificates() as certificates:
        yield certificates.make("server-rsa2048")


@pytest.fixture
def look(pair, tls_listener, hold_to):
    """Looks at a server with these settings of its context: `look(ciphers, version)`."""

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
        looking = Looking("127.0.0.1", port, name="tls.test", progress=told.append)
        found = looking.facts()
        assert looking.count > 3
        assert told == [f"asking 127.0.0.1:{port} from here which versions, suites and keys it takes"]
        return found

    return run


def test_suites_versions_and_key(look):
    """Exactly the two suites that the server has, its key, its only version, some groups."""
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
    """A server held to one."""
    assert look("ECDHE+AESGCM", ssl.TLSVersion.TLSv1_2, curve=curve).groups == (curve.lower(),)


def test_tls13_only(look):
    """Its suites are OpenSSL's three; its key takes a handshake."""
    found = look("DEFAULT", ssl.TLSVersion.TLSv1_3)
    assert (found.minimum_version, found.maximum_version) == ("TLSv1.3", "TLSv1.3")
    assert {version for _code, version, _name in found.suites} == {"TLSv1.3"}
    assert [key.type for key in found.keys] == ["RSA"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_certificate(look, version):
    """It lets nobody in without one, and shows what it takes all the same."""
    found = look("ECDHE+AESGCM", version, verify=ssl.CERT_REQUIRED)
    assert [key.type for key in found.keys] == ["RSA"]
    assert (bool(found.suites), found.maximum_version) == (True, version.name.replace("v1_", "v1."))
    assert found.verify is (Verify.OPTIONAL if version is ssl.TLSVersion.TLSv1_2 else Verify.NONE)


def test_a_peer_that_speaks_no_tls():
    """What it says is no answer, and it is not asked for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _peer = listener.accept()
                    with sock:
                        sock.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        looking = Looking("127.0.0.1", listener.getsockname()[1], name=None, progress=lambda _line: None)
        assert looking.facts() is None
        assert looking.count < 8
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_no_handshake_at_all():
    """A server that closes at once tells nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert Looking("127.0.0.1", port, name=None, progress=lambda _line: None).facts() is None
