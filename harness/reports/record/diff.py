"""What changed between two run records, in six kinds. Pure: records in, records out; `diff_text.py` makes the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.cases import ON_REQUEST
from harness.errors import UsageError
from harness.model import Cell, Outcome, Tier, VerdictWord
from harness.reports.record.cells import cells_of, happened, same_error, server_title
from harness.reports.record.columns import axes_of, cell_of
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import BoardEntry, CellChange, ChangeKind, RunRecord


class By(StrEnum):
    """What makes two boards the same in a comparison."""

    BOARD = "board"
    FIRMWARE = "firmware"


# For --help and the reports: the one place that says what the kinds mean.
MEANING: Mapping[ChangeKind, str] = {
    ChangeKind.NEW_FAILURE: "was as expected or could not be tried, and is now `fail`, `insecure` or `error`; was `fail` and is now "
    "`insecure`; or used to connect and is now refused, even if the settings call for a refusal",
    ChangeKind.NEWLY_UNSUPPORTED: "could be tried and no longer can, so it is no longer tested",
    ChangeKind.CHANGED_ERROR: "ends differently: at a different stage, or with a different error or alert; or is now a known deviation",
    ChangeKind.GONE: "missing from NEW",
    ChangeKind.NEW_CASE: "not in OLD",
    ChangeKind.FIXED: "is now as expected, can now be tried, or now connects",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two run records compared.

    `compared` counts the cells that both have; `left_out` those of OLD that NEW was not asked for. `notes` says what else
    differs: firmware, Python, OpenSSL.
    """

    changes: tuple[CellChange, ...]
    compared: int
    left_out: int
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[ChangeKind, int]:
        """The number of changes of each kind, the worst first; kinds that do not occur are 0."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in ChangeKind}

    @property
    def unchanged(self) -> int:
        """The number of cells that both have and that ended the same way."""
        return self.compared - sum(change.kind not in (ChangeKind.GONE, ChangeKind.NEW_CASE) for change in self.changes)

    @property
    def regression(self) -> bool:
        """Whether any change is one."""
        return any(change.kind.regression for change in self.changes)


def comparison_of(run: RunRecord) -> Comparison | None:
    """Return the comparison that a run record holds (`--baseline`); None without one."""
    if run.changes is None:
        return None
    about = run.baseline
    if about is None:
        return Comparison(changes=run.changes, compared=len(run.changes), left_out=0)
    return Comparison(changes=run.changes, compared=about.compared, left_out=about.left_out, notes=about.notes)


def compare(
    old: RunRecord,
    new: RunRecord,
    *,
    by: By = By.BOARD,
    pairs: Mapping[str, str] | None = None,
    wanted: Callable[[Cell], bool] | None = None,
) -> Comparison:
    """Compare two run records.

    Args:
        old: the earlier record.
        new: the later one.
        by: `board`: boards are the same if they have the same name; `firmware`: if they have the same port and firmware
            (`esp32 1.28.0`), and several count as their worst.
        pairs: name of a board or server in `old` -> its name in `new`.
        wanted: whether `new` was asked to fill a cell; the default is `asked_for`.
    """
    pairs = pairs or {}
    before = cells_of(old.results, name=_namer(old, by=by, pairs=pairs))
    name = _namer(new, by=by, pairs={})
    after = cells_of(new.results, name=name)
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
            changes.append((kind, now.verdict if now else None, _change(cell, kind, was, now)))
    changes.sort(key=lambda entry: (list(ChangeKind).index(entry[0]), _rank(entry[1])))
    return Comparison(
        changes=tuple(change for _kind, _verdict, change in changes),
        compared=compared,
        left_out=left_out,
        notes=tuple(_other_settings(old, new, pairs=pairs)),
    )


def _change(cell: Cell, kind: ChangeKind, was: Result | None, now: Result | None) -> CellChange:
    return CellChange(
        kind=kind,
        regression=kind.regression,
        board=cell.board,
        server=cell.server,
        case=cell.case,
        **axes_of(cell),
        before=happened(was) if was else None,
        after=happened(now) if now else None,
    )


def _rank(verdict: VerdictWord | None) -> int:
    """Sort verdicts that fail the run first, the worst of them before the others; the rest stay in their order."""
    return verdict.severity if verdict is not None and verdict.fails_run else len(VerdictWord)


def kind_of(before: Result | None, after: Result | None) -> ChangeKind | None:
    """Return what kind of change a cell shows; None for none."""
    if before is None or after is None:
        return ChangeKind.NEW_CASE if after is not None else ChangeKind.GONE if before is not None else None
    was, now = before.verdict, after.verdict
    if now is VerdictWord.UNSUPPORTED:
        return None if was is VerdictWord.UNSUPPORTED else ChangeKind.NEWLY_UNSUPPORTED
    if now.fails_run:
        worse = not was.fails_run or (now is VerdictWord.INSECURE and was is not VerdictWord.INSECURE)
        return ChangeKind.NEW_FAILURE if worse else _other_error(before, after)
    if not was.as_expected or (was, now) == (VerdictWord.KNOWN, VerdictWord.PASS):
        return ChangeKind.FIXED
    return _among_good(before, after)


def _among_good(before: Result, after: Result) -> ChangeKind | None:
    """Both are as expected; since an expectation may be computed from the settings, a session may still have become a refusal."""
    sessions = [result.outcome is Outcome.CONNECTED for result in (before, after)]
    if after.verdict is VerdictWord.PASS and sessions[0] != sessions[1]:
        return ChangeKind.FIXED if sessions[1] else ChangeKind.NEW_FAILURE
    return _other_error(before, after)


def _other_error(before: Result, after: Result) -> ChangeKind | None:
    same = before.verdict is after.verdict and same_error(before, after)
    return None if same else ChangeKind.CHANGED_ERROR


def asked_for(
    new: RunRecord, *, known: RunRecord, name: Callable[[Cell], Cell] | None = None
) -> Callable[[Cell], bool]:
    """Return a function that says whether a run was asked to fill a cell.

    It was if the cell was planned and is missing, or if the cell belongs to the set of a run in which no cases were selected. Cases that
    run on request belong to no set.

    Args:
        new: a run record.
        known: the record that describes the cases; one that it does not describe belongs to every set.
        name: a function that renames cells of `new`.
    """
    missing = {name(cell_of(cell)) if name else cell_of(cell) for cell in new.missing}
    if not new.run.whole:
        return lambda cell: cell in missing
    sets = list(Tier)
    chosen = sets.index(new.run.cases)
    in_set = {case.case for case in known.cases if case.topic not in ON_REQUEST and sets.index(case.tier) <= chosen}
    described = {case.case for case in known.cases}
    return lambda cell: cell in missing or cell.case in in_set or cell.case not in described


def read_pairs(texts: Iterable[str], *, old: RunRecord, new: RunRecord) -> dict[str, str]:
    """Parse the values of `--pair OLD=NEW`.

    Raises:
        UsageError: a name is neither a board nor a server of its run.
    """
    there, here = names_of(old), names_of(new)
    pairs: dict[str, str] = {}
    for text in texts:
        # A name may contain "=", so the existing names decide where to split.
        cuts = [(text[:at], text[at + 1 :]) for at, char in enumerate(text) if char == "="]
        fitting = [(one, other) for one, other in cuts if one in there and other in here]
        if not fitting:
            raise UsageError(
                one_line(
                    f"--pair {text!r}: expected OLD=NEW, two boards or two servers "
                    f"(OLD has: {', '.join(there)}; NEW has: {', '.join(here)})"
                )
            )
        pairs[fitting[0][0]] = fitting[0][1]
    return pairs


def names_of(run: RunRecord) -> list[str]:
    """Return the names of the boards and servers that have results."""
    return list(dict.fromkeys([item.board for item in run.results] + [item.server for item in run.results]))


def _namer(run: RunRecord, *, by: By, pairs: Mapping[str, str]) -> Callable[[Cell], Cell]:
    titles = {board.board: _port_and_firmware(board) for board in run.boards} if by is By.FIRMWARE else {}

    def name(cell: Cell) -> Cell:
        board = pairs.get(cell.board) or titles.get(cell.board) or cell.board
        return replace(cell, board=board, server=pairs.get(cell.server, cell.server))

    return name


def _port_and_firmware(board: BoardEntry) -> str:
    """Return `esp32 1.28.0`; the board's name if it could not be probed."""
    port = (board.facts and board.facts.platform) or ""
    return " ".join(word for word in (port, board.firmware) if word) if board.firmware else board.board


def _other_settings(old: RunRecord, new: RunRecord, *, pairs: Mapping[str, str]) -> list[str]:
    """Say what else differs between the two runs and may be the cause: firmware of a board, Python and OpenSSL of a server."""
    firmware = [{item.board: f"firmware {item.firmware}" for item in run.boards if item.firmware} for run in (old, new)]
    servers = [{item.server: server_title(run, item.server) for item in run.servers} for run in (old, new)]
    used = [{item.board for item in run.results} | {item.server for item in run.results} for run in (old, new)]
    lines = []
    for kind, (there, here) in (("board", firmware), ("server", servers)):
        for name in sorted(there.keys() & used[0]):
            partner = pairs.get(name, name)
            if partner in used[1] and partner in here and there[name] != here[partner]:
                lines.append(one_line(f"{kind} {partner}: {there[name]} -> {here[partner]}"))
    return lines
