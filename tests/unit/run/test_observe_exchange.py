"""What each side had to send, of a plan: tests of harness/run/observe.py."""

from dataclasses import replace

import pytest

from harness.model import ClientPlan, Exchange, ServerReport
from harness.run.observe import observe, planned_exchange
from harness.wire.reading import WireReading

NOTHING = ServerReport(facts=None, failure=None)
GREETED = Exchange(sent_text="Hallo, Server! 123456789", sent_bytes=24)


@pytest.mark.parametrize(
    ("plan", "wanted"),
    [
        (ClientPlan(), GREETED),
        (ClientPlan(send_bytes=30), replace(GREETED, sent_text="Hallo, Server! 123456789xxxxxx", sent_bytes=30)),
        (ClientPlan(text="M\n\u00fc"), Exchange(sent_text="M\\n\u00fc", sent_bytes=4)),
        (ClientPlan(text="Hallo", send_bytes=4097), Exchange(sent_text="Hallo" + "x" * 251, sent_bytes=4097)),
        (ClientPlan(text="Hallo", send_bytes=3), Exchange(sent_text="Hallo", sent_bytes=5)),
        (ClientPlan(text=""), Exchange(sent_text=None, sent_bytes=0)),
        (ClientPlan(receive_bytes=3), replace(GREETED, answer_text="012", answer_bytes=3)),
        (ClientPlan(receive_bytes=65536), replace(GREETED, answer_text="0123456789abcdef" * 4, answer_bytes=65536)),
        (ClientPlan(receive_bytes=0), replace(GREETED, answer_text="", answer_bytes=0)),
        (
            ClientPlan(close_first=True),
            Exchange(sent_text=None, sent_bytes=None, answer_text=None, answer_bytes=None),
        ),
    ],
)
def test_the_texts_to_send(plan, wanted):
    """The texts are those in the other side's record, with their number of bytes."""
    assert planned_exchange(plan, number=123456789) == wanted
    assert observe(NOTHING, None, WireReading(), plan=plan, number=123456789).exchange == wanted


def test_nothing_was_to_be_said_without_an_exec():
    """A board that was not asked sent nothing, so a plan without its own text has none to compare."""
    assert planned_exchange(ClientPlan(), number=None) == replace(GREETED, sent_text=None, sent_bytes=0)
