"""The cells of a run record: a case in a column, whatever came of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from harness.model import Cell, Outcome, VerdictWord
from harness.reports.record.columns import axes_of, cell_of
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Json, Observed, Result
from harness.reports.record.run_types import CellEntry, RunRecord, ServerEntry

_OPENSSL_DEFAULTS = "openssl"
_SHOWN_VALUES = 3
# Of a session on firmware that cannot verify.
UNVERIFIED = "certificate not verified"
_DIGITS = re.compile(r"\d+")
# What an expectation pins, under the same names as there.
_PINNED = (
    "stage",
    "ended_by",
    "server_type",
    "server_reason",
    "verify_code",
    "client_type",
    "client_number",
    "client_flags",
    "alert",
)


def missing_cells(planned: Iterable[Cell], results: Iterable[Result]) -> tuple[CellEntry, ...]:
    """Return the planned cells that have no result, for the key `missing` of a run record."""
    there = {cell_of(result) for result in results}
    return tuple(
        CellEntry(board=cell.board, server=cell.server, case=cell.case, **axes_of(cell))
        for cell in planned
        if cell not in there
    )


def cells_of(results: Iterable[Result], *, name: Callable[[Cell], Cell] | None = None) -> dict[Cell, Result]:
    """Map each cell to its worst result: a cell that was run several times (`--repeat`) is as good as its worst run.

    Args:
        results: of a run.
        name: a function that renames cells.
    """
    found: dict[Cell, list[Result]] = {}
    for result in results:
        cell = cell_of(result)
        found.setdefault(name(cell) if name else cell, []).append(result)
    return {cell: worst_of(runs) for cell, runs in found.items()}


def happened(result: Result) -> str:
    """Say what happened in a cell in one line: the verdict, and the session or both errors with the alert."""
    return one_line(f"{result.verdict}: {evidence(result) or 'no reason'}")


def evidence(result: Result) -> str:
    """Say in one line what a verdict rests on: the session, both errors with the alert, or the reason why there was none."""
    seen = result.observed
    if seen is None or not result.verdict.tells_tls:
        return one_line((result.reason or "").partition("\n")[0])  # lines to copy are in the failure block
    if result.outcome is Outcome.CONNECTED:
        weak = f"  [weak: {result.weak}]" if result.weak else ""
        unverified = f"  [{UNVERIFIED}]" if result.unverified else ""
        note = f"  ({result.reason})" if result.reason and result.verdict is VerdictWord.PASS else ""
        return one_line(" ".join(["connected", *agreed(seen)]) + weak + unverified + note)
    server, client, alert = seen.server, seen.client, seen.fatal_alert
    text = f"{alert.name}({alert.code}) from the {alert.sender}" if alert else "no alert"
    by = f" by the {result.ended_by} at {result.stage}" if result.outcome is Outcome.REFUSED and result.ended_by else ""
    client_word = "-"
    if client is not None:
        client_word = str(client.number) if client.number is not None else "+".join(client.flags or ()) or client.type
    server_word = (server.reason or server.type) if server is not None else "-"
    return one_line(f"{result.outcome}{by}: server {server_word} | client {client_word} | {text}")


def agreed(seen: Observed) -> list[str]:
    """Return what was negotiated: version, suite and group, as far as known."""
    return [value for value in (seen.negotiated.version, seen.negotiated.suite, seen.negotiated.group) if value]


def same_error(one: Result, other: Result) -> bool:
    """Return whether two results ended in the same way, as far as no race decides that.

    Times, ports and addresses do not count, nor does what was negotiated. A field that either expectation leaves open, with the race
    that opens it, may differ.
    """
    if one.outcome != other.outcome:
        return False
    if one.outcome is Outcome.NOT_RUN:
        return masked(one.reason) == masked(other.reason)
    seen = [_signature(result) for result in (one, other)]
    return all(seen[0][part] == seen[1][part] for part in seen[0] if not (_open(one, part) or _open(other, part)))


def masked(text: str | None) -> str:
    """Return a text without its numbers: times, ports and addresses differ from run to run."""
    return _DIGITS.sub("0", text or "")


def _signature(result: Result) -> dict[str, Json]:
    seen = result.observed
    server, client, alert = (seen.server, seen.client, seen.fatal_alert) if seen else (None, None, None)
    return {
        "stage": result.stage,
        "ended_by": result.ended_by,
        "server_type": server.type if server else None,
        "server_reason": server.reason if server else None,
        "verify_code": server.verify_code if server else None,
        "client_type": client.type if client else None,
        "client_number": client.number if client else None,
        "client_flags": client.flags if client else None,
        "alert": (alert.sender, alert.code) if alert else None,
        # Of a failing case also which fields were wrong: a session with another suite has no error.
        "wrong": tuple(sorted(item.field for item in result.mismatches)),
    }


def _open(result: Result, part: str) -> bool:
    expected = result.expected
    return bool(expected and expected.open_because) and part in _PINNED and getattr(expected, part) is None


def worst_of(attempts: Iterable[Result]) -> Result:
    """Return the attempt that must not be averaged away: the one with the worst verdict, and of equal ones a refusal."""
    return min(attempts, key=lambda item: (item.verdict.severity, item.outcome is Outcome.CONNECTED))


def lowest_heap(result: Result) -> int | None:
    """Return the low-water mark; on a port without one, the smaller of what was free before and after the handshake."""
    memory = result.memory_bytes
    known = [value for value in (memory.free_before, memory.free_after) if value is not None]
    return memory.free_low if memory.free_low is not None else min(known, default=None)


def hidden_text(server: ServerEntry) -> str:
    """Return the settings that Python does not show, with the values that handshakes found; empty where there are none."""
    found = server.found
    if found is None:
        return ""
    values = {
        "versions": found.versions,
        "groups": tuple(group for each in found.groups for group in each),
        "signature algorithms": found.signature_algorithms,
    }
    told = [f"{what} {_few(values[what])}" for what in server.hidden if what in values]
    return f"determined by test handshakes: {'; '.join(told)}" if told else ""


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_VALUES} more" if len(names) > _SHOWN_VALUES else ""
    return (", ".join(names[:_SHOWN_VALUES]) or "none") + more


def server_title(run: RunRecord, name: str) -> str:
    """Return Python and OpenSSL of a server, and whose default suites it has: they decide more than the version."""
    server = next((item for item in run.servers if item.server == name), None)
    if server is None:
        return name
    openssl = " ".join(server.openssl.split()[:2])
    whose = "OpenSSL's default suites" if server.default_suites_flag == _OPENSSL_DEFAULTS else ""
    more = "; ".join(text for text in (whose, hidden_text(server)) if text)
    return f"Python {server.python}, {openssl}{f' ({more})' if more else ''}"
