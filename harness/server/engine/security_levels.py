"""Finds out from OpenSSL itself what Python does not report about security levels: the level of a context before 3.10, and
whether the signature of a server's own certificate must satisfy it.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later.
"""

from __future__ import annotations

import base64
import functools
import os
import re
import ssl
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING or __package__:
    from harness.server.engine.found_settings import takes_anonymous
else:  # found next to this file; engine.py has put the folder on sys.path
    from found_settings import takes_anonymous

#: Prime bits of Diffie-Hellman parameters -> the highest level that accepts them (SSL_CTX_set_security_level(3)).
_LEVELS = ((1024, 1), (2048, 2), (3072, 3))
_LEVEL = re.compile(r"@SECLEVEL=(\d)")


def level_of(context: ssl.SSLContext, ciphers: str | None) -> int | None:
    """Return a context's security level.

    Args:
        context: any server context.
        ciphers: the string it was given by `set_ciphers`, if any.
    """
    told = getattr(context, "security_level", None)
    if told is not None:
        return int(told)
    named = _LEVEL.findall(ciphers or "")
    return int(named[-1]) if named else default_level()


def default_level() -> int:
    """Return the level of an unchanged context, by what it accepts (ssl_security_default_callback, ssl_cert.c).

    Level 0 is the only one with anonymous suites; the others differ in the DH parameters.
    """
    if takes_anonymous(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)):
        return 0
    for bits, level in _LEVELS:
        if _takes(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), bits):
            return level
    return 4


@functools.lru_cache(maxsize=None)
def checks_own_signature() -> bool:
    """Return whether `load_cert_chain` checks the hash that signed a server's certificate (CA_MD_TOO_WEAK).

    OpenSSL's pull request 31271 removed this in the summer of 2026 in several branches at once: 3.5.7 and 3.6.3 check,
    3.5.9 and 3.6.5 do not. So it is tried, with MD5 at level 1, which is too weak in every release.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=1")
    descriptor, path = tempfile.mkstemp(prefix="tls-engine-md5-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_signed_with_md5())
        context.load_cert_chain(path)
    except ssl.SSLError as exc:
        return exc.reason == "CA_MD_TOO_WEAK"
    finally:
        os.unlink(path)
    return False


def _takes(context: ssl.SSLContext, bits: int) -> bool:
    descriptor, path = tempfile.mkstemp(prefix="tls-engine-dh-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(_parameters(bits))
        context.load_dh_params(path)
    except ssl.SSLError:
        return False
    finally:
        os.unlink(path)
    return True


def _signed_with_md5() -> bytes:
    """A certificate and its key in PEM, for loading only: the key is the number 1, its public point P-256's generator
    (SEC 2 section 2.4.2), and the signature is empty, because loading does not verify it."""
    curve = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    point = _der(0x03, b"\x00\x04" + _GENERATOR)
    key = _der(0x30, b"\x02\x01\x01", _der(0x04, (1).to_bytes(32, "big")), _der(0xA0, curve), _der(0xA1, point))
    public = _der(0x30, _der(0x30, b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", curve), point)
    # md5WithRSAEncryption (RFC 3279 section 2.2.1); issuer and subject differ, because a self-signed one is not checked.
    algorithm = _der(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", b"\x05\x00")
    issuer, subject = (
        _der(0x30, _der(0x31, _der(0x30, b"\x06\x03\x55\x04\x03", _der(0x0C, name))))
        for name in (b"issuer", b"subject")
    )
    validity = _der(0x30, _der(0x17, b"250101000000Z"), _der(0x17, b"350101000000Z"))
    version, serial = _der(0xA0, b"\x02\x01\x02"), b"\x02\x01\x01"
    body = _der(0x30, version, serial, algorithm, issuer, validity, subject, public)
    certificate = _der(0x30, body, algorithm, _der(0x03, bytes(257)))
    return _pem("CERTIFICATE", certificate) + _pem("EC PRIVATE KEY", key)


_GENERATOR = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


def _parameters(bits: int) -> bytes:
    """DH parameters in PEM: a prime of the MODP family (RFC 2409 6.2, RFC 3526), 2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + c)."""
    prime = 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (_pi_bits(bits - 130) + _OFFSETS[bits])
    number = prime.to_bytes(bits // 8 + 1, "big")
    return _pem("DH PARAMETERS", _der(0x30, _der(0x02, number), b"\x02\x01\x02"))


_OFFSETS = {1024: 129093, 2048: 124476, 3072: 1690314}


def _der(tag: int, *parts: bytes) -> bytes:
    """A DER value."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    octets = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + body


def _pem(kind: str, data: bytes) -> bytes:
    """DER as PEM."""
    return f"-----BEGIN {kind}-----\n".encode() + base64.encodebytes(data) + f"-----END {kind}-----\n".encode()


def _pi_bits(bits: int) -> int:
    """The integer part of 2^bits times pi (Machin's formula in fixed point)."""
    guard = 64
    unit = 1 << (bits + guard)

    def arctan_inverse(x: int) -> int:
        total = term = unit // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    return (4 * (4 * arctan_inverse(5) - arctan_inverse(239))) >> guard
