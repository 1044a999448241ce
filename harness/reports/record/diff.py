"""What changed between two run records, in six kinds. Pure: records in, records out; the texts are made in diff_text.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.errors import UsageError
from harness.model import Cell
from harness.reports.record.cells import Result, cell_of, cells_of, happened, same_error, server_title
from harness.reports.record.plain import one_line

BY = ("board", "firmware")
# The worst first.
_BAD = ("insecure", "fail", "error")
SETS = ("smoke", "core", "full")


class Kind(StrEnum):
    """The six kinds, the worst first; each value is the word in reports and in JSON."""

    NEW_FAILURE = "new failure"
    NEWLY_UNSUPPORTED = "newly unsupported"
    CHANGED_ERROR = "changed error"
    GONE = "gone"
    NEW_CASE = "new case"
    FIXED = "fixed"

    @property
    def regression(self) -> bool:
        """Whether it fails a run or a comparison: something worked, or was tested, and is no longer."""
        return self in (Kind.NEW_FAILURE, Kind.NEWLY_UNSUPPORTED)


# For --help and the reports: the one place that says what the words mean.
MEANING: Mapping[Kind, str] = {
    Kind.NEW_FAILURE: "it was as expected, or could not be tried, and now is fail, insecure or error; what failed is now insecure; or a "
    "session that was is refused now, even if these settings must come to that",
    Kind.NEWLY_UNSUPPORTED: "it could be tried and no longer can: what it tested is not tested any more",
    Kind.CHANGED_ERROR: "it ends in another way, at another stage, with another error or alert; or it is now a known deviation",
    Kind.GONE: "NEW should have it and has not",
    Kind.NEW_CASE: "OLD has not got it, whatever came of it",
    Kind.FIXED: "it is as expected now, can be tried now, or now is a session",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One cell that changed. `before` and `after` say in one line what came of it, None where there is nothing."""

    kind: Kind
    board: str
    server: str
    case: str
    before: str | None
    after: str | None

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Change:
        """From run.json."""
        names = {key: data[key] for key in ("board", "server", "case", "before", "after")}
        return cls(kind=Kind(data["kind"]), **names)

    def as_json(self) -> dict[str, Any]:
        """As in run.json under `changes`."""
        return {
            "kind": self.kind.value,
            "regression": self.kind.regression,
            "board": self.board,
            "server": self.server,
            "case": self.case,
            "before": self.before,
            "after": self.after,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two run records compared.

    `compared` counts the cells that both have; `left_out` those of OLD that NEW was not asked for. `notes` says what else
    differs: firmware, Python, OpenSSL.
    """

    changes: tuple[Change, ...]
    compared: int
    left_out: int
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Kind, int]:
        """How many of each kind, the worst first; kinds that do not occur are 0."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in Kind}

    @property
    def unchanged(self) -> int:
        """Cells that both have, and in which the same came of it."""
        return self.compared - sum(change.kind not in (Kind.GONE, Kind.NEW_CASE) for change in self.changes)

    @property
    def regression(self) -> bool:
        """Whether any change is one."""
        return any(change.kind.regression for change in self.changes)


def comparison_of(run: Mapping[str, Any]) -> Comparison | None:
    """The comparison that a run record holds (`--baseline`); None without one."""
    if "changes" not in run:
        return None
    changes = tuple(Change.of_json(item) for item in run["changes"])
    about = run.get("baseline") or {"compared": len(changes), "left_out": 0, "notes": []}
    return Comparison(
        changes=changes, compared=about["compared"], left_out=about["left_out"], notes=tuple(about["notes"])
    )


def compare(
    old: dict[str, Any],
    new: dict[str, Any],
    *,
    by: str = "board",
    pairs: Mapping[str, str] | None = None,
    wanted: Callable[[Cell], bool] | None = None,
) -> Comparison:
    """Compare two run records.

    Args:
        old: as in run.json, checked by `harness.reports.record.reading`.
        new: the same.
        by: `board`: boards are the same if they have the same name; `firmware`: if they have the same port and firmware
            (`esp32 1.28.0`), and several count as their worst.
        pairs: name of a board or server in `old` -> its name in `new`.
        wanted: whether `new` was to fill a cell; without it, as `asked_for` says.
    """
    pairs = pairs or {}
    before = cells_of(old["results"], name=_namer(old, by=by, pairs=pairs))
    name = _namer(new, by=by, pairs={})
    after = cells_of(new["results"], name=name)
    wanted = wanted or asked_for(new, known=old, name=name)
    changes, compared, left_out = [], 0, 0
    for cell in dict.fromkeys([*after, *before]):
        was, now = before.get(cell), after.get(cell)
        if now is None and not wanted(cell):
            left_out += 1
            continue
        compared += was is not None and now is not None
        kind = kind_of(was, now)
        if kind is not None:
            texts = {"before": happened(was) if was else None, "after": happened(now) if now else None}
            changes.append(Change(kind=kind, board=cell.board, server=cell.server, case=cell.case, **texts))
    changes.sort(key=_rank)
    return Comparison(
        changes=tuple(changes),
        compared=compared,
        left_out=left_out,
        notes=tuple(_other_settings(old, new, pairs=pairs)),
    )


def _rank(change: Change) -> tuple[int, int]:
    """The kinds in their order, and of each kind what was accepted and must not be first, then failures, then faults."""
    verdict = (change.after or "").partition(":")[0]
    return list(Kind).index(change.kind), _BAD.index(verdict) if verdict in _BAD else len(_BAD)


def kind_of(before: Result | None, after: Result | None) -> Kind | None:
    """What a cell's change is; None where there is none."""
    if before is None or after is None:
        return Kind.NEW_CASE if after is not None else Kind.GONE if before is not None else None
    was, now = before["verdict"], after["verdict"]
    if now == "unsupported":
        return None if was == "unsupported" else Kind.NEWLY_UNSUPPORTED
    if now in _BAD:
        worse = was not in _BAD or (now == "insecure" and was != "insecure")
        return Kind.NEW_FAILURE if worse else _other_error(before, after)
    if was in (*_BAD, "unsupported") or (was, now) == ("known", "pass"):
        return Kind.FIXED
    return _among_good(before, after)


def _among_good(before: Result, after: Result) -> Kind | None:
    """Both `pass` or `known`: what these settings come to is computed, so a session may become a refusal and still be as expected."""
    sessions = [result["outcome"] == "connected" for result in (before, after)]
    if after["verdict"] == "pass" and sessions[0] != sessions[1]:
        return Kind.FIXED if sessions[1] else Kind.NEW_FAILURE
    return _other_error(before, after)


def _other_error(before: Result, after: Result) -> Kind | None:
    same = before["verdict"] == after["verdict"] and same_error(before, after)
    return None if same else Kind.CHANGED_ERROR


def asked_for(
    new: Mapping[str, Any], *, known: Mapping[str, Any], name: Callable[[Cell], Cell] | None = None
) -> Callable[[Cell], bool]:
    """Whether a run was to fill a cell: it was planned and is missing, or it belongs to the set of a run in which nobody chose cases.

    Args:
        new: a run record.
        known: the record that describes the cases; one that it does not describe belongs to every set.
        name: what a cell of `new` is called instead.
    """
    missing = {name(cell_of(cell)) if name else cell_of(cell) for cell in new.get("missing", ())}
    if not new["run"].get("whole", True):
        return lambda cell: cell in missing
    tiers = {case["case"]: case["tier"] for case in known["cases"]}
    chosen = SETS.index(new["run"]["cases"])
    return lambda cell: cell in missing or SETS.index(tiers.get(cell.case, SETS[0])) <= chosen


def read_pairs(texts: Iterable[str], *, old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """The values of `--pair OLD=NEW`.

    Raises:
        UsageError: a name that is neither a board nor a server there.
    """
    there, here = names_of(old), names_of(new)
    pairs: dict[str, str] = {}
    for text in texts:
        # A name may hold "=": where to cut is told by the names that exist.
        cuts = [(text[:at], text[at + 1 :]) for at, char in enumerate(text) if char == "="]
        fitting = [(one, other) for one, other in cuts if one in there and other in here]
        if not fitting:
            raise UsageError(
                one_line(
                    f"--pair {text!r}: wanted is OLD=NEW, two boards or two servers "
                    f"(OLD has: {', '.join(there)}; NEW has: {', '.join(here)})"
                )
            )
        pairs[fitting[0][0]] = fitting[0][1]
    return pairs


def names_of(run: Mapping[str, Any]) -> list[str]:
    """The boards and servers that have results."""
    return list(dict.fromkeys(result[key] for key in ("board", "server") for result in run["results"]))


def _namer(run: Mapping[str, Any], *, by: str, pairs: Mapping[str, str]) -> Callable[[Cell], Cell]:
    titles = {board["board"]: _port_and_firmware(board) for board in run["boards"]} if by == "firmware" else {}

    def name(cell: Cell) -> Cell:
        board = pairs.get(cell.board) or titles.get(cell.board) or cell.board
        return Cell(board=board, server=pairs.get(cell.server, cell.server), case=cell.case)

    return name


def _port_and_firmware(board: Mapping[str, Any]) -> str:
    """`esp32 1.28.0`; the board's name where it could not be asked."""
    port = (board["facts"] or {}).get("platform") or ""
    return (
        " ".join(word for word in (str(port), board["firmware"]) if word) if board["firmware"] else str(board["board"])
    )


def _other_settings(old: dict[str, Any], new: dict[str, Any], *, pairs: Mapping[str, str]) -> list[str]:
    """What else differs between the two runs and may be the cause: firmware of a board, Python and OpenSSL of a server."""
    lines = []
    for kind, title in (("board", _firmware), ("server", server_title)):
        there, here = ({item[kind] for item in run[f"{kind}s"]} & _used(run, kind) for run in (old, new))
        for name in sorted(there):
            partner = pairs.get(name, name)
            if partner not in here:
                continue
            texts = [title(old, name), title(new, partner)]
            if texts[0] != texts[1] and all(texts):
                lines.append(one_line(f"{kind} {partner}: {texts[0]} -> {texts[1]}"))
    return lines


def _used(run: Mapping[str, Any], kind: str) -> set[str]:
    return {result[kind] for result in run["results"]}


def _firmware(run: dict[str, Any], name: str) -> str:
    """Empty where it is not known: the board could not be asked."""
    return next(
        (f"firmware {item['firmware']}" for item in run["boards"] if item["board"] == name and item["firmware"]), ""
    )
