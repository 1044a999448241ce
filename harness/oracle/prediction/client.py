"""How the client answers the server's choice: its library, what it refuses, and the number it raises.

Only what the ClientHello shows. Whether the client accepts the certificate is not predicted, because that depends on settings
that are not on the wire.
"""

from __future__ import annotations

from harness.model import HelloFacts
from harness.wire import mbedtls_numbers as mbedtls
from harness.wire.extensions import Extension
from harness.wire.versions import TLS10, TLS12

_AXTLS_SUITES = frozenset({"002f", "003c", "0035", "003d"})
_AXTLS_RECORD_VERSION = "0303"


def is_axtls(hello: HelloFacts) -> bool:
    """Recognise axTLS: its four suites, no renegotiation signal, and the algorithms before the server name.

    mbedTLS puts the server name first and always adds the signal 00ff, however it is restricted.
    """
    known = [code for code in hello.extensions if code in (Extension.SERVER_NAME, Extension.SIGNATURE_ALGORITHMS)]
    return (
        hello.record_version == _AXTLS_RECORD_VERSION
        and bool(hello.suites)
        and set(hello.suites) <= _AXTLS_SUITES
        and set(hello.extensions) <= {Extension.SERVER_NAME, Extension.SIGNATURE_ALGORITHMS}
        and known[:1] == [Extension.SIGNATURE_ALGORITHMS]
    )


def oldest_version(hello: HelloFacts) -> int:
    """Return the oldest version that the client accepts in a ServerHello.

    mbedTLS 2.x writes its minimum into the header of the first record (library/ssl_msg.c: the record has
    `conf->min_minor_ver` until a version is agreed), so 0301 means TLS 1.0 and up; 3.x writes 0303 and has nothing
    older. axTLS writes 0303 and takes TLS 1.0 and up all the same (ssl/tls1.h, SSL_PROTOCOL_MIN_VERSION 0x31).
    """
    if is_axtls(hello):
        return TLS10
    if Extension.SUPPORTED_VERSIONS in hello.extensions:
        return min(int(version, 16) for version in hello.versions)
    return min(max(int(hello.record_version, 16), TLS10), TLS12)


def number_for_alert(hello: HelloFacts, *, alert: int) -> int:
    """Return the number that MicroPython raises for a fatal alert: one for all with mbedTLS, the negated alert with axTLS."""
    return -alert if is_axtls(hello) else mbedtls.SSL_FATAL_ALERT_MESSAGE
