"""Lines for the terminal: one per case, a compact table at the end. Pure text; colours are the caller's."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.reports.record.plain import one_line

# Verdicts that say nothing about TLS.
NOTHING_TRIED = frozenset({"unsupported", "error"})
# Begins the part of a failure block that says how to run the case again.
RERUN_HEAD = "Reproduce with:"
STRANGERS_NAMED = 8
# Less of the evidence than this says nothing.
LEAST_EVIDENCE = 12
# How a verdict looks where there are colours; the others are red.
VERDICT_COLOURS = {"pass": "green", "unsupported": "yellow", "known": "yellow"}
WORDS = ("pass", "fail", "insecure", "known", "unsupported", "error")


def board_lines(board: dict[str, Any]) -> list[str]:
    """Introduce a board when its first result comes: what it is, and what was noticed on the way."""
    name, facts = board["board"], board["facts"]
    if facts is None:
        return [one_line(f"board {name}: {board['error']}")]
    tls = (
        f"{facts['tls_module']} ({facts['tls_version'] or facts['tls_library'] or 'library unknown'})"
        if facts["tls_module"]
        else "no TLS"
    )
    family = f", ClientHello family {facts['fingerprint']}" if facts["fingerprint"] else ""
    lines = [f"board {name}: {facts['implementation']} {facts['firmware']} on {facts['machine']}, {tls}{family}"]
    lines += [f"  note: {note}" for note in board["notes"]]
    return [line[:2] * line.startswith("  ") + one_line(line) for line in lines]


def news_lines(kind: str, described: dict[str, Any], *, before: dict[str, Any] | None) -> list[str]:
    """Introduce a board or a server, or say what was noted of a board since (`before` is what was known of it)."""
    if kind == "server":
        return [] if before else [server_line(described)]
    if before is None:
        return board_lines(described)
    name = described["board"]
    return [one_line(f"board {name}: {note}") for note in described["notes"] if note not in before["notes"]]


def server_line(server: dict[str, Any]) -> str:
    """Introduce a server when its first result comes: what decides outcomes there."""
    flag = server.get("default_suites_flag")
    built = f", built with --with-ssl-default-suites={flag}" if flag else ""
    return one_line(f"server {server['server']}: Python {server['python']}, {server['openssl']}{built}")


def case_line(
    result: dict[str, Any],
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
        result: as in run.json.
        evidence: short text of what happened.
        boards: whether there is more than one board, so that its name is needed.
        servers: the same for servers.
        repeats: how often the set is run; which run it is, is shown from 2 on.
        count: how far the run is; begins the line.
        width: of the terminal: evidence and time give way, verdict and case never; None for a line of any length.
    """
    where = f"{result['board']} " * boards + f"{result['server']} " * servers
    if repeats > 1:
        where += f"{result['repeat']}of{repeats} "
    time_ms = result["timing_ms"]["case"]
    took = f"  {time_ms:.0f} ms" if time_ms is not None else ""
    head, evidence = f"{count}{result['verdict']:<11} {where}", one_line(evidence)
    line = f"{head}{result['case']:<32} {evidence}{took}"
    if width is None:
        return line
    return _fitted(line, head=head, case=result["case"], evidence=evidence, took=took, width=width)


def _fitted(line: str, *, head: str, case: str, evidence: str, took: str, width: int) -> str:
    """Give up, in this order: the id's padding, the end of the evidence, all of it, the time, the verdict's padding."""
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
    """Stand for the reason that keeps a board from being used, where that has been told already."""
    return one_line(f"board {board} is not usable, see above")


# The first columns of the table name what is counted.
NAME_COLUMNS = 3


def summary_rows(results: list[dict[str, Any]]) -> tuple[list[str], list[list[str]]]:
    """Count verdicts per board, server and topic: the heads and the rows of a table, a total last where there are several."""
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    for result in results:
        key = (result["board"], result["server"], result["case"].partition("/")[0])
        counts.setdefault(key, Counter())[result["verdict"]] += 1
    used = [word for word in WORDS if any(counter[word] for counter in counts.values())]
    rows = [[*key, *(str(counter[word] or "-") for word in used)] for key, counter in counts.items()]
    total: Counter[str] = Counter(result["verdict"] for result in results)
    if len(rows) > 1:
        rows.append(["all", "", "", *(str(total[word] or "-") for word in used)])
    return ["board", "server", "topic", *used], rows


def summary_table(results: list[dict[str, Any]]) -> list[str]:
    """The counts per board, server and topic as plain lines."""
    head, rows = summary_rows(results)
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [head, *rows]
    ]


def stranger_lines(results: list[dict[str, Any]]) -> list[str]:
    """Say how many connections came from addresses that are not answered, in how many cases; nothing where there were none."""
    met = [result["strangers"] for result in results if result.get("strangers")]
    if not met:
        return []
    total = sum(met)
    were = "connections from strangers were" if total > 1 else "connection from a stranger was"
    known = sorted({address for result in results for address in result.get("stranger_addresses", ())})
    shown = ", ".join(known[:STRANGERS_NAMED]) + ", ..." * (len(known) > STRANGERS_NAMED)
    where = f"{len(met)} case{'s' * (len(met) > 1)}" + f" ({shown})" * bool(known)
    return [one_line(f"{total} {were} dropped, in {where}: only the board is answered (--peer)")]


def fault_lines(results: list[dict[str, Any]]) -> list[str]:
    """List the boards that met faults: what recovered each, and whether it was quarantined."""
    helped: dict[str, Counter[str]] = {}
    quarantined: dict[str, str] = {}
    for result in results:
        for step in result.get("recovery") or ():
            if step["result"] == "set-aside":
                quarantined[result["board"]] = result["case"]
            if step["result"] == "helped":
                helped.setdefault(result["board"], Counter())[step["step"]] += 1
    lines = []
    for board in dict.fromkeys([*helped, *quarantined]):
        steps = [f"{name} helped {count}x" for name, count in helped.get(board, Counter()).items()]
        last = [f"quarantined in {quarantined[board]}"] if board in quarantined else []
        lines.append(one_line(f"board {board} met faults: {', '.join([*steps, *last])}"))
    return lines


def missing_lines(missing: list[dict[str, str]]) -> list[str]:
    """Say how many cells were planned and have no result, and name the first; nothing where there are none.

    Args:
        missing: as in run.json.
    """
    if not missing:
        return []
    first = " ".join(missing[0][key] for key in ("board", "server", "case"))
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return [one_line(f"not run: {first}{more}")]


def untried_lines(results: list[dict[str, Any]]) -> list[str]:
    """Name each board and each server with which not one case could be tried; one line where that is all of them.

    A run that tested nothing of what it was asked for must not look like one that did (Mbed TLS issue 5629).
    """
    tried = [result for result in results if result["verdict"] not in NOTHING_TRIED]
    if not tried:
        return [closing_line(results)] if results else []
    lines = []
    for kind, where in (("board", "on board"), ("server", "against server")):
        seen = {result[kind] for result in tried}
        for name in dict.fromkeys(result[kind] for result in results if result[kind] not in seen):
            reason = _reasons([result for result in results if result[kind] == name])
            lines.append(one_line(f"no case could be tried {where} {name}: {reason}"))
    return lines


def closing_line(results: list[dict[str, Any]]) -> str:
    """Say why a run in which nothing could be tried has failed."""
    return one_line(f"nothing was tested: no board could try any case ({_reasons(results)})")


def _reasons(results: list[dict[str, Any]]) -> str:
    """The most frequent reason, and how many others there are."""
    reasons = Counter(result["reason"] for result in results)
    reason, _count = reasons.most_common(1)[0]
    reason = str(reason).partition("\n")[0]  # lines to copy are in the failure above
    others = f"; {len(reasons) - 1} other reason{'s' * (len(reasons) > 2)} above" if len(reasons) > 1 else ""
    return f"{reason}{others}"
