"""Writes a ClientHello, to ask a server what it would choose. Pure; it cannot complete a handshake.

The counterpart of `parse_client_hello` (RFC 5246 section 7.4.1.2, RFC 8446 section 4.1.2). With TLS 1.3 the key share is empty: a
server that could go on answers with a HelloRetryRequest, which names version, suite and group in the clear.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from harness.wire.extensions import Extension
from harness.wire.handshake import CLIENT_HELLO
from harness.wire.records import HANDSHAKE
from harness.wire.suites import RENEGOTIATION_SCSV
from harness.wire.versions import TLS10, TLS12, TLS13


def client_hello(
    *,
    version: int,
    suites: Sequence[int],
    groups: Sequence[int],
    signature_algorithms: Sequence[int],
    name: str | None = None,
    alpn: Sequence[str] = (),
    extended_master_secret: bool = False,
) -> bytes:
    """Write one record with a ClientHello.

    Args:
        version: the newest version offered; TLS 1.3 is offered alone.
        suites: IANA codes in order; the signalling value of RFC 5746 is added.
        groups: IANA codes; empty omits the extension.
        signature_algorithms: IANA codes.
        name: for SNI, ASCII; None omits the extension.
        alpn: names of application protocols, ASCII; empty omits the extension (RFC 7301).
        extended_master_secret: offers it (RFC 7627).

    Raises:
        ValueError: the name is not ASCII, or a list is too long for its field.
    """
    body = min(version, TLS12).to_bytes(2, "big") + secrets.token_bytes(32) + _short(secrets.token_bytes(32))
    body += _long(_codes([*suites, RENEGOTIATION_SCSV])) + _short(b"\x00")
    extensions = b""
    if name is not None:
        extensions += _extension(Extension.SERVER_NAME, _long(b"\x00" + _long(name.encode("ascii"))))
    if groups:
        extensions += _extension(Extension.SUPPORTED_GROUPS, _long(_codes(groups))) + _extension(
            Extension.EC_POINT_FORMATS, _short(b"\x00")
        )
    if version >= TLS12:
        extensions += _extension(Extension.SIGNATURE_ALGORITHMS, _long(_codes(signature_algorithms)))
    if alpn:
        protocols = b"".join(_short(protocol.encode("ascii")) for protocol in alpn)
        extensions += _extension(Extension.APPLICATION_LAYER_PROTOCOL_NEGOTIATION, _long(protocols))
    if extended_master_secret:
        extensions += _extension(Extension.EXTENDED_MASTER_SECRET, b"")
    if version >= TLS13:
        extensions += _extension(Extension.SUPPORTED_VERSIONS, _short(TLS13.to_bytes(2, "big"))) + _extension(
            Extension.KEY_SHARE, _long(b"")
        )
    return hello_record(body + _long(extensions), record_version=TLS10)


def composed_hello(
    *,
    record_version: int,
    suites: Sequence[int],
    groups: Sequence[int],
    signature_algorithms: Sequence[int],
    extensions: Sequence[int],
    name: str,
) -> bytes:
    """Write one record with a ClientHello of TLS 1.2 as mbedTLS arranges it: the extensions in this order, no session id.

    Args:
        record_version: in the header of the record.
        suites: IANA codes in order, signalling values included.
        groups: IANA codes.
        signature_algorithms: IANA codes.
        extensions: IANA codes; those without content of their own here are sent empty.
        name: for SNI, ASCII.
    """
    contents = {
        Extension.SERVER_NAME: _long(b"\x00" + _long(name.encode("ascii"))),
        Extension.SUPPORTED_GROUPS: _long(_codes(groups)),
        Extension.EC_POINT_FORMATS: _short(b"\x00"),
        Extension.SIGNATURE_ALGORITHMS: _long(_codes(signature_algorithms)),
    }
    written = b"".join(_extension(code, contents.get(Extension(code), b"")) for code in extensions)
    body = TLS12.to_bytes(2, "big") + secrets.token_bytes(32) + _short(b"") + _long(_codes(suites)) + _short(b"\x00")
    return hello_record(body + _long(written), record_version=record_version)


def hello_record(body: bytes, *, record_version: int) -> bytes:
    """Return a ClientHello's body as a handshake message in one record."""
    message = bytes((CLIENT_HELLO,)) + len(body).to_bytes(3, "big") + body
    return bytes((HANDSHAKE,)) + record_version.to_bytes(2, "big") + _long(message)


def _codes(codes: Sequence[int]) -> bytes:
    return b"".join(code.to_bytes(2, "big") for code in codes)


def _extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2, "big") + _long(data)


def _short(data: bytes) -> bytes:
    return _sized(data, 1)


def _long(data: bytes) -> bytes:
    return _sized(data, 2)


def _sized(data: bytes, size_bytes: int) -> bytes:
    if len(data) >= 1 << 8 * size_bytes:
        raise ValueError(f"{len(data)} bytes do not fit a field with {size_bytes} bytes of length")
    return len(data).to_bytes(size_bytes, "big") + data
