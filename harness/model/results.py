"""What follows from an observation: verdict, explanation with fixes, the result of a cell, a diagnosis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.model.boards import BoardInfo
from harness.model.cases import Expectation
from harness.model.observations import Observation
from harness.model.recipes import Recipe
from harness.model.wire import Packet, WireStep
from harness.model.words import ClientApi, RecoveryAction, StepResult, VerdictWord

DEFAULT_CLIENT = ClientApi.SOCKET


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One field in which expectation and observation differ."""

    field: str
    expected: str
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one case: the word, the reason in one line, and every mismatch."""

    word: VerdictWord
    reason: str | None = None
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a fix changes on each side, so that it can be tried: field -> new value; other fields stay the same.

    `server` names fields of `ServerProfile`, `client` fields of `ClientPlan`. A certificate named after a profile of `certs/` is generated,
    for the user's host name if there is one. `issuer` is the CA of the server's present certificate, `client-issuer` that of the board's.
    `complete` is the server's present chain in order, with the intermediates that were found; `client-issuers` are those of the board's
    certificate; `every-ca` are all certificates of the board's CA file.
    In a list, `*` stands for the present values; as `server_hostname` it is a name in the server's certificate.
    `route` is another way to a running server: its `port`, or the protocol in which the client asks it for TLS (`starttls`).
    """

    server: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)
    route: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that would make the case connect. `proved` is None until it was tried.

    `because` says why it is discouraged. `server_lines` are the exact lines of Python's `ssl`, or of a shell after
    `$`; for a server that is not ours, each starts with that server's name (`harness.explain.other_servers`). `client_lines` are the exact
    MicroPython lines for this firmware's API. Both are empty if that side does not change. `change` is what `diagnose` does to try the
    fix, None if it cannot be tried from here (new firmware, a cable).
    """

    title: str
    proved: bool | None = None
    discouraged: bool = False
    because: str | None = None
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a case failed, with the evidence line by line, and fixes, the most secure first."""

    rule: str
    title: str
    why: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStep:
    """One step of recovering a board. A `skipped` step is not possible with this board, for the given reason."""

    step: RecoveryAction
    result: StepResult
    reason: str | None
    deadline_s: float | None
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnexpectedPeers:
    """Connections that were dropped because they came from another address: how many, and the first few addresses."""

    count: int = 0
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One run of a cell of the matrix: one case on one board against one server, through one client API.

    `attempt` counts the tries after faults of the line; `repeat` is the number of the run with `--repeat N`, from 1. `strangers` are the
    unexpected peers of all connections that the case needed; the observation counts only those of its own handshake. None: not counted.
    `unverified`: the firmware cannot verify certificates, so the case was tried without.
    `largest_after` and `idf_after` are measured with `--repeat` only: bytes after the session, the largest free piece (of the heap in which
    TLS lives) and the free part of ESP-IDF's heap.
    """

    board: str
    server: str
    case: str
    attempt: int
    verdict: Verdict
    expected: Expectation | None
    observation: Observation | None
    repeat: int = 1
    explanation: Explanation | None = None
    strangers: UnexpectedPeers | None = None
    unverified: bool = False
    link_errors: tuple[str, ...] = ()
    recovery: tuple[RecoveryStep, ...] = ()
    transcript: str = ""
    artifacts: Mapping[str, str | None] = field(default_factory=dict)
    packets: tuple[Packet, ...] = ()
    largest_after: int | None = None
    idf_after: int | None = None
    client: ClientApi = DEFAULT_CLIENT
    link: str = ""


IN_PROCESS = "in-process"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """One cell of the compatibility matrix: a case, or a test of a user's own suite, with one value of each axis.

    `board` is `BOARD@FIRMWARE` in a run with `--firmware`; an empty `link` is the unchanged network. Either `case` or `test` is set.
    """

    board: str
    server: str = IN_PROCESS
    client: str = DEFAULT_CLIENT
    link: str = ""
    case: str = ""
    test: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One change, and its result on the board.

    `fix.proved` says whether it connected; `result` is the handshake that shows it. If there was none, it is None and `note` says why.
    `problem` is the number of the problem that it is a fix of, from 1; it contains the fixes of those before.
    `general` marks a change that no rule proposed; such changes are tried after the rule's own fixes failed. `server_lines` and
    `client_lines` are the complete settings of both sides in this trial; `recipe` is what was run for it.
    """

    fix: Fix
    result: CaseResult | None = None
    note: str | None = None
    problem: int = 1
    general: bool = False
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()
    recipe: Recipe | None = None


def recommended(trials: Sequence[Trial]) -> Trial | None:
    """Return the proved fix to begin with: the first that is not discouraged, else the first; None if none is proved."""
    proved = [trial for trial in trials if trial.fix.proved]
    return next((trial for trial in proved if not trial.fix.discouraged), proved[0] if proved else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One server with one board, unchanged and with one change at a time.

    `server` is what the board connected to, as the user named it (interpreter, or HOST:PORT). `server_lines` and `client_lines` are both
    sides' settings as code. `problems` are what prevents the connection, in order: each but the first was seen after the one before was
    removed. `unseen` is what could not be observed of a server that is not ours. Key files are named, never included.
    """

    board: str
    info: BoardInfo | None
    server: str
    result: CaseResult
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()
    wire: tuple[WireStep, ...] = ()
    problems: tuple[Explanation, ...] = ()
    trials: tuple[Trial, ...] = ()
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
