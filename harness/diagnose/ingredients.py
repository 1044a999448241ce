"""How each certificate that the settings name becomes files: the user's own in place, and the others by commands. Pure.

Knows the files' names in a recipe. Must not know whether a recipe is printed or run.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from harness.certificates import Profile, Role, Unavailable
from harness.diagnose import openssl
from harness.diagnose.given import CLIENT, CLIENT_CA, CLIENT_ISSUERS, COMPLETE, GIVEN, GivenCertificates, Place
from harness.explain.chain_fixes import FULL_CHAIN_FILE, chain_commands
from harness.model import Ingredient, Program

# The profiles that commands can make: the kind of their key, and the beginning of their files' names.
_KINDS = {"p256": "EC", "rsa-2048": "RSA"}
_AUTHORITIES = {"EC": "own-ca", "RSA": "own-rsa-ca"}
_SUBJECTS = {"EC": "Own CA", "RSA": "Own RSA CA"}


def ingredient(name: str, certificates: GivenCertificates, *, host: str | None) -> Ingredient:
    """Return the files of a certificate.

    Args:
        name: as `ServerProfile` and `ClientPlan` use it.
        certificates: the user's, and the declarations of the others.
        host: the server's name or address, for a server's certificate that has to be made.

    Raises:
        Unavailable: no command makes it, or the user's certificate that it stands for was not found.
    """
    files = certificates.files
    if name == GIVEN:
        return Ingredient(certificate=_absolute(files.certificate), key=_absolute(files.key))
    if name == CLIENT:
        return _own_client(certificates)
    if name == COMPLETE:
        return _complete(certificates)
    if name == CLIENT_ISSUERS:
        text = certificates.make(name).chain_pem.decode("ascii")
        return Ingredient(certificate=f"{name}.pem", texts=(Program(name=f"{name}.pem", text=text),))
    if certificates.is_own(name):
        pem = ssl.DER_cert_to_PEM_cert(certificates.make(name).certificate_der)
        return _lying(name, certificates.places[name], pem=pem)
    return _made(certificates.profile(name), host=host)


def _complete(certificates: GivenCertificates) -> Ingredient:
    """Return the server's chain as one file: joined by commands where its parts are files, else as text."""
    made = certificates.make(COMPLETE)
    commands = chain_commands(certificates.reach.server_chain(certificates.now).complete)
    text = Program(name=FULL_CHAIN_FILE, text=made.chain_pem.decode("ascii"))
    return Ingredient(
        certificate=FULL_CHAIN_FILE,
        key=_absolute(certificates.files.key),
        commands=commands or (),
        texts=() if commands else (text,),
    )


def _lying(name: str, place: Place, *, pem: str) -> Ingredient:
    """Return a certificate that lies in a file, alone, among others, or in this machine's store."""
    stem = name.removeprefix("given-")
    if place.path is not None and place.form == "der" and place.is_first:
        return Ingredient(der=str(place.path))
    source, texts = f"{stem}.pem", [Program(name=f"{stem}.pem", text=pem)]
    # A server takes a file with several CAs as it is.
    if place.path is not None and place.form == "pem" and (place.is_first or name == CLIENT_CA):
        source, texts = str(place.path), []
    return Ingredient(
        certificate=source,
        der=f"{stem}.der",
        texts=tuple(texts),
        der_commands=(openssl.certificate_to_der(source, out=f"{stem}.der"),),
    )


def _own_client(certificates: GivenCertificates) -> Ingredient:
    """Return the board's own certificate; its key becomes DER where it is not, or is PKCS#8."""
    files, form = certificates.files, certificates.client_format
    certificate, key = _absolute(files.client_certificate), _absolute(files.client_key)
    if form == "der":
        return Ingredient(der=certificate, key_der=key)
    kind = certificates.make(CLIENT).facts.type
    to_der = openssl.key_to_der(kind, key, out="client-key.der", is_der=form == "pkcs8")
    if form == "pkcs8":
        return Ingredient(der=certificate, key=key, key_der="client-key.der", der_commands=(to_der,))
    return Ingredient(
        certificate=certificate,
        key=key,
        der="client.der",
        key_der="client-key.der",
        der_commands=(openssl.certificate_to_der(certificate, out="client.der"), to_der),
    )


def _made(profile: Profile, *, host: str | None) -> Ingredient:
    """Return a certificate of a CA of one's own, or that CA."""
    kind = _KINDS.get(profile.key)
    if kind is None or profile.defect:
        raise Unavailable(profile.name, "no command for a certificate like this")
    ca, ca_key = f"{_AUTHORITIES[kind]}.pem", f"{_AUTHORITIES[kind]}-key.pem"
    authority = (
        openssl.new_key(kind, out=ca_key),
        openssl.authority(ca_key, out=ca, name=_SUBJECTS[kind]),
    )
    if profile.role is Role.AUTHORITY:
        der = f"{_AUTHORITIES[kind]}.der"
        to_der = (openssl.certificate_to_der(ca, out=der),)
        return Ingredient(certificate=ca, der=der, commands=authority, der_commands=to_der)
    if profile.role is Role.CLIENT:
        stem, key, named = "client", "client-key", None
    else:
        stem, key, named = f"{kind.lower()}-cert", f"{kind.lower()}-key", host
        if host is None or not openssl.is_host(host):
            raise Unavailable(profile.name, f"{host!r} is not a name for a certificate: give one with --hostname")
    return Ingredient(
        certificate=f"{stem}.pem",
        key=f"{key}.pem",
        der=f"{stem}.der",
        key_der=f"{key}.der",
        commands=(
            *authority,
            openssl.new_key(kind, out=f"{key}.pem"),
            openssl.issued(f"{key}.pem", out=f"{stem}.pem", ca=ca, ca_key=ca_key, host=named),
        ),
        der_commands=(
            openssl.certificate_to_der(f"{stem}.pem", out=f"{stem}.der"),
            openssl.key_to_der(kind, f"{key}.pem", out=f"{key}.der"),
        ),
    )


def _absolute(path: Path | None) -> str:
    return str(path.absolute()) if path is not None else ""
