"""Incorrect servers: pure functions that fragment, cut off or tamper with what OpenSSL is about to send.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. A flight is all bytes one TLS step produced;
flight 0 is ServerHello to ServerHelloDone (TLS 1.2), flight 1 the server's ChangeCipherSpec and Finished. Only the wire
changes: OpenSSL keeps its own transcript, and the two then differ on purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[bytes], bytes]

ALERT, CHANGE_CIPHER_SPEC, HANDSHAKE, APPLICATION_DATA = 21, 20, 22, 23
SERVER_HELLO, CERTIFICATE, SERVER_KEY_EXCHANGE, SERVER_HELLO_DONE = 2, 11, 12, 14
VERSION = b"\x03\x03"


def split_records(data: bytes) -> list[tuple[int, bytes, bytes]]:
    """Split TLS records into (type, version, payload); the last one may be incomplete."""
    records = []
    while len(data) >= 5:
        length = int.from_bytes(data[3:5], "big")
        records.append((data[0], data[1:3], data[5 : 5 + length]))
        data = data[5 + length :]
    return records


def join_records(records: list[tuple[int, bytes, bytes]]) -> bytes:
    """Join records into bytes."""
    return b"".join(
        bytes([kind]) + version + len(payload).to_bytes(2, "big") + payload for kind, version, payload in records
    )


def split_messages(payload: bytes) -> list[tuple[int, bytes]]:
    """Split handshake messages into (type, body), RFC 5246 section 7.4."""
    messages = []
    while len(payload) >= 4:
        length = int.from_bytes(payload[1:4], "big")
        messages.append((payload[0], payload[4 : 4 + length]))
        payload = payload[4 + length :]
    return messages


def join_messages(messages: list[tuple[int, bytes]]) -> bytes:
    """Join handshake messages into bytes."""
    return b"".join(bytes([kind]) + len(body).to_bytes(3, "big") + body for kind, body in messages)


def plaintext_prefix(records: list[tuple[int, bytes, bytes]]) -> int:
    """Count the leading handshake records: those before ChangeCipherSpec or the first protected one."""
    count = 0
    while count < len(records) and records[count][0] == HANDSHAKE:
        count += 1
    return count


def recut(data: bytes, size: int) -> bytes:
    """Cut each plaintext handshake message into records of at most `size` bytes; no record holds two messages.

    If a record held the end of one message and the start of the next, a header would be split only by chance: an ECDSA
    signature has 70 to 72 bytes, so the same case could end in two ways.
    """
    records = split_records(data)
    count = plaintext_prefix(records)
    if not count:
        return data
    version = records[0][1]
    cut = []
    for message in split_messages(b"".join(record[2] for record in records[:count])):
        payload = join_messages([message])
        cut += [(HANDSHAKE, version, payload[at : at + size]) for at in range(0, len(payload), size)]
    return join_records(cut + records[count:])


def coalesce(data: bytes) -> bytes:
    """Put the whole plaintext handshake into one record."""
    records = split_records(data)
    count = plaintext_prefix(records)
    if not count:
        return data
    whole = (HANDSHAKE, records[0][1], b"".join(record[2] for record in records[:count]))
    return join_records([whole, *records[count:]])


def edit_messages(data: bytes, edit: Callable[[list[tuple[int, bytes]]], list[tuple[int, bytes]]]) -> bytes:
    """Apply `edit` to the plaintext handshake messages; one record per message afterwards."""
    records = split_records(data)
    count = plaintext_prefix(records)
    if not count:
        return data
    messages = edit(split_messages(b"".join(record[2] for record in records[:count])))
    cut = [(HANDSHAKE, records[0][1], join_messages([message])) for message in messages]
    return join_records(cut + records[count:])


def edit_body(data: bytes, kind: int, edit: Callable[[bytes], bytes]) -> bytes:
    """Apply `edit` to the body of each plaintext handshake message of one type."""
    return edit_messages(data, lambda messages: [(k, edit(body) if k == kind else body) for k, body in messages])


def without_message(data: bytes, kind: int) -> bytes:
    """Remove the plaintext handshake messages of one type."""
    return edit_messages(data, lambda messages: [message for message in messages if message[0] != kind])


def flipped(body: bytes, position: int) -> bytes:
    """Invert one byte; a negative position counts from the end."""
    changed = bytearray(body)
    changed[position] ^= 0xFF
    return bytes(changed)


def _other_suite(body: bytes) -> bytes:
    """Choose TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, which the client did not offer."""
    at = 35 + body[34]
    return body[:at] + b"\xcc\xa9" + body[at + 2 :]


def _with_alpn(body: bytes) -> bytes:
    """Add an unsolicited ALPN extension."""
    at = 38 + body[34]
    extensions = body[at + 2 :] + b"\x00\x10\x00\x0b\x00\x09\x08http/1.1"
    return body[:at] + len(extensions).to_bytes(2, "big") + extensions


def _leaf_end(body: bytes) -> int:
    """Return where the first certificate of a TLS 1.2 Certificate message ends."""
    return 6 + int.from_bytes(body[3:6], "big")


def _bad_mac(data: bytes) -> bytes:
    """Change the last byte of the first application record."""
    records = split_records(data)
    for at, (kind, version, payload) in enumerate(records):
        if kind == APPLICATION_DATA:
            records[at] = (kind, version, flipped(payload, -1))
            break
    return join_records(records)


#: Changes of flight 0 on the wire: name -> (change, how the stream ends afterwards).
FIRST_FLIGHT: dict[str, tuple[Change, str]] = {
    "tampered.sh-version-0302": (lambda d: edit_body(d, SERVER_HELLO, lambda b: b"\x03\x02" + b[2:]), ""),
    "tampered.sh-cipher-not-offered": (lambda d: edit_body(d, SERVER_HELLO, _other_suite), ""),
    "tampered.sh-unsolicited-alpn": (lambda d: edit_body(d, SERVER_HELLO, _with_alpn), ""),
    "tampered.cert-bitflip-sig": (lambda d: edit_body(d, CERTIFICATE, lambda b: flipped(b, _leaf_end(b) - 1)), ""),
    "tampered.cert-der-broken": (lambda d: edit_body(d, CERTIFICATE, lambda b: flipped(b, 6)), ""),
    "tampered.cert-empty": (lambda d: edit_body(d, CERTIFICATE, lambda _body: b"\x00\x00\x00"), ""),
    "tampered.ske-bad-signature": (lambda d: edit_body(d, SERVER_KEY_EXCHANGE, lambda b: flipped(b, -1)), ""),
    "tampered.ske-bad-curve": (
        lambda d: edit_body(d, SERVER_KEY_EXCHANGE, lambda b: b[:1] + b"\x00\x1d" + b[3:]),
        "",
    ),
    "tampered.ske-missing": (lambda d: without_message(d, SERVER_KEY_EXCHANGE), ""),
    "tampered.shd-missing": (lambda d: without_message(d, SERVER_HELLO_DONE), "fin"),
    "tampered.warning-alert-unrecognized-name": (lambda d: b"\x15" + VERSION + b"\x00\x02\x01\x70" + d, ""),
    "tampered.hello-request-first": (lambda d: b"\x16" + VERSION + b"\x00\x04\x00\x00\x00\x00" + d, ""),
    "cut-off.fin-mid-certificate": (lambda d: d[: len(d) // 2], "fin"),
    "cut-off.fin-after-shd": (lambda d: d, "close"),
}

#: Changes of flight 1 on the wire.
SECOND_FLIGHT: dict[str, tuple[Change, str]] = {
    "tampered.ccs-missing": (
        lambda d: join_records([record for record in split_records(d) if record[0] != CHANGE_CIPHER_SPEC]),
        "fin",
    ),
    "cut-off.fin-before-finished": (lambda _data: b"", "fin"),
}

#: Changes of every flight.
EVERY_FLIGHT = ("fragments.hs-records", "fragments.hs-coalesced", "fragments.tcp", "time.slow")
FLIGHTS = (*FIRST_FLIGHT, *SECOND_FLIGHT, *EVERY_FLIGHT, "tampered.appdata-bad-mac", "flight")


def flight_of(behaviour: dict[str, Any]) -> Callable[[bytes, int], tuple[bytes, str]] | None:
    """Return the function that changes flights for this behaviour; None if it changes none.

    The function maps (data, index) to (data, how), `how` being "", "fin" (half-close after it) or "close".
    """
    name = behaviour.get("name", "")
    if name not in FLIGHTS:
        return None

    def change(data: bytes, index: int) -> tuple[bytes, str]:
        if data[:1] == bytes([ALERT]):
            return data, ""  # the server refuses: there is no flight to change
        if name == "flight":
            return behaviour["change"](data, index), ""
        if name in FIRST_FLIGHT and index == 0:
            edit, how = FIRST_FLIGHT[name]
            return edit(data), how
        if name in SECOND_FLIGHT and index == 1:
            edit, how = SECOND_FLIGHT[name]
            return edit(data), how
        if name == "fragments.hs-records":
            return recut(data, int(behaviour["size"])), ""
        if name == "fragments.hs-coalesced":
            return coalesce(data), ""
        if name == "tampered.appdata-bad-mac" and index > 1:
            return _bad_mac(data), ""
        return data, ""

    return change
