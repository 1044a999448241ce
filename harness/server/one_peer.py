"""Accepts the one connection of a board on a listener: others from its address are counted, all other peers are dropped.

Part of what stands between board and server (relay, slow link); the engine, which runs alone, has its own.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from harness.server import Serving
from harness.server.engine.engine import MAX_CONTESTED, MAX_STRANGERS_NAMED
from harness.server.engine.tls_link import Waiter, listen


@dataclass(slots=True)
class OnePeer:
    """A listener, and who has connected to it.

    `peer` is the accepted connection's, before that of the last one that was dropped.
    """

    listener: socket.socket
    peers: tuple[str, ...] | None
    accepted: bool = False
    strangers: int = 0
    stranger_addresses: list[str] = field(default_factory=list)
    contested: int = 0
    peer: tuple[str, int] | None = None

    @classmethod
    def at(cls, serving: Serving) -> OnePeer:
        """Listen where a server is to serve.

        Raises:
            OSError: no port is free.
        """
        return cls(listen(serving.bind, list(serving.ports) if serving.ports else None), serving.peers)

    @property
    def local(self) -> tuple[str, int]:
        """The address and the port of the listener."""
        address, port = self.listener.getsockname()[:2]
        return address, port

    def accept(self, waiter: Waiter, *, end: float | None) -> socket.socket | None:
        """Accept the board's connection and stop listening; None if the board did not connect in time.

        Others from an expected address that wait by then are dropped and counted: one of them may be the board's.

        Raises:
            Stopped: the waiter was stopped.
        """
        while waiter.wait(self.listener, end=end):
            board = self._next()
            if board is None:
                continue
            self.accepted = True
            served = self.peer
            while self.contested < MAX_CONTESTED and (other := self._next()) is not None:
                self.contested += 1
                other.close()
            self.peer = served
            self.listener.close()
            return board
        return None

    def _next(self) -> socket.socket | None:
        """Return the next connection from an expected address, None if none waits; drop and count all others."""
        while True:
            try:
                sock, address = self.listener.accept()
            except BlockingIOError:
                return None
            except ConnectionAbortedError:
                continue
            self.peer = address[:2]
            if self.peers is None or address[0] in self.peers:
                return sock
            self.strangers += 1
            if address[0] not in self.stranger_addresses and len(self.stranger_addresses) < MAX_STRANGERS_NAMED:
                self.stranger_addresses.append(address[0])
            sock.close()
