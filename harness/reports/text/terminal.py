"""Lines for the terminal: one per case, a compact table at the end. Pure text; colours are the caller's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.model import StepResult, VerdictWord
from harness.reports.record.cells import hidden_text
from harness.reports.record.columns import column_name
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import BoardEntry, CellEntry, ServerEntry

# Begins the part of a failure block that says how to run the case again.
RERUN_HEAD = "Reproduce with:"
ADDRESSES_NAMED = 8
# Less of the evidence than this says nothing.
LEAST_EVIDENCE = 12


def board_lines(board: BoardEntry) -> list[str]:
    """Introduce a board when its first result comes: what it is, and the notes about it."""
    name, facts = board.board, board.facts
    if facts is None:
        return [one_line(f"board {name}: {board.error}")]
    tls = (
        f"{facts.tls_module} ({facts.tls_version or facts.tls_library or 'library unknown'})"
        if facts.tls_module
        else "no TLS"
    )
    family = f", ClientHello family {facts.fingerprint}" if facts.fingerprint else ""
    lines = [f"board {name}: {facts.implementation} {facts.firmware} on {facts.machine}, {tls}{family}"]
    lines += [f"  note: {note}" for note in board.notes]
    return [line[:2] * line.startswith("  ") + one_line(line) for line in lines]


def news_lines(described: BoardEntry | ServerEntry, *, before: BoardEntry | ServerEntry | None) -> list[str]:
    """Introduce a board or a server, or print the new notes of a board.

    Args:
        described: as it is described now.
        before: its earlier description; None if this is the first.
    """
    if isinstance(described, ServerEntry):
        return [] if before else [server_line(described)]
    if not isinstance(before, BoardEntry):
        return board_lines(described)
    return [one_line(f"board {described.board}: {note}") for note in described.notes if note not in before.notes]


def server_line(server: ServerEntry) -> str:
    """Introduce a server when its first result comes: what decides outcomes there."""
    flag = server.default_suites_flag
    built = f", built with --with-ssl-default-suites={flag}" if flag else ""
    hidden = hidden_text(server)
    return one_line(
        f"server {server.server}: Python {server.python}, {server.openssl}{built}{hidden and f', {hidden}'}"
    )


def case_line(
    result: Result,
    evidence: str,
    *,
    boards: bool,
    servers: bool,
    repeats: int = 1,
    count: str = "",
    width: int | None = None,
) -> str:
    """One line for one result: verdict, (board, server, which run,) case, evidence, milliseconds.

    Args:
        result: of the case.
        evidence: what happened, in short.
        boards: whether there is more than one board or value of another axis, so that the name of the column is needed.
        servers: the same for servers.
        repeats: how often the set is run; from 2 on the number of the run is shown.
        count: the progress of the run; begins the line.
        width: of the terminal: evidence and time are shortened, verdict and case never; None for a line of any length.
    """
    where = f"{column_name(result)} " * boards + f"{result.server} " * servers
    if repeats > 1:
        where += f"{result.repeat}of{repeats} "
    time_ms = result.timing_ms.case
    took = f"  {time_ms:.0f} ms" if time_ms is not None else ""
    head, evidence = f"{count}{result.verdict:<11} {where}", one_line(evidence)
    line = f"{head}{result.case:<32} {evidence}{took}"
    if width is None:
        return line
    return _fitted(line, head=head, case=result.case, evidence=evidence, took=took, width=width)


def _fitted(line: str, *, head: str, case: str, evidence: str, took: str, width: int) -> str:
    """Shorten a line by, in this order: the id's padding, the end of the evidence, all of it, the time, the verdict's padding."""
    from harness.reports.text.display_width import cut, display_width

    if display_width(line) <= width:
        return line
    for named in (f"{case:<32}", case):
        room = width - display_width(f"{head}{named} {took}")
        if room >= LEAST_EVIDENCE:
            return f"{head}{named} {cut(evidence, room)}{took}"
    for short in (f"{head}{case}{took}", f"{head}{case}"):
        if display_width(short) <= width:
            return short
    return f"{' '.join(head.split())} {case}"


def unusable_text(board: str) -> str:
    """Return the text that replaces the reason why a board cannot be used, if that reason was printed before."""
    return one_line(f"board {board} is not usable, see above")


def left_text(done: int, total: int, *, elapsed_s: float) -> str:
    """Return about how long the rest of a run takes, at the average time per case.

    Args:
        done: finished cases, at least one.
        total: cases of the run.
        elapsed_s: since the first case began, in seconds.
    """
    minutes, seconds = divmod(round(elapsed_s / done * (total - done)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"about {hours}:{minutes:02}:{seconds:02} left" if hours else f"about {minutes}:{seconds:02} left"


# The first columns of the table name what is counted.
NAME_COLUMNS = 3


def summary_rows(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Count verdicts per board, server and topic.

    Returns:
        The heads and the rows of a table; the last of several rows is the total.
    """
    counts: dict[tuple[str, str, str], Counter[VerdictWord]] = {}
    for result in results:
        key = (column_name(result), result.server, result.case.partition("/")[0])
        counts.setdefault(key, Counter())[result.verdict] += 1
    used = [word for word in VerdictWord if any(counter[word] for counter in counts.values())]
    rows = [[*key, *(str(counter[word] or "-") for word in used)] for key, counter in counts.items()]
    total = Counter(result.verdict for result in results)
    if len(rows) > 1:
        rows.append(["all", "", "", *(str(total[word] or "-") for word in used)])
    return ["board", "server", "topic", *used], rows


def summary_table(results: Sequence[Result]) -> list[str]:
    """Return the counts per board, server and topic as plain lines."""
    head, rows = summary_rows(results)
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]


def stranger_lines(results: Sequence[Result]) -> list[str]:
    """Say how many connections of unexpected peers were dropped, and in how many cases; empty if there were none."""
    met = [result.strangers for result in results if result.strangers]
    if not met:
        return []
    total = sum(met)
    were = "connections from unexpected peers were" if total > 1 else "connection from an unexpected peer was"
    known = sorted({address for result in results for address in result.stranger_addresses})
    shown = ", ".join(known[:ADDRESSES_NAMED]) + ", ..." * (len(known) > ADDRESSES_NAMED)
    where = f"{len(met)} case{'s' * (len(met) > 1)}" + f" ({shown})" * bool(known)
    return [one_line(f"{total} {were} dropped, in {where}: only the board may connect (--peer)")]


def fault_lines(results: Sequence[Result]) -> list[str]:
    """Say of each board that had a fault which recovery steps helped, and whether it was quarantined."""
    helped: dict[str, Counter[str]] = {}
    quarantined: dict[str, str] = {}
    for result in results:
        for step in result.recovery:
            if step.result == StepResult.QUARANTINED:
                quarantined[result.board] = result.case
            if step.result == StepResult.HELPED:
                helped.setdefault(result.board, Counter())[step.step] += 1
    lines = []
    for board in dict.fromkeys([*helped, *quarantined]):
        steps = [f"{name} helped {count}x" for name, count in helped.get(board, Counter()).items()]
        last = [f"quarantined in {quarantined[board]}"] if board in quarantined else []
        lines.append(one_line(f"board {board} had faults: {', '.join([*steps, *last])}"))
    return lines


def missing_lines(missing: Sequence[CellEntry]) -> list[str]:
    """Say how many cells were planned and have no result, and name the first; empty if there are none."""
    if not missing:
        return []
    first = f"{column_name(missing[0])} {missing[0].server} {missing[0].case}"
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return [one_line(f"not run: {first}{more}")]


def untried_lines(results: Sequence[Result]) -> list[str]:
    """Name each board and each server with which no case could be tried; one line if that is all of them.

    A run that tested nothing of what it was asked for must not look like one that did (Mbed TLS issue 5629).
    """
    tried = tried_results(results)
    if not tried:
        return [closing_line(results)] if results else []
    lines = []
    for where, name_of in (("on board", _board), ("against server", _server)):
        seen = {name_of(result) for result in tried}
        for name in dict.fromkeys(name_of(result) for result in results if name_of(result) not in seen):
            reason = _reasons([result for result in results if name_of(result) == name])
            lines.append(one_line(f"no case could be tried {where} {name}: {reason}"))
    return lines


def tried_results(results: Sequence[Result]) -> list[Result]:
    """Return the results that say something about TLS between a board and a server.

    A refusal of a side's own settings needs no other side. Where no other case of a board and a server came further, and one was
    stopped before its subject, such refusals do not count: the two never met.
    """
    told = [result for result in results if result.verdict.tells_tls]
    stopped = {
        (column_name(result), result.server)
        for result in results
        if result.verdict is VerdictWord.UNSUPPORTED and result.observed is not None
    }
    met = {(column_name(result), result.server) for result in told if not _only_settings(result)}
    return [result for result in told if (column_name(result), result.server) not in stopped - met]


def _only_settings(result: Result) -> bool:
    """Whether the evidence shows nothing beyond a side's own settings; older records do not say."""
    seen = result.observed
    return bool(seen and seen.reached is not None and len(seen.reached) < 2)


def _board(result: Result) -> str:
    return column_name(result)


def _server(result: Result) -> str:
    return result.server


def closing_line(results: Sequence[Result]) -> str:
    """Say why a run in which nothing could be tried has failed."""
    return one_line(f"nothing was tested: no board could try any case ({_reasons(results)})")


def _reasons(results: Sequence[Result]) -> str:
    """Return the most frequent reason, and the number of others."""
    reasons = Counter(result.reason for result in results if result.reason)
    reason, _count = reasons.most_common(1)[0]
    reason = str(reason).partition("\n")[0]  # lines to copy are in the failure above
    others = f"; {len(reasons) - 1} other reason{'s' * (len(reasons) > 2)} above" if len(reasons) > 1 else ""
    return f"{reason}{others}"
