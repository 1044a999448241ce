"""The session against a real MicroPython: the alert must arrive, and a close without close_notify is not an error."""

from __future__ import annotations

from typing import Any

import pytest

from harness.certificates import Certificates
from harness.model import ServerProfile, ServerReport, Side, Verify
from harness.server import Serving
from harness.server.local import LocalServer
from harness.system.deadline import Deadline

SEED_SUITES = ["TLS-ECDHE-ECDSA-WITH-AES-256-CBC-SHA384", "TLS-RSA-WITH-AES-128-CBC-SHA256"]
UPSTREAM_SUITES = "ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM"


def attempt(
    server: LocalServer, client: Any, profile: ServerProfile, serving: Serving | None = None, **plan: Any
) -> tuple[dict[str, Any], ServerReport]:
    """Run one case with the MicroPython client."""
    start = server.open(profile, serving or Serving(expect_bytes=14))
    assert start.failure is None
    seen = client.attempt(start.port, **plan)
    return seen, server.finish(Deadline(60))


def test_micropython_connects_and_closes_without_notify(
    server: LocalServer, micropython: Any, certificates: Certificates
) -> None:
    """MicroPython closes without close_notify: this is a success, and no decode_error alert is sent."""
    ca = certificates.make("ca-p256").certificate_der
    seen, report = attempt(server, micropython, ServerProfile(certificates=("server-p256",)), ca=ca)
    assert seen == {"done": True, "answer": "Hallo, Client!"}
    assert (report.failure, report.exchanged, report.received_text) == (None, True, "Hallo, Server!")
    assert report.message_alerts == ()


def test_no_shared_cipher_reaches_the_client(server: LocalServer, micropython: Any) -> None:
    """The seed: RSA key, client with ECDHE-ECDSA and RSA key exchange only; alert 40 is on the wire and arrives."""
    profile = ServerProfile(certificates=("server-rsa2048",), maximum_version="TLSv1.2", ciphers=UPSTREAM_SUITES)
    seen, report = attempt(server, micropython, profile, suites=SEED_SUITES)
    assert (seen["type"], seen["args"][0], seen["stage"]) == ("OSError", -30592, "handshake")
    assert report.failure is not None
    assert (report.failure.type, report.failure.reason, report.failure.errno) == ("SSLError", "NO_SHARED_CIPHER", 1)
    sent = [chunk.data for chunk in report.wire if chunk.sender is Side.SERVER]
    assert sent == [b"\x15\x03\x03\x00\x02\x02\x28"]
    assert (report.negotiated_version, report.negotiated_suite) == (None, None)


def test_refused_client_certificate_arrives_every_time(server: LocalServer, micropython: Any) -> None:
    """Flush, half-close and drain: 50 of 50 refusals reach the client as an alert, none as a reset."""
    profile = ServerProfile(certificates=("server-p256",), verify=Verify.REQUIRED, client_ca=("ca-p256",))
    numbers = [attempt(server, micropython, profile)[0]["args"][0] for _ in range(50)]
    assert numbers == [-30592] * 50


def test_mutual_tls(server: LocalServer, micropython: Any, certificates: Certificates) -> None:
    """A client with a good certificate is accepted."""
    profile = ServerProfile(certificates=("server-p256",), verify=Verify.REQUIRED, client_ca=("ca-p256",))
    mine = certificates.make("client-p256")
    seen, report = attempt(server, micropython, profile, certificate=mine.certificate_der, key=mine.key_der)
    assert seen["done"]
    assert report.exchanged


@pytest.mark.parametrize("sender", list(Side))
def test_record_is_in_order_of_time(server: LocalServer, micropython: Any, sender: Side) -> None:
    """Both directions are recorded with increasing times since accept."""
    _seen, report = attempt(server, micropython, ServerProfile(certificates=("server-p256",)))
    times = [chunk.at_ms for chunk in report.wire]
    assert times == sorted(times)
    assert any(chunk.sender is sender for chunk in report.wire)
