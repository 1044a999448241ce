"""The plain probe with invented servers: what it asks, in which order, and what it makes of the answers."""

import pytest

from harness.diagnose.remote.dialling import Dialler
from harness.diagnose.remote.plain_probe import plain_peer
from harness.wire.plain_protocols import MQTT_CONNECT, MQTT_DISCONNECT, PlainPeer, PlainProtocol


class Server:
    """Answers by what it is sent; `answers` maps the beginning of a request to the answer, b"" to the greeting."""

    def __init__(self, answers):
        self.answers, self.asked, self.now = answers, [], 0.0

    def connect(self, _target, _timeout_s):
        self.asked.append(b"")
        self.pending = [self.answers[b""]] if b"" in self.answers else []
        return self

    def settimeout(self, value):
        self.limit_s = value

    def sendall(self, data):
        self.asked[-1] += data
        self.pending += [answer for start, answer in self.answers.items() if start and data.startswith(start)]

    def recv(self, _size):
        if not self.pending:
            self.now += self.limit_s
            raise TimeoutError
        return self.pending.pop(0)

    def close(self):
        pass


@pytest.fixture
def ask():
    """Return `ask(answers)`: what the probe finds, and what each of its connections sent."""

    def run(answers):
        server = Server(answers)
        dialler = Dialler("h.example", 25, connect=server.connect, clock=lambda: server.now)
        return plain_peer(dialler), server.asked

    return run


def test_smtp_that_offers_tls(ask):
    """The greeting names the protocol; the capabilities are asked for in the same connection."""
    found, asked = ask({b"": b"220 m ESMTP\r\n", b"EHLO": b"250-m\r\n250 STARTTLS\r\n"})
    assert found == PlainPeer(protocol=PlainProtocol.SMTP, said="220 m ESMTP", offers_tls=True)
    assert asked == [b"EHLO tls-harness.invalid\r\n"]


def test_smtp_without_tls(ask):
    """A server whose list has no STARTTLS, or that does not answer, offers none."""
    assert ask({b"": b"220 m ESMTP\r\n", b"EHLO": b"250 m\r\n"})[0].offers_tls is False
    assert ask({b"": b"220 m ESMTP\r\n"})[0].offers_tls is False


def test_ssh(ask):
    """A protocol that cannot switch to TLS is not asked anything."""
    found, asked = ask({b"": b"SSH-2.0-x\r\n"})
    assert found == PlainPeer(protocol=PlainProtocol.SSH, said="SSH-2.0-x")
    assert asked == [b""]


def test_an_unknown_greeting(ask):
    """A greeting of no known protocol is shown as it is."""
    assert ask({b"": b"login:\n"})[0] == PlainPeer(protocol=None, said="login:")


def test_mqtt(ask):
    """A broker is silent until CONNECT; it gets a DISCONNECT, and no GET follows."""
    found, asked = ask({b"\x10": b"\x20\x02\x00\x00"})
    assert found == PlainPeer(
        protocol=PlainProtocol.MQTT, said="CONNACK, return code 0 (accepted)", asked="an MQTT CONNECT"
    )
    assert asked == [b"", MQTT_CONNECT + MQTT_DISCONNECT]


def test_http(ask):
    """A web server that does not answer CONNECT answers GET."""
    found, asked = ask({b"GET": b"HTTP/1.0 200 OK\r\n"})
    assert found == PlainPeer(protocol=PlainProtocol.HTTP, said="HTTP/1.0 200 OK", asked="GET / HTTP/1.0")
    assert len(asked) == 3


def test_http_that_refuses_connect(ask):
    """A web server that calls CONNECT a bad request is known by that."""
    assert ask({b"\x10": b"HTTP/1.1 400 Bad Request\r\n"})[0].protocol is PlainProtocol.HTTP


@pytest.mark.parametrize("record", [b"\x15\x03\x01\x00\x02\x02\x46", b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00"])
def test_a_tls_server(ask, record):
    """A TLS record in answer to plain text is not a plain protocol."""
    assert ask({b"\x10": record, b"GET": record})[0] is None
    assert ask({b"": record})[0] is None


def test_an_unknown_answer(ask):
    """Something unknown in answer to the last request is shown without a protocol; in answer to CONNECT it is not."""
    assert ask({b"GET": b"what?\n"})[0] == PlainPeer(protocol=None, said="what?", asked="GET / HTTP/1.0")
    assert ask({b"\x10": b"what?\n"})[0] is None


def test_silence(ask):
    """A server that says nothing to any of the three is not a plain one."""
    assert ask({})[0] is None
