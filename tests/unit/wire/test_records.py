"""Tests of harness/wire/records.py: object, incomplete, wrong - whatever the cuts."""

from __future__ import annotations

import random

import pytest

from harness.wire.records import ALERT, HANDSHAKE, NotTlsError, Record, RecordSplitter, describe_plain

FIRST = bytes.fromhex("1603010004") + b"abcd"
SECOND = bytes.fromhex("15030300020228")
RECORDS = [
    Record(content_type=HANDSHAKE, version="0301", payload=b"abcd"),
    Record(content_type=ALERT, version="0303", payload=b"\x02\x28"),
]


def _all_records(splitter: RecordSplitter) -> list[Record]:
    found = []
    while (record := splitter.next_record()) is not None:
        found.append(record)
    return found


def test_whole_stream() -> None:
    """Two records that arrive at once are returned one by one."""
    splitter = RecordSplitter()
    splitter.feed(FIRST + SECOND)
    assert _all_records(splitter) == RECORDS
    assert splitter.pending_bytes == 0


def test_byte_by_byte() -> None:
    """The same records are returned if the bytes arrive one at a time."""
    splitter, found = RecordSplitter(), []
    for byte in FIRST + SECOND:
        splitter.feed(bytes([byte]))
        found += _all_records(splitter)
    assert found == RECORDS


@pytest.mark.parametrize("cut", range(len(FIRST + SECOND)))
def test_cut_at_every_index(cut: int) -> None:
    """A stream cut anywhere is incomplete, never wrong, and continues when the rest arrives."""
    splitter = RecordSplitter()
    splitter.feed((FIRST + SECOND)[:cut])
    before = _all_records(splitter)
    splitter.feed((FIRST + SECOND)[cut:])
    assert before + _all_records(splitter) == RECORDS


def test_empty_record_is_a_record() -> None:
    """A record without payload is passed on: whether it is allowed depends on its type."""
    splitter = RecordSplitter()
    splitter.feed(bytes.fromhex("1703030000"))
    assert Record(content_type=23, version="0303", payload=b"") == splitter.next_record()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"HTTP/1.0 200 OK\r\n", "not a TLS record but HTTP response at byte 0: b'HTTP/1.0 200 OK"),
        (bytes.fromhex("160100"), "a record header whose version is not 3.x at byte 0"),
        (bytes.fromhex("1603017fff"), "a record header that claims 32767 bytes, more than TLS allows at byte 0"),
        (b"\x00" * 9, "not a TLS record but binary data at byte 0"),
    ],
)
def test_wrong_stream(data: bytes, message: str) -> None:
    """The error for bytes that cannot be a record has the reason, the offset and the bytes, at every call."""
    splitter = RecordSplitter()
    splitter.feed(data)
    for _again in range(2):
        with pytest.raises(NotTlsError, match=message.replace("(", "\\(").replace(".", "\\.")):
            splitter.next_record()


def test_wrong_after_right() -> None:
    """The offset of the first wrong byte counts from the beginning of the stream."""
    splitter = RecordSplitter()
    splitter.feed(FIRST + b"junk")
    assert RECORDS[0] == splitter.next_record()
    with pytest.raises(NotTlsError, match="not a TLS record but text at byte 9") as caught:
        splitter.next_record()
    assert (caught.value.offset, caught.value.data) == (9, b"junk")


def test_wrong_stream_collects_its_first_line() -> None:
    """A greeting that arrives byte by byte is still kept as a whole, up to 64 bytes."""
    splitter, greeting = RecordSplitter(), b"220 mail.example ESMTP" + b"." * 100
    for byte in greeting:
        splitter.feed(bytes([byte]))
        with pytest.raises(NotTlsError, match="not a TLS record"):
            splitter.next_record()
    with pytest.raises(NotTlsError, match="SMTP or FTP greeting") as caught:
        splitter.next_record()
    assert greeting[:64] == caught.value.data


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"HTTP/1.1 400 Bad Request", "HTTP response"),
        (b"GET / HTTP/1.0", "HTTP request"),
        (b"SSH-2.0-OpenSSH_9.2", "SSH greeting"),
        (b"220 ready", "SMTP or FTP greeting"),
        (b"* OK IMAP4rev1", "IMAP greeting"),
        (b"+OK POP3", "POP3 greeting"),
        (bytes.fromhex("802e010301"), "SSLv2 ClientHello"),
        (b"hello\r\n", "text"),
        (b"\x00\x01\x02", "binary data"),
        (b"", "binary data"),
    ],
)
def test_describe_plain(data: bytes, expected: str) -> None:
    """The usual wrong peers are named from their first bytes."""
    assert expected == describe_plain(data)


def test_random_bytes_give_three_results() -> None:
    """Random bytes give records, None or NotTlsError, nothing else."""
    chance = random.Random(5)
    seen = set()
    for _round in range(400):
        splitter = RecordSplitter()
        splitter.feed(bytes([chance.choice((20, 21, 22, 23, 24, chance.randrange(256))), 3]) + chance.randbytes(40))
        try:
            seen.add(type(splitter.next_record()))
        except NotTlsError as error:
            seen.add(type(error))
    assert {type(None), NotTlsError} <= seen <= {type(None), NotTlsError, Record}
