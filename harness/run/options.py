"""The options of a run that concern boards and servers, already checked. No pytest, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model import IN_PROCESS, BoardSpec, ClientApi

__all__ = ["IN_PROCESS", "RunOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """The options of a run that concern boards and servers.

    `servers` are interpreters as the user wrote them, `server_names` gives each its
    short name in ids and reports. `clients` are the APIs through which boards connect, `links` the names of networks, empty for the
    network as it is. `modules` are placed on each board for the programs that cases run: content by path.
    """

    boards: tuple[BoardSpec, ...]
    servers: tuple[str, ...] = ()
    clients: tuple[ClientApi, ...] = ()
    links: tuple[str, ...] = ()
    server_names: Mapping[str, str] = field(default_factory=dict)
    bind: str | None = None
    ports: tuple[int, int] | None = None
    advertise: str | None = None
    peers: tuple[str, ...] = ()
    link_retries: int = 0
    repeat: int = 1
    board_wait_s: float = 0.0
    modules: Mapping[str, bytes] = field(default_factory=dict)

    def server_name(self, server: str) -> str:
        """Return the name of a server in test ids and reports; `in-process` keeps its name."""
        return self.server_names.get(server, server)
