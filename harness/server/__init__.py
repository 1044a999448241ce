"""The interface of TLS servers to the rest of the harness.

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
    """What a server needs of a certificate (`harness.certificates.material.Material` has more)."""

    @property
    def chain_file(self) -> Path:
        """The certificate and the chain sent after it, PEM."""

    @property
    def key_file(self) -> Path:
        """Private key, PEM, mode 0600."""

    @property
    def root_pem(self) -> bytes:
        """The certificate that verifies the chain."""

    @property
    def password(self) -> str | None:
        """The password of the key file, None for a plain one."""

    @property
    def facts(self) -> KeyFacts:
        """Key and certificate as a prediction sees them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """Where one server listens, who may connect, and which texts are exchanged.

    `ports` is an inclusive range, None for any free port; `peers` the addresses that may connect, None for all.
    `expect_bytes` is how much the client sends; the answer is `send_bytes` bytes of a pattern if given,
    else `reply`. `application` is the protocol around both (`APPLICATIONS` of the engine), None for none.
    """

    bind: str = "127.0.0.1"
    ports: tuple[int, int] | None = None
    peers: tuple[str, ...] | None = None
    expect_bytes: int = 0
    reply: str = "Hallo, Client!"
    send_bytes: int | None = None
    application: str | None = None
    handshake_timeout_s: float = 30.0
    idle_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerStart:
    """The result of `open`: an address and port to connect to, or a failure of stage `config`."""

    address: str | None
    port: int | None
    facts: ServerFacts | None
    failure: ServerFailure | None


class ServerHost(Protocol):
    """A place where TLS servers run, one at a time."""

    def describe(self) -> Mapping[str, Any]:
        """Return its Python and OpenSSL, default suites and build flags."""

    def open(self, profile: ServerProfile, serving: Serving) -> ServerStart:
        """Start listening for one connection; end the server that was open before."""

    def finish(self, deadline: Deadline) -> ServerReport:
        """Wait for the end of the session, at most until `deadline`, and return what happened."""

    def cancel(self) -> ServerReport | None:
        """End the session at once (the board never connected); None if nothing was open."""

    def close(self) -> None:
        """Release everything. May be called twice."""
