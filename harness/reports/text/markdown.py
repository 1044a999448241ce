"""A run as Markdown that fits a pull-request comment: counts, what is worse than before, what is wrong, then the rest. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from harness.model import VerdictWord
from harness.reports.record.cells import UNVERIFIED, masked, server_title
from harness.reports.record.columns import by_column
from harness.reports.record.diff import comparison_of
from harness.reports.record.link_times import link_times
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import RunRecord
from harness.reports.record.soak import flaky_cells, soak_lines, times_text, verdicts_text
from harness.reports.text.diff_text import FOLDED_FROM, change_sections, summary
from harness.reports.text.markdown_page import Section, escaped, page
from harness.reports.text.reached_text import reached_lines
from harness.reports.text.server_keys import Connects, KeyCell, answer, key_matrix
from harness.reports.text.terminal import fault_lines, stranger_lines


def render_markdown(run: RunRecord, *, links: str = "") -> str:
    """Render a run record; at most 60 KB, and omitted rows are counted.

    Args:
        run: the record. Texts that boards or servers sent are escaped here.
        links: not used.
    """
    networks = _links(run)
    run = by_column(run)
    found = comparison_of(run)
    changes = found.changes if found else ()
    sections = [
        *_counts(run),
        *change_sections(change for change in changes if change.kind.regression),
        *_flaky(run),
        *_leaks(run),
        *_wrong(run),
        *_missing(run),
        *_boards(run),
        *change_sections(change for change in changes if not change.kind.regression),
        *networks,
        *_keys(run),
        *_sources(run),
    ]
    intro = [f"**{_total(run)}**"]
    if found is not None:
        file = run.baseline.file if run.baseline else "the baseline"
        intro.append(f"Compared with {escaped(file)}: **{escaped(summary(found))}**")
    notes = [
        *(found.notes if found else ()),
        *(soak_lines(run.soak)[0] if run.soak else ()),
        *reached_lines(run),
        *stranger_lines(run.results),
        *fault_lines(run.results),
    ]
    return page("TLS compatibility", intro=intro, notes=notes, sections=sections)


def _total(run: RunRecord) -> str:
    counts = Counter(result.verdict for result in run.results)
    words = [f"{counts[word]} {word}" for word in VerdictWord.by_severity() if counts[word]]
    words += [f"{len(run.missing)} not run"] if run.missing else []
    total = len(run.results)
    return f"{total} result{'s' * (total != 1)}: {', '.join(words) or 'none'}"


def _counts(run: RunRecord) -> list[Section]:
    """Return a row per board and server, the worst first; nothing if there is no result."""
    firmware = {board.board: board.firmware or "?" for board in run.boards}
    counts: dict[tuple[str, str], Counter[VerdictWord]] = {}
    for result in run.results:
        counts.setdefault((result.board, result.server), Counter())[result.verdict] += 1
    words = [word for word in VerdictWord.by_severity() if any(counter[word] for counter in counts.values())]
    bad = [word for word in words if word.fails_run]
    ranked = sorted(counts.items(), key=lambda entry: [-entry[1][word] for word in bad])
    rows = tuple(
        (board, firmware.get(board, "?"), server_title(run, server), *(str(counter[word] or "") for word in words))
        for (board, server), counter in ranked
    )
    head = ("board", "firmware", "server", *words)
    return [Section(title="Boards and servers", head=head, rows=rows, right=len(words))] if rows else []


def _wrong(run: RunRecord) -> list[Section]:
    """Return every case that is not as expected, the worst first; many cases of a board with one reason are one row."""
    wrong = [result for result in run.results if result.verdict.fails_run]
    alike: dict[tuple[VerdictWord, str, str, str], dict[str, list[Result]]] = {}
    for result in sorted(wrong, key=lambda item: item.verdict.severity):
        cause = masked(result.reason) if result.verdict is VerdictWord.ERROR else ""
        key = (result.verdict, result.board, result.server, cause)
        alike.setdefault(key, {}).setdefault(result.case, []).append(result)
    rows: list[tuple[str, ...]] = []
    for (verdict, board, server, cause), cases in alike.items():
        if cause and len(cases) >= FOLDED_FROM:
            rows.append((verdict, board, server, _folded(list(cases)), next(iter(cases.values()))[0].reason or ""))
            continue
        for case, runs in cases.items():
            times = f" ({len(runs)} runs)" if len(runs) > 1 else ""
            rows.append((verdict, board, server, f"{case}{times}", runs[0].reason or ""))
    head = ("verdict", "board", "server", "case", "reason")
    return [Section(title=f"Not as expected ({len(wrong)})", head=head, rows=tuple(rows))] if wrong else []


def _folded(cases: list[str]) -> str:
    more = f", and {len(cases) - FOLDED_FROM} more" if len(cases) > FOLDED_FROM else ""
    return f"{len(cases)} cases: {', '.join(cases[:FOLDED_FROM])}{more}"


def _flaky(run: RunRecord) -> list[Section]:
    cells = flaky_cells(run)
    head = ("board", "server", "case", "verdicts", "connected", "ms: shortest/median/longest")
    rows = tuple(
        (cell.board, cell.server, cell.case, verdicts_text(cell), cell.connected, times_text(cell)) for cell in cells
    )
    return [Section(title=f"Flaky ({len(cells)})", head=head, rows=rows)] if cells else []


def _leaks(run: RunRecord) -> list[Section]:
    leaks = run.soak.leaks if run.soak else ()
    rows = tuple((leak.board, leak.what, f"{leak.bytes_per_session:.0f}", str(leak.sessions)) for leak in leaks)
    head = ("board", "memory", "bytes less per session", "sessions")
    return [Section(title=f"Leaks ({len(leaks)})", head=head, rows=rows)] if rows else []


def _missing(run: RunRecord) -> list[Section]:
    """Return what was planned and has no result, by board and server."""
    columns: dict[tuple[str, str], list[str]] = {}
    for cell in run.missing:
        columns.setdefault((cell.board, cell.server), []).append(cell.case)
    rows = tuple((board, server, _folded(cases)) for (board, server), cases in columns.items())
    total = len(run.missing)
    return [Section(title=f"Not run ({total})", head=("board", "server", "cases"), rows=rows)] if rows else []


def _boards(run: RunRecord) -> list[Section]:
    """Return errors and notes of boards."""
    lines = [
        f"{board.board}: {text}"
        for board in run.boards
        for text in (*([board.error] if board.error else ()), *board.notes)
    ]
    return [Section(title="Boards", lines=tuple(lines))] if lines else []


def _links(run: RunRecord) -> list[Section]:
    """Return how long handshakes took in each network; nothing for a run with the network as it is."""
    rows = tuple(
        (row.link, row.board, row.server, f"{row.median_ms:g}", f"{row.longest_ms:g}", str(row.sessions))
        for row in link_times(run.results)
    )
    head = ("network", "board", "server", "median ms", "longest ms", "handshakes")
    return [Section(title="Handshake by network", head=head, rows=rows, right=3)] if rows else []


def _keys(run: RunRecord) -> list[Section]:
    """Return the matrix: one row per server key, one column per firmware and Python; nothing without such cases."""
    matrix = key_matrix(run)
    if matrix is None:
        return []
    about = _board_titles(run)
    head = [f"{about(board)} / {server_title(run, server)}" for board, server in matrix.columns]
    rows = tuple((row.title, *(_key_cell(cell) for cell in row.cells)) for row in matrix.rows)
    return [Section(title="Server keys", lines=tuple(answer(matrix)), head=("server key", *head), rows=rows)]


def _sources(run: RunRecord) -> list[Section]:
    """Return the runs of a merged record: where and when each was measured."""
    rows = tuple(
        (
            source.file,
            source.id,
            source.run.started,
            source.host.machine or "",
            f"Python {source.host.python}",
            ", ".join(source.boards),
            str(source.results),
        )
        for source in run.sources
    )
    head = ("file", "run", "started", "machine", "python", "boards", "results")
    return [Section(title=f"Runs ({len(rows)})", head=head, rows=rows, right=1)] if rows else []


def _board_titles(run: RunRecord) -> Callable[[str], str]:
    """Return a function from a board to its firmware, with its name if several boards have the same."""
    firmware = {board.board: board.firmware or board.board for board in run.boards}
    several = Counter(firmware.values())

    def title(board: str) -> str:
        found = firmware.get(board, board)
        return found if several[found] < 2 else f"{board} {found}"

    return title


def _key_cell(cell: KeyCell) -> str | tuple[str, str]:
    signs = {
        Connects.MISSING: "·",
        Connects.UNTRIED: "– unsupported",
        Connects.ERROR: "! error",
        Connects.NO: f"✕ {cell.reason}",
    }
    took = f", {cell.time_ms:.0f} ms" if cell.time_ms is not None else ""
    weak = f", weak: {cell.weak}" if cell.weak else ""
    unverified = f", {UNVERIFIED}" if cell.unverified else ""
    text = signs.get(cell.connects) or f"✓ {(cell.version or '').replace('TLSv', '')}{took}{weak}{unverified}"
    verdict = cell.verdict
    return (text, verdict) if verdict is not None and verdict.fails_run and verdict.tells_tls else text
