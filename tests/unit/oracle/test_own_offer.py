"""Which sessions a client ends because it refuses its own RSA-PSS offer: compared with the signatures of this machine's OpenSSL."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from harness.expectations.builders import connected
from harness.model import ExpectedAlert, Outcome, ServerFacts, Side
from harness.oracle.own_offer import before_3_6_7, depends_on_own_offer, refusal_of_own_offer
from harness.oracle.predict import group_refused_by_client, predict
from harness.server.engine.tls_contexts import context_facts
from harness.server.engine_records import facts_of
from harness.wire.handshake import MessageJoiner, parse_server_hello, parse_server_key_exchange, read_client_hello
from harness.wire.records import HANDSHAKE, RecordSplitter
from harness.wire.signature_algorithms import signature_info
from harness.wire.versions import TLS12

HELLOS = (
    "common",
    "old",
    "only-krsa",
    "only-ecdhe-ecdsa",
    "dhe-and-grease",
    "pss-in-tls12",
    "pss-keys-in-tls12",
    "no-signatures",
    "tls13",
    "tls12-in-versions",
    "1.20.0-rp2",
)
SERVERS: tuple[tuple[tuple[str, ...], str | None, str], ...] = (
    (("rsa",), None, "TLSv1_2"),
    (("rsa",), "DEFAULT", "TLSv1_2"),
    (("rsa",), "DEFAULT", "TLSv1_3"),
    (("p256",), "DEFAULT", "TLSv1_2"),
    (("rsa", "p256"), "DEFAULT", "TLSv1_2"),
)


def built(keys: tuple[str, ...], ciphers: str | None, maximum: str, certificates: Any) -> tuple[Any, ServerFacts]:
    """Return a real context and its facts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if ciphers is not None:
        context.set_ciphers(ciphers)
    context.maximum_version = ssl.TLSVersion[maximum]
    for key in keys:
        context.load_cert_chain(certificates[key].path)
    facts = facts_of(context_facts(context, {}), keys=[certificates[key].facts for key in keys], behaviour={})
    assert facts is not None
    return context, facts


def signed_with(context: ssl.SSLContext, hello: bytes) -> int | None:
    """Return the scheme of OpenSSL's ServerKeyExchange in TLS 1.2; None if there is none."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    try:
        server.do_handshake()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError:
        return None
    splitter, joiner = RecordSplitter(), MessageJoiner()
    splitter.feed(outgoing.read())
    for record in iter(splitter.next_record, None):
        if record.content_type != HANDSHAKE:
            break
        joiner.feed(record.payload)
    messages = list(iter(joiner.next_message, None))
    chosen = parse_server_hello(messages[0].body)
    if chosen.version != TLS12:
        return None
    exchanges = [message.body for message in messages if message.name == "ServerKeyExchange"]
    if not exchanges:
        return None
    return parse_server_key_exchange(exchanges[0], suite=chosen.suite, version=TLS12).signature_algorithm


@pytest.mark.parametrize("name", HELLOS)
@pytest.mark.parametrize("server", SERVERS, ids=lambda server: f"{'+'.join(server[0])}-{server[1]}-{server[2]}")
def test_what_openssl_signs_with(hellos, certificates, server, name):
    """The result is True exactly if the real server's answer is a TLS 1.2 ServerKeyExchange with an RSA-PSS signature."""
    context, facts = built(*server, certificates)
    hello = read_client_hello(hellos[name])
    scheme = signed_with(context, hellos[name])
    info = None if scheme is None else signature_info(scheme)
    expected = info is not None and info.padding == "pss"
    assert depends_on_own_offer(predict(hello, facts), hello, facts) is expected


def test_the_comparison_covers_both_answers(hellos, certificates):
    """Some of the hellos above get RSA-PSS in TLS 1.2, and some do not."""
    context, _facts = built(*SERVERS[1], certificates)
    schemes = {name: signed_with(context, hellos[name]) for name in HELLOS}
    assert schemes["pss-in-tls12"] == schemes["tls13"] == 0x0804
    assert schemes["common"] in (0x0401, 0x0501, 0x0601)


def test_a_refusal_depends_on_nothing(build_hello, build_server):
    """If no session was predicted there is no signature to refuse; an unknown suite does not count as RSA."""
    hello, server = build_hello(like="only-ecdhe-ecdsa"), build_server("rsa")
    predicted = predict(hello, server)
    assert predicted.outcome is Outcome.REFUSED
    assert depends_on_own_offer(predicted, hello, server) is False
    assert depends_on_own_offer(connected(version="TLSv1.2", suite="TLS_NEW"), hello, server) is False


def test_what_such_a_client_does():
    """It ends the handshake with illegal_parameter, which the server reports under its old name."""
    refusal = refusal_of_own_offer()
    assert refusal.alert == ExpectedAlert(sender=Side.CLIENT, code=47, name="illegal_parameter")
    assert (refusal.outcome, refusal.ended_by, refusal.source) == (Outcome.REFUSED, Side.CLIENT, "predicted")
    # mbedTLS 3.x ssl.h: MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER is -0x6600.
    assert (refusal.server_reason, refusal.client_number) == ("SSLV3_ALERT_ILLEGAL_PARAMETER", -0x6600)


def test_a_group_that_was_not_offered(build_hello, build_server):
    """An older client accepts a HelloRetryRequest for any group and then disconnects without an alert."""
    hello = build_hello(like="tls13")
    server = build_server(
        "rsa", groups=("brainpoolP256r1",), openssl_number=0x101010FF, eof=("SSLEOFError", "SSL_ERROR_EOF")
    )
    older = before_3_6_7(group_refused_by_client(), hello, server)
    assert (older.ended_by, older.client_number, older.alert, older.no_alert) == (Side.CLIENT, -27648, None, True)
    assert (older.server_type, older.server_reason) == ("SSLEOFError", "SSL_ERROR_EOF")


def test_when_the_version_makes_no_difference(build_hello, build_server):
    """Only a PSS signature in TLS 1.2 or a requested group replaces the prediction."""
    hello, server = build_hello(like="pss-in-tls12"), build_server("rsa", maximum_version="TLSv1.2")
    assert before_3_6_7(predict(hello, server), hello, server) == refusal_of_own_offer()
    plain = build_hello(like="common")
    assert before_3_6_7(predict(plain, server), plain, server) is None
