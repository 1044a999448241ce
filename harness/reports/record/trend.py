"""What each cell did over many runs: verdicts, handshake times, heap, and when firmware or server changed. Pure.

Records are added one at a time and only 21 bytes of each result are kept, so any number of runs fits into memory. Must not know files or
how a trend is shown.
"""

from __future__ import annotations

import math
import statistics
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from harness.model import VerdictWord
from harness.reports.record.cells import lowest_heap, server_title, worst_of
from harness.reports.record.columns import column_name
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import RunInfo, RunRecord

# One letter per run; upper case where the attempts of one run (`--repeat`) disagreed.
LETTERS = {word: word.value[0] for word in VerdictWord}
WORDS = {letter: word for word, letter in LETTERS.items()}
# Medians of fewer runs say little.
LEAST_RECENT = 5
# As for keys that cost about the same: a smaller difference comes from the machine.
SLOWER, LESS_HEAP = 1.25, 0.9
_NONE = -1
_LARGEST = (1 << 63) - 1


class Way(StrEnum):
    """Where a measure went."""

    STEADY = "steady"
    WORSE = "worse"
    BETTER = "better"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure of a cell over its runs. `recent` is the median of the last runs, `earlier` that of all before; None if too few."""

    runs: int
    min: float
    median: float
    max: float
    latest: float
    earlier: float | None = None
    recent: float | None = None
    way: Way = Way.STEADY


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRun:
    """One run: when it began, how many results of each verdict it has, and which firmware and servers it met."""

    file: str
    started: str
    results: dict[VerdictWord, int]
    boards: dict[str, str]
    servers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A board's firmware or a server that differs from the run before; `run` is the number of the first run that has it."""

    run: int
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The last change of a cell's verdict. `replaced` says what changed with it; empty for the same firmware and server."""

    run: int
    before: VerdictWord
    after: VerdictWord
    replaced: str = ""


@dataclass(slots=True)
class _Points:
    """The results of one cell, in the order in which they were added."""

    runs: array[int] = field(default_factory=lambda: array("i"))
    letters: bytearray = field(default_factory=bytearray)
    times_ms: array[float] = field(default_factory=lambda: array("d"))
    heaps: array[int] = field(default_factory=lambda: array("q"))

    def add(self, run: int, results: Sequence[Result]) -> None:
        letter = LETTERS[worst_of(results).verdict]
        mixed = len({result.verdict for result in results}) > 1
        times = [time for result in results if (time := result.timing_ms.handshake_board) is not None]
        heaps = [heap for result in results if (heap := lowest_heap(result)) is not None]
        self.runs.append(run)
        self.letters += (letter.upper() if mixed else letter).encode()
        self.times_ms.append(statistics.median(times) if times else math.nan)
        self.heaps.append(min(max(_NONE, min(heaps, default=_NONE)), _LARGEST))

    def ordered(self, rank: Sequence[int]) -> _Points:
        """Return the same points in the order of their runs."""
        order = sorted(range(len(self.runs)), key=lambda at: rank[self.runs[at]])
        return _Points(
            runs=array("i", (rank[self.runs[at]] for at in order)),
            letters=bytearray(self.letters[at] for at in order),
            times_ms=array("d", (self.times_ms[at] for at in order)),
            heaps=array("q", (self.heaps[at] for at in order)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CellTrend:
    """One cell: one case on one board against one server, over all runs that have it.

    `flips` counts changes of the verdict from one run to the next with the same firmware and server, without errors; `mixed` counts runs
    whose own attempts disagreed. A single flip may be a regression; two, or one mixed run, make a cell flaky.
    """

    board: str
    server: str
    case: str
    points: _Points
    verdicts: dict[VerdictWord, int]
    flips: int
    mixed: int
    turn: Turn | None
    handshake_ms: Measure | None
    heap_bytes: Measure | None

    @property
    def latest(self) -> VerdictWord:
        """The verdict of the last run that has the cell."""
        return _word(self.points.letters[-1])

    @property
    def flaky(self) -> bool:
        """Whether the verdict changed although neither firmware nor server did."""
        return self.flips > 1 or self.mixed > 0

    def series(self, runs: int) -> Iterator[tuple[str, float | None, int | None]]:
        """Yield the letter, handshake time and lowest free heap of each of so many runs; `.` and None for a run without the cell."""
        points, at = self.points, 0
        for run in range(runs):
            if at < len(points.runs) and points.runs[at] == run:
                time, heap = points.times_ms[at], points.heaps[at]
                yield chr(points.letters[at]), None if math.isnan(time) else round(time, 2), None if heap < 0 else heap
                at += 1
            else:
                yield ".", None, None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """All runs in the order of time, what was replaced between them, and all cells."""

    runs: tuple[TrendRun, ...]
    replaced: tuple[Replaced, ...]
    cells: tuple[CellTrend, ...]
    notes: tuple[str, ...] = ()


class TrendBuilder:
    """Collects runs; `finish` returns their trend."""

    def __init__(self) -> None:
        self._runs: list[TrendRun] = []
        self._ids: dict[str, str] = {}
        self._cells: dict[tuple[str, str, str], _Points] = {}
        self._notes: list[str] = []

    def add(self, run: RunRecord, *, file: str) -> None:
        """Add the results of a record. A merged record counts as the runs it was made of; a run that was added before is left out."""
        parts: list[tuple[str | None, RunInfo]] = [(source.id, source.run) for source in run.sources]
        parts = parts or [(run.run.id, run.run)]
        for name, info in parts:
            if name is not None and name in self._ids:
                self._notes.append(f"{file}: left out, the same run as in {self._ids[name]}")
                continue
            if name is not None:
                self._ids[name] = file
            self._add(run, info, [item for item in run.results if not run.sources or item.source == name], file=file)

    def _add(self, run: RunRecord, info: RunInfo, results: list[Result], *, file: str) -> None:
        number = len(self._runs)
        boards, servers = {item.board: item.firmware or "" for item in run.boards}, {}
        cells = by_cell(results)
        for board, server, _case in cells:
            if server not in servers:
                servers[server] = server_title(run, server)
            boards.setdefault(board, "")
        for cell, found in cells.items():
            self._cells.setdefault(cell, _Points()).add(number, found)
        counts = Counter(worst_of(found).verdict for found in cells.values())
        self._runs.append(
            TrendRun(file=file, started=info.started, results=dict(counts), boards=boards, servers=servers)
        )

    def finish(self) -> Trend:
        """Return the trend of all runs so far."""
        order = sorted(range(len(self._runs)), key=lambda at: _moment(self._runs[at].started))
        rank = [0] * len(order)
        for place, at in enumerate(order):
            rank[at] = place
        runs = tuple(self._runs[at] for at in order)
        cells = tuple(
            _cell(key, points if order == sorted(order) else points.ordered(rank), runs=runs)
            for key, points in self._cells.items()
        )
        return Trend(runs=runs, replaced=tuple(_replaced(runs)), cells=cells, notes=tuple(self._notes))


def by_cell(results: Iterable[Result]) -> dict[tuple[str, str, str], list[Result]]:
    """Group results by column, server and case: the attempts of a cell are together."""
    found: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        found.setdefault((column_name(result), result.server, result.case), []).append(result)
    return found


def measure(values: Sequence[float], *, factor: float) -> Measure | None:
    """Return what became of a measure.

    Args:
        values: in the order of the runs.
        factor: by which the median of the recent runs must differ; below 1 where less is worse. The quartiles must not overlap either.
    """
    if not values:
        return None
    found = Measure(
        runs=len(values),
        min=min(values),
        median=statistics.median(values),
        max=max(values),
        latest=values[-1],
    )
    count = max(LEAST_RECENT, len(values) // 4)
    if len(values) < 2 * LEAST_RECENT:
        return found
    earlier, recent = values[:-count], values[-count:]
    before, after = statistics.median(earlier), statistics.median(recent)
    low, _middle, high = statistics.quantiles(earlier, method="inclusive")
    least, _middle, most = statistics.quantiles(recent, method="inclusive")
    bigger = after >= before * max(factor, 1 / factor) and least > high
    smaller = after <= before * min(factor, 1 / factor) and most < low
    worse = bigger if factor > 1 else smaller
    way = Way.WORSE if worse else Way.BETTER if bigger or smaller else Way.STEADY
    return replace(found, earlier=before, recent=after, way=way)


def _cell(key: tuple[str, str, str], points: _Points, *, runs: Sequence[TrendRun]) -> CellTrend:
    board, server, case = key
    flips, turn = _flips(points, runs=runs, board=board, server=server)
    return CellTrend(
        board=board,
        server=server,
        case=case,
        points=points,
        verdicts=dict(Counter(map(_word, points.letters))),
        flips=flips,
        mixed=sum(map(str.isupper, points.letters.decode())),
        turn=turn,
        handshake_ms=measure([time for time in points.times_ms if not math.isnan(time)], factor=SLOWER),
        heap_bytes=measure([heap for heap in points.heaps if heap >= 0], factor=LESS_HEAP),
    )


def _flips(points: _Points, *, runs: Sequence[TrendRun], board: str, server: str) -> tuple[int, Turn | None]:
    """Count flips, and find the last change. Errors say nothing about TLS and are passed over."""
    flips, turn = 0, None
    last: tuple[VerdictWord, tuple[str, str]] | None = None
    for run, letter in zip(points.runs, points.letters, strict=True):
        word, with_what = _word(letter), (runs[run].boards.get(board, ""), runs[run].servers.get(server, ""))
        if word is VerdictWord.ERROR:
            continue
        if last is not None and word is not last[0]:
            pairs = [f"{old} -> {new}" for old, new in zip(last[1], with_what, strict=True) if old != new]
            flips += not pairs
            turn = Turn(run=run, before=last[0], after=word, replaced=", ".join(pairs))
        last = word, with_what
    return flips, turn


def _replaced(runs: Iterable[TrendRun]) -> Iterator[Replaced]:
    known: dict[str, str] = {}
    for number, run in enumerate(runs):
        for name, what in [*run.boards.items(), *((f"server {name}", text) for name, text in run.servers.items())]:
            if not what:
                continue
            if known.get(name, what) != what:
                yield Replaced(run=number, name=name, before=known[name], after=what)
            known[name] = what


def _word(letter: int) -> VerdictWord:
    return WORDS[chr(letter).lower()]


def _moment(text: str) -> tuple[datetime, str]:
    """Return what runs are sorted by; a time that cannot be read comes first."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), text
