"""Read the files that the user named: each problem is one line with the option, the file and the fix.

The server's private key is only checked for whether Python can load it, and is not kept; the server gets its path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from harness.certificates.keys import PrivateKey
from harness.certificates.placed import Origin, Placed, placed
from harness.certificates.reading import in_file, in_pem
from harness.certificates.unreadable import UNREADABLE
from harness.errors import UsageError
from harness.system.user_files import FileRefused, read_file

_LARGEST_BYTES = 1 << 20
_KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----(.*?)-----END \1-----", re.S)
_PLAIN_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)
# The issuers are often in the folder of the server's certificate. A folder with more files than this is not searched.
_NEIGHBOURS = 50
_SEEN = 1000
_NEIGHBOUR_BYTES = 1 << 17
_NEIGHBOUR_CERTIFICATES = 200
_SUFFIXES = (".pem", ".crt", ".cer", ".der")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """The board's own private key: the content of its file, and that file's form (`pem`, `der` or `pkcs8`)."""

    data: bytes
    form: str
    key: PrivateKey

    def __repr__(self) -> str:
        # It must not end up in a test failure or a report.
        return f"OwnKey(form={self.form!r})"


def server_chain(path: Path, *, option: str) -> tuple[bytes, ...]:
    """Return the certificates of the server's file, DER, in order.

    Raises:
        UsageError: missing, unreadable, a key instead of a certificate, DER, or nothing that can be read.
    """
    data = content(path, option=option)
    found, form = in_file(data)
    if form == "pem":
        return found
    if form == "der":
        raise UsageError(
            f"{option} {path}: this is DER, but Python's ssl needs PEM; convert it with: openssl x509 -inform der -in {path} -out cert.pem"
        )
    raise UsageError(
        f"{option} {path}: {_what_is_there(data)}; expected a certificate as PEM (-----BEGIN CERTIFICATE-----)"
    )


def authorities(path: Path, *, option: str) -> tuple[tuple[bytes, ...], str, bytes]:
    """Return the certificates of a CA file as DER, its form (`pem` or `der`), and its content unchanged.

    Raises:
        UsageError: as `server_chain`, except for DER, which is accepted here.
    """
    data = content(path, option=option)
    found, form = in_file(data)
    if not found:
        raise UsageError(f"{option} {path}: {_what_is_there(data)}; expected a CA certificate, PEM or DER")
    return found, form, data


def check_server_key(path: Path, *, option: str) -> None:
    """Check that Python can load this key without asking for a passphrase; whether it matches is left to the server.

    Raises:
        UsageError: missing, unreadable, encrypted, DER, a certificate instead of a key, or nothing that can be read.
    """
    data = content(path, option=option)
    block = _KEY.search(data)
    if block is None:
        form = "DER" if data[:1] == b"\x30" else ""
        what = "this is DER, but Python's ssl needs PEM" if form else _what_is_there(data)
        raise UsageError(f"{option} {path}: {what}; expected a private key as PEM (-----BEGIN ... PRIVATE KEY-----)")
    if b"ENCRYPTED" in block[0]:
        raise UsageError(_encrypted(path, option=option))


def own_key(path: Path, *, option: str) -> OwnKey:
    """Return the board's own key, PEM or DER.

    Raises:
        UsageError: missing, unreadable, encrypted, or no key that a board could have.
    """
    data = content(path, option=option)
    block = _KEY.search(data)
    try:
        read = serialization.load_pem_private_key if block is not None else serialization.load_der_private_key
        key = read(block[0] if block is not None else data, None)
    except TypeError:
        raise UsageError(_encrypted(path, option=option)) from None
    except UNREADABLE:
        raise UsageError(f"{option} {path}: {_what_is_there(data)}; expected a private key, PEM or DER") from None
    if not isinstance(key, _PLAIN_KEYS):
        raise UsageError(f"{option} {path}: unsupported key type; expected RSA or EC")
    if block is not None:
        return OwnKey(data=block[0] + b"\n", form="pem", key=key)
    pkcs8 = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return OwnKey(data=data, form="pkcs8" if len(data) == len(pkcs8) else "der", key=key)


def content(path: Path, *, option: str) -> bytes:
    """Return the bytes of a file that the user named.

    Raises:
        UsageError: missing, not a regular file, not readable, or far too large.
    """
    try:
        return read_file(path, limit_bytes=_LARGEST_BYTES)
    except FileRefused as error:
        raise UsageError(f"{option} {path}: cannot be read: {error.reason}") from error


def _what_is_there(data: bytes) -> str:
    if not data.strip():
        return "this is empty"
    if _KEY.search(data):
        return "this is a private key"
    if in_pem(data) or b"-----BEGIN CERTIFICATE-----" in data:
        return "this is a certificate" if in_pem(data) else "this is a damaged certificate"
    return "this is neither certificate nor key"


def _encrypted(path: Path, *, option: str) -> str:
    return (
        f"{option} {path}: the key is encrypted, and nothing here asks for a passphrase; "
        f"give a plain copy: openssl pkey -in {path} -out plain-key.pem"
    )


def neighbours(path: Path) -> Iterator[tuple[Path, tuple[bytes, ...]]]:
    """Return certificates in the folder of the server's, which often has the CA. Files with names of keys are not opened."""
    try:
        files = sorted(other for other in path.parent.iterdir() if other.suffix.lower() in _SUFFIXES)
    except OSError:
        return
    for other in files[:_NEIGHBOURS]:
        if other == path or "key" in other.name.lower():
            continue
        try:
            found, _form = in_file(content(other, option="neighbour"))
        except UsageError:
            continue
        if found:
            yield other, found


def within_reach(folders: Iterable[Path], *, without: Iterable[Path]) -> Iterator[Placed]:
    """Return the certificates that lie in these folders: regular files with a suffix of certificates, of bounded size and number.

    Links are not followed, and files with names of keys are not opened; what is in a file besides certificates is not kept.

    Args:
        folders: of the files that the user named.
        without: files that are read anyway.
    """
    named = {path.absolute() for path in without}
    left = _NEIGHBOUR_CERTIFICATES
    for other in (file for folder in dict.fromkeys(folders) for file in _certificate_files(folder)):
        if other.absolute() in named:
            continue
        try:
            found, form = in_file(read_file(other, limit_bytes=_NEIGHBOUR_BYTES))
        except FileRefused:
            continue
        if len(found) <= left:
            left -= len(found)
            yield from placed(found, origin=Origin.NEARBY, file=str(other), form=form)


def _certificate_files(folder: Path) -> list[Path]:
    """Return the first files of a folder whose names are those of certificates."""
    try:
        found = sorted(islice((path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES), _SEEN))
        files = [path for path in found if "key" not in path.name.lower() and not path.is_symlink() and path.is_file()]
    except OSError:
        return []
    return files[:_NEIGHBOURS]
