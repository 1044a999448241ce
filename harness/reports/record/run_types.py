"""The one definition of run.json (`tls-harness/run/2`): its types, from which it is written, read, checked and described.

The JSON Schema is generated from these types (`schema.py`); those of one result are in `result_types.py`. Within version 2 keys may be
added, with a default; none is renamed or removed. Reading ignores keys that are not here. run/1 has only fewer keys, so the same types
read it. Must not know how a record comes about or how it is shown.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from harness.model import FoundSettings, HelloFacts, Outcome, Subject, Tier, TlsLibrary, TlsModule, VerdictWord
from harness.reports.record.result_types import Count, Entry, Number, Result, always

SCHEMA: Literal["tls-harness/run/2"] = "tls-harness/run/2"
SuiteName = Annotated[str, Meta(pattern="^(TLS_|0x)")]
CaseId = Annotated[str, Meta(pattern="^[a-z0-9-]+/[!-~]+$")]
SchemaName = Literal["tls-harness/run/1", "tls-harness/run/2"]

# ----------------------------------------------------------------------------------------------- the matrix


class CellEntry(Entry, frozen=True, kw_only=True):
    """A cell that was planned and has no result: the run was interrupted or killed."""

    board: str
    server: str
    case: str
    client: str | None = None
    link: str | None = None


class CaseEntry(Entry, frozen=True, kw_only=True):
    """A case, without its expectation: that depends on the board and is part of the result.

    `subject` is the point a handshake must reach for the case's result to be meaningful. `weak` is null but in older records: the results
    have what is weak.
    """

    case: CaseId
    topic: str
    title: str
    description: str
    tier: Tier
    subject: Subject | None = None
    weak: str | None = always(None)


class BoardFacts(Entry, frozen=True, kw_only=True):
    """What the probe read from the board; see `harness.model.BoardInfo`."""

    implementation: str
    version: tuple[int | str, ...]
    version_text: str | None = always(None)
    machine: str
    platform: str | None = always(None)
    build: str | None = always(None)
    unique_id: str | None = always(None)
    tls_module: TlsModule | None
    tls_library: TlsLibrary | None
    tls_version: str | None
    modules: tuple[str, ...]
    api: tuple[str, ...]
    suites: tuple[str, ...]
    heap_free_bytes: int | None
    heap_total_bytes: int | None = always(None)
    word_bits: int | None = always(None)
    epoch_year: int | None = always(None)
    clock_unix_s: float | None
    address: str | None
    filesystem: str | None = always(None)
    hello: HelloFacts | None
    hello_unix_s: int | None = always(None)
    reads_pem: bool | None
    reads_pkcs8: bool | None = always(None)
    reads_ec_keys: bool | None = None
    takes_own_pss: bool | None = always(None)
    refuses_expired: bool | None = always(None)
    alerts_unknown_record: bool | None = always(None)
    sets_clock: bool | None = None
    firmware: str
    hello_clock_unix_s: int | None = always(None)
    fingerprint: str | None


class BoardEntry(Entry, frozen=True, kw_only=True):
    """A board: what was asked for, what the probe found, and what is wrong with it. `machine`: of a merged record, the host it was on."""

    board: str
    spec: str
    kind: str
    firmware: str | None
    error: str | None
    notes: tuple[str, ...]
    facts: BoardFacts | None
    machine: str | None = None


class ServerEntry(Entry, frozen=True, kw_only=True):
    """A server: its Python and OpenSSL, and what decides outcomes there. `default_suites` has code, protocol and IANA name.

    `found` is what handshakes in memory found out about a context without settings of its own; `hidden` names what of it OpenSSL's
    configuration limits and Python does not show: versions, groups, signature algorithms.
    """

    server: str
    python: str
    implementation: str | None = None
    executable: str | None = None
    platform: str
    openssl: str
    openssl_number: int | None = None
    default_suites: tuple[tuple[int, str, SuiteName], ...]
    default_suites_flag: str | None = always(None)
    minimum_version: str | None = always(None)
    maximum_version: str | None = always(None)
    security_level: int | None = always(None)
    found: FoundSettings | None = None
    hidden: tuple[str, ...] = ()
    has_tls13: bool | None = None
    has_psk: bool | None = None
    has_wrap_socket: bool | None = None
    has_msg_callback: bool | None = None
    has_set_groups: bool | None = None
    known_suites: tuple[str, ...] = always(())
    curves: tuple[str, ...] = always(())


# ----------------------------------------------------------------------------------------------- the run


class DroppedConnections(Entry, frozen=True, kw_only=True):
    """Connections dropped in the whole run because they came from another address than the board's; at most eight addresses."""

    connections: Count
    cases: Count
    addresses: tuple[str, ...]


class RunInfo(Entry, frozen=True, kw_only=True):
    """The run itself. `planned` counts the results to come, null where the tests did not say; `whole` is false where -k or the like
    chose among the cases of the set. `finished` is null in the record of a run that was killed.
    """

    id: str | None = None
    harness: str
    cases: Tier
    started: str
    finished: str | None
    planned: Count | None = always(None)
    whole: bool = always(value=True)
    arguments: tuple[str, ...]
    strangers: DroppedConnections | None = None


class Host(Entry, frozen=True, kw_only=True):
    """The machine that ran the harness."""

    python: str
    openssl: str
    default_suites: tuple[SuiteName, ...]
    security_level: int | None
    machine: str | None = None
    platform: str
    implementation: str


class Source(Entry, frozen=True, kw_only=True):
    """One of the runs that were merged. `results` counts its results here; `boards` and `servers` map a name of this record to the
    name in that run.
    """

    id: str
    file: str
    run: RunInfo
    host: Host
    results: Count
    boards: dict[str, str]
    servers: dict[str, str]


class Spread(Entry, frozen=True, kw_only=True):
    """Shortest, median and longest time."""

    min: float
    median: float
    max: float


HowOften = Literal["always", "sometimes", "never"]


class SoakCell(Entry, frozen=True, kw_only=True):
    """What one cell did, run after run; it is flaky if its verdict changed."""

    board: str
    server: str
    case: str
    client: str | None = None
    link: str | None = None
    runs: Number
    flaky: bool
    connected: HowOften
    passed: HowOften
    verdicts: dict[VerdictWord, Number]
    outcomes: dict[Outcome, Number]
    case_ms: Spread | None
    handshake_board_ms: Spread | None


class Leak(Entry, frozen=True, kw_only=True):
    """Memory of a board that falls from session to session, beyond its noise."""

    board: str
    what: str
    bytes_per_session: float
    sessions: Number


class Soak(Entry, frozen=True, kw_only=True):
    """Statistics of a run with `--repeat`; any flaky cell and any leak fails the run."""

    repeat: Annotated[int, Meta(ge=2)]
    flaky: Count
    cells: tuple[SoakCell, ...]
    leaks: tuple[Leak, ...] = ()

    @property
    def fails_run(self) -> bool:
        """Whether the run fails although each of its tests may have passed."""
        return bool(self.flaky or self.leaks)


class Baseline(Entry, frozen=True, kw_only=True):
    """What the run was compared with; `left_out` counts cells of it that this run was not asked for."""

    file: str
    started: str
    compared: Count
    unchanged: Count
    left_out: Count
    notes: tuple[str, ...]


class Resumed(Entry, frozen=True, kw_only=True):
    """The earlier run that this one continued; `results` counts the results that were taken over from it."""

    file: str
    id: str | None
    started: str
    results: Count


class ChangeKind(StrEnum):
    """The six kinds of change between two runs, the worst first."""

    NEW_FAILURE = "new failure"
    NEWLY_UNSUPPORTED = "newly unsupported"
    CHANGED_ERROR = "changed error"
    GONE = "gone"
    NEW_CASE = "new case"
    FIXED = "fixed"

    @property
    def regression(self) -> bool:
        """Whether it fails a run or a comparison: something worked, or was tested, and no longer does or is."""
        return self in (ChangeKind.NEW_FAILURE, ChangeKind.NEWLY_UNSUPPORTED)


class CellChange(Entry, frozen=True, kw_only=True):
    """A cell that changed; `before` and `after` say in one line what happened, null where there is no result."""

    kind: ChangeKind
    regression: bool = always(value=False)
    board: str
    server: str
    case: str
    client: str | None = None
    link: str | None = None
    before: str | None
    after: str | None


class RunRecord(Entry, frozen=True, kw_only=True):
    """The record of one run (run.json), or of several that were merged: then `sources` names them."""

    schema: SchemaName
    run: RunInfo
    host: Host
    sources: tuple[Source, ...] = ()
    boards: tuple[BoardEntry, ...]
    servers: tuple[ServerEntry, ...]
    cases: tuple[CaseEntry, ...]
    results: tuple[Result, ...]
    missing: tuple[CellEntry, ...] = always(())
    soak: Soak | None = None
    resumed: Resumed | None = None
    baseline: Baseline | None = None
    changes: tuple[CellChange, ...] | None = None


# ----------------------------------------------------------------------------------------------- the journal


class JournalStart(Entry, frozen=True, kw_only=True):
    """The first line of run.jsonl."""

    schema: SchemaName
    run: RunInfo
    host: Host


class JournalPlan(Entry, frozen=True, kw_only=True):
    """What is to come in one column: for one board, server and value of the other axes."""

    board: str
    server: str
    client: str | None = None
    link: str | None = None
    cases: tuple[str, ...]


class JournalEnd(Entry, frozen=True, kw_only=True):
    """The last line of a run that was not killed."""

    finished: str


# `record` of a line -> what else is in it. Boards, servers and results come in the order in which they were known.
JOURNAL_LINES: dict[str, type[Entry]] = {
    "run": JournalStart,
    "plan": JournalPlan,
    "case": CaseEntry,
    "board": BoardEntry,
    "server": ServerEntry,
    "result": Result,
    "end": JournalEnd,
}
