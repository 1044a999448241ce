"""Known deviations: results that are wrong, listed with the reason and a link, and strict in both directions.

Pure but for reading one TOML file. Knows results and boards; must not know pytest or how a case is run.

    [[deviation]]
    case = "mut/appdata-*"                # glob over case ids
    firmware = "1.24.*"                   # glob over the firmware; `board` (its name) and `tls` (its library) narrow further
    observed = {client_number = -29056}   # what exactly is seen instead: outcome, ended_by, server_reason, client_number, alert
    reason = "..."
    link = "https://..."
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.model import BoardInfo, CaseResult, Observation, Outcome, Side, Stage, Verdict, VerdictWord

DEFAULT_FILE = "known_deviations.toml"
_KEYS = {"case", "firmware", "board", "tls", "observed", "reason", "link"}
_REQUIRED = ("case", "firmware", "observed", "reason", "link")
_OBSERVED: Mapping[str, type] = {
    "outcome": Outcome,
    "stage": Stage,
    "ended_by": Side,
    "server_reason": str,
    "client_number": int,
    "alert": int,
}
_WILD = frozenset("*?[")
_TOPIC = re.compile(r"[^*?\[/]+/")
_PINNED = re.compile(r"\d+\.\d+(?=\.|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One entry. `observed` names what is seen instead of the expected; `link` the upstream issue, commit or source."""

    case: str
    firmware: str
    observed: Mapping[str, Any]
    reason: str
    link: str
    board: str = "*"
    tls: str = "*"

    def covers(self, result: CaseResult, info: BoardInfo) -> bool:
        """Whether this entry is about that cell of the matrix (whatever came of it)."""
        return (
            fnmatch.fnmatchcase(result.case, self.case)
            and fnmatch.fnmatchcase(info.firmware, self.firmware)
            and fnmatch.fnmatchcase(result.board, self.board)
            and fnmatch.fnmatchcase(info.tls_version or info.tls_library or "", self.tls)
        )

    def matches(self, seen: Observation) -> bool:
        """Whether exactly this deviation was seen."""
        alert = next((item.code for item in seen.alerts if item.level == "fatal"), None)
        facts = {
            "outcome": seen.outcome.value,
            "stage": seen.stage.value if seen.stage else None,
            "ended_by": seen.ended_by.value if seen.ended_by else None,
            "server_reason": seen.server.reason if seen.server else None,
            "client_number": seen.client.number if seen.client else None,
            "alert": alert,
        }
        return all(facts[key] == value for key, value in self.observed.items())


def read_known(path: str | None, *, folder: Path, case_ids: Sequence[str]) -> tuple[Deviation, ...]:
    """Read the list of known deviations.

    Args:
        path: what `--known` says; None takes `known_deviations.toml` in `folder` if it exists.
        folder: where the default is looked for.
        case_ids: every case there is; an entry that fits none is stale.

    Raises:
        UsageError: unreadable, unknown or missing key, an entry for no case, or one that covers every firmware and every case.
    """
    file = Path(path) if path is not None else folder / DEFAULT_FILE
    if path is None and not file.exists():
        return ()
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"--known {file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--known {file}: no valid TOML: {error}") from error
    extra = sorted(set(data) - {"deviation"})
    entries = data.get("deviation", [])
    if extra or not isinstance(entries, list):
        raise UsageError(f"{file}: unknown key {(extra or ['deviation'])[0]!r}; entries are written as [[deviation]]")
    return tuple(
        _entry(item, case_ids=case_ids, where=f"{file}: deviation {number}") for number, item in enumerate(entries, 1)
    )


def _entry(item: Any, *, case_ids: Sequence[str], where: str) -> Deviation:
    if not isinstance(item, dict):
        raise UsageError(f"{where}: a table is wanted")
    unknown = sorted(set(item) - _KEYS)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; accepted are {', '.join(sorted(_KEYS))}")
    missing = [key for key in _REQUIRED if not item.get(key)]
    if missing:
        raise UsageError(f"{where}: the key {missing[0]!r} is missing; a deviation needs {', '.join(_REQUIRED)}")
    for key in sorted(set(item) - {"observed"}):
        if not isinstance(item[key], str):
            raise UsageError(f"{where}: {key} = {item[key]!r}: a text in quotes is wanted")
    _check_observed(item["observed"], where=where)
    if not str(item["link"]).startswith("https://"):
        raise UsageError(
            f"{where}: link = {item['link']!r}: an https:// address of the upstream issue or source is wanted"
        )
    if _WILD & set(item["case"]) and not (_TOPIC.match(item["case"]) and _PINNED.match(item["firmware"])):
        raise UsageError(
            f"{where}: several cases (case = {item['case']!r}, firmware = {item['firmware']!r}) are covered only within a topic "
            'and on a firmware that is named up to its minor number, as in "suite/*" and "1.25.*"; or name the one case'
        )
    if not fnmatch.filter(case_ids, item["case"]):
        raise UsageError(f"{where}: case = {item['case']!r} fits no case any more; remove the entry")
    return Deviation(**item)


def _check_observed(observed: Any, *, where: str) -> None:
    wrong = sorted(set(observed) - set(_OBSERVED)) if isinstance(observed, dict) else ["observed"]
    if wrong:
        raise UsageError(f"{where}: observed does not know {wrong[0]!r}; accepted are {', '.join(_OBSERVED)}")
    for key, value in observed.items():
        kind = _OBSERVED[key]
        if issubclass(kind, StrEnum):
            if value not in list(kind):
                raise UsageError(f"{where}: observed.{key} = {value!r}: accepted are {', '.join(kind)}")
        elif not isinstance(value, kind) or isinstance(value, bool):
            wanted = "a whole number" if kind is int else "a text in quotes"
            raise UsageError(f"{where}: observed.{key} = {value!r}: {wanted} is wanted")


def apply_known(result: CaseResult, info: BoardInfo, deviations: Sequence[Deviation]) -> CaseResult:
    """Turn a failing result into `known` where it is listed exactly so, and a passing one into `fail` where it is listed.

    Args:
        result: the judged result.
        info: the board it ran on.
        deviations: the list; of several entries that cover the result only the first counts.
    """
    entry = next((item for item in deviations if item.covers(result, info)), None)
    word, seen = result.verdict.word, result.observation
    if entry is None or seen is None:
        return result
    if word in (VerdictWord.FAIL, VerdictWord.INSECURE) and entry.matches(seen):
        reason = f"{entry.reason} ({entry.link})"
        return replace(result, verdict=replace(result.verdict, word=VerdictWord.KNOWN, reason=reason))
    if word is VerdictWord.PASS:
        text = f"a known deviation has gone away: remove it from the list ({entry.reason}, {entry.link})"
        return replace(result, verdict=Verdict(word=VerdictWord.FAIL, reason=text))
    return result
