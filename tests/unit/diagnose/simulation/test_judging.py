"""What one answer means for one firmware, where a real server would not give that answer."""

from __future__ import annotations

import pytest

from harness.diagnose.settings import Settings
from harness.diagnose.simulation.connection import Exchange
from harness.diagnose.simulation.judging import Answered, Question, explained, judged
from harness.diagnose.simulation.targets import Answer
from harness.model import HelloFacts, KeyFacts, Outcome, ServerFacts, Side
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.alerts import AlertCode
from harness.wire.reading import WireReading
from harness.wire.server_flight import Flight, Violation

QUESTION = Question(settings=Settings.untouched(), name="tls.test", host="tls.test")


@pytest.fixture
def judge(row, certificates):
    """Return `judge(port, version, flight)`: the result of a flight that is otherwise complete."""

    def run(port, release, *, timed_out=False, profile="server-p256", **fields):
        firmware = row(port, release)
        if "alert" not in fields and "plain" not in fields and "ended" not in fields:
            chain = certificates.make(profile).chain_der
            fields = {
                "version": 0x0303,
                "suite": 0xC02B,
                "group": 0x17,
                "certificates": chain,
                "complete": True,
                **fields,
            }
        answer = Answer(exchange=Exchange(flight=Flight(**fields), wire=(), timed_out=timed_out))
        answered = Answered(hello=firmware.hello.facts, answer=answer, wire=WireReading())
        return firmware, answered, judged(firmware, answered, question=QUESTION)

    return run


def test_message_in_several_records(judge) -> None:
    """mbedTLS before 3.6.3 cannot read it, later versions can."""
    _row, _answer, old = judge("stm32", "1.28.0", spans_records=True)
    _row, _answer, new = judge("stm32", "1.29.0-preview", spans_records=True)
    assert (old.outcome, old.ended_by, old.client_number) == (
        Outcome.REFUSED,
        Side.CLIENT,
        mbedtls.SSL_FEATURE_UNAVAILABLE,
    )
    assert old.reason == "a handshake message in several records, which this library reads only from 3.6.3 on"
    assert new.outcome is Outcome.CONNECTED


def test_record_that_is_too_large(judge) -> None:
    """axTLS reads about 5 KB, mbedTLS 16 KB."""
    _row, _answer, small = judge("esp8266", "1.28.0", largest_record=9000)
    _row, _answer, large = judge("rp2", "1.28.0", largest_record=9000)
    assert (small.outcome, small.client_number) == (Outcome.REFUSED, -257)
    assert small.reason == "a record of 9000 bytes; this firmware reads 5120 at most"
    assert large.outcome is Outcome.CONNECTED


@pytest.mark.parametrize(
    ("fields", "outcome", "ended_by", "reason", "alert"),
    [
        ({"alert": 40}, Outcome.REFUSED, Side.SERVER, "handshake_failure", "handshake_failure"),
        ({"ended": True}, Outcome.REFUSED, Side.SERVER, "closed without an alert", None),
        ({"ended": True, "timed_out": True}, Outcome.HUNG, None, "no answer to the ClientHello", None),
        ({"plain": b"SSH-2.0"}, Outcome.REFUSED, Side.CLIENT, "not a TLS server", None),
        (
            {"violation": Violation(alert=AlertCode.ILLEGAL_PARAMETER, what="suite 0x1301")},
            Outcome.REFUSED,
            Side.CLIENT,
            "suite 0x1301",
            "illegal_parameter",
        ),
    ],
)
def test_other_answers(judge, fields, outcome, ended_by, reason, alert) -> None:
    """Alerts, silence, the end of the stream, another protocol and violations."""
    _row, _answer, found = judge("rp2", "1.28.0", **fields)
    assert (found.outcome, found.ended_by, found.reason, found.alert) == (outcome, ended_by, reason, alert)


@pytest.mark.parametrize(("port", "number"), [("rp2", -30592), ("esp8266", -70)])
def test_number_for_an_alert(judge, port: str, number: int) -> None:
    """mbedTLS raises one number for every alert, axTLS the negated alert."""
    _row, _answer, found = judge(port, "1.28.0", alert=70)
    assert found.client_number == number


def test_unread_part(judge) -> None:
    """A group that cannot be shared from here: connected as far as shown, and the result says what was not read."""
    _row, _answer, found = judge(
        "debian", "1.25.0", version=0x0304, suite=0x1301, group=0x100, complete=False, unread="x"
    )
    assert (found.outcome, found.unread, found.negotiated.group) == (Outcome.CONNECTED, "x", "ffdhe2048")


def test_explanation_of_a_foreign_refusal(judge, plain_hello: HelloFacts) -> None:
    """With what a probe found, the reason of a foreign server's alert is inferred, and the same rules explain it."""
    firmware, answered, found = judge("esp8266", "1.28.0", alert=40)
    facts = ServerFacts(
        python="",
        openssl="as seen from this machine",
        openssl_number=0x30000000,
        suites=((0xC02B, "TLSv1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),),
        keys=(KeyFacts(type="EC", bits=256, curve="secp256r1"),),
        maximum_version="TLSv1.2",
    )
    blind = explained(firmware, answered, found, question=QUESTION, facts=None)
    seen = explained(firmware, answered, found, question=QUESTION, facts=facts)
    assert blind.rule.startswith("peer/")
    assert seen.rule == "ciphers/plain-rsa-only"
