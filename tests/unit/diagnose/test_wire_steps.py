"""The short form of the wire, for an invented handshake. tests/unit/wire/test_message_rows.py tests the words."""

import pytest

from harness.diagnose.wire_steps import wire_steps
from harness.model import Alert, Negotiated, Observation, Outcome, ServerReport, Side, WireStep
from harness.run.handshake import Handshake
from harness.wire.handshake import ServerHello
from harness.wire.reading import WireMessage, WireReading


def tried(wire, **words):
    """Return a handshake with this reading."""
    seen = Observation(outcome=Outcome.REFUSED, stage=None, ended_by=None, server=None, client=None, **words)
    return Handshake(observation=seen, report=ServerReport(facts=None, failure=None), answer=None, wire=wire)


def message(sender, name, length=10):
    """Return a message of a reading."""
    return WireMessage(sender=sender, at_ms=1.0, name=name, length=length)


@pytest.mark.parametrize(
    ("version", "group", "detail"),
    [("TLSv1.2", None, "TLSv1.2 TLS_X secp256r1"), ("TLSv1.3", 0x17, "TLSv1.3 TLS_X secp256r1")],
)
def test_all_that_was_chosen_in_one_step(version, group, detail):
    """One step shows version, suite and group, whichever message contains the group."""
    wire = WireReading(
        server_hello=ServerHello(version=0x0303, suite=0xC02B, random="", extensions=(), group=group),
        negotiated=Negotiated(version=version, suite="TLS_X", group="secp256r1"),
        messages=(message(Side.SERVER, "ServerHello"),),
    )
    assert wire_steps(tried(wire)) == (WireStep(sender=Side.SERVER, at_ms=1.0, name="ServerHello", detail=detail),)


def test_hidden_alerts():
    """An encrypted alert is named if the server recorded it."""
    hidden = Alert(sender=Side.SERVER, level="fatal", code=116, name="certificate_required", encrypted=True)
    messages = (message(Side.CLIENT, "ApplicationData", 53), message(Side.SERVER, "ApplicationData", 19))
    steps = wire_steps(tried(WireReading(messages=messages), alerts=(hidden,)))
    assert [(step.name, step.detail) for step in steps] == [
        ("ApplicationData", ""),
        ("Alert(certificate_required)", "encrypted"),
    ]
