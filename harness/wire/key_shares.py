"""Key shares of a TLS 1.3 client: a private key for each group, what goes on the wire, and the shared secret.

Knows the groups that `cryptography` has (RFC 8446 section 4.2.8); finite fields and key encapsulation are not among them.
"""

from __future__ import annotations

from typing import Any

X25519, X448 = 0x001D, 0x001E
_CURVES = {0x0017: "SECP256R1", 0x0018: "SECP384R1", 0x0019: "SECP521R1"}


class KeyShare:
    """A fresh private key of one group.

    Args:
        group: IANA code.

    Raises:
        ValueError: there is no such key here.
    """

    def __init__(self, group: int) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

        self.group = group
        self._key: Any
        if group == X25519:
            self._key = x25519.X25519PrivateKey.generate()
        elif group == X448:
            self._key = x448.X448PrivateKey.generate()
        elif group in _CURVES:
            self._key = ec.generate_private_key(getattr(ec, _CURVES[group])())
        else:
            raise ValueError(f"no key share for group 0x{group:04X}")

    @property
    def public(self) -> bytes:
        """The key_exchange field of this share."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        if self.group in _CURVES:
            point: bytes = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return point
        raw: bytes = self._key.public_key().public_bytes_raw()
        return raw

    def secret(self, peer: bytes) -> bytes:
        """Return the shared secret.

        Args:
            peer: the key_exchange field of the other side.

        Raises:
            ValueError: it is not a point of this group.
        """
        from cryptography.hazmat.primitives.asymmetric import ec, x448, x25519

        if self.group in _CURVES:
            point = ec.EllipticCurvePublicKey.from_encoded_point(self._key.curve, peer)
            agreed: bytes = self._key.exchange(ec.ECDH(), point)
            return agreed
        kind = x25519.X25519PublicKey if self.group == X25519 else x448.X448PublicKey
        found: bytes = self._key.exchange(kind.from_public_bytes(peer))
        return found


def can_share(group: int) -> bool:
    """Return whether a share of this group can be made."""
    return group in (X25519, X448) or group in _CURVES
