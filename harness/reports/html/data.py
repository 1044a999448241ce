"""What the page's script works with: the results, with each repeated part stored once. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from harness.explain.catalogue.causes import in_short
from harness.model import HelloFacts, VerdictWord, as_json
from harness.reports.record.cells import server_title
from harness.reports.record.plain import plain
from harness.reports.record.result_types import Json, Result
from harness.reports.record.run_types import CaseEntry, RunRecord, Source
from harness.reports.text.case_settings import settings_of
from harness.reports.text.column_groups import board_of, heads
from harness.wire.groups import group_name
from harness.wire.signature_algorithms import signature_name
from harness.wire.suites import suite_name
from harness.wire.versions import version_name

_KEPT = (
    "attempt", "repeat", "source", "stage", "ended_by", "reason", "timing_ms", "memory_bytes", "link_errors", "recovery", "weak",
    "unverified", "artifacts", "rerun", "packets",
)  # fmt: skip


class Pool:
    """Distinct values, each with its number."""

    def __init__(self) -> None:
        self.values: list[Json] = []
        self._numbers: dict[str, int] = {}

    def add(self, value: Json) -> int:
        """Return the number of a value; equal values have the same."""
        text = json.dumps(value, sort_keys=True)
        if text not in self._numbers:
            self._numbers[text] = len(self.values)
            self.values.append(value)
        return self._numbers[text]


def page_data(run: RunRecord) -> dict[str, Json]:
    """Return the data of the page; control characters in it are made visible."""
    pool = Pool()
    boards = list(dict.fromkeys(item.board for item in run.results))
    servers = list(dict.fromkeys(item.server for item in run.results))
    known = {case.case: case for case in run.cases}
    cases = list(dict.fromkeys(item.case for item in run.results))
    places = [{name: place for place, name in enumerate(names)} for names in (boards, servers, cases)]
    firmware = {item.board: item.firmware for item in run.boards}
    results = [_result(item, places, pool) for item in run.results]
    return {
        "verdicts": [
            {"word": word, "sign": word.sign, "bad": word.fails_run, "good": word.as_expected}
            for word in VerdictWord.by_severity()
        ],
        "boards": visible(
            [
                {"name": name, "board": board_of(name), "heads": heads(name, firmware=firmware.get(name))}
                for name in boards
            ]
        ),
        "servers": visible([{"name": name, "about": server_title(run, name)} for name in servers]),
        "cases": visible([_case(name, known.get(name)) for name in cases]),
        "results": visible(results),
        "pool": visible(pool.values),
        "changes": None if run.changes is None else visible([change.as_json() for change in run.changes]),
        "sources": visible({item.id: _where(item) for item in run.sources}),
    }


def visible(value: Json) -> Json:
    """Return a JSON value with the control characters of every text made visible."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Sequence):
        return [visible(item) for item in value]
    if isinstance(value, Mapping):
        return {plain(key): visible(item) for key, item in value.items()}
    return value


def _where(source: Source) -> str:
    """Return the name of one of the merged runs: the file, and the machine."""
    return ", ".join(text for text in (source.file, source.host.machine or source.host.platform) if text)


def _case(name: str, case: CaseEntry | None) -> dict[str, Json]:
    settings = "\n".join(settings_of(name))
    known: dict[str, Json] = {"settings": settings} if settings else {}
    if case is None:
        return {"id": name, "topic": name.partition("/")[0], "title": name, "about": "", **known}
    return {"id": name, "topic": case.topic, "title": case.title, "about": case.description, **known}


def _result(item: Result, places: list[dict[str, int]], pool: Pool) -> dict[str, Json]:
    data = item.as_json()
    at = [table[name] for table, name in zip(places, (item.board, item.server, item.case), strict=True)]
    shared = {key: data[key] for key in ("expected", "explanation", "mismatches")}
    said = item.explanation
    short = in_short(said.rule, title=said.title) if said else None
    explanation = data["explanation"]
    if short and isinstance(explanation, dict):
        shared["explanation"] = {**explanation, "in_short": short}
    seen = item.observed
    if seen is not None:
        # Times and the random are omitted, so that equal alerts and hellos are equal.
        alerts = [alert.as_json() for alert in seen.alerts]
        shared |= {
            "server": seen.server.as_json() if seen.server else None,
            "client": seen.client.as_json() if seen.client else None,
            "alerts": [{key: value for key, value in alert.items() if key != "at_ms"} for alert in alerts],
            "negotiated": as_json(seen.negotiated),
            "client_hello": hello(seen.client_hello) if seen.client_hello else None,
        }
    return {
        "at": at,
        "verdict": item.verdict,
        "outcome": item.outcome,
        **({"when": item.at} if item.at else {}),
        **{key: data[key] for key in _KEPT if data.get(key)},
        **{key: pool.add(value) for key, value in shared.items() if value},
    }


def hello(facts: HelloFacts) -> dict[str, Json]:
    """Return a ClientHello in names; its random is omitted, so that equal offers are equal."""
    return {
        "versions": _names(facts.versions, version_name),
        "suites": _names(facts.suites, suite_name),
        "groups": _names(facts.groups, group_name),
        "signature_algorithms": _names(facts.signature_algorithms, signature_name),
        "sni": facts.sni,
        "fingerprint": facts.fingerprint,
    }


def _names(codes: Sequence[str], name: Callable[[int], str]) -> list[str]:
    return [_name(code, name) for code in codes]


def _name(code: str, name: Callable[[int], str]) -> str:
    """Return the name of a hex code; a record may contain any text, which is returned as it is."""
    try:
        return name(int(code, 16))
    except ValueError:
        return code


def script_json(data: Json) -> str:
    """Return JSON for a script element: ASCII, and without any character that could end or open markup."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=True)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text
