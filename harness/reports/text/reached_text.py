"""How many cases came to their subject, by the evidence: `certificate seen by the board in 57 of 60 certificate cases`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.model import Subject
from harness.reports.record.plain import one_line
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import CaseEntry, RunRecord

_COUNTED = (
    (Subject.SERVER_CERTIFICATE, "certificate seen by the board in {} of {} certificate case{}"),
    (Subject.CLIENT_CERTIFICATE, "client certificate requested and answered in {} of {} client certificate case{}"),
)


def reached_lines(run: RunRecord) -> list[str]:
    """Return a line for each kind of certificate case, per board if there are several; none for kinds that the run did not have.

    Every result of such a case counts, also one without a handshake. Records without the subject of cases give no lines.
    """
    return lines_of(run.results, subjects=subjects_of(run.cases))


def subjects_of(cases: Iterable[CaseEntry]) -> dict[str, Subject]:
    """Return case -> subject, as far as the record has it."""
    return {case.case: case.subject for case in cases if case.subject is not None}


def lines_of(results: Sequence[Result], *, subjects: Mapping[str, Subject]) -> list[str]:
    """Return the lines for some results of a run.

    Args:
        results: of any cases.
        subjects: case -> subject.
    """
    boards = list(dict.fromkeys(result.board for result in results))
    lines = []
    for subject, text in _COUNTED:
        for board in boards:
            counted = [item for item in results if item.board == board and subjects.get(item.case) is subject]
            if counted:
                seen = sum(reaches(item, subject) for item in counted)
                where = f"{board}: " if len(boards) > 1 else ""
                lines.append(one_line(where + text.format(seen, len(counted), "s" * (len(counted) != 1))))
    return lines


def reaches(result: Result, subject: Subject) -> bool:
    """Return whether the evidence of a result shows a point."""
    return bool(result.observed and result.observed.reached and subject in result.observed.reached)
