"""Application protocols (ALPN). MicroPython offers none."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, Situation, ordinary, table
from harness.expectations.builders import connected
from harness.model import Subject, Tier


def protocols(certificate: str, *alpn: str) -> Situation:
    """A server with a list of protocols, to which a client without ALPN must connect."""
    return ordinary(certificate, alpn=alpn, expect=connected(), subject=Subject.NEGOTIATION)


@table(tier=Tier.FULL)
def server_only() -> Iterable[Row]:
    """The server has a list of protocols, the client sends no ALPN."""
    yield Row(
        "server-only",
        "The server offers http/1.1. A client without ALPN is allowed (RFC 7301 section 3.1).",
        protocols("server-p256", "http/1.1"),
    )
    yield Row(
        "server-h2-only",
        "The server offers only h2. Without ALPN from the client the server does not send no_application_protocol.",
        protocols("server-p256", "h2"),
    )
    yield Row(
        "server-mqtt-rsa",
        "MQTT protocols and an RSA key. AWS IoT has them on port 443, and closes a connection without ALPN after the handshake.",
        protocols("server-rsa2048", "mqtt", "x-amzn-mqtt-ca"),
    )
