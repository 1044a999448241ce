"""Peers that are no TLS server, or one that breaks off. The peer states nothing itself.

What the board makes of each is stated for mbedTLS 3.6; where others differ is in `harness.expectations.differences`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, table
from harness.expectations.builders import refused
from harness.expectations.clients import gave_up
from harness.expectations.needs import MBEDTLS
from harness.model import Expectation, ExpectationRule, Need, ServerProfile, Side, Tier
from harness.wire import mbedtls_numbers as mbedtls


def peer(
    name: str, expect: Expectation | ExpectationRule, *, needs: tuple[Need, ...] = (MBEDTLS,), **behaviour: Any
) -> Situation:
    """A peer of this behaviour (`harness/server/engine/odd_peers.py`)."""
    return Situation(
        server=ServerProfile(behaviour={"name": name, **behaviour}),
        expect=expect,
        needs=needs,
    )


@table(tier=Tier.FULL)
def not_tls() -> Iterable[Row]:
    """Another protocol answers."""
    yield Row(
        "http-400",
        "A plain HTTP server. The port is wrong, or https:// meets a server without TLS: the commonest mix-up.",
        peer("not-tls.http-400", gave_up(mbedtls.SSL_INVALID_RECORD), needs=()),
        Tier.SMOKE,
    )
    for name, text in (
        ("ssh-banner", "An SSH server. It speaks first, before the ClientHello."),
        ("ff", "Bytes 0xFF. Nothing that anybody would send."),
    ):
        yield Row(name, text, peer(f"not-tls.{name}", gave_up(mbedtls.SSL_INVALID_RECORD)))


@table(tier=Tier.FULL)
def bad_records() -> Iterable[Row]:
    """Records that are cut, too long, empty, or of a version that does not exist."""
    for name, text, number in (
        ("half-record", "Half a record, then the end. A server that crashed while writing.", mbedtls.SSL_CONN_EOF),
        (
            "record-too-long",
            "A record of 20480 bytes. More than RFC 5246 section 6.2.1 allows.",
            mbedtls.SSL_BAD_INPUT_DATA,
        ),
        (
            "record-len-0-then-fin",
            "An empty handshake record. Forbidden (RFC 5246 section 6.2.1).",
            mbedtls.SSL_INVALID_RECORD,
        ),
        ("record-ver-0304", "A record that says TLS 1.3. Even TLS 1.3 writes 0303 there.", mbedtls.SSL_INVALID_RECORD),
    ):
        yield Row(name, text, peer(f"not-tls.{name}", gave_up(number)))


@table(tier=Tier.FULL)
def wrong_messages() -> Iterable[Row]:
    """Well-formed records at the wrong moment."""
    decode = gave_up(mbedtls.SSL_DECODE_ERROR, alert="decode_error")
    unexpected = gave_up(mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message")
    yield Row(
        "reflect-clienthello",
        "The ClientHello comes back. An echo server on the port.",
        peer("not-tls.reflect-clienthello", decode),
    )
    yield Row(
        "serverhellodone-first",
        "ServerHelloDone before ServerHello. The order of a handshake is fixed.",
        peer("not-tls.serverhellodone-first", decode),
    )
    yield Row(
        "ccs-first",
        "ChangeCipherSpec before anything. CVE-2014-0224 was a library that took it.",
        peer("not-tls.ccs-first", unexpected, fin=True),
    )


@table(tier=Tier.CORE)
def breaks_off() -> Iterable[Row]:
    """The connection ends before TLS begins (group D)."""
    yield Row(
        "close-at-accept",
        "The end of the stream, before a word. A load balancer without a backend.",
        peer("not-tls.close-at-accept", gave_up(mbedtls.SSL_CONN_EOF)),
    )
    yield Row(
        "close-after-ch",
        "The end of the stream after the ClientHello. A server that did not like it and says nothing.",
        peer("not-tls.close-after-ch", gave_up(mbedtls.SSL_CONN_EOF)),
    )
    yield Row(
        "reset-after-ch",
        "A reset after the ClientHello. A firewall that looks inside, or a server that crashed.",
        peer(
            "not-tls.reset-after-ch",
            refused(by=Side.SERVER, client_name="ECONNRESET|MBEDTLS_ERR_ASN1_INVALID_DATA"),
        ),
    )
