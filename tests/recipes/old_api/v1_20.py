"""A stand-in for the modules `ussl` and `ssl` of MicroPython 1.20: the same names and arguments, on top of a newer interpreter's `tls`.

Written after the argument table of extmod/modussl_mbedtls.c at v1.20.0, lines 474-481. It shows that a program uses only what
this generation has, not that its TLS library accepts the session.
"""

import tls

CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = tls.CERT_NONE, tls.CERT_OPTIONAL, tls.CERT_REQUIRED


def wrap_socket(
    sock,
    *,
    key=None,
    cert=None,
    server_side=False,
    server_hostname=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    do_handshake=True,
    **words,
):
    """As in C: all but the first argument by keyword."""
    if words:
        raise TypeError("extra keyword arguments given")
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER if server_side else tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if key is not None:
        context.load_cert_chain(cert, key)
    if cadata is not None:
        context.load_verify_locations(cadata)
    return context.wrap_socket(sock, server_hostname=server_hostname, do_handshake_on_connect=do_handshake)
