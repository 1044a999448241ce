"""The addresses of one run: where the server listens and where a board connects to. Must not know boards or sockets."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import BoardInfo, ClientFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the server listens (`bind`, `ports`), where the board connects to (`advertise`), and who may connect (`peers`).

    `ports` None: any free port. `peers` None: anyone.
    """

    bind: str
    advertise: str
    ports: tuple[int, int] | None = None
    peers: tuple[str, ...] | None = None


def unreachable_text(info: BoardInfo, addresses: Addresses, *, failure: ClientFailure | None, port: int | None) -> str:
    """Say that the board cannot reach the server, with both addresses and the usual causes.

    Args:
        info: what was probed of the board.
        addresses: where it connected to.
        failure: what the board raised.
        port: the server's port.
    """
    number = failure.number if failure and failure.number is not None else failure.type if failure else "?"
    return (
        f"the board ({info.address or 'address unknown'}) cannot reach this server at {addresses.advertise}:{port} (OSError {number}): "
        "a firewall on this machine, client isolation in the WiFi, the wrong interface (--bind, --advertise), or NAT (--peer)"
    )
