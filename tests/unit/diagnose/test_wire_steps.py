"""The wire in brief, from readings and from a real hello."""

from harness.diagnose.wire_steps import hello_text, wire_steps
from harness.model import Alert, HelloFacts, Negotiated, Observation, Outcome, Side, WireStep
from harness.wire.reading import WireMessage, WireReading

HELLO = HelloFacts(
    record_version="0301",
    versions=("0303",),
    suites=("c02b", "c02f", "00ff"),
    groups=("0017", "0018", "0019", "001d", "001a"),
    signature_algorithms=("0403",),
    extensions=(0, 10),
    sni="tls.test",
)


def observed(**words):
    """An observation without errors."""
    return Observation(outcome=Outcome.REFUSED, stage=None, ended_by=None, server=None, client=None, **words)


def message(sender, name, at_ms=1.0):
    """A line of the packet list."""
    return WireMessage(sender=sender, at_ms=at_ms, name=name, length=10)


def test_a_hello_in_one_line():
    """Versions, suites without signalling values, some groups, the name."""
    assert (
        hello_text(HELLO)
        == "TLSv1.2, 2 suites, groups secp256r1, secp384r1, secp521r1, x25519 and 1 more, SNI tls.test"
    )


def test_each_message_once_and_hidden_alerts():
    """Repeated messages of one side are one step; certificates are counted; an encrypted alert is named from the secrets."""
    wire = WireReading(
        client_hello=HELLO,
        certificates=(b"12345", b"678"),
        client_certificates=(),
        negotiated=Negotiated(version="TLSv1.2", suite="TLS_X", group="secp256r1"),
        messages=(
            message(Side.CLIENT, "ClientHello"),
            message(Side.SERVER, "Certificate"),
            message(Side.CLIENT, "Certificate"),
            message(Side.SERVER, "ApplicationData", 2.0),
            message(Side.SERVER, "ApplicationData", 3.0),
            message(Side.CLIENT, "ApplicationData", 4.0),
            WireMessage(sender=Side.SERVER, at_ms=5.0, name="ApplicationData", length=19),
        ),
    )
    hidden = Alert(sender=Side.SERVER, level="fatal", code=116, name="certificate_required", encrypted=True)
    steps = wire_steps(wire, observed(alerts=(hidden,)))
    assert steps == (
        WireStep(sender=Side.CLIENT, at_ms=1.0, name="ClientHello", detail=hello_text(HELLO)),
        WireStep(sender=Side.SERVER, at_ms=1.0, name="Certificate", detail="2 certificates, 8 bytes"),
        WireStep(sender=Side.CLIENT, at_ms=1.0, name="Certificate", detail="0 certificates, 0 bytes"),
        WireStep(sender=Side.SERVER, at_ms=2.0, name="ApplicationData"),
        WireStep(sender=Side.CLIENT, at_ms=4.0, name="ApplicationData"),
        WireStep(sender=Side.SERVER, at_ms=5.0, name="ApplicationData", detail="the length of an encrypted alert"),
        WireStep(sender=Side.SERVER, at_ms=0.0, name="Alert(certificate_required)", detail="encrypted"),
    )
