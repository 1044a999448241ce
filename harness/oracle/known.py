"""Known deviations: wrong results that are expected on some firmware, each with a reason and a link.

The list is strict: a listed case that passes fails the run. Programs that never verify are known without a list. Reads one TOML file
and is otherwise pure. Knows results and boards; must not know pytest or how a case is run.

    [[deviation]]
    case = "tampered/appdata-*"           # glob over case ids
    firmware = "1.24.*"                   # glob over firmware versions; `board` (name) and `tls` (TLS library) narrow it further
    observed = {client_number = -29056}   # what is observed instead: outcome, stage, ended_by, server_reason, client_number, alert
    reason = "..."
    link = "https://example.org/issues/1"
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
from harness.model import (
    PROGRAMS,
    BoardInfo,
    CaseResult,
    Observation,
    Outcome,
    Side,
    Stage,
    Verdict,
    VerdictWord,
    current_name,
)
from harness.system.user_files import FileRefused, read_file

DEFAULT_FILE = "known_deviations.toml"
_SIZE_LIMIT_BYTES = 1 << 20
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
    """One entry: `observed` is what happens instead of the expected result, `link` the upstream issue, commit or source. `strict`: a case
    that passes fails the run.
    """

    case: str
    firmware: str
    observed: Mapping[str, Any]
    reason: str
    link: str
    board: str = "*"
    tls: str = "*"
    strict: bool = True

    def covers(self, result: CaseResult, info: BoardInfo) -> bool:
        """Return whether this entry is about the case, board and firmware of a result, whatever the verdict."""
        return (
            fnmatch.fnmatchcase(result.case, self.case)
            and fnmatch.fnmatchcase(info.firmware, self.firmware)
            and fnmatch.fnmatchcase(result.board, self.board)
            and fnmatch.fnmatchcase(info.tls_version or info.tls_library or "", self.tls)
        )

    def matches(self, seen: Observation) -> bool:
        """Return whether every value of `observed` is what was seen."""
        alert = seen.fatal_alert()
        facts = {
            "outcome": seen.outcome.value,
            "stage": seen.stage.value if seen.stage else None,
            "ended_by": seen.ended_by.value if seen.ended_by else None,
            "server_reason": seen.server.reason if seen.server else None,
            "client_number": seen.client.number if seen.client else None,
            "alert": alert.code if alert else None,
        }
        return all(facts[key] == value for key, value in self.observed.items())


def read_known(path: str | None, *, folder: Path, case_ids: Sequence[str]) -> tuple[Deviation, ...]:
    """Read the list of known deviations.

    Args:
        path: the value of `--known`; None means `known_deviations.toml` in `folder`, if it exists.
        folder: the folder of the default file.
        case_ids: the ids of all cases; an entry that matches none is stale.

    Raises:
        UsageError: the file cannot be read, a key is unknown or missing, or an entry matches no case or too many.
    """
    file = Path(path) if path is not None else folder / DEFAULT_FILE
    if path is None and not file.exists():
        return ()
    try:
        data = tomllib.loads(read_file(file, limit_bytes=_SIZE_LIMIT_BYTES).decode("utf-8"))
    except FileRefused as error:
        raise UsageError(f"--known {file}: cannot read the file ({error.reason})") from error
    except (ValueError, RecursionError) as error:  # of tomllib, of UTF-8, or a number or a nesting without end
        raise UsageError(f"--known {file}: invalid TOML: {error}") from error
    extra = sorted(set(data) - {"deviation"})
    entries = data.get("deviation", [])
    if extra or not isinstance(entries, list):
        raise UsageError(
            f"{file}: unknown key {(extra or ['deviation'])[0]!r}: write each entry as a [[deviation]] table"
        )
    return tuple(
        _entry(item, case_ids=case_ids, where=f"{file}: deviation {number}") for number, item in enumerate(entries, 1)
    )


def known_programs() -> tuple[Deviation, ...]:
    """Return the programs that connect to any server, each with its upstream issue.

    Not strict: which version of a program is on a board is the user's choice.
    """
    return tuple(
        Deviation(
            case=f"app/{name}-without-ca",
            firmware="*",
            observed={"outcome": Outcome.CONNECTED},
            reason=f"{program.module} never verifies the server",
            link=program.issue,
            strict=False,
        )
        for name, program in PROGRAMS.items()
        if program.issue is not None
    )


def _entry(item: Any, *, case_ids: Sequence[str], where: str) -> Deviation:
    if not isinstance(item, dict):
        raise UsageError(f"{where}: expected a table")
    unknown = sorted(set(item) - _KEYS)
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}: expected one of {', '.join(sorted(_KEYS))}")
    missing = [key for key in _REQUIRED if not item.get(key)]
    if missing:
        raise UsageError(f"{where}: missing key {missing[0]!r}: a deviation needs {', '.join(_REQUIRED)}")
    for key in sorted(set(item) - {"observed"}):
        if not isinstance(item[key], str):
            raise UsageError(f"{where}: {key} = {item[key]!r}: expected a string")
    _check_observed(item["observed"], where=where)
    if not str(item["link"]).startswith("https://"):
        raise UsageError(
            f"{where}: link = {item['link']!r}: expected the https:// address of the upstream issue or source"
        )
    if _WILD & set(item["case"]) and not (_TOPIC.match(item["case"]) and _PINNED.match(item["firmware"])):
        raise UsageError(
            f"{where}: case = {item['case']!r} with firmware = {item['firmware']!r} covers too much: name one case, "
            'or one topic on one minor version, e.g. case = "suite/*" and firmware = "1.25.*"'
        )
    case = current_name(item["case"])
    if not fnmatch.filter(case_ids, case):
        raise UsageError(f"{where}: case = {item['case']!r} matches no case; correct or remove the entry")
    return Deviation(**{**item, "case": case})


def _check_observed(observed: Any, *, where: str) -> None:
    wrong = sorted(set(observed) - set(_OBSERVED)) if isinstance(observed, dict) else ["observed"]
    if wrong:
        raise UsageError(f"{where}: unknown key {wrong[0]!r} in observed: expected some of {', '.join(_OBSERVED)}")
    for key, value in observed.items():
        kind = _OBSERVED[key]
        if issubclass(kind, StrEnum):
            if value not in list(kind):
                raise UsageError(f"{where}: observed.{key} = {value!r}: expected one of {', '.join(kind)}")
        elif not isinstance(value, kind) or isinstance(value, bool):
            expected = "an integer" if kind is int else "a string"
            raise UsageError(f"{where}: observed.{key} = {value!r}: expected {expected}")


def apply_known(result: CaseResult, info: BoardInfo, deviations: Sequence[Deviation]) -> CaseResult:
    """Apply the list to one result: a listed failure becomes `known`, a listed case that passes becomes `fail`.

    Args:
        result: the judged result.
        info: the board it ran on.
        deviations: the list; the first entry that covers the result decides.
    """
    entry = next((item for item in deviations if item.covers(result, info)), None)
    word, seen = result.verdict.word, result.observation
    if entry is None or seen is None:
        return result
    if word in (VerdictWord.FAIL, VerdictWord.INSECURE) and entry.matches(seen):
        reason = f"{entry.reason} ({entry.link})"
        return replace(result, verdict=replace(result.verdict, word=VerdictWord.KNOWN, reason=reason))
    if word is VerdictWord.PASS and entry.strict:
        text = f"a known deviation no longer happens: remove it from the list ({entry.reason}, {entry.link})"
        return replace(result, verdict=Verdict(word=VerdictWord.FAIL, reason=text))
    return result
