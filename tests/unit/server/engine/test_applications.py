"""The protocols that programs speak: what the server reads of them, in any pieces, and what it answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from harness.model import Application
from harness.server.engine.applications import APPLICATIONS, REQUEST_BYTES, read_http, read_mqtt, read_websocket

POST = b"POST /tls-harness HTTP/1.1\r\nHost: tls.test\r\nContent-length: 24 \r\nConnection: close\r\n\r\nHallo, Server! 123456789"
CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07harness"
SUBSCRIBE = b"\x82\x08\x00\x07\x00\x03a/b\x00"
PUBLISH = b"\x30\x1d\x00\x03a/bHallo, Server! 123456789"
# The key and its answer are those of RFC 6455, section 1.3; the frame is masked with 01020304.
UPGRADE = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)
CONNACK, SUBACK = b"\x20\x02\x00\x00", b"\x90\x03\x00\x07\x00"
ANSWER = "Hallo, Client!"


def frame(text: bytes, *, first: int = 0x81, mask: bytes = b"\x01\x02\x03\x04") -> bytes:
    """A frame of a client."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return bytes([first]) + size + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))


class Ended(OSError):
    """The client sent no more."""


class Pieces:
    """A session whose client sends these pieces, one at a time, and then nothing."""

    def __init__(self, *pieces: bytes, reply: str = ANSWER, send_bytes: int | None = None) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.settings = {"reply": reply, "send_bytes": send_bytes}
        self.text = self.sent = self.prefix = b""

    def read_some(self, *, limit: int) -> bytes:
        """Return the next bytes."""
        if limit <= 0 or not self.pieces:
            raise Ended
        piece = self.pieces.pop(0)
        if len(piece) > limit:
            self.pieces.insert(0, piece[limit:])
        return piece[:limit]

    def keep_text(self, data: bytes) -> None:
        """Record text of the client."""
        self.text += data

    def send(self, data: bytes) -> None:
        """Record what the server writes before its answer."""
        self.sent += data


def cuts(data: bytes) -> list[tuple[bytes, ...]]:
    """Every way to cut data in two, and single bytes."""
    return [*((data[:at], data[at:]) for at in range(len(data))), tuple(bytes([byte]) for byte in data)]


def test_every_application_is_implemented() -> None:
    """The engine has the protocols of the vocabulary, and no others."""
    assert set(APPLICATIONS) == set(Application)


@pytest.mark.parametrize("pieces", cuts(POST))
def test_http(pieces: tuple[bytes, ...]) -> None:
    """The body of a request is the text, however it arrives; the answer's header has the length of the answer."""
    session: Any = Pieces(*pieces)
    read_http(session)
    assert session.text == b"Hallo, Server! 123456789"
    assert session.prefix == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 14\r\nConnection: close\r\n\r\n"
    )


def test_http_without_a_body() -> None:
    """A request without Content-Length has an empty body; the header has the length of a long answer."""
    session: Any = Pieces(b"GET / HTTP/1.0\r\nContent-Length: x\r\n\r\n", send_bytes=20000)
    read_http(session)
    assert session.text == b""
    assert b"Content-Length: 20000\r\n" in session.prefix


@pytest.mark.parametrize("pieces", cuts(CONNECT + SUBSCRIBE + PUBLISH))
def test_mqtt(pieces: tuple[bytes, ...]) -> None:
    """The broker accepts the client and its subscription; its message is the text, and the answer is a message on that topic."""
    session: Any = Pieces(*pieces)
    read_mqtt(session)
    assert session.sent == CONNACK + SUBACK
    assert session.text == b"Hallo, Server! 123456789"
    assert session.prefix == b"\x30\x13\x00\x03a/b"


@pytest.mark.parametrize(
    ("size", "field"),
    [(122, b"\x7f"), (123, b"\x80\x01"), (16378, b"\xff\x7f"), (16379, b"\x80\x80\x01")],
)
def test_mqtt_length(size: int, field: bytes) -> None:
    """The length of a message has one byte up to 127, two up to 16383 (section 2.2.3)."""
    session: Any = Pieces(CONNECT + SUBSCRIBE + PUBLISH, send_bytes=size)
    read_mqtt(session)
    assert session.prefix == b"\x30" + field + b"\x00\x03a/b"


@pytest.mark.parametrize("pieces", cuts(UPGRADE + frame(b"Hallo, Server! 123456789")))
def test_websocket(pieces: tuple[bytes, ...]) -> None:
    """The upgrade is accepted with the key's answer; the message, without its mask, is the text, and the answer is a message."""
    session: Any = Pieces(*pieces)
    read_websocket(session)
    assert session.sent == ACCEPTED
    assert session.text == b"Hallo, Server! 123456789"
    assert session.prefix == b"\x81\x0e"


@pytest.mark.parametrize("size", [0, 125, 126, 3000])
def test_websocket_length(size: int) -> None:
    """A message of up to 125 bytes has its length in one byte, a longer one in two more, in both directions (section 5.2)."""
    session: Any = Pieces(UPGRADE + frame(b"x" * size, first=0x82), send_bytes=size)
    read_websocket(session)
    assert session.text == b"x" * size
    assert session.prefix == (bytes([0x81, size]) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big"))


@pytest.mark.parametrize(
    ("size", "field"), [(65535, b"\x7e\xff\xff"), (65536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00")]
)
def test_long_websocket_answer(size: int, field: bytes) -> None:
    """An answer from 65,536 bytes on has its length in eight more bytes."""
    session: Any = Pieces(UPGRADE + frame(b"text"), send_bytes=size)
    read_websocket(session)
    assert session.prefix == b"\x81" + field


@pytest.mark.parametrize(
    "data",
    [
        UPGRADE.replace(b"-Key", b"-Kex"),
        UPGRADE + frame(b"text", first=0x01),  # the first part of a message
        UPGRADE + frame(b"text", first=0x88),  # a close
        UPGRADE + b"\x81\x04text!!!!",  # not masked
        UPGRADE + b"\x81\xff" + b"\x00" * 30,  # a length of eight bytes
    ],
)
def test_another_websocket_is_refused(data: bytes) -> None:
    """No upgrade, a part of a message, another kind of frame, and a frame without a mask end the connection."""
    session: Any = Pieces(data)
    with pytest.raises(OSError, match="not the protocol that this server speaks"):
        read_websocket(session)
    assert session.text == b""


@pytest.mark.parametrize(
    "data",
    [
        CONNECT + b"\x82\x00",
        CONNECT + b"\x82\x03\x00\x07\x00",
        CONNECT + b"\x82\x06\x00\x07\x00\x03a/",
        CONNECT + SUBSCRIBE + b"\x30\x00",
        CONNECT + SUBSCRIBE + b"\x30\x01\x00",
        CONNECT + SUBSCRIBE + b"\x30\x04\x00\x03a/",
    ],
)
def test_a_topic_that_is_cut_off_is_refused(data: bytes) -> None:
    """A packet that is too short for its topic is a fault of the client, not of the server."""
    session: Any = Pieces(data)
    with pytest.raises(OSError, match="not the protocol that this server speaks"):
        read_mqtt(session)
    assert session.text == b""


@pytest.mark.parametrize("data", [CONNECT + PUBLISH, b"GET / HTTP/1.0\r\n\r\n" * 20, CONNECT + b"\xc0\x00"])
def test_another_protocol_is_refused(data: bytes) -> None:
    """A message before the subscription, and any other packet, end the connection."""
    with pytest.raises(OSError, match="not the protocol that this server speaks"):
        read_mqtt(Pieces(data))  # type: ignore[arg-type]  # only what it uses


@pytest.mark.parametrize(
    ("read", "data"),
    [
        (read_http, POST[:-1]),
        (read_mqtt, CONNECT + SUBSCRIBE + PUBLISH[:-1]),
        (read_mqtt, b"\x10\xff\xff\xff\xff\x01"),
        (read_websocket, UPGRADE + frame(b"text")[:-1]),
        (read_websocket, UPGRADE[:-1]),
        *((read, b"") for read in (read_http, read_mqtt, read_websocket)),
    ],
)
def test_an_unfinished_request_ends(read: Any, data: bytes) -> None:
    """A client that sends no more ends the session; nothing of its text is recorded."""
    session: Any = Pieces(data)
    with pytest.raises(OSError):  # noqa: PT011
        read(session)
    assert session.text == b""


@pytest.mark.parametrize(
    "data", [b"x" * (REQUEST_BYTES + 1), POST.replace(b"24 ", b"9999"), b"\x10\x80\x80\x01" + b"x" * REQUEST_BYTES]
)
def test_a_request_without_end_is_bounded(data: bytes) -> None:
    """No more than the limit is read of one request."""
    for read in (read_http, read_mqtt, read_websocket):
        session: Any = Pieces(data, b"x" * 9999)
        with pytest.raises(OSError):  # noqa: PT011
            read(session)
        assert sum(map(len, session.pieces)) >= len(data) + 9999 - REQUEST_BYTES


def test_stand_in() -> None:
    """The stand-in has what a session has."""
    from harness.server.engine.tls_session import Session

    link: Any = SimpleNamespace(started=0.0)
    real = Session(link, tls=None, incoming=None, outgoing=None, settings={"handshake_timeout_s": 1.0})
    assert {"settings", "prefix"} <= set(vars(real))
    assert all(hasattr(Session, name) for name in ("read_some", "keep_text", "send"))
