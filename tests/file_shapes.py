"""The shapes in which people have a certificate or a key: a good PEM text, and what programs, editors and values of JSON make of it."""

from collections.abc import Callable

BODY = Callable[[bytes], bytes]


def _lines(pem: bytes) -> list[bytes]:
    return pem.splitlines()


def _one_line(pem: bytes) -> bytes:
    begin, *body, end = _lines(pem)
    return begin + b"".join(body) + end + b"\n"


def _headerless(pem: bytes) -> bytes:
    return b"\n".join(_lines(pem)[1:-1]) + b"\n"


#: Shape -> how it is made from PEM. OpenSSL reads these.
READABLE: dict[str, BODY] = {
    "plain": lambda pem: pem,
    "CRLF": lambda pem: pem.replace(b"\n", b"\r\n"),
    "byte order mark": lambda pem: b"\xef\xbb\xbf" + pem,
    "text before": lambda pem: b"subject=x\n   issuer=y\n" + pem,
    "blanks at the ends of lines": lambda pem: pem.replace(b"\n", b"  \n"),
    "no last line end": lambda pem: pem.rstrip(),
    "indented body": lambda pem: b"\n".join(b"  " + one if one[:1] != b"-" else one for one in _lines(pem)) + b"\n",
    "long lines": lambda pem: b"\n".join((_lines(pem)[0], b"".join(_lines(pem)[1:-1]), _lines(pem)[-1])) + b"\n",
    "twice": lambda pem: pem * 2,
}
#: Shape -> its form, and how it is made. OpenSSL reads none of these.
UNREADABLE: dict[str, tuple[str, BODY]] = {
    "UTF-16": ("utf-16", lambda pem: pem.decode().encode("utf-16")),
    "UTF-16 big endian": ("utf-16", lambda pem: b"\xfe\xff" + pem.decode().encode("utf-16-be")),
    "UTF-16 of Windows": ("utf-16", lambda pem: pem.replace(b"\n", b"\r\n").decode().encode("utf-16")),
    "carriage returns": ("cr-only", lambda pem: pem.replace(b"\n", b"\r")),
    "empty lines": ("empty-lines", lambda pem: pem.replace(b"\n", b"\n\n")),
    "indented": ("indented", lambda pem: b"".join(b"    " + one + b"\n" for one in _lines(pem))),
    "quoted mail": ("indented", lambda pem: b"".join(b"> " + one + b"\n" for one in _lines(pem))),
    "literal": ("literal-newlines", lambda pem: pem.replace(b"\n", b"\\n")),
    "literal in quotes": ("literal-newlines", lambda pem: b'"' + pem.replace(b"\n", b"\\n") + b'"\n'),
    "one line": ("one-line", _one_line),
    "one line with blanks": ("one-line", lambda pem: pem.replace(b"\n", b" ")),
}
#: Only for certificates.
HEADERLESS: dict[str, BODY] = {
    "base64 lines": _headerless,
    "base64 on one line": lambda pem: _headerless(pem).replace(b"\n", b""),
}
