"""MicroPython lines for this firmware's API: `SSLContext` since 1.22, keywords of `wrap_socket` before."""

from __future__ import annotations

from collections.abc import Sequence

from harness.explain.server_lines import quoted
from harness.model import BoardInfo, TlsModule
from harness.wire.suites import mbedtls_suite_name


def reading(file: str) -> str:
    """Return the expression for the bytes of a file."""
    return f'open({quoted(file)}, "rb").read()'


def module(info: BoardInfo) -> str:
    """The module to import: the native `tls` if there is one, since only it has everything."""
    return info.tls_module or TlsModule.SSL


def has_context(info: BoardInfo) -> bool:
    """Whether certificates are loaded into an SSLContext; 1.21 has that class without any certificate method."""
    return any(name.endswith("SSLContext.load_cert_chain") for name in info.api)


def connecting(
    info: BoardInfo,
    *,
    host: str | None = None,
    ca: bool | Sequence[str] = False,
    certificate: bool | tuple[str, str] = False,
) -> tuple[str, ...]:
    """Return lines that make a TLS client on this firmware.

    Args:
        info: the board.
        host: the server's name, sent as SNI and compared with the certificate.
        ca: verify the server's certificate with these files; True is `ca.der`.
        certificate: present these files, certificate and key; True is `client.der` and `client-key.der`.
    """
    name = module(info)
    trusted = ("ca.der",) if ca is True else tuple(ca or ())
    pair = ("client.der", "client-key.der") if certificate is True else certificate or None
    at_host = f", server_hostname={quoted(host)}" if host else ""
    if has_context(info):
        lines = [f"import {name}", f"context = {name}.SSLContext({name}.PROTOCOL_TLS_CLIENT)"]
        # The first positional argument is a path in ssl of 1.22, and the data in tls of 1.23 and later.
        keyword = "" if info.tls_module == TlsModule.TLS else "cadata="
        lines += [f"context.load_verify_locations({keyword}{reading(file)})" for file in trusted]
        if trusted:
            lines.append(f"context.verify_mode = {name}.CERT_REQUIRED")
        elif name == "tls":
            # tls.SSLContext, other than ssl.SSLContext, begins with CERT_REQUIRED (extmod/modtls_mbedtls.c).
            lines.append("context.verify_mode = tls.CERT_NONE  # or load a CA: context.load_verify_locations(...)")
        if pair:
            lines.append(f"context.load_cert_chain({reading(pair[0])}, {reading(pair[1])})")
        return (*lines, f"stream = context.wrap_socket(sock{at_host})")
    words = ""
    if trusted:
        words += f", cert_reqs={name}.CERT_REQUIRED, cadata={reading(trusted[0])}"
    if pair:
        words += f", key={reading(pair[1])}, cert={reading(pair[0])}"
    return f"import {name}", f"stream = {name}.wrap_socket(sock{words}{at_host})"


def offering(info: BoardInfo, suites: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines that make the client offer exactly these suites (IANA names); empty if it cannot choose.

    Suites that the firmware does not have are left out: one unknown name makes mbedTLS refuse the whole list.
    """
    if not info.can_set_ciphers:
        return ()
    names = [mbedtls_suite_name(suite) for suite in suites]
    known = [name for name in names if not info.suites or name in info.suites]
    return (f"context.set_ciphers({known!r})",)
