"""Read the files that the user named: each problem is one line with the option, the file and the fix.

The server's private key is only checked for whether Python can load it, and is not kept; the server gets its path.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from harness.certificates.file_forms import Contents, Form, read_contents
from harness.certificates.keys import PrivateKey
from harness.certificates.placed import Origin, Placed, placed
from harness.certificates.reading import in_file
from harness.certificates.unreadable import UNREADABLE
from harness.diagnose.file_advice import der_key, key_repair, pkcs12, plain_key, repair
from harness.errors import UsageError
from harness.system.user_files import FileRefused, read_file

_LARGEST_BYTES = 1 << 20
# More than fits into the heap of any board with its session: a root takes 1 to 2 kB.
_LARGEST_ON_BOARD_BYTES = 64 << 10
_NAMES = {
    Form.EMPTY: "this is empty",
    Form.PRIVATE_KEY: "this is a private key",
    Form.PUBLIC_KEY: "this is a public key",
    Form.PEM: "this is a certificate",
    Form.REQUEST: "this is a certificate signing request",
    Form.PKCS7: "this is a list of certificates (PKCS#7)",
    Form.DAMAGED: "this is damaged: a block has no end, or is not base64",
    Form.OTHER: "this is neither certificate nor key",
}
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


def server_chain(
    path: Path, *, option: str, key: Path | None = None, password_env: str | None = None
) -> tuple[bytes, ...]:
    """Return the certificates of the server's file, DER, in order. Its key and the password's variable are for the message only.

    Raises:
        UsageError: missing, unreadable, or nothing that Python's ssl reads as a certificate; the message has the command that helps.
    """
    found = read_contents(content(path, option=option))
    if found.form is Form.PEM and found.is_damaged:
        many = f"{len(found.certificates)} certificate{'' if len(found.certificates) == 1 else 's'} can be read"
        raise UsageError(
            f"{option} {path}: {_NAMES[Form.DAMAGED]}; {many}, but Python's ssl then refuses the whole file"
        )
    if found.form is Form.PEM:
        return found.certificates
    expected = "expected a certificate as PEM (-----BEGIN CERTIFICATE-----)"
    raise UsageError(_refusal(path, found, option=option, expected=expected, key=key, password_env=password_env))


def authorities(path: Path, *, option: str) -> tuple[tuple[bytes, ...], str, bytes]:
    """Return the certificates of a CA file as DER, its form (`pem` or `der`), and its content unchanged.

    Raises:
        UsageError: as `server_chain`, except for DER, which is accepted here.
    """
    data = content(path, option=option)
    found = read_contents(data)
    if found.form in (Form.PEM, Form.DER, Form.DER_BUNDLE):
        return found.certificates, "pem" if found.form is Form.PEM else "der", data
    raise UsageError(_refusal(path, found, option=option, expected="expected a CA certificate, PEM or DER"))


def check_size_for_board(path: Path | None, *, option: str) -> None:
    """Refuse a CA file that no board can hold, such as the whole list of a PC.

    Raises:
        UsageError: it is too large; the message says what to give instead.
    """
    if path is None:
        return
    found, _form, data = authorities(path, option=option)
    if len(data) > _LARGEST_ON_BOARD_BYTES:
        raise UsageError(
            f"{option} {path}: {len(data) // 1024} kB with {len(found)} certificates; a board holds its CAs in memory: give only the one "
            f"that issued the server's certificate (at most {_LARGEST_ON_BOARD_BYTES // 1024} kB)"
        )


def has_key(path: Path, *, option: str) -> bool:
    """Return whether a file of the server's certificate has its private key as well, as `load_cert_chain` with one file needs it.

    Raises:
        UsageError: the file cannot be read.
    """
    found = read_contents(content(path, option=option))
    return found.form is Form.PEM and bool(found.keys)


def check_server_key(path: Path, *, option: str, password_env: str | None = None) -> str | None:
    """Check that Python can load this key; whether it matches is left to the server.

    Args:
        path: the file.
        option: that named it.
        password_env: the environment variable that has the password of an encrypted key.

    Returns:
        The password of an encrypted key, None for a plain one.

    Raises:
        UsageError: missing, unreadable, encrypted without the right password, or nothing that Python's ssl reads as a private key.
    """
    data = content(path, option=option)
    found = read_contents(data)
    if found.form not in (Form.PEM, Form.PRIVATE_KEY) or not found.keys:
        expected = "expected a private key as PEM (-----BEGIN ... PRIVATE KEY-----)"
        raise UsageError(_key_refusal(path, found, data, option=option, expected=expected, password_env=password_env))
    if not found.keys[0].encrypted:
        return None
    if password_env is None:
        raise UsageError(_encrypted(path, option=option))
    password = _password(password_env)
    try:
        serialization.load_pem_private_key(found.keys[0].text, password.encode())
    except UNREADABLE:
        raise UsageError(f"--password-env {password_env}: its value is not the password of {path}") from None
    return password


def _password(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise UsageError(f"--password-env {name}: the environment variable is not set")
    return value


def own_key(path: Path, *, option: str) -> OwnKey:
    """Return the board's own key, PEM or DER.

    Raises:
        UsageError: missing, unreadable, encrypted, or no key that a board could have.
    """
    data = content(path, option=option)
    found = read_contents(data)
    block = found.keys[0] if found.keys and found.form in (Form.PEM, Form.PRIVATE_KEY) else None
    if block is not None and block.encrypted:
        raise UsageError(_encrypted_for_board(path, option=option))
    try:
        read = serialization.load_pem_private_key if block is not None else serialization.load_der_private_key
        key = read(block.text if block is not None else data, None)
    except TypeError:
        raise UsageError(_encrypted_for_board(path, option=option)) from None
    except UNREADABLE:
        expected = "expected a private key, PEM or DER"
        raise UsageError(_key_refusal(path, found, data, option=option, expected=expected)) from None
    if not isinstance(key, _PLAIN_KEYS):
        raise UsageError(f"{option} {path}: unsupported key type; expected RSA or EC")
    if block is not None:
        return OwnKey(data=block.text, form="pem", key=key)
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


def _refusal(
    path: Path,
    found: Contents,
    *,
    option: str,
    expected: str,
    key: Path | None = None,
    password_env: str | None = None,
) -> str:
    """Return why a file of certificates cannot be used, and the command that makes one that can."""
    advice = pkcs12(path, password=password_env) if found.form is Form.PKCS12 else repair(path, found, key=key)
    if advice is None:
        return f"{option} {path}: {_NAMES[found.form]}; {expected}"
    why, command = advice
    what = "for a test, sign it with its own key" if found.form is Form.REQUEST else "convert it with"
    return f"{option} {path}: {why}; {what}: {command}"


def _key_refusal(
    path: Path, found: Contents, data: bytes, *, option: str, expected: str, password_env: str | None = None
) -> str:
    """Return why a file of a private key cannot be used, and the command that makes one that can."""
    advice = pkcs12(path, password=password_env) if found.form is Form.PKCS12 else key_repair(path, found)
    if advice is None and found.form is Form.OTHER and data[:1] == b"\x30":
        advice = der_key(path)
    if advice is not None:
        return f"{option} {path}: {advice[0]}; convert it with: {advice[1]}"
    what = "this is a certificate" if found.certificates else _NAMES[found.form]
    return f"{option} {path}: {what}; {expected}"


def _encrypted(path: Path, *, option: str) -> str:
    return (
        f"{option} {path}: the key is encrypted; name the environment variable that has its password with --password-env NAME, "
        f"or give a plain copy: {plain_key(path)}"
    )


def _encrypted_for_board(path: Path, *, option: str) -> str:
    return f"{option} {path}: the key is encrypted, and MicroPython cannot decrypt it; give a plain copy: {plain_key(path)}"


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
            yield from placed(found, origin=Origin.NEARBY, file=other, form=form)


def _certificate_files(folder: Path) -> list[Path]:
    """Return the first files of a folder whose names are those of certificates."""
    try:
        found = sorted(islice((path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES), _SEEN))
        files = [path for path in found if "key" not in path.name.lower() and not path.is_symlink() and path.is_file()]
    except OSError:
        return []
    return files[:_NEIGHBOURS]
