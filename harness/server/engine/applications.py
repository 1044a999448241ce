"""What a program of the user's talks to after the handshake: a web server, a broker, a WebSocket. One function per protocol, one table.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Each reads what the program sends up to its text, and sets what
stands before the answer. They are as small as a test needs: one request, one message, everything bounded.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.server.engine.tls_session import Session

if TYPE_CHECKING or __package__:
    from harness.server.engine.exchanged_text import reply_of
else:  # found beside this file; engine.py has put the folder on sys.path
    from exchanged_text import reply_of

#: A request that is longer is not one of a test's programs.
REQUEST_BYTES = 4096
_CONNECT, _PUBLISH, _SUBSCRIBE = 1, 3, 8
_WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _FINAL, _MASKED = 1, 2, 128, 128


def read_http(session: Session) -> None:
    """Read one HTTP request; its body is the text. RFC 9112."""
    data, start, fields = _head(session)
    size = fields.get(b"content-length", b"")
    length = int(size) if size.isdigit() else 0
    while len(data) < start + length:
        data += session.read_some(limit=REQUEST_BYTES - len(data))
    session.keep_text(data[start:])
    length = len(reply_of(session.settings))
    session.prefix = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % length
    )


def read_mqtt(session: Session) -> None:
    """Act as a broker up to the client's message, which is the text; the answer is a message for its subscription. MQTT 3.1.1."""
    buffer = b""
    subscribed = None
    while True:
        kind, body, buffer = _packet(session, buffer)
        if kind >> 4 == _CONNECT:
            session.send(b"\x20\x02\x00\x00")  # CONNACK: accepted
        elif kind >> 4 == _SUBSCRIBE:
            subscribed = _topic(body, start=2)
            session.send(b"\x90\x03" + body[:2] + b"\x00")  # SUBACK: at most once
        elif kind >> 4 == _PUBLISH and subscribed is not None:
            session.keep_text(body[len(_topic(body)) :])
            length = len(subscribed) + len(reply_of(session.settings))
            session.prefix = b"\x30" + _length(length) + subscribed
            return
        else:
            raise _refused()


def read_websocket(session: Session) -> None:
    """Accept a WebSocket and read one message, which is the text; the answer is one message. RFC 6455."""
    data, start, fields = _head(session)
    key = fields.get(b"sec-websocket-key")
    if not key:
        raise _refused()
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_GUID).digest())
    session.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
        + accept
        + b"\r\n\r\n"
    )
    opcode, text = _frame(session, data[start:])
    if opcode not in (_TEXT, _BINARY):
        raise _refused()
    session.keep_text(text)
    size = len(reply_of(session.settings))
    session.prefix = bytes([_FINAL | _TEXT]) + _websocket_length(size)


def _head(session: Session) -> tuple[bytes, int, dict[bytes, bytes]]:
    """Return what arrived of a request, where its body begins, and its fields by their names in lower case."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += session.read_some(limit=REQUEST_BYTES - len(data))
    start = data.index(b"\r\n\r\n") + 4
    pairs = (line.partition(b":") for line in data[:start].split(b"\r\n")[1:])
    return data, start, {name.strip().lower(): value.strip() for name, _colon, value in pairs}


def _frame(session: Session, data: bytes) -> tuple[int, bytes]:
    """Return the opcode of a client's frame and what it carries; a client must mask it (section 5.3)."""

    def more(count: int) -> None:
        nonlocal data
        while len(data) < count:
            data += session.read_some(limit=REQUEST_BYTES - len(data))

    more(2)
    size, start = data[1] & 127, 6
    if size == 126:
        more(4)
        (size,) = struct.unpack_from("!H", data, 2)
        start = 8
    if not data[0] & _FINAL or not data[1] & _MASKED or size == 127:
        raise _refused()
    more(start + size)
    mask = data[start - 4 : start]
    return data[0] & 15, bytes(byte ^ mask[index % 4] for index, byte in enumerate(data[start : start + size]))


def _websocket_length(size: int) -> bytes:
    """Return the length field of a server's frame (section 5.2)."""
    if size < 126:
        return bytes([size])
    return struct.pack("!BH", 126, size) if size < 65536 else struct.pack("!BQ", 127, size)


def _packet(session: Session, buffer: bytes) -> tuple[int, bytes, bytes]:
    """Return the first byte of the next MQTT packet, its body, and what came after it."""
    while True:
        size = shift = 0
        for position, byte in enumerate(buffer[1:5], 2):
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                if len(buffer) >= position + size:
                    return buffer[0], buffer[position : position + size], buffer[position + size :]
                break
        buffer += session.read_some(limit=REQUEST_BYTES - len(buffer))


def _topic(body: bytes, start: int = 0) -> bytes:
    """Return the topic that stands there, with its length (section 1.5.3)."""
    end = start + 2 + int.from_bytes(body[start : start + 2], "big")
    if len(body) < end:
        raise _refused()
    return body[start:end]


def _length(size: int) -> bytes:
    """Return the Remaining Length field of an MQTT packet (section 2.2.3)."""
    field = b""
    while True:
        size, low = divmod(size, 128)
        field += bytes([low | 128 if size else low])
        if not size:
            return field


def _refused() -> OSError:
    return ConnectionAbortedError(errno.ECONNABORTED, "not the protocol that this server speaks")


#: name -> the function that reads the client's text, and whether the server ends the connection after its answer.
APPLICATIONS: dict[str, tuple[Callable[[Session], None], bool]] = {
    "http": (read_http, True),
    "mqtt": (read_mqtt, False),
    "websocket": (read_websocket, False),
}
