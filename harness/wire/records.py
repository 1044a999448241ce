"""The TLS record layer: a byte stream of one direction -> records, one by one (RFC 8446 section 5.1).

Knows the five-byte header and what a peer that speaks something else looks like; knows nothing of what a record holds,
nor of keys: an encrypted record comes out as it is. One splitter per direction, fed in pieces of any size.
"""

from __future__ import annotations

from dataclasses import dataclass

CHANGE_CIPHER_SPEC = 20
ALERT = 21
HANDSHAKE = 22
APPLICATION_DATA = 23
HEARTBEAT = 24
_TYPES = frozenset({CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT})

HEADER_BYTES = 5
# RFC 5246 section 6.2.3: 2^14 plus at most 2048 for MAC, padding and compression. A longer one is no record.
_MAX_PAYLOAD_BYTES = 2**14 + 2048
# How much of a peer that is not TLS is kept: enough for its first line.
_SHOWN_BYTES = 64

_GREETINGS: tuple[tuple[bytes, str], ...] = (
    (b"HTTP/", "HTTP response"),
    (b"GET ", "HTTP request"),
    (b"POST ", "HTTP request"),
    (b"PUT ", "HTTP request"),
    (b"HEAD ", "HTTP request"),
    (b"SSH-", "SSH greeting"),
    (b"220", "SMTP or FTP greeting"),
    (b"* OK", "IMAP greeting"),
    (b"+OK", "POP3 greeting"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One TLS record as it stood on the wire; `version` is the header's two bytes as hex (`0303`)."""

    content_type: int
    version: str
    payload: bytes


class NotTlsError(ValueError):
    """The stream cannot be TLS records from here on.

    Args:
        reason: what is wrong, in a few words.
        data: the first bytes that are not a record.
        offset: where in the stream they stand; 0 means this side never spoke TLS.
    """

    def __init__(self, reason: str, *, data: bytes, offset: int) -> None:
        super().__init__(f"{reason} at byte {offset}: {data!r}")
        self.reason = reason
        self.data = data
        self.offset = offset


class RecordSplitter:
    """Cut one direction's byte stream into records.

    `feed` takes bytes, `next_record` gives one record, None while it is incomplete, or raises `NotTlsError` - then and
    at every later call, because nothing after the first wrong byte can be trusted.
    """

    __slots__ = ("_buffer", "_offset", "_wrong")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0
        self._wrong: NotTlsError | None = None

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the rest of their record."""
        return len(self._buffer)

    @property
    def pending_handshake(self) -> bytes:
        """The payload, as far as it came, of an unfinished handshake record."""
        cut = self._wrong is None and self._buffer[:1] == bytes([HANDSHAKE])
        return bytes(self._buffer[HEADER_BYTES:]) if cut else b""

    def feed(self, data: bytes) -> None:
        """Add bytes in pieces of any size."""
        self._buffer += data

    def next_record(self) -> Record | None:
        """Return the next record of the stream.

        Returns:
            The record, or None if more bytes are needed.

        Raises:
            NotTlsError: if what is there cannot be the beginning of a record.
        """
        if self._wrong is None:
            reason = _what_is_wrong(self._buffer)
            if reason is not None:
                self._wrong = NotTlsError(reason, data=bytes(self._buffer[:_SHOWN_BYTES]), offset=self._offset)
        if self._wrong is not None:
            self._collect_more()
            raise self._wrong
        if len(self._buffer) < HEADER_BYTES:
            return None
        end = HEADER_BYTES + int.from_bytes(self._buffer[3:5], "big")
        if len(self._buffer) < end:
            return None
        record = Record(
            content_type=self._buffer[0],
            version=self._buffer[1:3].hex(),
            payload=bytes(self._buffer[HEADER_BYTES:end]),
        )
        del self._buffer[:end]
        self._offset += end
        return record

    def _collect_more(self) -> None:
        """Keep the first bytes of a stream that is not TLS although they came in pieces."""
        if self._wrong is not None and len(self._wrong.data) < min(len(self._buffer), _SHOWN_BYTES):
            self._wrong = NotTlsError(
                _what_is_wrong(self._buffer) or self._wrong.reason,
                data=bytes(self._buffer[:_SHOWN_BYTES]),
                offset=self._wrong.offset,
            )


def describe_plain(data: bytes) -> str:
    """Return the protocol that a peer without TLS seems to speak, by its first bytes.

    Returns:
        `HTTP response`, `SSH greeting`, `SSLv2 ClientHello`, ..., or `text` / `binary data`.
    """
    for start, name in _GREETINGS:
        if data.startswith(start):
            return name
    # RFC 5246 appendix E.2: length with the high bit set, then message type 1 (CLIENT-HELLO).
    if len(data) > 2 and data[0] & 0x80 and data[2] == 1:
        return "SSLv2 ClientHello"
    printable = bool(data) and all(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)
    return "text" if printable else "binary data"


def _what_is_wrong(data: bytearray) -> str | None:
    """Return why these bytes cannot begin a record; None while they still can."""
    if not data:
        return None
    if data[0] not in _TYPES:
        return f"not a TLS record but {describe_plain(bytes(data[:_SHOWN_BYTES]))}"
    # Every version of TLS writes major version 3 here; TLS 1.3 froze the field (RFC 8446 section 5.1).
    if len(data) > 1 and data[1] != 3:
        return "a record header whose version is not 3.x"
    if len(data) >= HEADER_BYTES and int.from_bytes(data[3:5], "big") > _MAX_PAYLOAD_BYTES:
        return f"a record header that claims {int.from_bytes(data[3:5], 'big')} bytes, more than TLS allows"
    return None
