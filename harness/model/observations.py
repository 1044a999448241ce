"""What happened in one case: both sides' reports and the observation made from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.model.cases import KeyFacts, ServerFacts
from harness.model.wire import Alert, HelloFacts, Negotiated, TcpEnd, WireChunk
from harness.model.words import Outcome, Side, Stage, Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFailure:
    """What Python raised on the server: `reason` is `SSLError.reason`, or the name of the OS error."""

    type: str
    reason: str | None
    errno: int | None = None
    verify_code: int | None = None
    verify_message: str | None = None
    stage: Stage = Stage.HANDSHAKE


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFailure:
    """What MicroPython raised on the board. `number` identifies the error; `flags` are the verification reasons."""

    type: str
    args: tuple[Any, ...]
    number: int | None
    flags: tuple[str, ...] | None
    name: str | None
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """Everything the server side of one case recorded.

    `exchanged` is true only if the client's text arrived and the answer was written. `wire` is every byte of both
    directions in order, `tcp_ends` how each stream ended. `key_log` holds NSS key-log lines (secrets: artifacts only).
    `strangers` counts unexpected peers, whose connections were dropped; `contested` counts further connections from an expected address,
    waiting when this one was accepted. `ended_first` is set by a relay only: the server behind
    it ended a TLS 1.3 session after the client's handshake and before any application data.
    """

    facts: ServerFacts | None
    failure: ServerFailure | None
    accepted: bool = False
    handshake_done: bool = False
    exchanged: bool = False
    received_text: str | None = None
    received_bytes: int | None = None
    negotiated_version: str | None = None
    negotiated_suite: str | None = None
    wire: tuple[WireChunk, ...] = ()
    tcp_ends: tuple[TcpEnd, ...] = ()
    message_alerts: tuple[Alert, ...] = ()
    key_log: str = ""
    strangers: int = 0
    stranger_addresses: tuple[str, ...] = ()
    contested: int = 0
    peer: str | None = None
    peer_port: int | None = None
    local: str | None = None
    local_port: int | None = None
    started_unix_s: float = 0.0
    handshake_ms: float | None = None
    timed_out: bool = False
    ended_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReport:
    """The board's report of one attempt: `done` if it read the server's answer, else where it failed.

    `stages_ms` maps stage -> milliseconds on the board's own clock.
    """

    done: bool
    failure: ClientFailure | None
    received_text: str | None = None
    received_bytes: int | None = None
    handshake_ms: float | None = None
    free_before: int | None = None
    free_low: int | None = None
    idf_largest: int | None = None
    free_after: int | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What both sides had to send: the beginning of the text, as the receiving side records it, and the number of bytes.

    None if nothing had to be sent. By default both greet without a number, so that an observation made without a plan is compared,
    too.
    """

    sent_text: str | None = "Hallo, Server!"
    sent_bytes: int | None = 14
    answer_text: str | None = "Hallo, Client!"
    answer_bytes: int | None = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What happened in one case, on both sides and on the wire; without a judgement.

    `handshake_done` is the server's record: the client's last message of the handshake arrived and was in order. `reached` are the
    points that the evidence shows, in the order of progress (`harness.run.reached`). `weak` is what is weak in a session, in words
    (`harness.oracle.weakness`). `verified` says whether the board was asked to verify the server's certificate, and `server_key` which of
    the server's keys was used; both are for sessions only.
    """

    outcome: Outcome
    stage: Stage | None
    ended_by: Side | None
    server: ServerFailure | None
    client: ClientFailure | None
    alerts: tuple[Alert, ...] = ()
    negotiated: Negotiated = field(default_factory=Negotiated)
    client_hello: HelloFacts | None = None
    handshake_board_ms: float | None = None
    handshake_server_ms: float | None = None
    case_ms: float | None = None
    free_before: int | None = None
    free_low: int | None = None
    idf_largest: int | None = None
    free_after: int | None = None
    held: int | None = None
    weak: tuple[str, ...] = ()
    verified: bool | None = None
    server_key: KeyFacts | None = None
    strangers: int = 0
    stranger_addresses: tuple[str, ...] = ()
    received_by_server: str | None = None
    received_by_client: str | None = None
    server_received_bytes: int | None = None
    client_received_bytes: int | None = None
    exchange: Exchange = field(default_factory=Exchange)
    handshake_done: bool = False
    reached: tuple[Subject, ...] = ()
    server_facts: ServerFacts | None = None
    server_address: str | None = None
    board_address: str | None = None

    def fatal_alert(self, *, sender: Side | str | None = None) -> Alert | None:
        """Return the first fatal alert, or None if there was none.

        Args:
            sender: the side whose alerts count; None for both.
        """
        return next((alert for alert in self.alerts if alert.is_fatal and sender in (None, alert.sender)), None)

    @property
    def free_for_tls(self) -> int | None:
        """The free memory for TLS before the handshake, in bytes: on an ESP32 the largest block of ESP-IDF's heap, else the free heap."""
        return self.free_before if self.idf_largest is None else self.idf_largest
