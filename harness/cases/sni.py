"""Server name indication: what the client sends, and what the server's callback does with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness.cases import Row, Situation, checked, ordinary, table
from harness.expectations.builders import connected, fatal_alert_number, refused
from harness.expectations.clients import refuses_certificate
from harness.model import BoardInfo, Expectation, ExpectationRule, ServerFacts, Side, Subject, Tier

# The longest name that OpenSSL accepts (TLSEXT_MAXLEN_host_name); `server-long-name` of certs/identity.toml has it.
LONG_NAME = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 54, "tls", "test"))
RECORD = {"name": "sni.record"}


def said(name: str) -> Expectation:
    """Expect a session with this name in the ClientHello; "" for no SNI."""
    return replace(connected(), server_name=name)


def ended_by_callback(alert: str) -> ExpectationRule:
    """Expect a refusal by the callback: with its own alert, or handshake_failure if it raised."""

    def rule(board: BoardInfo, server: ServerFacts) -> Expectation:
        client = fatal_alert_number(board, alert)
        return refused(by=Side.SERVER, server="CALLBACK_FAILED", alert=alert, client=client)

    return rule


def permissive(**words: Any) -> Situation:
    """A server that every client can connect to: both key types, and plain RSA last."""
    words.setdefault("expect", connected())
    return ordinary("server-p256", "server-rsa2048", ciphers="ECDHE+AESGCM:ECDHE+AES:kRSA+AES", **words)


@table(tier=Tier.FULL)
def what_is_said() -> Iterable[Row]:
    """What the ClientHello contains."""
    yield Row(
        "sent",
        "A host name. Without SNI many servers send the wrong certificate.",
        permissive(behaviour=RECORD, expect=said("tls.test"), subject=Subject.HELLO),
        Tier.CORE,
    )
    yield Row(
        "none",
        "No host name. Without server_hostname there is no SNI and no name to verify.",
        permissive(behaviour=RECORD, server_hostname=None, expect=said(""), subject=Subject.HELLO),
        Tier.CORE,
    )
    yield Row(
        "ip-literal",
        "An address as host name. RFC 6066 section 3 forbids it in SNI; MicroPython sends it anyway.",
        permissive(behaviour=RECORD, server_hostname="127.0.0.1", expect=said("127.0.0.1"), subject=Subject.HELLO),
    )
    yield Row(
        "host-255",
        "A name of 255 bytes. The longest that OpenSSL accepts.",
        checked("server-long-name", server_hostname=LONG_NAME, behaviour=RECORD, expect=said(LONG_NAME)),
    )
    yield Row(
        "host-punycode",
        "An internationalized name. It must be given in its ASCII form (A-label).",
        checked(
            "server-punycode", server_hostname="xn--bcher-kva.test", behaviour=RECORD, expect=said("xn--bcher-kva.test")
        ),
    )


@table(tier=Tier.FULL)
def what_the_server_does() -> Iterable[Row]:
    """A callback that refuses, raises, or selects another certificate."""
    yield Row(
        "unrecognized",
        "The callback returns unrecognized_name. CDNs do this for unknown hosts.",
        permissive(
            behaviour={"name": "sni.alert", "code": 112},
            expect=ended_by_callback("unrecognized_name"),
            subject=Subject.NEGOTIATION,
            predicted=False,
        ),
    )
    yield Row(
        "callback-raises",
        "The callback raises. Python sends handshake_failure, which looks like NO_SHARED_CIPHER on the board.",
        permissive(
            behaviour={"name": "sni.raise"},
            expect=ended_by_callback("handshake_failure"),
            subject=Subject.NEGOTIATION,
            predicted=False,
        ),
    )
    yield Row(
        "swap-context",
        "The callback selects the right certificate. Servers with several hosts work like this.",
        checked("server-wrong-host", behaviour={"name": "sni.swap", "certificate": "server-p256"}),
        Tier.CORE,
    )
    yield Row(
        "swap-missing",
        "The default certificate is for another host, and no callback selects the right one. The board must refuse it.",
        checked(
            "server-wrong-host",
            behaviour=RECORD,
            expect=refuses_certificate("cn_mismatch"),
            positive_control="cert/good",
        ),
    )
