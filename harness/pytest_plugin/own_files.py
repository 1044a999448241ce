"""The user's own certificates and keys in a test: each file is checked when it is named, and is a certificate under its path.

Reads files through `harness.diagnose.files`. A key is used in place: a server gets its path, a board its content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from harness.certificates import Certificates, Material, keys
from harness.certificates.found import material_of, pem_of
from harness.certificates.unreadable import UNREADABLE
from harness.diagnose import files
from harness.errors import UsageError
from harness.pytest_plugin.given_words import as_tuple


def is_file(value: object) -> bool:
    """Whether a certificate is given as a file: a `Path`, or a text with a slash or a dot, which no profile's name has."""
    return isinstance(value, Path) or (isinstance(value, str) and any(mark in value for mark in "/\\."))


def server_pair(
    certificates: Certificates, *, cert: str | Path | None, key: str | Path | None, password: str | None
) -> str:
    """Check a server's files and return the name that its `ServerProfile` has for them.

    Raises:
        UsageError: a file is missing or cannot be used, the key is encrypted, or it is another certificate's.
    """
    if cert is None:
        given = "key" if key is not None else "password"
        raise UsageError(f"tls_server({given}=...): cert=... is missing; give the file of the certificate, PEM")
    chain_file, key_file = Path(cert), Path(key if key is not None else cert)
    chain = files.server_chain(chain_file, option="tls_server(cert=...):")
    where = "tls_server(key=...):" if key is not None else "tls_server(cert=...), key=... left out:"
    secret = _server_key(key_file, password=password, where=where)
    _check_pair(chain[0], secret, key_file=key_file, chain_file=chain_file, where=where)
    name = str(chain_file.absolute()) if key is None else f"{chain_file.absolute()} {key_file.absolute()}"
    material = material_of(name, chain, chain_file=chain_file, key_file=key_file)
    return _known_as(certificates, replace(material, password=password))


def authority_names(certificates: Certificates, given: Any, *, where: str, joined: bool = False) -> tuple[str, ...]:
    """Return the names of CAs that are given as profiles or files.

    Args:
        certificates: get what is in the files.
        given: one or more.
        where: the argument, for messages.
        joined: one name for all certificates of a file, as a server loads it; else each gets its own.

    Raises:
        UsageError: there is no such profile, or a file cannot be used.
    """
    names: list[str] = []
    for one in as_tuple(given):
        if not is_file(one):
            names.append(certificates.profile(one).name)
            continue
        path = Path(one)
        found, _form, _data = files.authorities(path, option=f"{where}:")
        name = str(path.absolute())
        if joined:
            names.append(_known_as(certificates, replace(material_of(f"{name}#all", found), root_pem=pem_of(found))))
            continue
        for number, der in enumerate(found, start=1):
            names.append(_known_as(certificates, material_of(f"{name}#{number}", (der,))))
    return tuple(names)


def client_pair(certificates: Certificates, *, certificate: str | Path | None, key: str | Path | None) -> str:
    """Check the board's own files and return the name that its `ClientPlan` has for them.

    Raises:
        UsageError: a file is missing or cannot be used, the key is encrypted, or it is another certificate's.
    """
    if certificate is None:
        raise UsageError(
            "board.connect(key=...): certificate=... is missing; give the file of the certificate, PEM or DER"
        )
    if not is_file(certificate):
        if key is not None:
            raise UsageError(
                f"board.connect(key=...): the profile {certificate!r} has a key of its own; give a file as certificate=..., too"
            )
        return certificates.profile(str(certificate)).name
    path, key_file = Path(certificate), Path(key if key is not None else certificate)
    chain, _form, _data = files.authorities(path, option="board.connect(certificate=...):")
    where = "board.connect(key=...):" if key is not None else "board.connect(certificate=...), key=... left out:"
    own = files.own_key(key_file, option=where)
    _check_pair(chain[0], own.key, key_file=key_file, chain_file=path, where=where)
    made = replace(
        material_of(f"{path.absolute()}#own", chain),
        key_pem=keys.traditional_pem(own.key),
        key_der=keys.traditional_der(own.key),
        key_pkcs8_der=keys.pkcs8_der(own.key),
    )
    return _known_as(certificates, made)


def first_host(certificates: Certificates, names: Sequence[str]) -> str | None:
    """Return the host that a server's own certificate is for; None for profiles, which are for `tls.test`."""
    from harness.certificates.reading import host_of

    own = certificates.additions.files.get(names[0]) if names else None
    return None if own is None else host_of(own.certificate_der)


def _server_key(path: Path, *, password: str | None, where: str) -> Any:
    """Return the private key, for comparing it with the certificate; it is not kept."""
    data = files.content(path, option=where)
    if password is None:
        if b"ENCRYPTED" in data:
            raise UsageError(f"{where} {path}: the key is encrypted; give its password: tls_server(..., password=...)")
        files.check_server_key(path, option=where)
    try:
        return load_pem_private_key(data, None if password is None else password.encode())
    except TypeError:
        return load_pem_private_key(data, None)  # a plain key with a password, which OpenSSL ignores as well
    except UNREADABLE:
        wrong = "the password is wrong, or this is no private key as PEM" if password is not None else "cannot be read"
        raise UsageError(f"{where} {path}: {wrong}") from None


def _check_pair(der: bytes, key: Any, *, key_file: Path, chain_file: Path, where: str) -> None:
    try:
        public = x509.load_der_x509_certificate(der).public_key()
        theirs, ours = (
            each.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in (public, key.public_key())
        )
    except UNREADABLE:
        return  # a key that only the server's OpenSSL knows: it compares them itself
    if theirs != ours:
        raise UsageError(
            f"{where} {key_file}: this is not the key of the certificate in {chain_file}; give the key that the certificate was "
            "made with"
        )


def _known_as(certificates: Certificates, material: Material) -> str:
    """Keep a certificate under its name; a file that was changed since is read anew."""
    certificates.additions.files[material.name] = material
    return material.name
