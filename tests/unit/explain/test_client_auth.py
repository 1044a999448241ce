"""The board's own certificate: each rule matches only its own failure and gives the stored text."""

import dataclasses

import pytest

from harness.explain import candidates
from harness.model import ClientPlan, Negotiated, Outcome, ServerFacts, Side, Stage, Verify
from harness.wire.application_replies import ApplicationReply
from harness.wire.reading import WireMessage, WireReading


def test_refused_otherwise(made, stored):
    """Python 3.13's strict checks refuse a certificate without AuthorityKeyIdentifier (invented)."""
    failure = {
        "type": "SSLCertVerificationError",
        "reason": "CERTIFICATE_VERIFY_FAILED",
        "verify_code": 85,
        "verify_message": "Missing Authority Key Identifier",
    }
    stored("client-auth/refused", made("OSError", -30592, by=Side.SERVER, server=failure))


def test_connection_cut(made, stored):
    """A server that closes at once may lose its own alert; the board sees EPIPE (invented; see docs/facts/python-ssl.md)."""
    facts = ServerFacts(
        python="3.11.7", openssl="OpenSSL 3.0.19", openssl_number=0x30000130, suites=(), verify=Verify.REQUIRED
    )
    stored("client-auth/connection-cut", made("OSError", 32, server_facts=facts))


def ended(*lengths):
    """Return a TLS 1.3 handshake in which the server sent records of these lengths after the client's Finished."""
    sent = [(Side.SERVER, 600), (Side.CLIENT, 53), *((Side.SERVER, length) for length in lengths)]
    return WireReading(
        negotiated=Negotiated(version="TLSv1.3"),
        messages=tuple(WireMessage(sender=who, at_ms=1.0, name="ApplicationData", length=size) for who, size in sent),
    )


def test_ended_after_handshake(made, stored):
    """A foreign TLS 1.3 server refuses the board after its handshake (invented; tests/real_servers has a real one)."""
    stored("client-auth/ended-after-handshake", made(by=Side.SERVER, wire=ended(19)))


@pytest.mark.parametrize(
    ("result", "title", "shown"),
    [
        (
            {"client": ClientPlan(certificate="client-p256"), "wire": ended()},
            "most likely it does not accept the board's certificate",
            "after the board's Finished it sent nothing, and ended the connection",
        ),
        (
            {"kind": "OSError", "stage": Stage.READ, "wire": ended(19)},
            "most likely it requires a client certificate",
            "after the board's Finished it sent a fatal alert: the board reports that at its first read, but not which alert",
        ),
    ],
)
def test_ended_after_handshake_otherwise(made, result, title, shown):
    """The text differs for a board with a certificate, a server that sent nothing, and a board that reports the alert."""
    kind = result.pop("kind", None)
    said = candidates(made(kind, *((-30592,) if kind else ()), by=Side.SERVER, **result))
    assert [item.rule for item in said] == ["client-auth/ended-after-handshake"]
    assert said[0].title.endswith(title)
    assert said[0].why[0] == shown


def replied(result, line, asked="GET / HTTP/1.0"):
    """Return the evidence with what the server's application answered."""
    return dataclasses.replace(result, reply=ApplicationReply(asked=asked, line=line))


def test_refused_later(made, stored):
    """A session, and then an error page, after the server had asked for a certificate (tests/real_servers has real ones)."""
    session = made(outcome=Outcome.CONNECTED, by=None, stage=None)
    stored("client-auth/refused-later", replied(session, "HTTP/1.1 400 Bad Request"))
    assert candidates(replied(session, "HTTP/1.1 200 OK")) == ()


def test_refused_later_by_closing(made):
    """An end instead of an answer; with an alert the board reports that. The text differs for a board with a certificate."""
    plan = ClientPlan(text="x", any_answer=True, certificate="client-p256")
    words = {"by": Side.SERVER, "stage": Stage.READ, "client": plan, "handshake_done": True}
    for result, how in (
        (made(**words), "without an answer"),
        (made("OSError", -30592, **words), "with an alert"),
    ):
        (said,) = candidates(replied(result, None, "what --send gave"))
        assert said.rule == "client-auth/refused-later"
        assert said.title.endswith("most likely it does not accept the board's certificate")
        assert said.why[0] == f"the board then sent what --send gave; the server ended the session {how}"
