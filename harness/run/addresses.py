"""The addresses of one run: where the server listens and where a board connects to. Must not know boards or sockets."""

from __future__ import annotations

from dataclasses import dataclass

from harness.model import BoardInfo, ClientFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where the server listens (`bind`, `ports`), where the board connects to (`advertise`), and who may connect (`peers`).

    `ports` None: any free port. `peers` is never empty: a server that answers anyone would judge another client.
    """

    bind: str
    advertise: str
    peers: tuple[str, ...]
    ports: tuple[int, int] | None = None


LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")


def peers_of(info: BoardInfo, *, given: tuple[str, ...], hosted: bool, bind: str, advertise: str) -> tuple[str, ...]:
    """Return the addresses that the board's connections may come from; none if they cannot be known.

    Args:
        info: of the board.
        given: `--peer`.
        hosted: whether the board uses the network of this machine.
        bind: where the server listens.
        advertise: where the board connects to.
    """
    if given:
        return given
    if info.address:
        return (info.address,)
    if bind == LOOPBACK:
        return (LOOPBACK,)
    if hosted:
        # A connection of a machine to itself comes from the address that it goes to; from 127.0.0.1 for all of 127.0.0.0/8.
        return tuple(dict.fromkeys((LOOPBACK, *(host for host in (bind, advertise) if host not in EVERY_ADDRESS))))
    return ()


def no_peer_text(label: str, *, bind: str) -> str:
    """Return the error for a board without an address, which a server needs before it may serve it.

    Args:
        label: the board's name.
        bind: where the server would listen.
    """
    return (
        f"{label}: the board reports no IP address, and a server on {bind} would serve any client: specify the address that the board's "
        'connections come from with --peer ADDR, or as address = "ADDR" in boards.toml'
    )


def unreachable_text(info: BoardInfo, addresses: Addresses, *, failure: ClientFailure | None, port: int | None) -> str:
    """Return the error for an unreachable server, with both addresses and the common causes.

    Args:
        info: the board's probed facts.
        addresses: where it connected to.
        failure: what the board raised.
        port: the server's port.
    """
    number = failure.number if failure and failure.number is not None else failure.type if failure else "?"
    return (
        f"the board ({info.address or 'address unknown'}) cannot reach this server at {addresses.advertise}:{port} (OSError {number}): "
        "a firewall on this machine, client isolation in the WiFi, the wrong interface (--bind, --advertise), or NAT (--peer)"
    )
