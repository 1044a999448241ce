"""The key schedule of TLS 1.3 as far as a handshake needs it (RFC 8446 section 7.1), and the protection of its records (5.2)."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from harness.wire.records import Record

# RFC 8446 appendix B.4: key bytes, hash and kind of cipher of each suite.
TLS13_SUITES = {
    0x1301: (16, "sha256", "gcm"),
    0x1302: (32, "sha384", "gcm"),
    0x1303: (32, "sha256", "chacha20"),
    0x1304: (16, "sha256", "ccm"),
    0x1305: (16, "sha256", "ccm_8"),
}
_IV_BYTES = 12


def expand_label(secret: bytes, label: str, context: bytes, *, length: int, hashed: str) -> bytes:
    """HKDF-Expand-Label (RFC 8446 section 7.1)."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    full = b"tls13 " + label.encode("ascii")
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    algorithm = hashes.SHA384() if hashed == "sha384" else hashes.SHA256()
    return HKDFExpand(algorithm=algorithm, length=length, info=info).derive(secret)


def hash_name(suite: int) -> str:
    """Return the hash of a TLS 1.3 suite."""
    return TLS13_SUITES[suite][1]


def server_secret(shared: bytes, *, transcript: bytes, suite: int) -> bytes:
    """Return server_handshake_traffic_secret without a pre-shared key.

    Args:
        shared: the result of the key exchange.
        transcript: the hash of the messages up to the ServerHello.
        suite: IANA code.
    """
    hashed = hash_name(suite)
    size = hashlib.new(hashed).digest_size
    early = hmac.digest(bytes(size), bytes(size), hashed)
    derived = expand_label(early, "derived", hashlib.new(hashed).digest(), length=size, hashed=hashed)
    handshake = hmac.digest(derived, shared, hashed)
    return expand_label(handshake, "s hs traffic", transcript, length=size, hashed=hashed)


def finished(secret: bytes, *, transcript: bytes, suite: int) -> bytes:
    """Return the content of the Finished message (RFC 8446 section 4.4.4)."""
    hashed = hash_name(suite)
    key = expand_label(secret, "finished", b"", length=len(secret), hashed=hashed)
    return hmac.digest(key, transcript, hashed)


class RecordOpener:
    """Decrypts the records of one direction in order.

    Args:
        secret: its traffic secret.
        suite: IANA code of a TLS 1.3 suite.
    """

    def __init__(self, secret: bytes, *, suite: int) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

        size, hashed, kind = TLS13_SUITES[suite]
        key = expand_label(secret, "key", b"", length=size, hashed=hashed)
        ciphers: dict[str, Any] = {
            "gcm": AESGCM,
            "chacha20": ChaCha20Poly1305,
            "ccm": AESCCM,
            "ccm_8": lambda key: AESCCM(key, tag_length=8),
        }
        self._cipher = ciphers[kind](key)
        self._iv = expand_label(secret, "iv", b"", length=_IV_BYTES, hashed=hashed)
        self._count = 0

    def open(self, record: Record) -> bytes | None:
        """Return the content with its type as the last byte; None if it does not decrypt or is empty."""
        from cryptography.exceptions import InvalidTag

        nonce = (int.from_bytes(self._iv, "big") ^ self._count).to_bytes(_IV_BYTES, "big")
        header = bytes([record.content_type]) + bytes.fromhex(record.version) + len(record.payload).to_bytes(2, "big")
        self._count += 1
        try:
            plain: bytes = self._cipher.decrypt(nonce, record.payload, header)
        except (InvalidTag, ValueError):
            return None
        return plain.rstrip(b"\0") or None
