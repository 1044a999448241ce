"""Application protocols: MicroPython offers none, whatever the server would like."""

from __future__ import annotations

from collections.abc import Iterable

from harness.cases import Row, ordinary, table
from harness.model import Tier


@table(tier=Tier.FULL)
def server_only() -> Iterable[Row]:
    """The server has a list, the client says nothing."""
    yield Row(
        "server-only",
        "The server speaks http/1.1 by ALPN. The client offers none, and that is allowed (RFC 7301 section 3.1).",
        ordinary("server-p256", alpn=("http/1.1",)),
    )
    yield Row(
        "server-h2-only",
        "The server speaks h2 only. Without an offer there is nothing to refuse: no_application_protocol never comes.",
        ordinary("server-p256", alpn=("h2",)),
    )
    yield Row(
        "server-mqtt-rsa",
        "A broker's ALPN and an RSA key. As AWS IoT has it on port 443; there a client without ALPN is sent away later.",
        ordinary("server-rsa2048", alpn=("mqtt", "x-amzn-mqtt-ca")),
    )
