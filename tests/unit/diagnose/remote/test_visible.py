"""Inferences from alerts, messages and a probe of the server, with invented observations."""

import dataclasses

import pytest

from harness.diagnose.remote.visible import completed, unseen, worth_looking, worth_plain_words
from harness.model import Alert, HelloFacts, KeyFacts, Negotiated, Observation, Outcome, ServerFacts, Side, Stage
from harness.wire.insistence import Addition, Insistence
from harness.wire.plain_protocols import PlainPeer, PlainProtocol
from harness.wire.reading import WireMessage, WireReading

HELLO = HelloFacts(
    record_version="0303",
    versions=("0303",),
    suites=("c02b",),
    groups=("0017",),
    signature_algorithms=("0403",),
    extensions=(10, 13),
    sni=None,
)
# ECDHE-RSA-AES128-GCM-SHA256 only, with an RSA key.
FACTS = ServerFacts(
    python="",
    openssl="as seen from this machine",
    openssl_number=0x30000000,
    suites=((0xC02F, "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),),
    keys=(KeyFacts(type="RSA", bits=2048),),
    minimum_version="TLSv1.2",
    maximum_version="TLSv1.2",
)


def refused(code, name="x"):
    """Return an observation in which the server refused with this alert."""
    alert = Alert(sender=Side.SERVER, level="fatal", code=code, name=name)
    return Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.SERVER,
        server=None,
        client=None,
        alerts=(alert,),
        client_hello=HELLO,
    )


@pytest.mark.parametrize(
    ("alert", "sent", "reason", "code"),
    [
        (40, (), "PEER_DID_NOT_RETURN_A_CERTIFICATE", None),
        (116, None, "PEER_DID_NOT_RETURN_A_CERTIFICATE", None),
        (48, (b"x",), "CERTIFICATE_VERIFY_FAILED", 20),
        (45, (b"x",), "CERTIFICATE_VERIFY_FAILED", 10),
        (43, (b"x",), "CERTIFICATE_VERIFY_FAILED", 26),
        (51, (b"x",), "BAD_SIGNATURE", None),
    ],
)
def test_clients_certificate(alert, sent, reason, code):
    """The reason follows from the server's request, the board's certificate and the alert."""
    told = completed(refused(alert), WireReading(client_certificates=sent), facts=None)
    assert (told.server.type, told.server.reason, told.server.verify_code) == ("SSLError", reason, code)


def test_reason_by_prediction():
    """If the probe's facts predict NO_SHARED_CIPHER with the observed alert, that is the reason."""
    wire = WireReading(client_hello=HELLO)
    seen = refused(40)
    told = completed(seen, wire, facts=FACTS)
    assert (told.server.reason, told.server_facts) == ("NO_SHARED_CIPHER", FACTS)
    assert unseen(seen, wire, told=told, asked=9) == (
        "the server's settings, its log and its own error: only what it sends",
        "that it is NO_SHARED_CIPHER (in OpenSSL's words) follows from what it accepts from this machine"
        " (probed with 9 connections; --no-probe skips them); its log must say so",
    )


def test_another_alert_than_predicted():
    """If the prediction has another alert, no reason is filled in, and the output says so."""
    seen, wire = refused(80), WireReading(client_hello=HELLO)
    told = completed(seen, wire, facts=FACTS)
    assert told is seen
    assert unseen(seen, wire, told=told, asked=9)[1] == (
        "why it refuses: it accepts nothing from this machine either, or refuses it with a different alert"
        " (probed with 9 connections; --no-probe skips them)"
    )


def test_by_messages():
    """A reason that follows from the messages names them as its source."""
    seen, wire = refused(40), WireReading(client_certificates=())
    told = completed(seen, wire, facts=None)
    assert unseen(seen, wire, told=told, asked=0)[1].endswith(
        "follows from its messages and its alert; its log must say so"
    )


def test_tls13_hides_more():
    """TLS 1.3 hides certificates and alerts."""
    seen, wire = refused(40), WireReading(negotiated=Negotiated(version="TLSv1.3"))
    assert unseen(seen, wire, told=seen, asked=0)[-1] == (
        "its certificates and every alert after ServerHello: TLS 1.3 encrypts them"
    )


def test_when_to_look():
    """A server is only probed if it refused the ClientHello itself."""
    assert worth_looking(refused(40), WireReading(client_hello=HELLO))
    assert not worth_looking(refused(40), WireReading())
    assert not worth_looking(refused(40), WireReading(client_hello=HELLO, server_plain=b"HTTP/1.1 400"))


def test_when_to_speak_plainly():
    """A server is asked without TLS only if nothing that it sent is TLS, also when it sent nothing at all."""
    silent, plain = WireReading(client_hello=HELLO), WireReading(client_hello=HELLO, server_plain=b"HTTP/1.1 400")
    for outcome in (Outcome.REFUSED, Outcome.HUNG):
        seen = dataclasses.replace(refused(40), outcome=outcome)
        assert worth_plain_words(seen, silent)
        assert worth_plain_words(seen, plain)
        assert not worth_plain_words(seen, WireReading())
        assert not worth_plain_words(seen, dataclasses.replace(silent, retry=True))
        assert not worth_plain_words(seen, dataclasses.replace(silent, alerts=refused(40).alerts))
    assert not worth_plain_words(dataclasses.replace(refused(40), outcome=Outcome.CONNECTED), silent)


def test_the_source_of_what_is_required():
    """What the server insists on follows from the probe; the line about an unknown reason is then left out."""
    seen, wire = refused(40), WireReading(client_hello=HELLO)
    insists = Insistence(additions=(Addition.ALPN,))
    assert unseen(seen, wire, told=seen, asked=7, insists=insists)[1:] == (
        "that it requires this follows from its answers to this machine (probed with 7 connections; --no-probe skips them)",
    )


def test_an_alert_that_says_why():
    """unrecognized_name says why it refuses: other settings are not in question."""
    seen, wire = refused(112), WireReading(client_hello=HELLO)
    assert len(unseen(seen, wire, told=seen, asked=7)) == 1


def test_nothing_of_tls_is_unseen_of_a_plain_server():
    """When the server's protocol is known, its TLS settings are not listed as unseen."""
    seen, wire = refused(40), WireReading(client_hello=HELLO)
    peer = PlainPeer(protocol=PlainProtocol.MQTT, said="x")
    assert unseen(seen, wire, told=seen, asked=3, plain=peer) == (
        "the server's settings, its log and its own error: only what it sends",
    )


@pytest.mark.parametrize(
    ("length", "line"),
    [
        (
            None,
            "whether it accepts the board: in TLS 1.3 a server refuses a client after the handshake, and this one sent nothing then",
        ),
        (
            19,
            "whether it accepts the board: in TLS 1.3 a server refuses a client after the handshake, and this one sent nothing then",
        ),
        (
            250,
            "whether it accepts the board: it sent more than an alert's length after the handshake, but a padded alert looks the same",
        ),
    ],
)
def test_connected_in_tls13(length, line):
    """In TLS 1.3 a refusal comes after the client's Finished; a close_notify at the end is not a refusal."""
    sent = [(Side.CLIENT, 53), *([(Side.SERVER, length)] if length else [])]
    messages = tuple(WireMessage(sender=who, at_ms=1.0, name="ApplicationData", length=size) for who, size in sent)
    wire = WireReading(negotiated=Negotiated(version="TLSv1.3"), messages=messages)
    seen = Observation(outcome=Outcome.CONNECTED, stage=None, ended_by=None, server=None, client=None)
    assert unseen(seen, wire, told=seen, asked=0)[-2:] == (
        line,
        "what the application does: the board closed after the handshake (--send TEXT makes it send a request)",
    )
    assert (
        len(unseen(seen, wire, told=seen, asked=0, sent="hello")) == 2
    )  # with an answer, nothing of that is uncertain


def test_no_probe_is_listed():
    """--no-probe is listed if a probe would have been useful."""
    seen, wire = refused(40), WireReading(client_hello=HELLO)
    assert unseen(seen, wire, told=seen, asked=None)[1] == "what it would accept: not probed (--no-probe)"
    assert len(unseen(seen, wire, told=seen, asked=0)) == 1
