"""Sends a ClientHello of our own to a server context in memory and reads the beginning of its answer: no socket, no client library.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. No handshake is completed. RFC 5246
section 7.4.1, RFC 8446 section 4.1, RFC 8422 section 5.4.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _SERVER_KEY_EXCHANGE = 2, 12
_GROUPS, _POINT_FORMATS, _SIGNATURES, _VERSIONS, _KEY_SHARE = 10, 11, 13, 43, 51
_TLS12, _TLS13 = 0x0303, 0x0304
#: TLS_EMPTY_RENEGOTIATION_INFO_SCSV (RFC 5746 section 3.3).
_SIGNAL = 0x00FF
_NAMED_CURVE = 3


class Answer:
    """What the server did: the reason of its error, its fatal alert with the version of its record (up to TLS 1.2 the one that was
    chosen), and the group that it chose; each None if there is none."""

    def __init__(self, reason: str | None, *, alert: tuple[int, int] | None, group: int | None) -> None:
        self.reason = reason
        self.alert_version = alert[0] if alert else None
        self.alert = alert[1] if alert else None
        self.group = group


def ask(
    context: ssl.SSLContext,
    version: int,
    *,
    suites: Sequence[int],
    groups: Sequence[int],
    signatures: Sequence[int],
    shares: Sequence[int] = (),
) -> Answer:
    """Send one ClientHello to the context and read the answer.

    Args:
        context: a server's.
        version: the newest that is offered; TLS 1.3 is offered alone.
        suites: IANA codes.
        groups: IANA codes.
        signatures: IANA codes; they are omitted before TLS 1.2.
        shares: groups with a key share, which is invalid. Without any, a server of TLS 1.3 names its group in a HelloRetryRequest.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(_client_hello(version, suites, groups, signatures, shares))
    reason = None
    try:
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        pass
    except ssl.SSLError as exc:
        reason = exc.reason or type(exc).__name__
    messages, alert = _read(outgoing.read())
    return Answer(reason, alert=alert, group=_group(messages))


def _client_hello(
    version: int, suites: Sequence[int], groups: Sequence[int], signatures: Sequence[int], shares: Sequence[int]
) -> bytes:
    """One record with the message."""
    extensions = _extension(_GROUPS, _sized(2, _codes(groups))) + _extension(_POINT_FORMATS, _sized(1, b"\x00"))
    if version >= _TLS12:
        extensions += _extension(_SIGNATURES, _sized(2, _codes(signatures)))
    if version >= _TLS13:
        extensions += _extension(_VERSIONS, _sized(1, _codes([_TLS13])))
        # One byte is not a valid share of any group: a server that accepts the group refuses it, any other requests another group.
        shared = b"".join(_codes([group]) + _sized(2, b"\x00") for group in shares)
        extensions += _extension(_KEY_SHARE, _sized(2, shared))
    body = _codes([min(version, _TLS12)]) + bytes(32) + _sized(1, bytes(32))
    body += _sized(2, _codes([*suites, _SIGNAL])) + _sized(1, b"\x00") + _sized(2, extensions)
    return b"\x16\x03\x01" + _sized(2, b"\x01" + _sized(3, body))


def _read(data: bytes) -> tuple[dict[int, bytes], tuple[int, int] | None]:
    """Return the plaintext handshake messages by type, and version and code of the alert. The bytes are OpenSSL's own."""
    stream, alert = b"", None
    while len(data) >= 5:
        size = int.from_bytes(data[3:5], "big")
        if data[0] == _HANDSHAKE:
            stream += data[5 : 5 + size]
        elif data[0] == _ALERT and size == 2:
            alert = int.from_bytes(data[1:3], "big"), data[6]
        data = data[5 + size :]
    messages = {}
    while len(stream) >= 4:
        size = int.from_bytes(stream[1:4], "big")
        messages[stream[0]] = stream[4 : 4 + size]
        stream = stream[4 + size :]
    return messages, alert


def _group(messages: dict[int, bytes]) -> int | None:
    """The group of a HelloRetryRequest or ServerKeyExchange."""
    exchange = messages.get(_SERVER_KEY_EXCHANGE)
    if exchange is not None:
        return int.from_bytes(exchange[1:3], "big") if exchange[0] == _NAMED_CURVE else None
    hello = messages.get(_SERVER_HELLO)
    if hello is None:
        return None
    # Version, random, session id; suite and compression; the extensions.
    rest = hello[35 + hello[34] + 3 :][2:]
    while len(rest) >= 4:
        number, size = int.from_bytes(rest[:2], "big"), int.from_bytes(rest[2:4], "big")
        if number == _KEY_SHARE:
            return int.from_bytes(rest[4:6], "big")
        rest = rest[4 + size :]
    return None


def _codes(codes: Sequence[int]) -> bytes:
    return b"".join(code.to_bytes(2, "big") for code in codes)


def _sized(octets: int, data: bytes) -> bytes:
    return len(data).to_bytes(octets, "big") + data


def _extension(number: int, data: bytes) -> bytes:
    return _codes([number]) + _sized(2, data)
