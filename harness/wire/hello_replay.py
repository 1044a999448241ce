"""Send a recorded ClientHello again: the same bytes with a fresh random, session id and key shares, and another server name.

Knows where these stand in the message (RFC 8446 section 4.1.2) and changes nothing else. The input is our own record, which is well formed.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from harness.wire.extensions import Extension
from harness.wire.fields import FieldReader
from harness.wire.handshake import parse_client_hello
from harness.wire.hello_bytes import hello_record
from harness.wire.key_shares import KeyShare

_RECORD_HEADER, _MESSAGE_HEADER = 5, 4


class ReplayedHello:
    """A ClientHello that can be answered: its bytes and the private keys of its shares.

    Args:
        record: the recorded one, a whole TLS record.
        name: for SNI, ASCII; None leaves the extension out.
        shares: the groups of the key shares; None for those of the record.

    Raises:
        ValueError: the record holds no ClientHello, the name is not ASCII, or a group has no key share here.
    """

    def __init__(self, record: bytes, *, name: str | None, shares: tuple[int, ...] | None = None) -> None:
        self._before, self._suites, self._extensions = _parts(record)
        self._version = int.from_bytes(record[1:3], "big")
        self._random = secrets.token_bytes(32)
        self.session_id = secrets.token_bytes(len(self._before))
        facts = parse_client_hello(record[_RECORD_HEADER + _MESSAGE_HEADER :], record_version=f"{self._version:04x}")
        groups = tuple(int(code, 16) for code in facts.key_share_groups) if shares is None else shares
        self.shares: Mapping[int, KeyShare] = {group: KeyShare(group) for group in groups}
        self._change(Extension.SERVER_NAME, None if name is None else _server_name(name))
        if Extension.KEY_SHARE in dict(self._extensions):
            self._change(Extension.KEY_SHARE, _key_shares(self.shares))

    @property
    def record(self) -> bytes:
        """What is sent."""
        extensions = b"".join(code.to_bytes(2, "big") + _long(data) for code, data in self._extensions)
        body = b"\x03\x03" + self._random + bytes((len(self.session_id),)) + self.session_id
        return hello_record(body + self._suites + _long(extensions), record_version=self._version)

    @property
    def message(self) -> bytes:
        """The handshake message, for the transcript."""
        return self.record[_RECORD_HEADER:]

    @property
    def random(self) -> bytes:
        """The random of this hello."""
        return self._random

    def retry(self, group: int, *, cookie: bytes | None) -> None:
        """Become the second hello after a HelloRetryRequest (RFC 8446 section 4.1.2): same random, one share, the cookie.

        Raises:
            ValueError: no share of that group can be made.
        """
        self.shares = {group: KeyShare(group)}
        self._change(Extension.KEY_SHARE, _key_shares(self.shares))
        if cookie is not None:
            self._extensions.append((Extension.COOKIE, cookie))

    def _change(self, code: int, data: bytes | None) -> None:
        kept = [(known, content) for known, content in self._extensions if known != code or data is not None]
        self._extensions = [(known, data if known == code and data is not None else was) for known, was in kept]


def _parts(record: bytes) -> tuple[bytes, bytes, list[tuple[int, bytes]]]:
    """Return the session id, the bytes from the suites to the compression methods, and the extensions."""
    reader = FieldReader(record[_RECORD_HEADER + _MESSAGE_HEADER :], what="ClientHello")
    reader.take(34)
    session_id = reader.vector(1)
    suites = reader.vector(2)
    compression = reader.vector(1)
    extensions: list[tuple[int, bytes]] = []
    inner = FieldReader(reader.vector(2), what="extensions")
    while inner.left:
        code = inner.number(2)
        extensions.append((code, inner.vector(2)))
    return session_id, _long(suites) + bytes((len(compression),)) + compression, extensions


def _server_name(name: str) -> bytes:
    return _long(b"\x00" + _long(name.encode("ascii")))


def _key_shares(shares: Mapping[int, KeyShare]) -> bytes:
    return _long(b"".join(group.to_bytes(2, "big") + _long(share.public) for group, share in shares.items()))


def _long(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data
