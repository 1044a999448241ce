"""A comparison of two runs as text, Markdown and JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from harness.model import VerdictWord
from harness.reports.record.cells import masked
from harness.reports.record.columns import column_name
from harness.reports.record.diff import Comparison
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Json
from harness.reports.record.run_types import CellChange, ChangeKind, RunRecord
from harness.reports.text.markdown_page import Section, page

SCHEMA = "tls-harness/diff/1"
# If this many cells of a column changed in the same way, they become one line.
FOLDED_FROM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One of the two files: `path` as given, the start of the run, its number of results."""

    path: str
    started: str
    results: int

    def as_text(self) -> str:
        """Return `run.json, 2026-11-25T09:06:13.179+00:00, 176 results`."""
        return one_line(f"{self.path}, {self.started}, {self.results} results")

    def as_json(self) -> dict[str, Json]:
        """Return it as in the JSON form."""
        return {"file": self.path, "started": self.started, "results": self.results}


def compared(path: str, run: RunRecord) -> Compared:
    """Return what a report says of a file."""
    return Compared(path=path, started=run.run.started, results=len(run.results))


def diff_json(found: Comparison, *, old: Compared, new: Compared) -> str:
    """Return the comparison as JSON (schema `tls-harness/diff/1`)."""
    data = {
        "schema": SCHEMA,
        "old": old.as_json(),
        "new": new.as_json(),
        "regression": found.regression,
        "counts": {kind.value: count for kind, count in found.counts.items()},
        "compared": found.compared,
        "unchanged": found.unchanged,
        "left_out": found.left_out,
        "notes": list(found.notes),
        "changes": [change.as_json() for change in found.changes],
    }
    return json.dumps(data, indent=1) + "\n"


def diff_text(found: Comparison, *, old: Compared, new: Compared) -> str:
    """Return the comparison for a terminal: every change, the worst first, and the counts last."""
    lines = [f"old: {old.as_text()}", f"new: {new.as_text()}", *found.notes, *change_lines(found), summary(found)]
    return "\n".join(lines) + "\n"


def change_lines(found: Comparison, *, limit: int | None = None) -> list[str]:
    """List the changes by kind, each with what happened before and now.

    Args:
        found: the comparison.
        limit: the largest number per kind; the rest is counted. None shows all.
    """
    lines = []
    for kind, count in found.counts.items():
        entries = list(_folded(change for change in found.changes if change.kind is kind))
        if not entries:
            continue
        shown = entries[:limit]
        lines.append(f"{kind} ({count}){': regression' if kind.regression else ''}")
        for title, before, after in shown:
            lines.append(f"  {one_line(title)}")
            lines += [
                f"      {word:<6}  {one_line(text)}" for word, text in (("before", before), ("after", after)) if text
            ]
        if len(shown) < len(entries):
            lines.append(f"  ... and {len(entries) - len(shown)} more")
    return lines


def _folded(changes: Iterable[CellChange]) -> Iterable[tuple[str, str | None, str | None]]:
    """Yield title, before and after of each change; many changes of a column that are alike become one row."""
    groups: dict[tuple[str, str, str], list[CellChange]] = {}
    for change in changes:
        groups.setdefault((column_name(change), change.server, _shared(change)), []).append(change)
    for (board, server, shared), cells in groups.items():
        if len(cells) >= FOLDED_FROM:
            names = ", ".join(change.case for change in cells[:FOLDED_FROM])
            more = f", and {len(cells) - FOLDED_FROM} more" if len(cells) > FOLDED_FROM else ""
            yield (
                f"{board} {server}: {len(cells)} cases: {names}{more}",
                None,
                _unexpected(cells) or (cells[0].after if shared else None),
            )
        else:
            for change in cells:
                yield f"{board} {server} {change.case}", change.before, change.after


def _shared(change: CellChange) -> str:
    """Return what must be equal for two changes of one kind and column to be alike: nothing if a case is gone or new, or else a fault."""
    if change.kind in (ChangeKind.GONE, ChangeKind.NEW_CASE):
        return ""
    fault = (change.after or "").startswith("error: ")
    return masked(change.after) if fault else f"{change.case}: {change.after}"


def _unexpected(cells: list[CellChange]) -> str | None:
    """Say how many of the new cases of one row are not as expected."""
    if cells[0].kind is not ChangeKind.NEW_CASE:
        return None
    bad = tuple(f"{word}:" for word in VerdictWord if word.fails_run)
    wrong = sum((change.after or "").startswith(bad) for change in cells)
    return f"{wrong} of them not as expected" if wrong else None


def summary(found: Comparison) -> str:
    """Return the answer and the counts in one line."""
    counts = [f"{count} {kind}" for kind, count in found.counts.items() if count]
    left = f", {found.left_out} not compared: not selected in the new run" if found.left_out else ""
    answer = "REGRESSION" if found.regression else "no regression"
    return f"{answer}: {', '.join(counts) or 'nothing changed'} ({found.compared} compared, {found.unchanged} unchanged{left})"


def diff_markdown(found: Comparison, *, old: Compared, new: Compared) -> str:
    """Return the comparison as a page that fits a pull-request comment."""
    notes = [f"old: {old.as_text()}", f"new: {new.as_text()}", *found.notes]
    intro = [f"**{summary(found)}**"]
    return page("TLS compatibility: what changed", intro=intro, notes=notes, sections=change_sections(found.changes))


def change_sections(changes: Iterable[CellChange]) -> list[Section]:
    """Return a table per kind, the worst first."""
    listed = list(changes)
    sections = []
    for kind in ChangeKind:
        of_kind = [change for change in listed if change.kind is kind]
        if of_kind:
            rows = tuple((title, before or "", after or "") for title, before, after in _folded(of_kind))
            word = f"{kind.value.capitalize()} ({len(of_kind)})"
            sections.append(Section(title=word, head=("cell", "before", "after"), rows=rows))
    return sections
