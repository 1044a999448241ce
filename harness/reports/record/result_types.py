"""The types of one result of run.json: from them it is written, read, checked and described. See `run_types.py` for the whole.

Keys whose default is written as `always(...)` are always written; keys with a plain default are written only if they have another value.
Knows JSON and the vocabulary of `harness.model`; must not know how a result comes about or how it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, Self, TypeVar

import msgspec
from msgspec import Meta, field

from harness.model import (
    HelloFacts,
    KeyFacts,
    Mismatch,
    Negotiated,
    Outcome,
    RecoveryStep,
    Side,
    Stage,
    Subject,
    VerdictWord,
)

# What `msgspec.to_builtins` makes.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Count = Annotated[int, Meta(ge=0)]
Number = Annotated[int, Meta(ge=1)]
Version = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "SSLv3"]
# A board's exception may have any JSON value as an argument.
AnyJson = Annotated[object, Meta(extra_json_schema={"description": "Any JSON value."})]
T = TypeVar("T")


def always(value: T) -> T:
    """Return a default that is written out: `omit_defaults` leaves out plain defaults only."""
    default: T = field(default_factory=lambda: value)
    return default


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A JSON object of the record."""

    def as_json(self) -> dict[str, Json]:
        """Return it as plain JSON values; sequences may be tuples."""
        data: dict[str, Json] = msgspec.to_builtins(self)
        return data

    @classmethod
    def of_json(cls, data: Json) -> Self:
        """Return the entry of JSON values, for example of what `as_json` returned in another process.

        Raises:
            msgspec.ValidationError: they do not match.
        """
        return msgspec.convert(data, cls)


class ExpectedAlert(Entry, frozen=True, kw_only=True):
    """The alert that must be on the wire."""

    sender: Side = field(name="from")
    code: int
    name: str


class Expected(Entry, frozen=True, kw_only=True):
    """What had to happen; a field that the expectation leaves open is null.

    `subject` is the point that the evidence must show for a `pass`: the case's own, or the one of a refusal that comes before it.
    """

    source: Literal["stated", "predicted"]
    outcome: Outcome
    stage: Stage | None
    ended_by: Side | None
    server_type: str | None
    server_reason: str | None
    server_errno: int | None = always(None)
    verify_code: int | None
    client_type: str | None
    client_number: int | None
    client_name: str | None = always(None)
    client_flags: tuple[str, ...] | None
    alert: ExpectedAlert | None
    version: Version | None
    suite: str | None
    group: str | None
    server_name: str | None = always(None)
    subject: Subject | None = None
    open_because: str | None = always(None)
    note: str | None = always(None)


class ServerFault(Entry, frozen=True, kw_only=True):
    """The error that Python raised on the server."""

    type: str
    reason: str | None
    errno: int | None
    verify_code: int | None
    verify_message: str | None = always(None)
    stage: Stage | None = always(None)


class ClientFault(Entry, frozen=True, kw_only=True):
    """The error that MicroPython raised on the board."""

    type: str
    args: tuple[AnyJson, ...]
    number: int | None
    flags: tuple[str, ...] | None
    name: str | None
    stage: Stage | None


class WireAlert(Entry, frozen=True, kw_only=True):
    """An alert that was on the wire."""

    sender: Side = field(name="from")
    level: str
    code: Annotated[int, Meta(ge=0, le=255)]
    name: str
    encrypted: bool = always(value=False)
    at_ms: float | None = always(None)


class ExchangedText(Entry, frozen=True, kw_only=True):
    """The beginning of the text that each side received."""

    server_received: str | None
    client_received: str | None


class Addresses(Entry, frozen=True, kw_only=True):
    """Both ends of the connection as host:port."""

    server: str | None
    board: str | None


class Observed(Entry, frozen=True, kw_only=True):
    """What happened on both sides and on the wire; `server` and `client` are null if that side saw no error.

    `reached` are the points that the evidence shows, in the order of progress; null in older records. `verified` says whether the board
    had to verify the server's certificate, and `server_key` which of the server's keys was used: in sessions only, absent if not known.
    """

    server: ServerFault | None
    client: ClientFault | None
    alerts: tuple[WireAlert, ...]
    negotiated: Negotiated
    client_hello: HelloFacts | None
    text: ExchangedText | None = None
    addresses: Addresses | None = None
    reached: tuple[Subject, ...] | None = None
    verified: bool | None = None
    server_key: KeyFacts | None = None

    @property
    def fatal_alert(self) -> WireAlert | None:
        """The alert that ended the connection: the first fatal one."""
        return next((alert for alert in self.alerts if alert.level == "fatal"), None)


class FixEntry(Entry, frozen=True, kw_only=True):
    """One fix; `proved` is null until `diagnose` has tried it."""

    title: str
    proved: bool | None
    discouraged: bool
    because: str | None = always(None)
    server_lines: tuple[str, ...] = always(())
    client_lines: tuple[str, ...] = always(())


class ExplanationEntry(Entry, frozen=True, kw_only=True):
    """Why it failed: the rule, the evidence line by line, and fixes ordered by security."""

    rule: str
    title: str
    why: tuple[str, ...]
    fixes: tuple[FixEntry, ...]


class Timing(Entry, frozen=True, kw_only=True):
    """Milliseconds by the board's and the server's clock; `case` is the whole case."""

    handshake_board: float | None
    handshake_server: float | None
    case: float | None


class Memory(Entry, frozen=True, kw_only=True):
    """Bytes of the board's heap. `free_low` is null on ports without a low-water mark; `held` is what the open session held right
    after its handshake (on an ESP32 of both heaps), null where TLS takes its memory elsewhere. With `--repeat`, after the session:
    `largest_after`, the largest free piece (on an ESP32 of ESP-IDF's heap), and `idf_after`, what of that heap is free.
    """

    free_before: int | None
    free_low: int | None
    free_after: int | None
    held: int | None = always(None)
    largest_after: int | None = None
    idf_after: int | None = None


class PacketEntry(Entry, frozen=True, kw_only=True):
    """A TLS message or TCP event, milliseconds after accept. A gap in the numbers is rows left out."""

    number: Number
    at_ms: Annotated[float, Meta(ge=0)]
    sender: Side = field(name="from")
    length: Count = field(name="bytes")
    info: str


class Result(Entry, frozen=True, kw_only=True):
    """One run of a cell: one case on one board against one server. Some verdicts need other keys: see `allOf`.

    `repeat` says which run of `--repeat N` it is. `strangers` counts connections that were dropped because they came from another
    address, in everything the case needed; `stranger_addresses` are the first eight of those addresses. `rerun` is the command that
    runs this test again from the directory in which the run was started, `at` when the result came, `source` the id of the merged run
    that it comes from. `unverified`: this firmware cannot verify the server's certificate, so the case was tried
    without. `firmware`, `client` and `link` are the other axes of the matrix, absent for the board's own firmware, the
    default client and the plain network.
    """

    board: str
    server: str
    case: str
    firmware: str | None = None
    client: str | None = None
    link: str | None = None
    attempt: Number
    repeat: Number = always(1)
    outcome: Outcome
    verdict: VerdictWord
    stage: Stage | None
    ended_by: Side | None
    reason: str | None
    expected: Expected | None
    observed: Observed | None
    mismatches: tuple[Mismatch, ...]
    explanation: ExplanationEntry | None
    timing_ms: Timing
    memory_bytes: Memory
    strangers: int = always(0)
    stranger_addresses: tuple[str, ...] = always(())
    link_errors: tuple[str, ...] = always(())
    recovery: tuple[RecoveryStep, ...] = always(())
    weak: str | None = always(None)
    unverified: bool = False
    packets: tuple[PacketEntry, ...] = always(())
    artifacts: dict[str, str | None]
    at: str | None = None
    rerun: str | None = None
    source: str | None = None


class Rule(NamedTuple):
    """What a result must have if its `key` is one of `words`: a value in `field`, or, without `filled`, nothing in it."""

    key: str
    words: tuple[str, ...]
    field: str
    filled: bool = True


RULES = (
    Rule("outcome", tuple(word for word in Outcome if word is not Outcome.NOT_RUN), "observed"),
    Rule("verdict", (VerdictWord.UNSUPPORTED, VerdictWord.ERROR, VerdictWord.FAIL), "reason"),
    Rule("verdict", (VerdictWord.PASS,), "expected"),
    Rule("verdict", (VerdictWord.PASS,), "mismatches", filled=False),
)


def broken_rule(result: Result) -> str:
    """Say which of `RULES` a result breaks; empty if none. The text begins with the field's name."""
    for rule in RULES:
        word, value = getattr(result, rule.key), getattr(result, rule.field)
        if word in rule.words and (value is None if rule.filled else bool(value)):
            return f"{rule.field} must {'not be null' if rule.filled else 'be empty'} where {rule.key} is {word}"
    return ""
