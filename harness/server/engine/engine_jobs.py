"""One `open` of the server engine: what it serves, what it must release, and the record it fills.

Part of the stand-alone server engine: stdlib only, CPython 3.8 and later. Here are also the two odd ways into `ssl`
that need more than a context: the old `ssl.wrap_socket` and SNI callbacks.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

if TYPE_CHECKING or __package__:
    from harness.server.engine.alert_tap import AlertTap
    from harness.server.engine.tls_contexts import DeliberateError, SettingsRefused, context_facts
else:  # engine.py was started by its path
    from alert_tap import AlertTap
    from tls_contexts import DeliberateError, SettingsRefused, context_facts

SNI_BEHAVIOURS = ("sni.record", "sni.alert", "sni.raise", "sni.swap")


class SocketPair:
    """Does for an `ssl.SSLSocket` what MemoryBIO does for an SSLObject, because `ssl.wrap_socket` accepts only sockets."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.far.setblocking(False)

    def read(self) -> bytes:
        """Return what the TLS side wrote."""
        data = b""
        try:
            while True:
                piece = self.near.recv(65536)
                if not piece:
                    return data
                data += piece
        except OSError:
            return data

    def write(self, data: bytes) -> None:
        """Pass bytes to the TLS side; at most one received chunk waits there."""
        self.near.sendall(data)

    def write_eof(self) -> None:
        """Pass the end of the stream to the TLS side."""
        self.near.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Release both ends."""
        self.near.close()
        self.far.close()


class Job:
    """One `open`: a listener, the settings of its connection, and the report."""

    def __init__(self, settings: dict[str, Any], *, facts: dict[str, Any]) -> None:
        self.settings = settings
        self.facts = facts
        self.context: ssl.SSLContext | None = None
        self.swap_context: ssl.SSLContext | None = None
        self.tap: AlertTap | None = None
        self.pair: SocketPair | None = None
        self.wrapped: Any = None
        self.listener: socket.socket | None = None
        self.done = threading.Event()
        self.report: dict[str, Any] = {
            "facts": facts, "failure": None, "accepted": False, "handshake_done": False, "exchanged": False,
            "received_text": None, "received_bytes": 0, "negotiated_version": None, "negotiated_suite": None,
            "suite_code": None, "group": None, "sni": None, "wire": [], "tcp_ends": [], "message_alerts": [], "key_log": "",
            "strangers": 0, "stranger_addresses": [], "contested": 0, "peer": None, "peer_port": None,
            "local": None, "local_port": None, "started_unix_s": 0.0, "handshake_ms": None, "timed_out": False,
        }  # fmt: skip

    def release(self) -> None:
        """Close what the job still holds."""
        if self.listener is not None:
            self.listener.close()
        if self.wrapped is not None:
            self.wrapped.close()
        if self.pair is not None:
            self.pair.close()


def legacy_job(settings: dict[str, Any]) -> Job:
    """Prepare `ssl.wrap_socket(server_side=True)`, which Python 3.12 removed, on one end of a socket pair.

    It uses only the first certificate: everything else is Python's own default, as in the facts.

    Raises:
        SettingsRefused: this Python has no `ssl.wrap_socket` (AttributeError), or does not accept the files.
    """
    certificate = settings["certificates"][0]
    chain_file, key_file = certificate["chain_file"], certificate["key_file"]
    if settings.get("swap_key_and_certificate"):
        chain_file, key_file = key_file, chain_file
    pair = SocketPair()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            wrapped = ssl.wrap_socket(
                pair.far, server_side=True, certfile=chain_file, keyfile=key_file, do_handshake_on_connect=False
            )
            job = Job(settings, facts=context_facts(wrapped.context, settings))
    except Exception as exc:
        pair.close()
        # Its context is lost; a new one of this process has the same defaults.
        raise SettingsRefused(exc, facts=context_facts(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), settings)) from exc
    job.pair, job.wrapped = pair, wrapped
    return job


def set_sni(job: Job) -> None:
    """Install the SNI callback of this connection on its context."""
    behaviour = job.settings["behaviour"]
    name = behaviour.get("name")
    context = job.context
    if name not in SNI_BEHAVIOURS or context is None:
        return

    def on_sni(tls: Any, server_name: str | None, _context: Any) -> int | None:
        job.report["sni"] = server_name
        if name == "sni.raise":
            raise DeliberateError("sni callback")
        if name == "sni.swap":
            tls.context = job.swap_context
        return int(behaviour.get("code", 112)) if name == "sni.alert" else None

    context.sni_callback = on_sni


def ignore_deliberate(unraisable: Any, *, fallback: Callable[[Any], object] = sys.__unraisablehook__) -> None:
    """Replace `sys.unraisablehook` while a callback raises on purpose, or for a server name that is not ASCII; pass other errors to
    `fallback`."""
    if unraisable.exc_type not in (DeliberateError, UnicodeDecodeError):
        fallback(unraisable)
