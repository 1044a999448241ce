"""MicroPython lines for this firmware's API: `SSLContext` since 1.22, keywords of `wrap_socket` before."""

from __future__ import annotations

from harness.model import BoardInfo, TlsModule
from harness.wire.suites import mbedtls_suite_name

DER = 'open("{name}.der", "rb").read()'


def module(info: BoardInfo) -> str:
    """The module to import: the native `tls` if there is one, since only it has everything."""
    return info.tls_module or TlsModule.SSL


def has_context(info: BoardInfo) -> bool:
    """Whether certificates are loaded into an SSLContext; 1.21 has that class without any certificate method."""
    return any(name.endswith("SSLContext.load_cert_chain") for name in info.api)


def connecting(
    info: BoardInfo, *, host: str | None = None, ca: bool = False, certificate: bool = False
) -> tuple[str, ...]:
    """Return lines that make a TLS client on this firmware.

    Args:
        info: the board.
        host: the server's name, sent as SNI and compared with the certificate.
        ca: verify the server's certificate with `ca.der`.
        certificate: present `client.der` with the key `client-key.der`.
    """
    name = module(info)
    at_host = f', server_hostname="{host}"' if host else ""
    if has_context(info):
        lines = [f"import {name}", f"context = {name}.SSLContext({name}.PROTOCOL_TLS_CLIENT)"]
        if ca:
            lines += _reading("ca", f"context.load_verify_locations({_keyword(info)}%s)")
            lines.append(f"context.verify_mode = {name}.CERT_REQUIRED")
        elif name == "tls":
            # tls.SSLContext, other than ssl.SSLContext, begins with CERT_REQUIRED (extmod/modtls_mbedtls.c).
            lines.append("context.verify_mode = tls.CERT_NONE  # or load a CA: context.load_verify_locations(...)")
        if certificate:
            lines.append(f"context.load_cert_chain({DER.format(name='client')}, {DER.format(name='client-key')})")
        return (*lines, f"stream = context.wrap_socket(sock{at_host})")
    words = ""
    if ca:
        words += f", cert_reqs={name}.CERT_REQUIRED, cadata={DER.format(name='ca')}"
    if certificate:
        words += f", key={DER.format(name='client-key')}, cert={DER.format(name='client')}"
    return f"import {name}", f"stream = {name}.wrap_socket(sock{words}{at_host})"


def offering(info: BoardInfo, suites: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines that make the client offer exactly these suites (IANA names); empty if it cannot choose."""
    if not info.can_set_ciphers:
        return ()
    return (f"context.set_ciphers({[mbedtls_suite_name(suite) for suite in suites]!r})",)


def _keyword(info: BoardInfo) -> str:
    # 1.22: the first positional argument is a path; `tls` of 1.23 and later: one positional, bytes.
    return "" if info.tls_module == TlsModule.TLS else "cadata="


def _reading(name: str, line: str) -> list[str]:
    return [line % DER.format(name=name)]
