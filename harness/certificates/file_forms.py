"""What is in a file that should have certificates or a key: its form, and why OpenSSL does not read it. Bytes in, a record out.

OpenSSL reads PEM line by line (crypto/pem/pem_lib.c): the line -----BEGIN ...----- has nothing before it, and there is no empty line
between it and -----END ...-----. Measured with Python's ssl and OpenSSL 3.0: CRLF, UTF-8 with a byte order mark, text before a block,
and one long line between the two are read; everything that `Form` names apart from PEM is not. Every step is linear in the size.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509

from harness.certificates.unreadable import UNREADABLE

_BOM = b"\xef\xbb\xbf"
_CERTIFICATE_LABELS = ("CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE")
_REQUEST_LABELS = ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_ANY_BLOCK = re.compile(rb"-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]+")
_INDENT = b" \t>|*#"
# What OpenSSL ignores at the end of a line.
_BLANK = b" \t\r\f\v\0"
# The contents of PKCS#7 signedData and of PKCS#12 (RFC 2315 section 14, RFC 7292 section 4).
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_PKCS12_VERSION = bytes.fromhex("020103")
_SEQUENCE = 0x30


class Form(StrEnum):
    """The form of a file. OpenSSL and Python's ssl read PEM only; MicroPython reads DER, and with some firmware PEM."""

    PEM = "pem"
    DER = "der"
    DER_BUNDLE = "der-bundle"
    UTF16 = "utf-16"
    OLD_MAC = "cr-only"
    INDENTED = "indented"
    EMPTY_LINES = "empty-lines"
    LITERAL_NEWLINES = "literal-newlines"
    ONE_LINE = "one-line"
    HEADERLESS = "headerless"
    REQUEST = "request"
    PKCS7 = "pkcs7"
    PKCS12 = "pkcs12"
    PUBLIC_KEY = "public-key"
    PRIVATE_KEY = "private-key"
    DAMAGED = "damaged"
    EMPTY = "empty"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One PEM block as OpenSSL finds it: its label, whether it is encrypted, its text and its content."""

    label: str
    encrypted: bool
    text: bytes
    der: bytes

    @property
    def is_key(self) -> bool:
        """Whether it is a private key."""
        return self.label.endswith("PRIVATE KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What is in a file.

    `certificates` and `keys` are there in whatever form; only with PEM can OpenSSL read them as they are. `offsets` are where the
    certificates of a DER file begin. `is_text`: a PKCS#7 file or a request is PEM. `is_damaged`: of a PEM file, a block has no end or is
    not base64, at which OpenSSL gives up.
    """

    form: Form
    certificates: tuple[bytes, ...] = ()
    keys: tuple[Block, ...] = ()
    offsets: tuple[int, ...] = ()
    is_text: bool = False
    is_damaged: bool = False


def read_contents(data: bytes) -> Contents:
    """Return what is in a file of a certificate or key."""
    if not data.strip():
        return Contents(form=Form.EMPTY)
    data = data.removeprefix(_BOM)
    plain = _as_pem(data)
    if plain is not None:
        return plain
    if data[:1] == bytes((_SEQUENCE,)):
        found = _as_der(data)
        if found is not None:
            return found
    for form, repaired in _repairs(data):
        inside = _as_pem(repaired) if repaired is not None else None
        if inside is not None and (inside.certificates or inside.keys):
            return Contents(form=form, certificates=inside.certificates, keys=inside.keys)
    return Contents(form=Form.DAMAGED if _LABEL.search(data) else Form.OTHER)


# ----------------------------------------------------------------------------------------------- PEM


def blocks(data: bytes) -> Iterator[Block]:
    """Return the PEM blocks that OpenSSL would read, in order."""
    label: bytes | None = None
    lines: list[bytes] = []
    for raw in data.split(b"\n"):
        line = raw.rstrip(_BLANK)
        if label is None:
            found = _LABEL.fullmatch(line)
            label, lines = (found[1], []) if found is not None else (None, [])
        elif line == b"-----END " + label + b"-----":
            block = _block(label.decode("ascii"), lines)
            if block is not None:
                yield block
            label = None
        else:
            lines.append(line.strip())


def _block(label: str, lines: list[bytes]) -> Block | None:
    headers = 0
    if lines and b":" in lines[0]:  # Proc-Type: 4,ENCRYPTED, up to an empty line (RFC 1421)
        headers = lines.index(b"") + 1 if b"" in lines else len(lines)
    body = lines[headers:]
    if b"" in body:
        return None
    try:
        der = base64.b64decode(b"".join(body), validate=True)
    except (binascii.Error, ValueError):
        return None
    text = b"\n".join((f"-----BEGIN {label}-----".encode(), *lines, f"-----END {label}-----".encode(), b""))
    encrypted = label == "ENCRYPTED PRIVATE KEY" or any(b"ENCRYPTED" in line for line in lines[:headers])
    return Block(label=label, encrypted=encrypted, text=text, der=der)


def _as_pem(data: bytes) -> Contents | None:
    """Return what OpenSSL reads from a text; None if that is nothing."""
    found = tuple(blocks(data))
    keys = tuple(block for block in found if block.is_key)
    certificates = tuple(
        der for block in found if block.label in _CERTIFICATE_LABELS and (der := _certificate(block.der)) is not None
    )
    labels = {block.label for block in found}
    if certificates:
        begun = sum(_LABEL.fullmatch(line.rstrip(_BLANK)) is not None for line in data.split(b"\n"))
        return Contents(form=Form.PEM, certificates=certificates, keys=keys, is_damaged=begun != len(found))
    if keys:
        return Contents(form=Form.PRIVATE_KEY, keys=keys)
    if labels & {*_REQUEST_LABELS}:
        return Contents(form=Form.REQUEST, is_text=True)
    if "PKCS7" in labels or "CMS" in labels:
        return Contents(form=Form.PKCS7, is_text=True)
    if any(label.endswith("PUBLIC KEY") for label in labels):
        return Contents(form=Form.PUBLIC_KEY)
    return None


def _certificate(der: bytes) -> bytes | None:
    """Return the certificate of a block, without what OpenSSL adds to a trusted one; None if it cannot be read."""
    end = _end(der, 0)
    try:
        x509.load_der_x509_certificate(der[:end])
    except UNREADABLE:
        return None
    return der[:end]


# ----------------------------------------------------------------------------------------------- DER


def _as_der(data: bytes) -> Contents | None:
    certificates: list[bytes] = []
    offsets: list[int] = []
    start = 0
    while start < len(data) and (end := _end(data, start)) <= len(data):
        found = _certificate(data[start:end])
        if found is None:
            break
        certificates.append(found)
        offsets.append(start)
        start = end
    if certificates:
        form = Form.DER if len(certificates) == 1 else Form.DER_BUNDLE
        return Contents(form=form, certificates=tuple(certificates), offsets=tuple(offsets))
    head = data[:64]
    if _SIGNED_DATA in head:
        return Contents(form=Form.PKCS7)
    if _PKCS12_VERSION in head and _DATA in head:
        return Contents(form=Form.PKCS12)
    try:
        x509.load_der_x509_csr(data)
    except UNREADABLE:
        return None
    return Contents(form=Form.REQUEST)


def _end(data: bytes, start: int) -> int:
    """Return where the element at `start` ends by its length; beyond the data if it has none that fits."""
    if start + 2 > len(data):
        return len(data) + 1
    length, start = data[start + 1], start + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 0 < octets <= 4:
            return len(data) + 1
        length, start = int.from_bytes(data[start : start + octets], "big"), start + octets
    return start + length


# ----------------------------------------------------------------------------------------------- what people have


def _repairs(data: bytes) -> Iterator[tuple[Form, bytes | None]]:
    """Return each form that is PEM after a change, and the changed text; the change that does least comes first."""
    steps: tuple[tuple[Form, Callable[[bytes], bytes | None]], ...] = (
        (Form.UTF16, _from_utf16),
        (Form.OLD_MAC, lambda text: text.replace(b"\r", b"\n")),
        (Form.EMPTY_LINES, lambda text: b"\n".join(line for line in text.splitlines() if line.strip())),
        (Form.INDENTED, lambda text: b"\n".join(line.strip(_INDENT) for line in text.splitlines())),
        (Form.LITERAL_NEWLINES, _from_literal),
        (Form.ONE_LINE, _from_one_line),
        (Form.HEADERLESS, _from_base64),
    )
    for form, change in steps:
        yield form, change(data)


def _from_utf16(data: bytes) -> bytes | None:
    """PowerShell's `>` writes UTF-16 with a byte order mark; other programs write it without."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding = "utf-16"
    elif data[1:2] == b"\0" or data[:1] == b"\0":
        encoding = "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    else:
        return None
    return data.decode(encoding, "replace").encode("ascii", "replace")


def _from_literal(data: bytes) -> bytes | None:
    r"""A value of JSON or of an environment file: \n instead of a new line."""
    if b"\\n" not in data:
        return None
    return data.replace(b"\\r", b"").replace(b"\\n", b"\n").replace(b'"', b"").replace(b"'", b"").strip()


def _from_one_line(data: bytes) -> bytes | None:
    """Everything on one line, with blanks or with nothing between the lines."""
    parts = _ANY_BLOCK.split(data.strip().replace(b'"', b"").replace(b"'", b""))
    if len(parts) < 4:
        return None
    lines: list[bytes] = []
    for at in range(0, len(parts) - 1, 3):
        lines += [b"".join(parts[at].split()), b"-----%s %s-----" % (parts[at + 1], parts[at + 2])]
    return b"\n".join(line for line in lines if line)


def _from_base64(data: bytes) -> bytes | None:
    """Base64 of a certificate without its two lines."""
    if _BASE64.fullmatch(data) is None:
        return None
    return b"-----BEGIN CERTIFICATE-----\n" + b"".join(data.split()) + b"\n-----END CERTIFICATE-----"
