"""What is asked after a refusal: TLS settings, a plain protocol, or nothing; with invented observations and real ports."""

import contextlib
import dataclasses
import socket
import ssl
import threading

import pytest

from harness.certificates import Certificates
from harness.diagnose.remote.probe import Found, Probe
from harness.model import Alert, HelloFacts, Observation, Outcome, Side, Stage
from harness.wire.insistence import Addition
from harness.wire.plain_protocols import PlainProtocol
from harness.wire.reading import WireReading

HELLO = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02b",),
    groups=("0017",),
    signature_algorithms=("0403",),
    extensions=(10, 13),
    sni=None,
)
REFUSED, HUNG = Outcome.REFUSED, Outcome.HUNG


def seen(outcome):
    """Return an observation in which a ClientHello was not answered with TLS."""
    return Observation(
        outcome=outcome, stage=Stage.HANDSHAKE, ended_by=Side.SERVER, server=None, client=None, client_hello=HELLO
    )


@pytest.fixture
def ssh():
    """The port of a server that greets as SSH does, and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    sock, _peer = listener.accept()
                    with sock, contextlib.suppress(OSError):
                        sock.sendall(b"SSH-2.0-x\r\n")
                        sock.shutdown(socket.SHUT_WR)
                        sock.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)


@pytest.fixture
def probe():
    """Return `probe(port)`: a probe, and the lines of its progress."""

    def make(port):
        told = []
        return Probe("127.0.0.1", port, name="tls.test", progress=told.append), told

    return make


def test_a_server_that_is_not_tls(probe, ssh):
    """What it sent was not TLS: one plain connection, and no hello."""
    asking, told = probe(ssh)
    wire = WireReading(client_hello=HELLO, server_plain=b"SSH-2.0-x\r\n")
    found = asking.found(seen(REFUSED), wire)
    assert (found.plain.protocol, found.facts, asking.count) == (PlainProtocol.SSH, None, 1)
    assert told == [f"asking 127.0.0.1:{ssh} from this machine what it speaks without TLS"]


def test_a_server_that_never_answered(probe, ssh):
    """A server that is silent to a hello is only asked plainly: every hello would take the whole time limit."""
    asking, _told = probe(ssh)
    assert asking.found(seen(HUNG), WireReading(client_hello=HELLO)).plain.protocol is PlainProtocol.SSH
    assert asking.count == 1


def test_a_server_that_closed(probe, ssh):
    """A server that closes can be a TLS server: hellos come first, and it is asked once per diagnosis."""
    asking, told = probe(ssh)
    wire = WireReading(client_hello=HELLO)
    first = asking.found(seen(REFUSED), wire)
    asked = asking.count
    assert (first.plain.protocol, first.facts, len(told)) == (PlainProtocol.SSH, None, 2)
    assert asked > 1
    assert asking.found(seen(REFUSED), wire) == first
    assert asking.count == asked


def test_a_tls_server(probe, tls_listener):
    """A server that answers a hello of this machine with TLS is never asked plainly, although the board's was not answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with Certificates() as certificates:
        pair = certificates.make("server-p256")
        context.load_cert_chain(pair.chain_file, pair.key_file)
        asking, told = probe(tls_listener(context, lambda tls: None))
        found = asking.found(seen(REFUSED), WireReading(client_hello=HELLO))
    assert (found.plain, [key.type for key in found.facts.keys]) == (None, ["EC"])
    assert not any("without TLS" in line for line in told)


def test_a_server_that_refuses_every_hello(probe, tls_listener):
    """A server that answers with alerts only speaks TLS all the same."""
    asking, told = probe(tls_listener(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), lambda tls: None))
    assert asking.found(seen(REFUSED), WireReading(client_hello=HELLO)) == Found()
    assert not any("without TLS" in line for line in told)


def test_nothing_to_ask(probe):
    """A refusal after the server's own TLS messages needs no probe."""
    asking, told = probe(1)
    wire = WireReading(client_hello=HELLO, retry=True)
    assert asking.found(seen(HUNG), wire) == Found()
    assert (asking.count, told) == (0, [])


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_names(probe, tls_listener, version):
    """The names come from the certificate, which is read once, in TLS 1.3 with a handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    with Certificates() as certificates:
        pair = certificates.make("server-p256")
        context.load_cert_chain(pair.chain_file, pair.key_file)
        port = tls_listener(context, lambda tls: None)
        asking, told = probe(port)
        assert asking.names(tried=None) == ("tls.test",)
        asked = asking.count
        assert asking.names(tried="tls.test") == ()
    assert (asking.count, told) == (
        asked,
        [f"reading from this machine which names the certificate of 127.0.0.1:{port} has"],
    )


def test_no_names(probe, ssh):
    """A server without TLS has no certificate."""
    assert probe(ssh)[0].names(tried=None) == ()


def test_what_is_required(probe, tls_listener):
    """A server that accepts this machine and refused the board all the same: the board's hello is varied, once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Certificates() as certificates:
        pair = certificates.make("server-p256")
        context.load_cert_chain(pair.chain_file, pair.key_file)
        hello = dataclasses.replace(HELLO, groups=("0019",), signature_algorithms=("0603",))
        context.set_ecdh_curve("prime256v1")
        asking, told = probe(tls_listener(context, lambda tls: None))
        # An alert that the server's settings do not predict.
        alert = Alert(sender=Side.SERVER, level="fatal", code=80, name="internal_error")
        refused = dataclasses.replace(seen(REFUSED), client_hello=hello, alerts=(alert,))
        found = asking.found(refused, WireReading(client_hello=hello))
        asked = asking.count
        again = asking.found(refused, WireReading(client_hello=hello))
    assert found.insists.additions == (Addition.GROUPS,)
    assert (found.insists.group, again, asking.count) == ("secp256r1", found, asked)
    assert told[-1] == (
        "sending the board's ClientHello from this machine, with and without what a server may insist on"
    )


@pytest.mark.parametrize(("ciphers", "lacks"), [("AES128-SHA256", True), ("ECDHE+AESGCM:AES128-SHA256", False)])
def test_forward_secrecy(probe, tls_listener, ciphers, lacks):
    """It lacks only if no suite of the server has it; a server that cannot be asked is not said to lack it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    with Certificates() as certificates:
        pair = certificates.make("server-rsa2048")
        context.load_cert_chain(pair.chain_file, pair.key_file)
        asking, _told = probe(tls_listener(context, lambda tls: None))
        assert asking.lacks_forward_secrecy(HELLO) is lacks
        asked = asking.count
        assert asking.lacks_forward_secrecy(HELLO) is lacks
    assert asking.count == asked


def test_forward_secrecy_is_not_known(probe, ssh):
    """Without facts nothing is claimed."""
    assert not probe(ssh)[0].lacks_forward_secrecy(HELLO)
