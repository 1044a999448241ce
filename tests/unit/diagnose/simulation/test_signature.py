"""The signature of a server's flight, real and altered."""

from __future__ import annotations

import ssl
from dataclasses import replace

import pytest

from harness.diagnose.simulation.signature import signature_fits
from harness.wire.hello_replay import ReplayedHello
from harness.wire.server_flight import FlightReader


@pytest.fixture
def flight(certificates, row):
    """Return `flight(profile, port, version)`: the first flight of an OpenSSL server."""

    def run(profile, port, version, *, newest=None):
        made = certificates.make(profile)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(made.chain_file, made.key_file)
        if newest is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
        hello = ReplayedHello(row(port, version).hello.data, name="tls.test")
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        incoming.write(hello.record)
        with pytest.raises(ssl.SSLWantReadError):
            context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
        reader = FlightReader(hello, oldest=0x0301)
        reader.feed(outgoing.read())
        assert reader.flight.complete
        return reader.flight

    return run


@pytest.mark.parametrize("profile", ["server-p256", "server-p384", "server-rsa2048"])
@pytest.mark.parametrize(("port", "version"), [("rp2", "1.28.0"), ("debian", "1.25.0")])
def test_real(flight, profile: str, port: str, version: str) -> None:
    """The signature of a real flight fits, in TLS 1.2 and 1.3; another content or key does not."""
    found = flight(profile, port, version)
    leaf = found.certificates[0]
    assert signature_fits(found.signed, leaf) is True
    assert signature_fits(replace(found.signed, content=found.signed.content + b"x"), leaf) is False


def test_key_of_another(flight, certificates) -> None:
    """A server that sends a certificate whose key it does not have is noticed."""
    found = flight("server-p256", "rp2", "1.28.0")
    for profile in ("server-wrong-host", "server-rsa2048", "server-p384"):
        assert signature_fits(found.signed, certificates.make(profile).certificate_der) is False


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_before_tls12(flight) -> None:
    """An EC key signs SHA-1; what an RSA key signs there is not checked."""
    found = flight("server-p256", "stm32", "1.20.0", newest=ssl.TLSVersion.TLSv1_1)
    assert (found.version, found.signed.scheme) == (0x0302, None)
    assert signature_fits(found.signed, found.certificates[0]) is True
    assert signature_fits(replace(found.signed, content=b""), found.certificates[0]) is False
    rsa = flight("server-rsa2048", "rp2", "1.20.0", newest=ssl.TLSVersion.TLSv1_1)
    assert signature_fits(rsa.signed, rsa.certificates[0]) is None


def test_what_cannot_be_checked(flight) -> None:
    """An unknown scheme, and a certificate that cannot be read."""
    found = flight("server-p256", "rp2", "1.28.0")
    assert signature_fits(replace(found.signed, scheme=0x0904), found.certificates[0]) is None
    assert signature_fits(found.signed, b"no certificate") is None
