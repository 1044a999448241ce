"""The TLS server side: what the rest of the harness may know of it.

A `ServerHost` runs one TLS server per case, in this process or under another Python (`local.py`, `remote.py`). The
engine below them is plain stdlib code with plain dicts; only `engine_records.py` knows both its dicts and harness.model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.model import KeyFacts, ServerFacts, ServerFailure, ServerProfile, ServerReport
from harness.system.deadline import Deadline

__all__ = ["ServerHost", "ServerMaterial", "ServerStart", "Serving"]


class ServerMaterial(Protocol):
    """What a server needs of a certificate profile (`harness.certificates.material.Material` has more)."""

    @property
    def chain_file(self) -> Path:
        """Certificate and what is sent after it, PEM."""

    @property
    def key_file(self) -> Path:
        """Private key, PEM, mode 0600."""

    @property
    def root_pem(self) -> bytes:
        """The certificate that verifies the chain."""

    @property
    def facts(self) -> KeyFacts:
        """Key and certificate as a prediction sees them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where one server listens, whom it answers, and which texts are exchanged.

    `ports` is an inclusive range, None for any free port; `peers` the addresses that may connect, None for all.
    `expect_bytes` is how much the client was told to send; the answer is `send_bytes` bytes of a pattern if given,
    else `reply`.
    """

    bind: str = "127.0.0.1"
    ports: tuple[int, int] | None = None
    peers: tuple[str, ...] | None = None
    expect_bytes: int = 0
    reply: str = "Hallo, Client!"
    send_bytes: int | None = None
    handshake_timeout_s: float = 30.0
    idle_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStart:
    """What `open` gave: an address and port to connect to, or the failure of stage `config` that forbade it."""

    address: str | None
    port: int | None
    facts: ServerFacts | None
    failure: ServerFailure | None


class ServerHost(Protocol):
    """A place where TLS servers run, one at a time."""

    def describe(self) -> Mapping[str, Any]:
        """Say which Python and OpenSSL it is, its default suites and build flags."""

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """Start listening for one connection; ends what was open before."""

    def finish(self, deadline: Deadline) -> ServerReport:
        """Wait for the session's end, at most until `deadline`, and return what happened."""

    def cancel(self) -> ServerReport | None:
        """End the session at once (the board never connected); None if nothing was open."""

    def close(self) -> None:
        """Release everything. May be called twice."""
