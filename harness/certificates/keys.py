"""Makes private keys, and caches the slow ones (RSA) in a directory that only this user can read.

Knows key types, formats and file permissions; knows nothing of certificates.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from harness.system.private_folder import make_private

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

CURVES: Final[dict[str, type[ec.EllipticCurve]]] = {
    "p224": ec.SECP224R1,
    "p256": ec.SECP256R1,
    "p384": ec.SECP384R1,
    "p521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpool-p256": ec.BrainpoolP256R1,
}
_PEM, _DER = serialization.Encoding.PEM, serialization.Encoding.DER
_PKCS8, _TRADITIONAL = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


def make_key(kind: str) -> PrivateKey:
    """Make a new key of a type that `harness.certificates.declarations.KEYS` lists."""
    if kind.startswith("rsa-"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.rpartition("-")[2]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind]())


def traditional_pem(key: PrivateKey) -> bytes:
    """Write a key as `RSA PRIVATE KEY` or `EC PRIVATE KEY`, and as PKCS#8 where it has no older form."""
    return _written(key, encoding=_PEM)


def traditional_der(key: PrivateKey) -> bytes:
    """Write a key as PKCS#1 (RFC 8017) or SEC1 (RFC 5915) DER, and as PKCS#8 where it has no older form."""
    return _written(key, encoding=_DER)


def pkcs8_der(key: PrivateKey) -> bytes:
    """Write a key as PKCS#8 DER (RFC 5958), unencrypted."""
    return key.private_bytes(_DER, _PKCS8, serialization.NoEncryption())


def _written(key: PrivateKey, *, encoding: serialization.Encoding) -> bytes:
    has_older_form = isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return key.private_bytes(encoding, _TRADITIONAL if has_older_form else _PKCS8, serialization.NoEncryption())


class KeyStore:
    """A private directory of RSA keys, one file per profile and size. Safe for several processes at once.

    Args:
        folder: made with mode 0700 if it is missing. A folder that belongs to another user, or that others can write
            to, is not touched (they could plant keys they know): then nothing is kept and `folder` is None.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder if folder is not None and _is_private(folder) else None

    def key(self, name: str, *, kind: str) -> PrivateKey:
        """Return the key of a profile: the cached one if it is valid, else a new one, which is then cached."""
        if not kind.startswith("rsa-") or self.folder is None:
            return make_key(kind)
        path = self.folder / f"{name}.{kind}.pem"
        bits = int(kind.rpartition("-")[2])
        kept = _read(path, bits=bits)
        if kept is not None:
            return kept
        key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
        # A full or read-only disk costs time at the next run and nothing else.
        with contextlib.suppress(OSError):
            _write(path, traditional_pem(key))
        return key


def _is_private(folder: Path) -> bool:
    """Make the folder if needed, and return whether only this user can write to it."""
    try:
        make_private(folder)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or not _is_ours(found):
            return False
        if os.name == "posix" and found.st_mode & 0o022:
            return False
        if os.name == "posix" and found.st_mode & 0o077:
            folder.chmod(0o700)
        return os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        return False


def _is_ours(found: os.stat_result) -> bool:
    # Windows has no owner number here; the profile directory's access list does that work there.
    return os.name != "posix" or found.st_uid == os.geteuid()


def _read(path: Path, *, bits: int) -> rsa.RSAPrivateKey | None:
    """Read a cached key; None if it is missing, readable by others, damaged or of another size."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    with open(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or not _is_ours(found) or (os.name == "posix" and found.st_mode & 0o077):
            return None
        digest, _, pem = file.read().partition(b"\n")
    if digest != _digest(pem):
        return None
    # The full check of an RSA key costs as much as making one (0.3 s for 4096 bits); the digest tells damage as well.
    key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    return key if isinstance(key, rsa.RSAPrivateKey) and key.key_size == bits else None


def _write(path: Path, pem: bytes) -> None:
    """Put a key in place in one step, so that another process sees the whole file or none."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")  # mkstemp makes it 0600
    try:
        with open(handle, "wb") as file:
            file.write(_digest(pem) + b"\n" + pem)
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _digest(pem: bytes) -> bytes:
    return b"sha256 " + hashlib.sha256(pem).hexdigest().encode()
