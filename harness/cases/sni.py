"""Server name indication: what the client says, and what a server's callback makes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness.cases import Row, Situation, checked, ordinary, table
from harness.expectations.builders import connected, fatal_alert_number, refused
from harness.expectations.clients import refuses_certificate
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Tier

# The longest name that OpenSSL takes (TLSEXT_MAXLEN_host_name); as `server-long-name` of certs/identity.toml has it.
LONG_NAME = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 54, "tls", "test"))
RECORD = {"name": "sni.record"}


def said(name: str) -> Expectation:
    """A session in whose ClientHello this name stood; "" for none."""
    return replace(connected(), server_name=name)


def ended_by_callback(alert: str) -> ExpectationRule:
    """The callback's answer, before anything was chosen: an alert of its own, handshake_failure if it raised."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        client = fatal_alert_number(board, alert)
        return refused(by=Side.SERVER, server="CALLBACK_FAILED", alert=alert, client=client)

    return rule


def anybody(**words: Any) -> Situation:
    """A server that every client can talk to: both kinds of key, plain RSA as the last resort."""
    return ordinary("server-p256", "server-rsa2048", ciphers="ECDHE+AESGCM:ECDHE+AES:kRSA+AES", **words)


@table(tier=Tier.FULL)
def what_is_said() -> Iterable[Row]:
    """What stands in the ClientHello."""
    yield Row(
        "sent",
        "A host name. Without SNI half of the internet shows the wrong certificate.",
        anybody(behaviour=RECORD, expect=said("tls.test")),
        Tier.CORE,
    )
    yield Row(
        "none",
        "No host name. server_hostname left out: no SNI, and no name to check.",
        anybody(behaviour=RECORD, server_hostname=None, expect=said("")),
        Tier.CORE,
    )
    yield Row(
        "ip-literal",
        "An address as host name. RFC 6066 section 3 forbids it in SNI; MicroPython sends it.",
        anybody(behaviour=RECORD, server_hostname="127.0.0.1", expect=said("127.0.0.1")),
    )
    yield Row(
        "host-255",
        "A name of 255 bytes. The longest that OpenSSL takes.",
        checked("server-long-name", server_hostname=LONG_NAME, behaviour=RECORD, expect=said(LONG_NAME)),
    )
    yield Row(
        "host-punycode",
        "An international name. On the wire it is ASCII (A-label), and has to be given so.",
        checked(
            "server-punycode", server_hostname="xn--bcher-kva.test", behaviour=RECORD, expect=said("xn--bcher-kva.test")
        ),
    )


@table(tier=Tier.FULL)
def what_the_server_does() -> Iterable[Row]:
    """A callback that refuses, breaks, or picks another certificate."""
    yield Row(
        "unrecognized",
        "The callback answers unrecognized_name. A CDN that does not know the host.",
        anybody(
            behaviour={"name": "sni.alert", "code": 112}, expect=ended_by_callback("unrecognized_name"), predicted=False
        ),
    )
    yield Row(
        "callback-raises",
        "The callback raises. Python sends handshake_failure: on the board it looks like NO_SHARED_CIPHER.",
        anybody(behaviour={"name": "sni.raise"}, expect=ended_by_callback("handshake_failure"), predicted=False),
    )
    yield Row(
        "swap-context",
        "The callback switches to the right certificate. What every server with several hosts does.",
        checked("server-wrong-host", behaviour={"name": "sni.swap", "certificate": "server-p256"}),
        Tier.CORE,
    )
    yield Row(
        "swap-missing",
        "The default certificate is for another host, and nobody switches. The board sees a good certificate of somebody else.",
        checked(
            "server-wrong-host",
            behaviour=RECORD,
            expect=refuses_certificate("cn_mismatch"),
            positive_control="cert/good",
        ),
    )
