"""Answers after the handshake: which of them refuse the client, and how much of one can be read without waiting for ever."""

import pytest

from harness.wire.application_replies import ApplicationReply, bytes_to_read, likely_requests, reply_line
from harness.wire.plain_protocols import MQTT_CONNECT


@pytest.mark.parametrize(
    ("line", "refuses"),
    [
        (None, True),
        ("HTTP/1.1 400 Bad Request", True),
        ("HTTP/1.1 401 Unauthorized", True),
        ("HTTP/1.1 403 Forbidden", True),
        ("HTTP/1.1 495 SSL Certificate Error", True),
        ("HTTP/2 496", True),
        ("HTTP/1.1 200 OK", False),
        ("HTTP/1.1 404 Not Found", False),
        ("HTTP/1.1 500 Internal Server Error", False),
        ("HTTP/1.1 4000", False),
        ("see HTTP/1.1 400", False),
        ("CONNACK, return code 0 (accepted)", False),
        ("CONNACK, return code 5 (not authorized)", True),
        ("", False),
        ("550 go away", False),
    ],
)
def test_refusals(line, refuses):
    """An error status about access, a CONNACK with a code and an end without an answer refuse the client; nothing else does."""
    assert ApplicationReply(asked="x", line=line).refuses is refuses


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (MQTT_CONNECT.decode(), 4),
        ("\x10\x0f\x00\x04MQTT\x05", 4),
        ("\x10not a packet", 1),
        ("GET / HTTP/1.0\r\n\r\n", 64),
        ("OPTIONS * HTTP/1.1\r\n\r\n", 64),
        ("GET /", 1),
        ("get / HTTP/1.0\r\n\r\n", 1),
        ("hello", 1),
        ("", 1),
    ],
)
def test_how_much_to_read(text, count):
    """A CONNACK has four bytes, an HTTP answer more than 64; of any other answer only one byte is sure."""
    assert bytes_to_read(text) == count


def test_the_line():
    """A CONNACK and a status line are both put into words."""
    assert reply_line("\x20\x02\x00\x05") == "CONNACK, return code 5 (not authorized)"
    assert reply_line("HTTP/1.1 200 OK\r\nServer: x\r\n") == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("port", "first"), [(443, "GET / HTTP/1.0"), (8443, "GET / HTTP/1.0"), (8883, "an MQTT CONNECT")]
)
def test_the_likely_request(port, first):
    """The port decides which request comes first; both are made, and a board can send them as text."""
    requests = likely_requests("h.example", port)
    assert requests[0][0] == first
    assert dict(requests) == {
        "GET / HTTP/1.0": "GET / HTTP/1.0\r\nHost: h.example\r\n\r\n",
        "an MQTT CONNECT": MQTT_CONNECT.decode(),
    }
