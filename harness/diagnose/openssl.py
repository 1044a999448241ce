"""The commands of `openssl` that recipes use, as argument lists. Pure.

OpenSSL 3.0 or later: `req -x509 -CA` makes a certificate of a CA in one command.
"""

from __future__ import annotations

import contextlib
import re
from ipaddress import ip_address

from harness.model import Command

CURVE, RSA_BITS = "prime256v1", "2048"
CA_DAYS, DAYS = "3650", "365"
_HOST = re.compile(r"[A-Za-z0-9_*](?:[A-Za-z0-9_.:*-]{0,252}[A-Za-z0-9_*])?")
# The longest common name (RFC 5280, appendix A.1: ub-common-name).
_NAME_LIMIT = 64


def new_key(kind: str, *, out: str) -> Command:
    """Return the command for a new key, `EC` or `RSA`."""
    if kind == "RSA":
        return Command(arguments=("openssl", "genrsa", "-out", out, RSA_BITS), creates=(out,))
    made = ("openssl", "ecparam", "-name", CURVE, "-genkey", "-noout", "-out", out)
    return Command(arguments=made, creates=(out,))


def authority(key: str, *, out: str, name: str) -> Command:
    """Return the command for the certificate of a CA of one's own."""
    extensions = ("basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    return _certificate(key, out=out, subject=name, days=CA_DAYS, extensions=extensions)


def issued(key: str, *, out: str, ca: str, ca_key: str, host: str | None) -> Command:
    """Return the command for a certificate of that CA.

    Args:
        key: its key.
        out: the file to create.
        ca: the CA's certificate.
        ca_key: the CA's key.
        host: the server's name or address; None for a client.
    """
    extensions = ["basicConstraints=critical,CA:FALSE"]
    if host is not None:
        extensions.append(f"subjectAltName={alternative_names(host)}")
    subject = host if host is not None and len(host) <= _NAME_LIMIT else "server" if host else "board"
    return _certificate(
        key, out=out, subject=subject, days=DAYS, extensions=extensions, signer=("-CA", ca, "-CAkey", ca_key)
    )


def alternative_names(host: str) -> str:
    """Return the names for a host; an address is there as a DNS name too, because mbedTLS before 3.5 compares only those."""
    with contextlib.suppress(ValueError):
        return f"IP:{ip_address(host)},DNS:{host}"
    return f"DNS:{host}"


def is_host(text: str) -> bool:
    """Whether a text can be the name of a host in a certificate."""
    return _HOST.fullmatch(text) is not None


def certificate_to_der(source: str, *, out: str) -> Command:
    """Return the command that converts the first certificate of a PEM file to DER."""
    return Command(arguments=("openssl", "x509", "-in", source, "-outform", "der", "-out", out), creates=(out,))


def key_to_der(kind: str, source: str, *, out: str, is_der: bool = False) -> Command:
    """Return the command that converts a private key to DER as PKCS#1 (`RSA`) or SEC1 (`EC`), which every firmware reads.

    Args:
        kind: of the key.
        source: PEM, or PKCS#8 as DER.
        out: the file to create.
        is_der: whether the source is DER.
    """
    program = ("rsa", "-traditional") if kind == "RSA" else ("ec",)
    form = ("-inform", "der") if is_der else ()
    return Command(
        arguments=("openssl", *program, *form, "-in", source, "-outform", "der", "-out", out), creates=(out,)
    )


def _certificate(
    key: str,
    *,
    out: str,
    subject: str,
    days: str,
    extensions: list[str] | tuple[str, ...],
    signer: tuple[str, ...] = (),
) -> Command:
    words = [word for extension in extensions for word in ("-addext", extension)]
    return Command(
        arguments=(
            *("openssl", "req", "-x509", "-new", "-key", key, *signer, "-sha256", "-days", days),
            *("-subj", f"/CN={subject}", *words, "-out", out),
        ),
        creates=(out,),
    )
