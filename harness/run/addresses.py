"""How a board and a server find each other. Knows addresses only, no boards and no sockets."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import BoardInfo, ClientFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How board and server find each other: where to listen, what the board is told, whom the server answers."""

    bind: str
    advertise: str
    ports: tuple[int, int] | None = None
    peers: tuple[str, ...] | None = None


def unreachable_text(info: BoardInfo, reach: Reach, *, failure: ClientFailure | None, port: int | None) -> str:
    """Name both addresses and the usual suspects.

    Args:
        info: of the board that got no connection.
        reach: where it was sent.
        failure: what it said of it.
        port: of the server.
    """
    number = failure.number if failure and failure.number is not None else failure.type if failure else "?"
    return (
        f"the board ({info.address or 'no address known'}) cannot reach this server at {reach.advertise}:{port} (OSError {number}): "
        "a firewall on this machine, client isolation in the WiFi, the wrong interface (--bind, --advertise), or NAT (--peer)"
    )
