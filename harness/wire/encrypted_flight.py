"""The encrypted part of a TLS 1.3 handshake, read with the secrets that the server logged: which messages each side sent.

Knows records, the key schedule as far as record protection needs it (RFC 8446 sections 5.2 and 7.3), and NSS key-log lines. Keeps no
secret and returns names only. A record that does not decrypt ends the reading of its side: nothing after it can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.model import Side, WireChunk
from harness.wire.handshake import MessageJoiner
from harness.wire.records import APPLICATION_DATA, HANDSHAKE, NotTlsError, Record, RecordSplitter

# RFC 8446 appendix B.4: key bytes and hash of each suite that a server of Python's ssl can choose.
_SUITES = {0x1301: (16, "sha256"), 0x1302: (32, "sha384"), 0x1303: (32, "sha256")}
_CHACHA20 = 0x1303
_IV_BYTES = 12
_LABELS = {
    "SERVER_HANDSHAKE_TRAFFIC_SECRET": Side.SERVER,
    "CLIENT_HANDSHAKE_TRAFFIC_SECRET": Side.CLIENT,
}
FINISHED = "Finished"


def encrypted_messages(chunks: Sequence[WireChunk], *, key_log: str, suite: int) -> tuple[tuple[Side, str], ...]:
    """Return the handshake messages that were encrypted, in order: the sender and the RFC's name.

    A message that was cut off counts as sent once its header has arrived. Post-handshake messages are not read.

    Args:
        chunks: the recording of one connection.
        key_log: its NSS key-log lines; without them nothing is returned.
        suite: the code that the ServerHello chose.
    """
    secrets = _secrets(key_log)
    if suite not in _SUITES or not secrets:
        return ()
    sides = {side: _Reader(secret, suite=suite) for side, secret in secrets.items()}
    found: list[tuple[Side, str]] = []
    for chunk in chunks:
        if chunk.sender in sides:
            found += [(chunk.sender, name) for name in sides[chunk.sender].take(chunk.data)]
    return tuple(found)


def _secrets(key_log: str) -> dict[Side, bytes]:
    """Return the handshake secret of each side; the last line counts if a connection has several."""
    found: dict[Side, bytes] = {}
    for line in key_log.splitlines():
        label, _, rest = line.partition(" ")
        side, secret = _LABELS.get(label), rest.partition(" ")[2]
        if side is not None:
            try:
                found[side] = bytes.fromhex(secret)
            except ValueError:
                continue
    return found


class _Reader:
    """One direction, read until its Finished."""

    def __init__(self, secret: bytes, *, suite: int) -> None:
        self._cipher, self._iv = _protection(secret, suite=suite)
        self._splitter = RecordSplitter()
        self._joiner = MessageJoiner()
        self._count = 0
        self._over = False
        self._begun = False

    def take(self, data: bytes) -> list[str]:
        """Return the names of the messages that begin in these bytes."""
        self._splitter.feed(data)
        found: list[str] = []
        try:
            while not self._over and (record := self._splitter.next_record()) is not None:
                if record.content_type == APPLICATION_DATA:
                    found += self._messages(record)
        except (NotTlsError, ValueError):
            self._over = True
        return found

    def _messages(self, record: Record) -> list[str]:
        payload = self._decrypted(record)
        if payload is None or payload[-1] != HANDSHAKE:
            self._over = payload is None
            return []
        self._joiner.feed(payload[:-1])
        found = []
        while (message := self._joiner.next_message()) is not None:
            if not self._begun:
                found.append(message.name)
            self._begun = False
            self._over = message.name == FINISHED
        pending = self._joiner.begun()
        if pending is not None and not self._begun:
            found.append(pending)
            self._begun = True
        return found

    def _decrypted(self, record: Record) -> bytes | None:
        """Return content, content type as the last byte; None if it does not decrypt or is empty."""
        from cryptography.exceptions import InvalidTag

        nonce = (int.from_bytes(self._iv, "big") ^ self._count).to_bytes(_IV_BYTES, "big")
        header = bytes([record.content_type]) + bytes.fromhex(record.version) + len(record.payload).to_bytes(2, "big")
        self._count += 1
        try:
            plain: bytes = self._cipher.decrypt(nonce, record.payload, header)
        except InvalidTag:
            return None
        return plain.rstrip(b"\0") or None


def _protection(secret: bytes, *, suite: int) -> tuple[Any, bytes]:
    """Return the AEAD cipher and the IV of a traffic secret (RFC 8446 section 7.3)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    key_bytes, name = _SUITES[suite]
    algorithm = hashes.SHA384() if name == "sha384" else hashes.SHA256()

    def expanded(label: bytes, length: int) -> bytes:
        full = b"tls13 " + label
        info = length.to_bytes(2, "big") + bytes([len(full)]) + full + b"\0"
        return HKDFExpand(algorithm=algorithm, length=length, info=info).derive(secret)

    key = expanded(b"key", key_bytes)
    return (ChaCha20Poly1305(key) if suite == _CHACHA20 else AESGCM(key)), expanded(b"iv", _IV_BYTES)
