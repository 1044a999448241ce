"""Where a server may listen: the address that faces a board, and early checks of `--bind` and `--ports`.

Knows sockets, sends nothing.
"""

from __future__ import annotations

import errno
import os
import socket

from harness.errors import ServerError, UsageError

_HIGHEST_PORT = 65535


def local_address_for(board_address: str) -> str:
    """Return the address of this machine that a board at `board_address` can reach.

    Connecting a UDP socket makes the kernel choose route and source address without sending anything.

    Raises:
        ServerError: this machine has no route to the board.
    """
    family = socket.AF_INET6 if ":" in board_address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # Port 9 is "discard" (RFC 863); any would do.
            probe.connect((board_address, 9))
        except OSError as exc:
            reason = os.strerror(exc.errno) if exc.errno and exc.errno > 0 else "not an address"
            raise ServerError(
                f"this machine has no route to the board at {board_address!r} ({reason}): "
                "are both in the same network? name an address with --bind"
            ) from exc
        return str(probe.getsockname()[0])


def check_bind(address: str) -> str:
    """Return `address` if a server can be bound to it.

    Raises:
        UsageError: it is not an address, or not one of this machine.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        socket.inet_pton(family, address)
    except OSError as exc:
        raise UsageError(f"--bind {address!r}: not an IP address (expected an address of this machine)") from exc
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as exc:
            name = errno.errorcode.get(exc.errno or 0, "")
            raise UsageError(f"--bind {address!r}: not an address of this machine ({name})") from exc
    return address


def parse_ports(text: str) -> tuple[int, int]:
    """Parse `A-B` or `A`, an inclusive range of TCP ports.

    Raises:
        UsageError: anything else.
    """
    first, dash, last = text.strip().partition("-")
    numbers = (first, last) if dash else (first, first)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        raise UsageError(f"--ports {text!r}: not a port range (expected A-B or A, for example 42000-42099)")
    low, high = (int(number) for number in numbers)
    if not 1 <= low <= high <= _HIGHEST_PORT:
        raise UsageError(f"--ports {text!r}: out of range (expected 1 <= A <= B <= {_HIGHEST_PORT})")
    return low, high


def free_port(address: str, *, among: tuple[int, int] | None = None, first: int | None = None) -> int | None:
    """Return a port of this address that nobody listens on now; None if all are in use.

    Args:
        address: of this machine.
        among: the range to choose from; None for any.
        first: the port to take if it is free.
    """
    candidates = range(among[0], among[1] + 1) if among else [first, 0] if first else [0]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for port in candidates:
        try:
            with socket.create_server((address, port or 0), family=family) as listener:
                return int(listener.getsockname()[1])
        except OSError:
            continue
    return None
