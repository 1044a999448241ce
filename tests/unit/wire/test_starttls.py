"""The dialogues before TLS: when an answer is whole, and which one allows the next step."""

import re

import pytest

from harness.wire.plain_protocols import CAPABILITIES, PlainProtocol
from harness.wire.starttls import DIALOGUES

SMTP, IMAP, POP3, FTP = PlainProtocol.SMTP, PlainProtocol.IMAP, PlainProtocol.POP3, PlainProtocol.FTP


def test_the_protocols():
    """Each protocol of which a probe asks whether it can switch has a dialogue, and the server speaks first."""
    assert set(DIALOGUES) == set(CAPABILITIES)
    for greeting, *steps in DIALOGUES.values():
        assert greeting.sends == b""
        assert steps
        assert all(re.fullmatch(rb"[^\r\n]+\r\n", step.sends) for step in steps)


@pytest.mark.parametrize(
    ("protocol", "number", "data", "good"),
    [
        (SMTP, 0, b"220 mail.example ESMTP\r\n", True),
        (SMTP, 0, b"220\r\n", True),
        (SMTP, 0, b"220-mail.example\r\n220-no spam\r\n220 ready\r\n", True),
        (SMTP, 0, b"554 no\r\n", False),
        (SMTP, 0, b"220-mail.example\r\n554 no\r\n", False),
        (SMTP, 1, b"250-mail.example\r\n250-STARTTLS\r\n250 HELP\r\n", True),
        (SMTP, 2, b"220 go ahead\r\n", True),
        (SMTP, 2, b"454 not now\r\n", False),
        (IMAP, 0, b"* OK ready\r\n", True),
        (IMAP, 1, b"* 1 EXISTS\r\na1 OK begin\r\n", True),
        (IMAP, 1, b"a1 BAD no\r\n", False),
        (POP3, 0, b"+OK ready\r\n", True),
        (POP3, 1, b"-ERR no\r\n", False),
        (FTP, 0, b"220-Welcome\r\n user 3 of 50\r\n220 ready\r\n", True),
        (FTP, 1, b"234 begin\r\n", True),
        (FTP, 1, b"220 no switch\r\n", False),
    ],
)
def test_answers(protocol, number, data, good):
    """An answer is whole with its last line, not one byte sooner, and its last line decides."""
    step = DIALOGUES[protocol][number]
    assert [size for size in range(len(data) + 1) if step.is_complete(data[:size])] == [len(data)]
    assert step.is_good(data) is good
