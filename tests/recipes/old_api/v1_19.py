"""A stand-in for the module `ussl` of MicroPython up to 1.19: the same names and arguments, on top of a newer interpreter's `tls`.

Written after the argument table of extmod/modussl_mbedtls.c at v1.19.1, lines 393-398. It shows that a program uses only what
this generation has, not that its TLS library accepts the session.
"""

import tls


def wrap_socket(sock, *, key=None, cert=None, server_side=False, server_hostname=None, do_handshake=True, **words):
    """As in C: all but the first argument by keyword, and no way to verify."""
    if words:
        raise TypeError("extra keyword arguments given")
    context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER if server_side else tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    if key is not None:
        context.load_cert_chain(cert, key)
    return context.wrap_socket(sock, server_hostname=server_hostname, do_handshake_on_connect=do_handshake)
