"""Which server key lets every board connect, and what it costs them: the matrix that Markdown and HTML show. Pure.

A key is a case of the topic `key`; a column is one board with one server.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.model import HOSTED_PLATFORMS, Outcome, VerdictWord
from harness.reports.record.cells import worst_of
from harness.reports.record.result_types import Observed, Result
from harness.reports.record.run_types import RunRecord

KEY_TOPIC = "key"
# One key and nothing else special: only these are recommended. The other cases of the topic vary the root, or load two keys.
_ONE_KEY = re.compile(r"key/((rsa|p|k|ed|brainpool-p)\d+|rsa-pss)")
# Two runs on a busy machine differ by more than this.
ABOUT_THE_SAME = 1.25


class Connects(StrEnum):
    """What happened to a key with one board and one server."""

    YES = "connects"
    NO = "refused"
    UNTRIED = "unsupported"
    ERROR = "error"
    MISSING = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCell:
    """One key with one board and one server, over all attempts.

    Args:
        verdict: of the worst attempt; None if there is none.
        version: TLS version of the session; `suite`: its suite, by IANA's name.
        time_ms: median handshake as the board measured it.
        heap_bytes: median of what an open session held of the board's heap; None if that was not measured.
        reason: the error in one word, or why it was not tried.
        weak: what is weak in one of the sessions, in words; empty if nothing is.
        unverified: whether the board connected without verifying the certificate, because its firmware cannot.
        flaky: the number of attempts per verdict or outcome if they differ (`connected 3, hung 1`); empty if they are all alike.
        hosted: whether the board is a process of this computer: its time is no cost of a key.
    """

    board: str
    server: str
    connects: Connects
    verdict: VerdictWord | None = None
    version: str | None = None
    suite: str | None = None
    time_ms: float | None = None
    heap_bytes: float | None = None
    reason: str = ""
    weak: str = ""
    unverified: bool = False
    flaky: str = ""
    hosted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One server key in all columns."""

    case: str
    title: str
    cells: tuple[KeyCell, ...]

    @property
    def good(self) -> tuple[KeyCell, ...]:
        """The cells in which it connects, as expected."""
        return tuple(cell for cell in self.sessions if cell.verdict and cell.verdict.as_expected)

    @property
    def sessions(self) -> tuple[KeyCell, ...]:
        """The cells in which it connects, expected or not."""
        return tuple(cell for cell in self.cells if cell.connects is Connects.YES)

    @property
    def strong(self) -> tuple[KeyCell, ...]:
        """The cells in which it connects as expected, and nothing is weak."""
        return tuple(cell for cell in self.good if not cell.weak)

    @property
    def weak(self) -> str:
        """What is weak where it connects as expected, each once."""
        return "; ".join(dict.fromkeys(text for cell in self.good for text in cell.weak.split("; ") if text))

    @property
    def tried(self) -> tuple[KeyCell, ...]:
        """The cells in which a handshake was tried."""
        return tuple(cell for cell in self.cells if cell.connects in (Connects.YES, Connects.NO))

    @property
    def everywhere(self) -> bool:
        """Whether it connects in every column."""
        return bool(self.cells) and len(self.good) == len(self.cells)

    @property
    def costs(self) -> tuple[tuple[float, str], ...]:
        """(milliseconds, board) per real board, the fastest first: the median over its servers, so that one slow moment decides nothing."""
        times: dict[str, list[float]] = {}
        for cell in self.good:
            if cell.time_ms is not None and not cell.hosted:
                times.setdefault(cell.board, []).append(cell.time_ms)
        return tuple(sorted((statistics.median(series), board) for board, series in times.items()))

    @property
    def recommendable(self) -> bool:
        """Whether it is one key without further conditions."""
        return one_key(self.case)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMatrix:
    """Rows in the order of the cases, columns (board, server) in the order of the results."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[KeyRow, ...]

    def without_silent_columns(self) -> KeyMatrix:
        """Return only the columns in which some key was tried: nothing is known about the others."""
        kept = [place for place in range(len(self.columns)) if any(row.cells[place] in row.tried for row in self.rows)]
        return KeyMatrix(
            columns=tuple(self.columns[place] for place in kept),
            rows=tuple(replace(row, cells=tuple(row.cells[place] for place in kept)) for row in self.rows),
        )

    def ranked(self) -> tuple[KeyRow, ...]:
        """Return the rows by the number of columns in which they connect: first without anything weak, then at all; then by the cost
        for their slowest board.

        Keys that cost about the same stay in the order of the case list: a small difference comes from the machine, not the key.
        """
        left, found = sorted(self.rows, key=_rank), []
        while left:
            places, cost = _rank(left[0])
            alike = [
                row for row in left if _rank(row)[0] == places and _rank(row)[1] <= max(cost, cost * ABOUT_THE_SAME)
            ]
            found += [row for row in self.rows if row in alike]
            left = [row for row in left if row not in alike]
        return tuple(found)


def one_key(case: str) -> bool:
    """Return whether a case is a server with one key and nothing else special."""
    return bool(_ONE_KEY.fullmatch(case))


def _rank(row: KeyRow) -> tuple[tuple[int, int], float]:
    return (-len(row.strong), -len(row.good)), row.costs[-1][0] if row.costs else float("inf")


def key_matrix(run: RunRecord) -> KeyMatrix | None:
    """Compute the matrix; None if the run has no case of a server key. If a run ended early, nothing is known about some columns."""
    titles = {case.case: case.title for case in run.cases if case.topic == KEY_TOPIC}
    results: dict[tuple[str, str, str], list[Result]] = {}
    for item in run.results:
        if item.case in titles:
            results.setdefault((item.case, item.board, item.server), []).append(item)
    if not results:
        return None
    planned = [item for item in run.missing if item.case.startswith(f"{KEY_TOPIC}/")]
    places = [(board, server) for _case, board, server in results] + [(item.board, item.server) for item in planned]
    columns = tuple(dict.fromkeys(places))
    hosted = hosted_boards(run)
    rows = tuple(
        KeyRow(
            case=case,
            title=title,
            cells=tuple(
                replace(_cell(board, server, results.get((case, board, server), [])), hosted=board in hosted)
                for board, server in columns
            ),
        )
        for case, title in titles.items()
    )
    return KeyMatrix(columns=columns, rows=rows)


def hosted_boards(run: RunRecord) -> tuple[str, ...]:
    """Return the virtual boards: their times are this computer's, and their TLS takes its memory outside MicroPython's heap."""
    return tuple(board.board for board in run.boards if board.facts and board.facts.platform in HOSTED_PLATFORMS)


def _cell(board: str, server: str, attempts: list[Result]) -> KeyCell:
    if not attempts:
        return KeyCell(board=board, server=server, connects=Connects.MISSING)
    worst = worst_of(attempts)
    kind = _kind(worst)
    times = [item.timing_ms.handshake_board for item in attempts if _kind(item) is Connects.YES]
    known = [time for time in times if time is not None]
    seen = worst.observed
    return KeyCell(
        board=board,
        server=server,
        connects=kind,
        verdict=worst.verdict,
        version=seen.negotiated.version if seen and kind is Connects.YES else None,
        suite=seen.negotiated.suite if seen and kind is Connects.YES else None,
        time_ms=statistics.median(known) if known and kind is Connects.YES else None,
        heap_bytes=_held(attempts) if kind is Connects.YES else None,
        reason="" if kind is Connects.YES else error_word(seen) if seen else worst.reason or "",
        weak=_weak(attempts),
        unverified=kind is Connects.YES and any(item.unverified for item in attempts),
        flaky=_unlike(attempts),
    )


def _weak(attempts: list[Result]) -> str:
    """What is weak in any session of the attempts, each once."""
    texts = (text for item in attempts if _kind(item) is Connects.YES for text in (item.weak or "").split("; "))
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _held(attempts: list[Result]) -> float | None:
    known = [item.memory_bytes.held for item in attempts if _kind(item) is Connects.YES]
    values = [value for value in known if value is not None]
    return statistics.median(values) if values else None


def _unlike(attempts: list[Result]) -> str:
    """Count the attempts if they differ: by verdict, or by outcome if the verdict is the same."""
    alternatives: tuple[list[str], ...] = ([item.verdict for item in attempts], [item.outcome for item in attempts])
    for words in alternatives:
        counts = Counter(words)
        if len(counts) > 1:
            return ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return ""


def _kind(result: Result) -> Connects:
    if result.outcome is Outcome.CONNECTED:
        return Connects.YES
    if result.outcome is Outcome.NOT_RUN:
        return Connects.UNTRIED if result.verdict is VerdictWord.UNSUPPORTED else Connects.ERROR
    return Connects.NO


def error_word(observed: Observed) -> str:
    """Return the name of a refusal: the server's reason, or else the client's name for it."""
    server, client = observed.server, observed.client
    if server is not None:
        return server.reason or server.type
    return (client.name or client.type) if client is not None else "refused"


def answer(matrix: KeyMatrix, *, tabled: bool = False) -> list[str]:
    """Answer "which key should my server use, and what does it cost?" in a few sentences, the most important one first.

    Args:
        matrix: as computed.
        tabled: omit the other keys that connect some board or every one: a table next to the sentences shows them.
    """
    known = matrix.without_silent_columns()
    silent = [column for column in matrix.columns if column not in known.columns]
    left_out = [f"{board} with {server}" for board, server in silent]
    return [
        *_answer(known, tabled=tabled, whole=not silent),
        *_unverified(known),
        *([f"Not counted, because no key could be tried: {', '.join(left_out)}."] if left_out else []),
    ]


def _unverified(matrix: KeyMatrix) -> list[str]:
    """Name the boards that connect without verifying: they would accept any server."""
    boards = dict.fromkeys(cell.board for row in matrix.rows for cell in row.cells if cell.unverified)
    return [f"Without verifying the certificate, which the firmware cannot: {', '.join(boards)}."] if boards else []


def recommended(matrix: KeyMatrix) -> KeyRow | None:
    """Return the key that connects every board and server of which anything is known; None if no single key does, or if a session is
    weak where another key has one that is not."""
    known = matrix.without_silent_columns()
    best = chosen(known)
    return best if best is not None and best.recommendable and not _better(best, known) else None


def chosen(matrix: KeyMatrix) -> KeyRow | None:
    """Return what a server should use: the best single key if it connects every board and nothing has fewer weak sessions, else the
    best server with several keys that connects every board. None if nothing does."""
    ranked = matrix.ranked()
    best = next((row for row in ranked if row.recommendable), None)
    whole = next((row for row in ranked if row.everywhere), None)
    if best is not None and whole is not None and best.everywhere and len(best.strong) >= len(whole.strong):
        return best
    return whole


def _better(best: KeyRow, matrix: KeyMatrix) -> list[KeyRow]:
    """The single keys that are not weak where this one is."""
    weak = [place for place, cell in enumerate(best.cells) if cell in best.good and cell.weak]
    return [
        row for row in matrix.ranked() if row.recommendable and any(row.cells[place] in row.strong for place in weak)
    ]


def _answer(matrix: KeyMatrix, *, tabled: bool, whole: bool) -> list[str]:
    rows = [row for row in matrix.ranked() if row.recommendable]
    if not rows:
        return ["This run tried no server with a single ordinary key, so it recommends none."]
    best, total = rows[0], len(matrix.columns)
    tried = sum(bool(row.tried) for row in rows)
    if not tried:
        return ["No server key could be tried with any board, so nothing is known about them."]
    if not best.good:
        as_expected = " as expected" if any(row.sessions for row in rows) else ""
        return [f"No server key in this run works with any board{as_expected} ({tried} tried)."]
    sometimes = [row for row in rows[1:] if row.good and not row.everywhere and not tabled]
    partly = [f"{row.title}: only {_count(row, total)}; {_trouble(row)}." for row in sometimes]
    both = chosen(matrix)
    if both is None:
        found = [f"No single key works with every board. {best.title}: {_count(best, total)}; {_trouble(best)}."]
        return [*found, *_weak_sentences(best, matrix), *partly, *_never(rows)]
    if both is not best:
        weakly = best.everywhere or both.recommendable
        unlike = f"no single key does{' without weak sessions' if weakly else ''}"
        single = "" if best.everywhere else f"{best.title} alone: {_count(best, total)}; {_trouble(best)}."
        return [
            f"{both.title}: works with every board and every server ({_count(both, total)}){_cost(both)}{_weakness(both)}; {unlike}.",
            *([single] if single else []),
            *_weak_sentences(best, matrix),
            *partly,
            *_never(rows),
        ]
    others = [f"{row.title}{_cost(row)}{_weakness(row)}" for row in rows[1:] if row.everywhere and not tabled]
    return [
        f"{best.title}: works with every board and every server ({_count(best, total)}{'' if whole else ' that could be tried'})"
        f"{_cost(best, named=True)}.",
        *_weak_sentences(best, matrix),
        *([f"Also everywhere: {'; '.join(others)}."] if others else []),
        *partly,
        *_never(rows),
    ]


def _weak_sentences(best: KeyRow, matrix: KeyMatrix) -> list[str]:
    """Say how many sessions of the best key are weak, and which key is better there."""
    if not best.weak:
        return []
    better = _better(best, matrix)
    instead = f" {better[0].title} is not weak there." if better else ""
    return [f"{best.title} is weak in {len(best.good) - len(best.strong)} of them: {best.weak}.{instead}"]


def _weakness(row: KeyRow) -> str:
    return f" (weak: {row.weak})" if row.weak else ""


def _never(rows: list[KeyRow]) -> list[str]:
    """List the keys that help nowhere: refused, or connected when they should not be; and those that could not be tried."""
    bad = [row for row in rows if row.tried and not row.good]
    names = [row.title for row in bad if not row.sessions]
    wrong = [f"{row.title} ({row.sessions[0].verdict})" for row in bad if row.sessions]
    untried = [f"{row.title} ({row.cells[0].connects})" for row in rows if not row.tried]
    return [
        *([f"Connects, but nowhere as expected: {', '.join(wrong)}."] if wrong else []),
        *([f"Works with no board: {', '.join(names)}."] if names else []),
        *([f"Could not be tried: {', '.join(untried)}."] if untried else []),
    ]


def _count(row: KeyRow, total: int) -> str:
    return f"{len(row.good)} of {total}"


def _cost(row: KeyRow, *, named: bool = False) -> str:
    """Return the milliseconds of a handshake: one number, or from the fastest board to the slowest."""
    if not row.costs:
        return ""
    (low, quick), (high, slow) = row.costs[0], row.costs[-1]
    if milliseconds(low) == milliseconds(high):
        return f", {milliseconds(high)} ms per handshake"
    if named:
        return f", a handshake takes {milliseconds(low)} ms on {quick} and {milliseconds(high)} ms on {slow}"
    return f", {milliseconds(low)} to {milliseconds(high)} ms per handshake"


def milliseconds(value: float) -> str:
    """Return a time with as many digits as are significant: 4.9, 12, 1840."""
    return f"{value:.1f}" if round(value, 1) < 10 else f"{value:.0f}"


def _trouble(row: KeyRow) -> str:
    bad = next(cell for cell in row.cells if cell not in row.good)
    why = f" ({bad.reason})" if bad.reason else ""
    word = bad.verdict if bad.connects is Connects.YES else bad.connects.value
    others = len(row.cells) - len(row.good) - 1
    more = f" and {others} more" if others else ""
    return f"{word} on {bad.board} with {bad.server}{why}{more}"
