"""A small RFC 2217 server in front of a pseudo-terminal, on loopback, in the role of ser2net or a labgrid exporter.

Built on pyserial's own `PortManager`. A PTY has no modem lines; they are simulated here. One client at a time. With
`raw=True` the same bytes go through without RFC 2217, as behind `socket://`.
"""

from __future__ import annotations

import select
import socket
import threading
from typing import Any

import serial
import serial.rfc2217


class PtyPort(serial.Serial):
    """A pyserial port on a PTY: the missing modem lines read as set, and writes to them are ignored."""

    cts = dsr = cd = property(lambda _self: True)
    ri = property(lambda _self: False)

    def _update_dtr_state(self) -> None:
        """Do nothing: TIOCMBIS is ENOTTY on a PTY."""

    def _update_rts_state(self) -> None:
        """Do nothing: TIOCMBIS is ENOTTY on a PTY."""


class Client:
    """The TCP side as `PortManager` needs it: an object with write()."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self.connection.sendall(data)


class Rfc2217Server:
    """Serve a device until `close()`; `url` is its board spec.

    Args:
        device: path of the PTY.
        raw: plain TCP instead of RFC 2217.
    """

    def __init__(self, device: str, *, raw: bool = False) -> None:
        self._device = device
        self._raw = raw
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connection: socket.socket | None = None
        self._closing = False
        host, port = self._listener.getsockname()
        self.url = f"{'socket' if raw else 'rfc2217'}://{host}:{port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closing:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            with self._connection, PtyPort(self._device, timeout=0) as port:
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                try:
                    self._pass(port, self._connection)
                except OSError:
                    pass  # the client or the board disconnected: wait for the next client

    def _pass(self, port: Any, connection: socket.socket) -> None:
        manager = None if self._raw else serial.rfc2217.PortManager(port, Client(connection))
        while True:
            ready, _, _ = select.select([port.fileno(), connection], [], [])
            if connection in ready:
                data = connection.recv(4096)
                if not data:
                    return
                port.write(b"".join(manager.filter(data)) if manager else data)
            if port.fileno() in ready:
                data = port.read(4096)
                connection.sendall(b"".join(manager.escape(data)) if manager else data)

    def drop(self) -> None:
        """Close the client's connection, as an exporter does when it is restarted."""
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self) -> None:
        """Stop serving."""
        self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        self._thread.join(60)
