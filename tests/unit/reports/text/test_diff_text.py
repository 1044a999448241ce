"""A comparison as text, Markdown and JSON."""

import json

from harness.reports.record.diff import Comparison
from harness.reports.record.run_types import CellChange
from harness.reports.record.run_types import ChangeKind as Kind
from harness.reports.text.diff_text import SCHEMA, Compared, diff_json, diff_markdown, diff_text, summary

OLD = Compared(path="old.json", started="2026-11-24T00:00:00.000+00:00", results=9)
NEW = Compared(path="new.json", started="2026-11-25T00:00:00.000+00:00", results=8)


def change(kind, case="t/c", before="pass: connected TLSv1.2", after="fail: refused", board="unix"):
    """One change on a board against the server of the run."""
    return CellChange(
        kind=kind, regression=kind.regression, board=board, server="in-process", case=case, before=before, after=after
    )


def comparison(*changes, **more):
    """Return changes as `compare` does, the worst first."""
    return Comparison(changes=tuple(changes), **{"compared": 7, "left_out": 0, **more})


ALL = comparison(
    change(Kind.NEW_FAILURE),
    change(Kind.NEWLY_UNSUPPORTED, after="unsupported: no ssl module"),
    change(Kind.CHANGED_ERROR, before="fail: one", after="fail: other"),
    change(Kind.GONE, after=None),
    change(Kind.NEW_CASE, before=None, after="pass: connected"),
    change(Kind.FIXED, before="fail: one", after="pass: connected"),
    notes=("board unix: firmware 1.28.0 -> firmware 1.29.0",),
    left_out=3,
)


def test_text():
    """Both files, what else differs, the six kinds with the worst first, and the answer last."""
    assert diff_text(ALL, old=OLD, new=NEW).splitlines() == [
        "old: old.json, 2026-11-24T00:00:00.000+00:00, 9 results",
        "new: new.json, 2026-11-25T00:00:00.000+00:00, 8 results",
        "board unix: firmware 1.28.0 -> firmware 1.29.0",
        "new failure (1): regression",
        "  unix in-process t/c",
        "      before  pass: connected TLSv1.2",
        "      after   fail: refused",
        "newly unsupported (1): regression",
        "  unix in-process t/c",
        "      before  pass: connected TLSv1.2",
        "      after   unsupported: no ssl module",
        "changed error (1)",
        "  unix in-process t/c",
        "      before  fail: one",
        "      after   fail: other",
        "gone (1)",
        "  unix in-process t/c",
        "      before  pass: connected TLSv1.2",
        "new case (1)",
        "  unix in-process t/c",
        "      after   pass: connected",
        "fixed (1)",
        "  unix in-process t/c",
        "      before  fail: one",
        "      after   pass: connected",
        "REGRESSION: 1 new failure, 1 newly unsupported, 1 changed error, 1 gone, 1 new case, 1 fixed "
        "(7 compared, 3 unchanged, 3 not compared: not selected in the new run)",
    ]


def test_no_regression():
    """A changed error, a case that is gone and a new one that fails are shown, and are not regressions."""
    found = comparison(
        change(Kind.CHANGED_ERROR), change(Kind.GONE, after=None), change(Kind.NEW_CASE, before=None, after="fail: x")
    )
    assert summary(found) == ("no regression: 1 changed error, 1 gone, 1 new case (7 compared, 6 unchanged)")


def test_a_board_that_is_gone_is_one_row():
    """Many cells of a column that are gone or new are one row with the first cases; unexpected new ones are counted."""
    gone = [change(Kind.GONE, case=f"t/{number}", after=None) for number in range(6)]
    new = [change(Kind.NEW_CASE, case=f"t/{number}", before=None, after="fail: x", board="b") for number in range(4)]
    lines = diff_text(comparison(*gone, *new), old=OLD, new=NEW).splitlines()
    assert lines[2:-1] == [
        "gone (6)",
        "  unix in-process: 6 cases: t/0, t/1, t/2, t/3, and 2 more",
        "new case (4)",
        "  b in-process: 4 cases: t/0, t/1, t/2, t/3",
        "      after   4 of them not as expected",
    ]


def test_a_board_that_fails_for_one_reason_is_one_row():
    """Ports and times in the reason do not matter, and the first reason is shown; failures of TLS have a row each."""
    faults = [
        change(Kind.NEW_FAILURE, case=f"t/{n}", after=f"error: nothing on port {n + 7} after 3.0 s") for n in range(4)
    ]
    fails = [change(Kind.NEW_FAILURE, case=f"f/{n}") for n in range(4)]
    lines = diff_text(comparison(*faults, *fails), old=OLD, new=NEW).splitlines()
    assert lines[3:5] == [
        "  unix in-process: 4 cases: t/0, t/1, t/2, t/3",
        "      after   error: nothing on port 7 after 3.0 s",
    ]
    assert [line for line in lines if line.startswith("  unix in-process f/")] == [
        f"  unix in-process f/{number}" for number in range(4)
    ]


def test_json():
    """Every change, the counts of each kind, and the answer."""
    data = json.loads(diff_json(ALL, old=OLD, new=NEW))
    assert (data["schema"], data["regression"], data["left_out"], data["unchanged"]) == (SCHEMA, True, 3, 3)
    assert data["old"] == {"file": "old.json", "started": "2026-11-24T00:00:00.000+00:00", "results": 9}
    assert data["counts"] == dict.fromkeys(Kind, 1)
    assert [item["kind"] for item in data["changes"]] == list(Kind)
    assert [item["regression"] for item in data["changes"]] == [True, True, False, False, False, False]
    assert data["notes"] == list(ALL.notes)


def test_markdown():
    """The answer first, then a table per kind."""
    lines = diff_markdown(ALL, old=OLD, new=NEW).splitlines()
    assert lines[0] == "# TLS compatibility: what changed"
    assert lines[2].startswith("**REGRESSION: 1 new failure")
    assert [line for line in lines if line.startswith("## ")] == [
        "## New failure (1)", "## Newly unsupported (1)", "## Changed error (1)", "## Gone (1)", "## New case (1)", "## Fixed (1)",
    ]  # fmt: skip
    assert "| unix in-process t/c | pass: connected TLSv1.2 | fail: refused |" in lines


def test_markdown_of_ten_thousand_changes():
    """The page fits a comment; omitted rows are counted, and no kind takes the room of all others."""
    many = [
        change(kind, case=f"topic/{number}", after="fail: " + "x" * 200)
        for kind in (Kind.NEW_FAILURE, Kind.FIXED)
        for number in range(5000)
    ]
    text = diff_markdown(comparison(*many), old=OLD, new=NEW)
    assert len(text.encode()) < 60_000
    assert "## Fixed (5000)" in text
    assert "rows of New failure (5000); " in text


def test_texts_of_a_board_are_escaped():
    """A text that a board sent has no control character and no markup."""
    odd = comparison(change(Kind.NEW_FAILURE, after="fail: \x1b[31m|<b>@all\n## x"))
    text = diff_text(odd, old=OLD, new=NEW)
    assert "\x1b" not in text
    assert "      after   fail: \\x1b[31m|<b>@all ## x" in text.splitlines()
    marked = diff_markdown(odd, old=OLD, new=NEW)
    assert "fail:  \\[31m\\|&lt;b&gt;@&#8203;all ## x |" in marked
