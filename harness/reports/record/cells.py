"""The cells of a run record: one case on one board against one server, whatever came of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.model import Cell
from harness.reports.record.plain import one_line

Result = Mapping[str, Any]
_OPENSSL_DEFAULTS = "openssl"
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


def cell_of(result: Result) -> Cell:
    """The cell of a result."""
    return Cell(board=result["board"], server=result["server"], case=result["case"])


def cell_json(cell: Cell) -> dict[str, str]:
    """A cell as the key `missing` of a run record has it."""
    return {"board": cell.board, "server": cell.server, "case": cell.case}


def missing_json(planned: Iterable[Cell], results: Iterable[Result]) -> list[dict[str, str]]:
    """The key `missing` of a run record: the cells that were to be filled and have no result."""
    there = {cell_of(result) for result in results}
    return [cell_json(cell) for cell in planned if cell not in there]


def cells_of(results: Iterable[Result], *, name: Callable[[Cell], Cell] | None = None) -> dict[Cell, dict[str, Any]]:
    """Cell -> its worst result: a cell that was run several times (`--repeat`) is as good as its worst run.

    Args:
        results: as in run.json.
        name: what a cell is called instead.
    """
    found: dict[Cell, list[dict[str, Any]]] = {}
    for result in results:
        cell = cell_of(result)
        found.setdefault(name(cell) if name else cell, []).append(dict(result))
    return {cell: worst_of(runs) for cell, runs in found.items()}


def happened(result: Result) -> str:
    """What came of a cell in one line: the verdict, and the session or both errors with the alert."""
    return one_line(f"{result['verdict']}: {_evidence(result)}")


def _evidence(result: Result) -> str:
    seen = result["observed"]
    if seen is None or result["verdict"] in ("error", "unsupported"):
        return str(result["reason"] or "no reason")
    if result["outcome"] == "connected":
        agreed = seen["negotiated"]
        return " ".join(["connected", *(agreed[key] for key in ("version", "suite", "group") if agreed[key])])
    server, client, alert = seen["server"] or {}, seen["client"] or {}, fatal_alert(seen)
    by = f" by the {result['ended_by']} at {result['stage']}" if result["ended_by"] else ""
    number = client.get("number")
    client_word = str(number) if number is not None else "+".join(client.get("flags") or ()) or client.get("type")
    return (
        f"{result['outcome']}{by}: server {server.get('reason') or server.get('type') or '-'} | client {client_word or '-'} | "
        + (f"{alert['name']}({alert['code']}) from the {alert['from']}" if alert else "no alert")
    )


def fatal_alert(observed: Mapping[str, Any]) -> dict[str, Any] | None:
    """The alert that ended a connection."""
    return next((alert for alert in observed["alerts"] if alert["level"] == "fatal"), None)


def same_error(one: Result, other: Result) -> bool:
    """Whether two results ended in the same way, as far as that is not left to a race.

    Times, ports and addresses do not count, nor does what was negotiated. A field that either expectation leaves open, with the race
    that opens it, may differ.
    """
    if one["outcome"] != other["outcome"]:
        return False
    if one["outcome"] == "not-run":
        return masked(one["reason"]) == masked(other["reason"])
    seen = [_signature(result) for result in (one, other)]
    return all(seen[0][part] == seen[1][part] for part in seen[0] if not (_open(one, part) or _open(other, part)))


def masked(text: str | None) -> str:
    """A text without its numbers: times, ports and addresses differ from run to run."""
    return _DIGITS.sub("0", text or "")


def _signature(result: Result) -> dict[str, Any]:
    seen = result["observed"] or {}
    server, client = seen.get("server") or {}, seen.get("client") or {}
    alert = fatal_alert(seen) if seen else None
    return {
        "stage": result["stage"],
        "ended_by": result["ended_by"],
        "server_type": server.get("type"),
        "server_reason": server.get("reason"),
        "verify_code": server.get("verify_code"),
        "client_type": client.get("type"),
        "client_number": client.get("number"),
        "client_flags": client.get("flags"),
        "alert": (alert["from"], alert["code"]) if alert else None,
        # Of a failing case also which fields were wrong: a session with another suite has no error.
        "wrong": sorted(item["field"] for item in result["mismatches"]),
    }


def _open(result: Result, part: str) -> bool:
    expected = result["expected"] or {}
    return bool(expected.get("open_because")) and part in _PINNED and expected.get(part) is None


def worst_of(attempts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The attempt that must not be averaged away: the worst verdict, and of equal ones a refusal."""
    order = ("insecure", "fail", "error", "known", "unsupported", "pass")
    return min(attempts, key=lambda item: (order.index(item["verdict"]), item["outcome"] == "connected"))


def server_title(run: dict[str, Any], name: str) -> str:
    """Python, OpenSSL, and whose default suites it has: they decide more than the version."""
    server = next((item for item in run["servers"] if item["server"] == name), None)
    if server is None:
        return name
    openssl = " ".join(str(server["openssl"]).split()[:2])
    whose = " (OpenSSL's default suites)" if server.get("default_suites_flag") == _OPENSSL_DEFAULTS else ""
    return f"Python {server['python']}, {openssl}{whose}"
