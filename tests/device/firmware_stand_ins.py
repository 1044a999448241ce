"""Stand-ins for the TLS modules of MicroPython firmware, one per API generation (docs/facts/micropython.md, "Python API").

Each has exactly the names and keyword arguments of its generation and rejects others as the firmware does.
There is no TLS inside: a wrapped socket forwards plain bytes. `calls` records the calls.
"""

from __future__ import annotations

import types
from typing import Any


class PassThrough:
    """A TLS socket of MicroPython: read, readinto, readline, write, setblocking, close. read(n) reads all of n."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._sock.recv(size - len(data))
            if not piece:
                break
            data += piece
        return data

    def write(self, data: bytes) -> int:
        self._sock.sendall(data)
        return len(data)

    def close(self) -> None:
        self._sock.close()


class WithPeerCertificate(PassThrough):
    """The socket of mbedTLS up to 1.21."""

    def getpeercert(self, binary_form: bool) -> None:
        raise NotImplementedError


class WithCipher(PassThrough):
    """The socket of mbedTLS from 1.22 on."""

    def cipher(self) -> tuple[str, str]:
        return ("TLS-STAND-IN", "TLSv1.2")


class Forgetful(WithCipher):
    """The socket of 1.22 with mbedTLS 2.28, written after a recorded observation: a failed read or write makes it forget its socket, and
    close() then does nothing.
    """

    forgot = False

    def read(self, size: int) -> bytes:
        try:
            return super().read(size)
        except OSError:
            self.forgot = True
            raise

    def write(self, data: bytes) -> int:
        try:
            return super().write(data)
        except OSError:
            self.forgot = True
            raise

    def close(self) -> None:
        if not self.forgot:
            super().close()


class Firmware:
    """The modules of one generation and the recorded calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.handshake_error: BaseException | None = None
        self.stuck: dict[str, Any] = {}  # attributes of a context that keep this value whatever is set
        self.modules: dict[str, types.ModuleType | None] = {"tls": None, "ssl": None, "ussl": None}

    def add(self, name: str, **members: Any) -> types.ModuleType:
        module = types.ModuleType(name)
        vars(module).update(members)
        self.modules[name] = module
        return module

    def wrap_function(self, *, accepts: tuple[str, ...], socket: type, words: bool = True) -> Any:
        """A module-level wrap_socket; an unknown keyword is the TypeError of mp_arg_parse_all."""

        def wrap_socket(sock: Any, **keywords: Any) -> Any:
            if set(keywords) - set(accepts):
                raise TypeError("extra keyword arguments given")
            self.calls.append(("wrap_socket", keywords))
            if self.handshake_error is not None and keywords.get("do_handshake", True):
                raise self.handshake_error
            return socket(sock)

        return wrap_socket


OLD_WORDS = ("key", "cert", "server_side", "server_hostname", "do_handshake")
CERT = {"CERT_NONE": 0, "CERT_OPTIONAL": 1, "CERT_REQUIRED": 2}
PROTOCOL = {"PROTOCOL_TLS_CLIENT": 0, "PROTOCOL_TLS_SERVER": 1}
CONTEXT_WORDS = ("server_side", "do_handshake_on_connect", "server_hostname")


class _Context:
    """The common part of every SSLContext, wrap_socket. Its methods append to the firmware's calls."""

    firmware: Firmware
    socket: type = PassThrough

    def __init__(self, protocol: int) -> None:
        self.firmware.calls.append(("SSLContext", protocol))

    def wrap_socket(self, sock: Any, **keywords: Any) -> Any:
        return self.firmware.wrap_function(accepts=CONTEXT_WORDS, socket=self.socket)(sock, **keywords)


class _Recorder:
    """An attribute whose assignments are recorded."""

    def __init__(self, start: Any) -> None:
        self._start = start

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return instance.firmware.stuck.get(self._name, vars(instance).get("_" + self._name, self._start))

    def __set__(self, instance: Any, value: Any) -> None:
        instance.firmware.calls.append((self._name, value))
        vars(instance)["_" + self._name] = value


def _load_cert_chain(self: Any, cert: bytes, key: bytes) -> None:
    self.firmware.calls.append(("load_cert_chain", (cert, key)))


def _load_positional(self: Any, cadata: bytes, /) -> None:
    self.firmware.calls.append(("load_verify_locations", cadata))


def _load_by_path_or_data(self: Any, cafile: str | None = None, cadata: bytes | None = None) -> None:
    if cafile is not None:
        raise OSError(2)
    self.firmware.calls.append(("load_verify_locations", cadata))


def _set_ciphers(self: Any, names: list[str], /) -> None:
    if isinstance(names, str):
        raise TypeError("object 'str' isn't a tuple or list")
    self.firmware.calls.append(("set_ciphers", names))
    if not names or not all(name.startswith("TLS-") for name in names):
        raise OSError(-24192, "MBEDTLS_ERR_SSL_BAD_CONFIG")


def _get_ciphers(self: Any) -> list[str]:
    return ["TLS-ECDHE-ECDSA-WITH-AES-256-CBC-SHA384", "TLS-RSA-WITH-AES-128-CBC-SHA"]


def _context(firmware: Firmware, *, socket: type = PassThrough, **members: Any) -> type:
    return type("SSLContext", (_Context,), {"firmware": firmware, "socket": socket, **members})


def _up_to_1_19(socket: type) -> Firmware:
    firmware = Firmware()
    module = firmware.add("ussl", wrap_socket=firmware.wrap_function(accepts=OLD_WORDS, socket=socket))
    firmware.modules["ssl"] = module
    return firmware


def mbedtls_1_18() -> Firmware:
    """1.18 and 1.19.1 with mbedTLS: no verification at all; `ssl` is a weak link to `ussl`."""
    return _up_to_1_19(WithPeerCertificate)


def axtls_1_18() -> Firmware:
    """1.18 and 1.19.1 with axTLS: only the socket's methods differ from mbedTLS."""
    return _up_to_1_19(PassThrough)


def mbedtls_1_20() -> Firmware:
    """1.20: wrap_socket accepts cert_reqs and cadata."""
    firmware = Firmware()
    wrap = firmware.wrap_function(accepts=(*OLD_WORDS, "cert_reqs", "cadata"), socket=WithPeerCertificate)
    firmware.modules["ssl"] = firmware.add("ussl", wrap_socket=wrap, **CERT)
    return firmware


def mbedtls_1_21() -> Firmware:
    """1.21: an SSLContext without any certificate method."""
    firmware = Firmware()
    wrap = firmware.wrap_function(accepts=(*OLD_WORDS, "cert_reqs", "cadata"), socket=WithPeerCertificate)
    context = _context(firmware, verify_mode=_Recorder(0), socket=WithPeerCertificate)
    firmware.modules["ussl"] = firmware.add("ssl", wrap_socket=wrap, SSLContext=context, **CERT, **PROTOCOL)
    return firmware


def axtls_1_21() -> Firmware:
    """1.21 and 1.22 with axTLS: SSLContext without verify_mode and load_cert_chain."""
    firmware = Firmware()
    wrap = firmware.wrap_function(accepts=OLD_WORDS, socket=PassThrough)
    firmware.modules["ussl"] = firmware.add("ssl", wrap_socket=wrap, SSLContext=_context(firmware), **PROTOCOL)
    return firmware


def mbedtls_1_22() -> Firmware:
    """1.22: everything on ssl.SSLContext, first argument of load_verify_locations is a path."""
    firmware = Firmware()
    context = _context(
        firmware,
        socket=Forgetful,
        verify_mode=_Recorder(0),
        load_cert_chain=_load_cert_chain,
        load_verify_locations=_load_by_path_or_data,
        set_ciphers=_set_ciphers,
        get_ciphers=_get_ciphers,
    )
    wrap = firmware.wrap_function(accepts=(*OLD_WORDS, "cert_reqs", "cadata"), socket=WithCipher)
    version = "mbed TLS 2.28.3"
    firmware.modules["ussl"] = firmware.add(
        "ssl", wrap_socket=wrap, SSLContext=context, MBEDTLS_VERSION=version, **CERT, **PROTOCOL
    )
    return firmware


def _frozen_ssl(firmware: Firmware) -> None:
    """The frozen ssl.py of 1.23 on: hides the ciphers, has load_verify_locations even if the tls below it has not."""
    context = _context(
        firmware,
        verify_mode=_Recorder(0),
        load_cert_chain=_load_cert_chain,
        load_verify_locations=_load_by_path_or_data,
    )
    wrap = firmware.wrap_function(accepts=(*OLD_WORDS, "cert_reqs", "cadata"), socket=PassThrough)
    firmware.add("ssl", wrap_socket=wrap, SSLContext=context, **CERT, **PROTOCOL)


def _tls(firmware: Firmware, **more: Any) -> None:
    context = _context(
        firmware,
        socket=WithCipher,
        verify_mode=_Recorder(2),
        load_cert_chain=_load_cert_chain,
        load_verify_locations=_load_positional,
        set_ciphers=_set_ciphers,
        get_ciphers=_get_ciphers,
        **more,
    )
    firmware.add("tls", SSLContext=context, MBEDTLS_VERSION="Mbed TLS 3.6.2", **CERT, **PROTOCOL)


def mbedtls_1_23() -> Firmware:
    """1.23 to 1.28: native tls (verifies by default), frozen ssl, no ussl."""
    firmware = Firmware()
    _tls(firmware)
    _frozen_ssl(firmware)
    return firmware


def axtls_1_23() -> Firmware:
    """From 1.23 with axTLS: load_cert_chain, a verify_mode without effect, no CERT_REQUIRED."""
    firmware = Firmware()
    context = _context(firmware, verify_mode=_Recorder(0), load_cert_chain=_load_cert_chain)
    firmware.add("tls", SSLContext=context, CERT_NONE=0, **PROTOCOL)
    _frozen_ssl(firmware)
    return firmware


def debian() -> Firmware:
    """Debian's 1.25 and 1.26: only tls."""
    firmware = Firmware()
    _tls(firmware)
    return firmware


def mbedtls_1_29() -> Firmware:
    """1.29-preview: pre-shared keys."""
    firmware = Firmware()
    _tls(firmware, psk_identity=_Recorder(None), psk_key=_Recorder(None))
    _frozen_ssl(firmware)
    return firmware


def without_tls() -> Firmware:
    """samd, nrf, zephyr: no module."""
    return Firmware()


GENERATIONS = {
    make.__name__: make
    for make in (
        mbedtls_1_18,
        axtls_1_18,
        mbedtls_1_20,
        mbedtls_1_21,
        axtls_1_21,
        mbedtls_1_22,
        mbedtls_1_23,
        axtls_1_23,
        debian,
        mbedtls_1_29,
        without_tls,
    )
}
