"""The address of a server that is already running, and why it could not be reached.

Knows sockets and their errors; must not know TLS or boards.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from harness.model import ServerFailure, Stage


def look_up(host: str, port: int) -> ServerFailure | None:
    """Look up the server's address without contacting the server.

    Args:
        host: name or address of the server.
        port: its TCP port.

    Returns:
        None if there is an address, else the failure (stage `connect`) under the resolver's name for it.
    """
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        return not_reached(error)
    return None


Opening = Callable[[socket.socket], None]
"""What happens on a new connection before it is used, such as starting TLS; raises OSError if that is not possible."""


def dial(target: tuple[str, int], *, opening: Opening | None, timeout_s: float) -> socket.socket:
    """Connect to a server.

    Args:
        target: host and port.
        opening: the first exchange on the connection; None for none.
        timeout_s: how long the server may take to accept.

    Raises:
        OSError: it accepts no connection, or the opening failed.
    """
    server = socket.create_connection(target, timeout=timeout_s)
    try:
        if opening is not None:
            opening(server)
    except OSError:
        server.close()
        raise
    return server


def not_reached(error: OSError) -> ServerFailure:
    """Return why a server was not reached, under the name of the resolver or the operating system for it."""
    number = error.errno
    if isinstance(error, socket.gaierror):
        names = {value: name for name, value in vars(socket).items() if name.startswith("EAI_")}
        reason = names.get(number, "EAI_FAIL")
    elif isinstance(error, TimeoutError):
        number, reason = errno.ETIMEDOUT, "ETIMEDOUT"
    else:
        reason = errno.errorcode.get(number or 0, type(error).__name__)
    return ServerFailure(type=type(error).__name__, reason=reason, errno=number, stage=Stage.CONNECT)
