"""Fragmented flights: a handshake in small records, a record in small TCP segments. TLS 1.2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.cases import Row, Situation, ordinary, table, with_rsa_form
from harness.expectations.builders import connected
from harness.expectations.clients import left_silently
from harness.expectations.needs import MBEDTLS, OFFERS_ECDHE_ECDSA, OFFERS_RSA
from harness.model import Subject, Tier
from harness.wire import mbedtls_numbers as mbedtls


def fragmented(name: str, **words: Any) -> Situation:
    """A server whose flights are fragmented this way. Its Certificate message has about 460 bytes, with an RSA key about 820."""
    behaviour: dict[str, Any] = {"name": name}
    behaviour |= {key: words.pop(key) for key in ("size", "delay_ms") if key in words}
    words.setdefault("expect", connected())
    # A record of 64 bytes ends inside the ServerHello: a client may give up there.
    small = name == "fragments.hs-records" and behaviour["size"] < 512
    # With an RSA key, too, each message must fit one record of the largest size.
    of_rsa = {**behaviour, "size": 1024} if behaviour.get("size") == 512 else behaviour
    return with_rsa_form(
        ordinary(
            "server-p256",
            behaviour=behaviour,
            maximum_version="TLSv1.2",
            subject=Subject.NEGOTIATION if small else Subject.SERVER_CERTIFICATE,
            needs=(OFFERS_ECDHE_ECDSA,),
            **words,
        ),
        behaviour=of_rsa,
        # A header in several records was never tried with axTLS.
        needs=(OFFERS_RSA, MBEDTLS) if behaviour.get("size") == 1 and small else (OFFERS_RSA,),
    )


@table(tier=Tier.FULL)
def records() -> Iterable[Row]:
    """Handshake messages that span records, or share one (RFC 5246 section 6.2.1 allows both)."""
    yield Row(
        "hs-records-512",
        "The handshake in records of at most 512 bytes, or 1024 with an RSA key. Each message still fits one.",
        fragmented("fragments.hs-records", size=512),
        Tier.CORE,
    )
    for size, reason, tier in (
        (64, "The certificate takes eight records", Tier.CORE),
        (16, "Every message except ServerHelloDone takes several records", None),
        (4, "The first record holds exactly the header of a message", None),
    ):
        text = f"The handshake in records of {size} bytes. {reason}; mbedTLS reassembles them since 3.6.3."
        yield Row(f"hs-records-{size}", text, fragmented("fragments.hs-records", size=size), tier)
    yield Row(
        "hs-records-1",
        "The handshake in records of one byte. mbedTLS needs the header of a message in one record.",
        fragmented("fragments.hs-records", size=1, expect=left_silently(mbedtls.SSL_INVALID_RECORD)),
    )
    yield Row(
        "hs-coalesced",
        "The whole flight in one record. OpenSSL does not do this; other servers do.",
        fragmented("fragments.hs-coalesced"),
    )


@table(tier=Tier.FULL)
def segments() -> Iterable[Row]:
    """Records that arrive in pieces, because TCP does not preserve records."""
    for size, reason in ((1, "The worst that a network can do"), (7, "A record's header and two more bytes")):
        text = f"TCP segments of {size} bytes. {reason}; every library must accept it."
        yield Row(f"tcp-{size}byte", text, fragmented("fragments.tcp", size=size))
    yield Row(
        "slow-hs-records-512",
        "Records of 512 bytes, each flight 300 ms late. Fragmented and slow at once, as over a modem.",
        fragmented("fragments.hs-records", size=512, delay_ms=300),
    )
