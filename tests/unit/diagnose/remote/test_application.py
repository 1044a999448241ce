"""The board asks a server's application: which sessions it has, and what is made of them; with invented results."""

import dataclasses

import pytest

from harness.diagnose.remote.application import (
    asked_application,
    reply_in,
    requests_certificate,
    talking,
    whole_line,
)
from harness.diagnose.settings import Settings
from harness.model import CaseResult, Observation, Outcome, Side, Stage, Verdict, VerdictWord
from harness.wire.application_replies import ApplicationReply
from harness.wire.plain_protocols import MQTT_CONNECT
from harness.wire.reading import WireMessage, WireReading

GET, CONNECT, NOTHING = "GET / HTTP/1.0\r\nHost: h.example\r\n\r\n", MQTT_CONNECT.decode(), ""


def answered(text):
    """Return a session in which the board received a text."""
    return Observation(
        outcome=Outcome.CONNECTED,
        stage=None,
        ended_by=None,
        server=None,
        client=None,
        received_by_client=text,
        handshake_done=True,
    )


CLOSED = Observation(
    outcome=Outcome.REFUSED, stage=Stage.READ, ended_by=Side.SERVER, server=None, client=None, handshake_done=True
)
WAITED = dataclasses.replace(CLOSED, outcome=Outcome.HUNG, ended_by=None)


@pytest.fixture
def ask():
    """Return `ask(answers, port)`: the reply, and the texts that the board sent, by invented sessions; the rest is closed."""

    def run(answers, port=443):
        sent = []

        def handshake(_name, settings):
            sent.append(settings.client.text)
            assert (settings.client.any_answer, settings.client.close_first) == (True, False)
            seen = answers.get(settings.client.text, CLOSED)
            verdict = Verdict(word=VerdictWord.PASS if seen else VerdictWord.ERROR)
            return CaseResult(
                board="b", server="s", case="c", attempt=1, verdict=verdict, expected=None, observation=seen
            )

        return asked_application(handshake, Settings.untouched(), target=("h.example", port)), sent

    return run


def test_an_answer_ends_the_questions(ask):
    """The first request that is answered is the last."""
    reply, sent = ask({GET: answered("HTTP/1.1 400 Bad\r\n")})
    assert (reply, sent) == (ApplicationReply(asked="GET / HTTP/1.0", line="HTTP/1.1 400 Bad"), [GET])


def test_the_other_request(ask):
    """A request that is not answered is followed by the other one; the port decides the order."""
    answers = {CONNECT: answered("\x20\x02\x00\x05")}
    reply, sent = ask(answers)
    assert (reply.asked, sent) == ("an MQTT CONNECT", [GET, CONNECT])
    assert ask(answers, 8883) == (reply, [CONNECT])


def test_silence_decides(ask):
    """Ends after a request prove nothing, because it may not be the server's protocol; an end after nothing was sent does."""
    assert ask({}) == (ApplicationReply(asked="nothing", line=None), [GET, CONNECT, NOTHING])
    assert ask({NOTHING: WAITED})[0] is None
    assert ask({NOTHING: answered("hi\n")})[0] == ApplicationReply(asked="nothing", line="hi")


def test_a_board_that_failed(ask):
    """A session in which the board failed says nothing."""
    assert ask({GET: None, CONNECT: None, NOTHING: None})[0] is None


@pytest.mark.parametrize(
    ("seen", "reply"),
    [
        (answered("x\ny"), ApplicationReply(asked="a", line="x")),
        (CLOSED, ApplicationReply(asked="a", line=None)),
        (WAITED, None),
        (dataclasses.replace(CLOSED, ended_by=Side.CLIENT), None),
        (dataclasses.replace(CLOSED, handshake_done=False), None),
    ],
)
def test_what_a_session_says(seen, reply):
    """Only an answer, or the server's end after the handshake, is a reply."""
    assert reply_in(seen, asked="a") == reply


def test_a_line_of_any_text():
    """Where one byte was read, a second session reads a line; if that fails, the byte is shown."""
    asked = []

    def session(seen):
        def handshake(_name, settings):
            asked.append((settings.client.receive_bytes, settings.client.timeout_s))
            return CaseResult(
                board="b",
                server="s",
                case="c",
                attempt=1,
                verdict=Verdict(word=VerdictWord.PASS),
                expected=None,
                observation=seen,
            )

        return handshake

    settings = talking(Settings.untouched(), "hello")
    assert whole_line(session(answered("220 hi\r\n")), settings, answered("2")).line == "220 hi"
    assert whole_line(session(WAITED), settings, answered("2")).line == "2"
    assert whole_line(session(None), settings, answered("2")).line == "2"
    assert asked == [(64, 3.0)] * 3
    assert whole_line(session(WAITED), settings, CLOSED).line is None
    assert whole_line(session(WAITED), talking(settings, GET), answered("HTTP/1.1 200 OK")).line == "HTTP/1.1 200 OK"
    assert len(asked) == 3


def test_the_request_for_a_certificate():
    """It is visible in the clear only."""
    message = WireMessage(sender=Side.SERVER, at_ms=0.0, name="CertificateRequest", length=10)
    assert requests_certificate(WireReading(messages=(message,)))
    assert not requests_certificate(WireReading(messages=(dataclasses.replace(message, name="ServerHelloDone"),)))
