"""What the page's script works with: the results with everything repeated stored once. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.reports.record.cells import server_title
from harness.wire.groups import group_name
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import suite_name
from harness.wire.versions import version_name

# Parts of a result that are the same in many results: stored once, referred to by number.
_SHARED = ("expected", "explanation", "mismatches")
_SHARED_SEEN = ("server", "client", "alerts", "negotiated", "client_hello")
_KEPT = (
    "attempt", "repeat", "source", "stage", "ended_by", "reason", "timing_ms", "memory_bytes", "link_errors", "recovery", "weak",
    "artifacts", "rerun", "packets",
)  # fmt: skip
_NAMES: dict[str, Callable[[int], str]] = {
    "versions": version_name,
    "suites": suite_name,
    "groups": group_name,
    "signature_algorithms": signature_name,
}


class Pool:
    """Distinct values, each with its number."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def add(self, value: Any) -> int:
        """The number of a value; an equal one has the same."""
        text = json.dumps(value, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.values)
            self.values.append(value)
        return self._places[text]


def page_data(run: dict[str, Any], *, links: str) -> dict[str, Any]:
    """The data of the page.

    Args:
        run: as in run.json.
        links: the folder of the artifacts as seen from the page.
    """
    pool = Pool()
    boards = list(dict.fromkeys(item["board"] for item in run["results"]))
    servers = list(dict.fromkeys(item["server"] for item in run["results"]))
    known = {case["case"]: case for case in run["cases"]}
    cases = [known.get(name, _unknown(name)) for name in dict.fromkeys(item["case"] for item in run["results"])]
    places = [
        {name: place for place, name in enumerate(names)} for names in (boards, servers, [c["case"] for c in cases])
    ]
    firmware = {item["board"]: item["firmware"] for item in run["boards"]}
    return {
        "links": links,
        "boards": [{"name": name, "about": firmware.get(name) or ""} for name in boards],
        "servers": [{"name": name, "about": server_title(run, name)} for name in servers],
        "cases": [
            {"id": case["case"], "topic": case["topic"], "title": case["title"], "about": case["description"]}
            for case in cases
        ],
        "results": [_result(item, places, pool) for item in run["results"]],
        "pool": pool.values,
        "changes": run.get("changes"),
        "sources": {item["id"]: _where(item) for item in run.get("sources") or ()},
    }


def _where(source: dict[str, Any]) -> str:
    """One of the runs that were merged, as a cell names it: the file, and the machine."""
    host = source.get("host") or {}
    return ", ".join(text for text in (source.get("file"), host.get("machine") or host.get("platform")) if text)


def _unknown(name: str) -> dict[str, Any]:
    return {"case": name, "topic": name.partition("/")[0], "title": name, "description": ""}


def _result(item: dict[str, Any], places: list[dict[str, int]], pool: Pool) -> dict[str, Any]:
    board, server, case = (table[item[key]] for table, key in zip(places, ("board", "server", "case"), strict=True))
    seen = item["observed"] or {}
    shared = {key: item[key] for key in _SHARED} | {key: seen.get(key) for key in _SHARED_SEEN}
    shared["client_hello"] = hello(seen["client_hello"]) if seen.get("client_hello") else None
    shared["alerts"] = [{key: alert[key] for key in alert if key != "at_ms"} for alert in seen.get("alerts") or []]
    kept = {key: item[key] for key in _KEPT if item.get(key)}
    return {
        "at": [board, server, case],
        "verdict": item["verdict"],
        "outcome": item["outcome"],
        **({"when": item["at"]} if item.get("at") else {}),
        **kept,
        **{key: pool.add(value) for key, value in shared.items() if value},
    }


def hello(data: dict[str, Any]) -> dict[str, Any]:
    """A ClientHello in names; its random is left out, so that equal offers are equal."""
    lists = {key: [_name(code, name) for code in data.get(key) or []] for key, name in _NAMES.items()}
    return {**lists, "sni": data.get("sni"), "fingerprint": data.get("fingerprint")}


def _name(code: Any, name: Callable[[int], str]) -> str:
    """A merged or hand-made record may hold anything: what is no code stays as it is."""
    try:
        return name(int(code, 16))
    except (TypeError, ValueError):
        return str(code)


def script_json(data: Any) -> str:
    """JSON for a script element: ASCII, and without any character that could end or open markup."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
