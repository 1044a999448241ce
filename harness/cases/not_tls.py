"""Peers that are not TLS servers, and servers that end the connection before TLS begins.

Such a peer reports nothing itself. Expectations are stated for mbedTLS 3.6; `harness.expectations.differences` lists the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, table
from harness.expectations.builders import refused
from harness.expectations.clients import gave_up
from harness.expectations.needs import MBEDTLS, READS_FULL_RECORDS
from harness.model import Expectation, ExpectationRule, Need, ServerProfile, Side, Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls


def peer(
    name: str,
    expect: Expectation | ExpectationRule,
    *,
    needs: tuple[Need, ...] = (),
    subject: Subject | None = None,
    **behaviour: Any,
) -> Situation:
    """A peer with this behaviour (`harness/server/engine/odd_peers.py`)."""
    return Situation(
        server=ServerProfile(behaviour={"name": name, **behaviour}),
        expect=expect,
        subject=subject,
        needs=needs,
    )


@table(tier=Tier.FULL)
def not_tls() -> Iterable[Row]:
    """Another protocol answers."""
    yield Row(
        "http-400",
        "A plain HTTP server. The most common mistake: the wrong port, or https:// to a server without TLS.",
        peer("not-tls.http-400", gave_up(mbedtls.SSL_INVALID_RECORD)),
        Tier.SMOKE,
    )
    yield Row(
        "ssh-banner",
        "An SSH server. It speaks first, before the ClientHello.",
        peer("not-tls.ssh-banner", gave_up(mbedtls.SSL_INVALID_RECORD), needs=(READS_FULL_RECORDS,)),
    )
    yield Row(
        "ff",
        "Bytes 0xFF. Random data without any protocol.",
        peer("not-tls.ff", gave_up(mbedtls.SSL_INVALID_RECORD)),
    )


@table(tier=Tier.FULL)
def bad_records() -> Iterable[Row]:
    """Records that are cut off, too long, empty, or of an undefined version."""
    for name, text, number in (
        ("half-record", "Half a record, then FIN. A server that crashed while writing.", mbedtls.SSL_CONN_EOF),
        (
            "record-too-long",
            "A record of 20480 bytes. Longer than RFC 5246 section 6.2.1 allows.",
            mbedtls.SSL_BAD_INPUT_DATA,
        ),
        (
            "record-len-0-then-fin",
            "An empty handshake record. Forbidden (RFC 5246 section 6.2.1).",
            mbedtls.SSL_INVALID_RECORD,
        ),
        (
            "record-ver-0304",
            "A record with version 0304. TLS 1.3 itself writes 0303 there.",
            mbedtls.SSL_INVALID_RECORD,
        ),
    ):
        # axTLS would read a record of no bytes, and what a port returns for that was never tried.
        needs = (MBEDTLS,) if name == "record-len-0-then-fin" else ()
        yield Row(name, text, peer(f"not-tls.{name}", gave_up(number), needs=needs))


@table(tier=Tier.FULL)
def wrong_messages() -> Iterable[Row]:
    """Well-formed records at the wrong time."""
    decode = gave_up(mbedtls.SSL_DECODE_ERROR, alert="decode_error")
    unexpected = gave_up(mbedtls.SSL_UNEXPECTED_MESSAGE, alert="unexpected_message")
    yield Row(
        "reflect-clienthello",
        "The ClientHello comes back. An echo server on the port.",
        peer("not-tls.reflect-clienthello", decode),
    )
    yield Row(
        "serverhellodone-first",
        "ServerHelloDone before ServerHello. The order of messages is fixed.",
        peer("not-tls.serverhellodone-first", decode),
    )
    yield Row(
        "ccs-first",
        "ChangeCipherSpec first. CVE-2014-0224 was a library that accepted it.",
        peer("not-tls.ccs-first", unexpected, fin=True),
    )


@table(tier=Tier.CORE)
def early_end() -> Iterable[Row]:
    """The connection ends before TLS begins."""
    yield Row(
        "close-at-accept",
        "FIN at once. A load balancer without a backend does this.",
        # Whether the ClientHello still arrives is a race.
        peer("not-tls.close-at-accept", gave_up(mbedtls.SSL_CONN_EOF), subject=Subject.CONFIG),
    )
    yield Row(
        "close-after-ch",
        "FIN after the ClientHello. A server that refuses it without an alert.",
        peer("not-tls.close-after-ch", gave_up(mbedtls.SSL_CONN_EOF)),
    )
    yield Row(
        "reset-after-ch",
        "A reset after the ClientHello. A firewall that inspects traffic, or a server that crashed.",
        peer(
            "not-tls.reset-after-ch",
            refused(by=Side.SERVER, client_name="ECONNRESET|MBEDTLS_ERR_ASN1_INVALID_DATA"),
        ),
    )
