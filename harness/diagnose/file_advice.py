"""What to do with a file that Python's ssl cannot read: one sentence for each form, with a command that makes one it can read. Pure.

Each command is run by the tests. Its output has a name of its own, so that it never overwrites the file that it reads.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from harness.certificates.file_forms import Contents, Form

_BYTES_FROM = "tail -c +{offset} {file} | openssl x509 -inform der {redirect} {out}"
# How a text becomes one that OpenSSL reads.
_TEXT = {
    Form.UTF16: ("is UTF-16, as PowerShell's > writes it", "iconv -f UTF-16 -t UTF-8 {file} > {out}"),
    Form.OLD_MAC: ("has carriage returns instead of line ends", "tr '\\r' '\\n' < {file} > {out}"),
    Form.EMPTY_LINES: ("has empty lines inside the certificate or key", "grep -v '^[[:space:]]*$' {file} > {out}"),
    Form.INDENTED: ("has characters before -----BEGIN", "sed 's/^[[:space:]>|*#]*//' {file} > {out}"),
    Form.LITERAL_NEWLINES: (
        "has \\n as two characters instead of line ends",
        "printf '%b\\n' \"$(tr -d '\\042\\047' < {file})\" > {out}",
    ),
    Form.ONE_LINE: (
        "has everything on one line",
        "sed 's/-----[BE][EN][GD][^-]*-----/\\\n&\\\n/g' {file} | tr -d ' \\042\\047' | "
        "sed 's/BEGIN/BEGIN /; s/END/END /; s/PRIVATEKEY/PRIVATE KEY/; s/RSAP/RSA P/; s/ECP/EC P/; s/EDP/ED P/' | grep . > {out}",
    ),
    Form.HEADERLESS: (
        "is base64 without -----BEGIN CERTIFICATE-----",
        "base64 -d < {file} | openssl x509 -inform der > {out}",
    ),
}


def fixed_name(path: Path, *, suffix: str = "") -> str:
    """Return the name of the file that a command makes of this one."""
    return f"fixed-{path.stem}{suffix}.pem"


def repair(path: Path, contents: Contents, *, key: Path | None = None) -> tuple[str, str] | None:
    """Return why OpenSSL does not read a file of certificates, and the command that makes one that it reads; None if there is none.

    Args:
        path: the file as the user named it.
        contents: what is in it.
        key: the private key that belongs to it, for a request; None if it is not known.
    """
    file, out = shlex.quote(str(path)), shlex.quote(fixed_name(path))
    form = contents.form
    if form in _TEXT:
        why, command = _TEXT[form]
        return f"this {why}", command.format(file=file, out=out)
    if form is Form.DER:
        return "this is DER, but Python's ssl needs PEM", f"openssl x509 -inform der -in {file} -out {out}"
    if form is Form.DER_BUNDLE:
        lines = [
            _BYTES_FROM.format(offset=offset + 1, file=file, redirect=">>" if number else ">", out=out)
            for number, offset in enumerate(contents.offsets)
        ]
        count = len(contents.offsets)
        return f"these are {count} DER certificates in one file, but Python's ssl needs PEM", "; ".join(lines)
    if form is Form.PKCS7:
        inform = "" if contents.is_text else "-inform der "
        what = "this is PKCS#7, a list of certificates, but Python's ssl needs PEM"
        return what, f"openssl pkcs7 {inform}-print_certs -in {file} -out {out}"
    if form is Form.REQUEST:
        inform = "" if contents.is_text else "-inform der "
        own = shlex.quote(str(key)) if key is not None else "key.pem"
        sign = f"openssl x509 -req {inform}-in {file} -signkey {own} -copy_extensions copyall -days 365 -out {out}"
        return "this is a certificate signing request, not a certificate: a CA has to sign it", sign
    return None


def pkcs12(path: Path, *, password: str | None) -> tuple[str, str]:
    """Return what a PKCS#12 file is, and the two commands that make a certificate and a key of it.

    Args:
        path: the file.
        password: the environment variable that has its password; None lets openssl ask.
    """
    file = shlex.quote(str(path))
    given = f" -passin env:{password}" if password is not None else ""
    certificate, key = (shlex.quote(fixed_name(path, suffix=suffix)) for suffix in ("-cert", "-key"))
    return (
        "this is PKCS#12, certificate and key in one file, but Python's ssl needs PEM",
        f"openssl pkcs12 -in {file}{given} -nokeys -out {certificate}; openssl pkcs12 -in {file}{given} -nocerts -nodes -out {key}",
    )


def key_repair(path: Path, contents: Contents) -> tuple[str, str] | None:
    """Return why OpenSSL does not read a file with a private key, and the command that makes one that it reads; None if there is none."""
    file, out = shlex.quote(str(path)), shlex.quote(fixed_name(path))
    if contents.form in _TEXT and contents.keys:
        why, command = _TEXT[contents.form]
        return f"this {why}", command.format(file=file, out=out)
    return None


def der_key(path: Path) -> tuple[str, str]:
    """Return what to do with a private key that is DER; an encrypted one makes openssl ask for its password."""
    file, out = shlex.quote(str(path)), shlex.quote(fixed_name(path))
    return "this is DER, but Python's ssl needs PEM", f"openssl pkey -inform der -in {file} -out {out}"


def plain_key(path: Path) -> str:
    """Return the command that decrypts a private key; openssl asks for the password."""
    return f"openssl pkey -in {shlex.quote(str(path))} -out {shlex.quote(fixed_name(path))}"
