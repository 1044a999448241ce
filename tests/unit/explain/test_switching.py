"""The printed dialogue, run by Python on a socket that plays the server's part."""

import io

import pytest

from harness.explain.switching import asking_for_tls
from harness.wire.plain_protocols import PlainProtocol
from harness.wire.starttls import DIALOGUES

# What a server says in one whole dialogue.
ANSWERS = {
    PlainProtocol.SMTP: b"220-mail\r\n220 ready\r\n250-mail\r\n250-STARTTLS\r\n250 HELP\r\n220 go ahead\r\n",
    PlainProtocol.IMAP: b"* OK ready\r\n* 1 EXISTS\r\na1 OK begin\r\n",
    PlainProtocol.POP3: b"+OK ready\r\n+OK begin\r\n",
    PlainProtocol.FTP: b"220-Welcome\r\n user 3 of 50\r\n220 ready\r\n234 begin\r\n",
}
TLS = b"\x16\x03\x03"


class Server:
    """A socket that has received everything; `written` is what the client sends."""

    def __init__(self, data):
        self._data = io.BytesIO(data)
        self.written = b""

    def readline(self):
        return self._data.readline()

    def write(self, data):
        self.written += data

    def rest(self):
        return self._data.read()


@pytest.mark.parametrize("protocol", DIALOGUES)
def test_the_dialogue(protocol):
    """It sends what the protocol has, and leaves the bytes after the last answer to TLS."""
    server = Server(ANSWERS[protocol] + TLS)
    exec("\n".join(asking_for_tls(protocol)), {"sock": server})
    assert server.written == b"".join(step.sends for step in DIALOGUES[protocol])
    assert server.rest() == TLS


@pytest.mark.parametrize(
    ("protocol", "answer", "line"),
    [
        (PlainProtocol.SMTP, b"554 no\r\n", b"554 no\r\n"),
        (PlainProtocol.SMTP, b"220 m\r\n250 m\r\n454 not now\r\n", b"454 not now\r\n"),
        (PlainProtocol.IMAP, b"* OK\r\na1 BAD no\r\n", b"a1 BAD no\r\n"),
        (PlainProtocol.POP3, b"+OK\r\n-ERR no\r\n", b"-ERR no\r\n"),
        (PlainProtocol.FTP, b"220 m\r\n500 no\r\n", b"500 no\r\n"),
        (PlainProtocol.SMTP, b"220-m\r\n", b""),
        (PlainProtocol.IMAP, b"* OK\r\n* more\r\n", b""),
        (PlainProtocol.POP3, b"", b""),
        (PlainProtocol.FTP, b"220-m\r\n", b""),
    ],
)
def test_a_refusal(protocol, answer, line):
    """The server's own line is the error; a server that closes ends the dialogue, too."""
    with pytest.raises(OSError, match=r"the server answers:") as caught:
        exec("\n".join(asking_for_tls(protocol)), {"sock": Server(answer)})
    assert caught.value.args == ("the server answers:", line)
