"""Which server key lets every board connect, and what it costs them: the matrix that Markdown and HTML show. Pure.

Reads a run record (`run.json`) only. A key is a case of the topic `key`; a column is one board with one server.
"""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from harness.reports.record.cells import worst_of

KEY_TOPIC = "key"
GOOD = ("pass", "known")
# One key and nothing else special: only these are recommended. The other cases of the topic vary the root, or load two keys.
_ONE_KEY = re.compile(r"key/((rsa|p|k|ed|brainpool-p)\d+|rsa-pss)")
# Two runs on a busy machine differ by more than this.
ABOUT_THE_SAME = 1.25


class Connects(StrEnum):
    """What became of a key with one board and one server."""

    YES = "connects"
    NO = "refused"
    UNTRIED = "unsupported"
    ERROR = "error"
    MISSING = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCell:
    """One key with one board and one server, over all attempts.

    Args:
        verdict: of the worst attempt; empty where there is none.
        version: TLS version of the session.
        time_ms: median handshake as the board measured it.
        heap_bytes: median of what an open session held of the board's heap; None where that was not measured.
        reason: the error in one word, or why it was not tried.
        flaky: its verdicts or outcomes and how often each, where attempts differ (`connected 3, hung 1`); empty where they are all alike.
    """

    board: str
    server: str
    connects: Connects
    verdict: str = ""
    version: str | None = None
    time_ms: float | None = None
    heap_bytes: float | None = None
    reason: str = ""
    flaky: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One server key in all columns."""

    case: str
    title: str
    cells: tuple[KeyCell, ...]

    @property
    def good(self) -> tuple[KeyCell, ...]:
        """Where it connects, and as expected."""
        return tuple(cell for cell in self.cells if cell.connects is Connects.YES and cell.verdict in GOOD)

    @property
    def sessions(self) -> tuple[KeyCell, ...]:
        """Where it connects, whether it should or not."""
        return tuple(cell for cell in self.cells if cell.connects is Connects.YES)

    @property
    def tried(self) -> tuple[KeyCell, ...]:
        """Where a handshake was tried."""
        return tuple(cell for cell in self.cells if cell.connects in (Connects.YES, Connects.NO))

    @property
    def everywhere(self) -> bool:
        """Whether it connects in every column."""
        return bool(self.cells) and len(self.good) == len(self.cells)

    @property
    def costs(self) -> tuple[tuple[float, str], ...]:
        """(milliseconds, board) per board, the quickest first: the median over its servers, so that one slow moment decides nothing."""
        times: dict[str, list[float]] = {}
        for cell in self.good:
            if cell.time_ms is not None:
                times.setdefault(cell.board, []).append(cell.time_ms)
        return tuple(sorted((statistics.median(series), board) for board, series in times.items()))

    @property
    def recommendable(self) -> bool:
        """One key without further conditions."""
        return one_key(self.case)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMatrix:
    """Rows in the order of the cases, columns (board, server) in the order of the results."""

    columns: tuple[tuple[str, str], ...]
    rows: tuple[KeyRow, ...]

    def without_silent_columns(self) -> KeyMatrix:
        """Only the columns in which some key was tried: of the others nothing is known."""
        kept = [place for place in range(len(self.columns)) if any(row.cells[place] in row.tried for row in self.rows)]
        return KeyMatrix(
            columns=tuple(self.columns[place] for place in kept),
            rows=tuple(replace(row, cells=tuple(row.cells[place] for place in kept)) for row in self.rows),
        )

    def ranked(self) -> tuple[KeyRow, ...]:
        """The rows, those first that connect in most columns, the cheapest for its slowest board first.

        Of keys that cost about the same the one that the case list names first: a small difference is the machine's, not the key's.
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
    """Whether a case is a server with one key and nothing else special."""
    return bool(_ONE_KEY.fullmatch(case))


def _rank(row: KeyRow) -> tuple[int, float]:
    return -len(row.good), row.costs[-1][0] if row.costs else float("inf")


def key_matrix(run: dict[str, Any]) -> KeyMatrix | None:
    """Compute the matrix; None where the run has no case of a server key. A run that ended early has columns of which nothing is known."""
    titles = {case["case"]: case["title"] for case in run["cases"] if case["topic"] == KEY_TOPIC}
    results: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for item in run["results"]:
        if item["case"] in titles:
            results.setdefault((item["case"], item["board"], item["server"]), []).append(item)
    if not results:
        return None
    planned = [item for item in run.get("missing") or () if item["case"].startswith(f"{KEY_TOPIC}/")]
    places = [(board, server) for _case, board, server in results] + [
        (item["board"], item["server"]) for item in planned
    ]
    columns = tuple(dict.fromkeys(places))
    rows = tuple(
        KeyRow(
            case=case,
            title=title,
            cells=tuple(_cell(board, server, results.get((case, board, server), [])) for board, server in columns),
        )
        for case, title in titles.items()
    )
    return KeyMatrix(columns=columns, rows=rows)


def _cell(board: str, server: str, attempts: list[dict[str, Any]]) -> KeyCell:
    if not attempts:
        return KeyCell(board=board, server=server, connects=Connects.MISSING)
    worst = worst_of(attempts)
    kind = _kind(worst)
    times = [item["timing_ms"]["handshake_board"] for item in attempts if _kind(item) is Connects.YES]
    known = [time for time in times if time is not None]
    seen = worst["observed"] or {}
    return KeyCell(
        board=board,
        server=server,
        connects=kind,
        verdict=worst["verdict"],
        version=seen["negotiated"]["version"] if kind is Connects.YES else None,
        time_ms=statistics.median(known) if known and kind is Connects.YES else None,
        heap_bytes=_held(attempts) if kind is Connects.YES else None,
        reason="" if kind is Connects.YES else (worst["reason"] or "") if not seen else error_word(seen),
        flaky=_unlike(attempts),
    )


def _held(attempts: list[dict[str, Any]]) -> float | None:
    known = [(item.get("memory_bytes") or {}).get("held") for item in attempts if _kind(item) is Connects.YES]
    values = [value for value in known if value is not None]
    return statistics.median(values) if values else None


def _unlike(attempts: list[dict[str, Any]]) -> str:
    """What attempts came to, where they differ: by verdict, or by outcome where the verdict is the same."""
    for word in ("verdict", "outcome"):
        counts = Counter(item[word] for item in attempts)
        if len(counts) > 1:
            return ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return ""


def _kind(result: dict[str, Any]) -> Connects:
    if result["outcome"] == "connected":
        return Connects.YES
    if result["outcome"] == "not-run":
        return Connects.UNTRIED if result["verdict"] == "unsupported" else Connects.ERROR
    return Connects.NO


def error_word(observed: dict[str, Any]) -> str:
    """What a refusal is called: the server's reason, else the client's name for it."""
    server, client = observed.get("server") or {}, observed.get("client") or {}
    return str(server.get("reason") or server.get("type") or client.get("name") or client.get("type") or "refused")


def answer(matrix: KeyMatrix, *, tabled: bool = False) -> list[str]:
    """The answer to "which key should my server use, and what does it cost?" in a few sentences, the first one decisive.

    Args:
        matrix: as computed.
        tabled: leave out the other keys that connect some board or every one: a table beside the sentences shows them.
    """
    known = matrix.without_silent_columns()
    silent = [column for column in matrix.columns if column not in known.columns]
    left_out = [f"{board} with {server}" for board, server in silent]
    return [
        *_answer(known, tabled=tabled, whole=not silent),
        *([f"Not counted, because no key could be tried: {', '.join(left_out)}."] if left_out else []),
    ]


def recommended(matrix: KeyMatrix) -> KeyRow | None:
    """The key that connects everything of which anything is known; None where no single one does."""
    best = next((row for row in matrix.without_silent_columns().ranked() if row.recommendable), None)
    return best if best is not None and best.everywhere else None


def _answer(matrix: KeyMatrix, *, tabled: bool, whole: bool) -> list[str]:
    rows = [row for row in matrix.ranked() if row.recommendable]
    if not rows:
        return ["This run tried no server with a single ordinary key, so it recommends none."]
    best, total = rows[0], len(matrix.columns)
    tried = sum(bool(row.tried) for row in rows)
    if not tried:
        return ["No server key could be tried with any board, so nothing is known of them."]
    if not best.good:
        as_expected = " as expected" if any(row.sessions for row in rows) else ""
        return [f"No server key of this run connects any board{as_expected} ({tried} tried)."]
    sometimes = [row for row in rows[1:] if row.good and not row.everywhere and not tabled]
    partly = [f"{row.title}: only {_count(row, total)}; {_trouble(row)}." for row in sometimes]
    if not best.everywhere:
        both = next((row for row in matrix.ranked() if row.everywhere), None)
        return [
            f"No single key connects every board. {best.title}: {_count(best, total)}; {_trouble(best)}.",
            *([f"What does connect every board: {both.title}{_cost(both)}."] if both else []),
            *partly,
            *_never(rows),
        ]
    others = [f"{row.title}{_cost(row)}" for row in rows[1:] if row.everywhere and not tabled]
    return [
        f"{best.title}: connects every board with every server ({_count(best, total)}{'' if whole else ' that could be tried'})"
        f"{_cost(best, named=True)}.",
        *([f"Also everywhere: {'; '.join(others)}."] if others else []),
        *partly,
        *_never(rows),
    ]


def _never(rows: list[KeyRow]) -> list[str]:
    """The keys that help nowhere: refused, or connected when they should not be. Apart from them those that nobody could try."""
    bad = [row for row in rows if row.tried and not row.good]
    names = [row.title for row in bad if not row.sessions]
    wrong = [f"{row.title} ({row.sessions[0].verdict})" for row in bad if row.sessions]
    untried = [f"{row.title} ({row.cells[0].connects})" for row in rows if not row.tried]
    return [
        *([f"Connects, but nowhere as expected: {', '.join(wrong)}."] if wrong else []),
        *([f"Connects no board: {', '.join(names)}."] if names else []),
        *([f"Could not be tried: {', '.join(untried)}."] if untried else []),
    ]


def _count(row: KeyRow, total: int) -> str:
    return f"{len(row.good)} of {total}"


def _cost(row: KeyRow, *, named: bool = False) -> str:
    """Milliseconds of a handshake: one number, or from the quickest board to the slowest."""
    if not row.costs:
        return ""
    (low, quick), (high, slow) = row.costs[0], row.costs[-1]
    if milliseconds(low) == milliseconds(high):
        return f", {milliseconds(high)} ms per handshake"
    if named:
        return f", a handshake takes {milliseconds(low)} ms on {quick} and {milliseconds(high)} ms on {slow}"
    return f", {milliseconds(low)} to {milliseconds(high)} ms per handshake"


def milliseconds(value: float) -> str:
    """A time with as many digits as say something: 4.9, 12, 1840."""
    return f"{value:.1f}" if round(value, 1) < 10 else f"{value:.0f}"


def _trouble(row: KeyRow) -> str:
    bad = next(cell for cell in row.cells if cell not in row.good)
    why = f" ({bad.reason})" if bad.reason else ""
    word = bad.verdict if bad.connects is Connects.YES else bad.connects.value
    others = len(row.cells) - len(row.good) - 1
    more = f" and {others} more" if others else ""
    return f"{word} on {bad.board} with {bad.server}{why}{more}"
