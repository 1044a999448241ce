"""Two runs compared: six kinds, the same in both directions, on real records."""

import copy
import itertools
import json
from dataclasses import replace

import pytest

from harness.errors import UsageError
from harness.model import Cell
from harness.reports.record import diff
from harness.reports.record.diff import MEANING, By, comparison_of
from harness.reports.record.result_types import Result
from harness.reports.record.run_types import ChangeKind as Kind
from harness.reports.record.run_types import RunRecord


def compare(old, new, **options):
    """Compare two records in JSON."""
    return diff.compare(RunRecord.of_json(old), RunRecord.of_json(new), **options)


def read_pairs(texts, *, old, new):
    """Read pairs of two records in JSON."""
    return diff.read_pairs(texts, old=RunRecord.of_json(old), new=RunRecord.of_json(new))


def kind_of(before, after):
    """Return the kind of change between two results in JSON."""
    return diff.kind_of(before and Result.of_json(before), after and Result.of_json(after))


SESSION = {
    "client_hello": None,
    "negotiated": {"version": "TLSv1.2", "suite": "A", "group": None},
    "server": None,
    "client": None,
    "alerts": [],
}
ALERT = {"from": "server", "level": "fatal", "code": 40, "name": "handshake_failure"}
REFUSAL = {
    **SESSION,
    "server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER", "errno": 1, "verify_code": None},
    "alerts": [ALERT],
}
OTHER = {**REFUSAL, "server": {"type": "SSLError", "reason": "EE_KEY_TOO_SMALL", "errno": 1, "verify_code": None}}


def cell(word):
    """A result: `pass`, `pass refused`, `fail other` ..."""
    verdict, _, how = word.partition(" ")
    untried = verdict in ("unsupported", "error")
    seen = None if untried else {"": SESSION, "refused": REFUSAL, "other": OTHER}[how]
    outcome = "not-run" if untried else "refused" if how else "connected"
    return {
        "board": "b", "server": "s", "case": "t/c", "verdict": verdict, "outcome": outcome, "observed": seen, "expected": None,
        "stage": None, "ended_by": None, "reason": how or None, "mismatches": [], "attempt": 1, "explanation": None,
        "timing_ms": {"handshake_board": None, "handshake_server": None, "case": None},
        "memory_bytes": {"free_before": None, "free_low": None, "free_after": None}, "artifacts": {},
    }  # fmt: skip


WORDS = (
    "pass", "pass refused", "pass other", "known", "known refused", "fail", "fail refused", "fail other", "insecure", "error",
    "error gone", "unsupported", "unsupported too",
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("pass", "fail", "new failure"),
        ("pass", "error", "new failure"),
        ("known", "insecure", "new failure"),
        ("unsupported", "fail", "new failure"),
        ("fail", "insecure", "new failure"),
        ("error", "insecure", "new failure"),
        ("pass", "pass refused", "new failure"),
        ("fail", "pass", "fixed"),
        ("error", "pass refused", "fixed"),
        ("insecure", "known", "fixed"),
        ("unsupported", "pass", "fixed"),
        ("known refused", "pass", "fixed"),
        ("known refused", "pass refused", "fixed"),
        ("known", "pass refused", "fixed"),
        ("pass refused", "pass", "fixed"),
        ("pass refused", "pass other", "changed error"),
        ("pass", "known", "changed error"),
        ("pass", "known refused", "changed error"),
        ("fail refused", "fail other", "changed error"),
        ("fail", "fail refused", "changed error"),
        ("insecure", "fail", "changed error"),
        ("fail", "error", "changed error"),
        ("error", "error gone", "changed error"),
        ("pass", "unsupported", "newly unsupported"),
        ("fail", "unsupported", "newly unsupported"),
        ("error", "unsupported", "newly unsupported"),
        ("unsupported", "unsupported too", None),
        (None, "pass", "new case"),
        (None, "insecure", "new case"),
        ("pass", None, "gone"),
        ("fail", None, "gone"),
        (None, None, None),
    ],
)  # fmt: skip
def test_kinds(before, after, kind):
    """What each kind of change is called."""
    assert kind_of(before and cell(before), after and cell(after)) == kind


@pytest.mark.parametrize("word", WORDS)
def test_the_same_is_no_change(word):
    """A result compared with itself shows no change."""
    assert kind_of(cell(word), cell(word)) is None


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations((*WORDS, None), 2)))
def test_both_directions(one, other):
    """A change is reported in both directions; a regression in one direction is not a regression in the other."""
    there, back = (kind_of(*(word and cell(word) for word in pair)) for pair in ((one, other), (other, one)))
    assert (there is None) == (back is None)
    if there is None:
        return
    opposite = {
        Kind.GONE: {Kind.NEW_CASE},
        Kind.NEW_CASE: {Kind.GONE},
        Kind.NEW_FAILURE: {Kind.FIXED, Kind.CHANGED_ERROR, Kind.NEWLY_UNSUPPORTED},
        Kind.NEWLY_UNSUPPORTED: {Kind.FIXED, Kind.NEW_FAILURE},
        Kind.FIXED: {Kind.NEW_FAILURE, Kind.NEWLY_UNSUPPORTED, Kind.CHANGED_ERROR},
        Kind.CHANGED_ERROR: {Kind.CHANGED_ERROR, Kind.NEW_FAILURE, Kind.FIXED},
    }
    assert back in opposite[there]
    if Kind.NEWLY_UNSUPPORTED not in (there, back):
        assert not (there.regression and back.regression)


def test_every_kind_has_its_meaning():
    """The help explains each word."""
    assert list(MEANING) == list(Kind)
    assert {kind for kind in Kind if kind.regression} == {Kind.NEW_FAILURE, Kind.NEWLY_UNSUPPORTED}


@pytest.fixture(scope="module")
def good(good_run):
    """Return a real record in which every result is as expected."""
    return json.loads(good_run.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def bad(bad_run):
    """Return a real record in which no case could be tried."""
    return json.loads(bad_run.read_text(encoding="utf-8"))


def test_real_runs(good, bad):
    """A run compared with itself shows no change. A broken link gives new failures, or fixed cells in the other direction."""
    there, back, same = compare(good, bad), compare(bad, good), compare(good, good)
    number = len(good["results"])
    assert (same.changes, same.compared, same.unchanged, same.regression) == ((), number, number, False)
    assert (there.counts[Kind.NEW_FAILURE], there.compared, there.unchanged, there.regression) == (
        number,
        number,
        0,
        True,
    )
    assert (back.counts[Kind.FIXED], back.regression) == (number, False)
    assert {(change.before, change.after) for change in back.changes} == {
        (change.after, change.before) for change in there.changes
    }


def test_gone_and_new(good):
    """A case that only one record has is gone or new; the worst kind comes first."""
    less = {**good, "results": good["results"][2:]}
    found = compare(good, less)
    assert [(change.kind, change.case, change.after) for change in found.changes] == [
        ("gone", result["case"], None) for result in good["results"][:2]
    ]
    assert [change.kind for change in compare(less, good).changes] == ["new case", "new case"]
    changed = copy.deepcopy(less)
    changed["results"][0]["verdict"] = "insecure"
    assert [change.kind for change in compare(good, changed).changes] == ["new failure", "gone", "gone"]


def test_another_client_is_another_cell(good):
    """A run through asyncio has no cell in common with one through sockets; its changes name the client."""
    other = copy.deepcopy(good)
    for result in other["results"]:
        result["client"] = "asyncio"
    found = compare(good, other)
    assert found.compared == 0
    assert {(change.kind, change.client) for change in found.changes} == {("new case", "asyncio"), ("gone", None)}


def test_the_worst_of_a_kind_comes_first(good):
    """`insecure`, then failures, then faults, then sessions that became refusals."""
    new = copy.deepcopy(good)
    sessions = [result for result in new["results"] if result["outcome"] == "connected"]
    sessions[0] |= {"outcome": "refused"}
    for result, verdict in zip(sessions[1:], ("error", "fail", "insecure"), strict=False):
        result |= {"verdict": verdict, "reason": "x"}
    assert [(change.kind, change.case) for change in compare(good, new).changes] == [
        ("new failure", sessions[place]["case"]) for place in (3, 2, 1, 0)
    ]


def test_a_smaller_set_is_not_gone(good):
    """Cases of a larger set than the new run had are counted and not compared."""
    old = copy.deepcopy(good)
    old["run"]["cases"] = "core"
    old["cases"][0]["tier"] = "core"
    new = {**good, "results": good["results"][2:]}
    found = compare(old, new)
    assert [change.case for change in found.changes] == [good["results"][1]["case"]]
    assert (found.left_out, found.compared) == (1, len(new["results"]))


def renamed(run, board, *, firmware=None):
    """A record whose board has another name, and another firmware."""
    made = copy.deepcopy(run)
    for item in (*made["boards"], *made["results"]):
        item["board"] = board
    made["boards"][0]["firmware"] = firmware or made["boards"][0]["firmware"]
    return made


def test_by_firmware(good):
    """Boards with other names but one firmware are compared; the worst of several counts."""
    desk = renamed(good, "desk")
    assert compare(good, desk).compared == 0
    assert compare(good, desk, by=By.FIRMWARE).unchanged == len(good["results"])
    both = {
        **good,
        "boards": [*good["boards"], *desk["boards"]],
        "results": [*good["results"], *copy.deepcopy(desk["results"])],
    }
    both["results"][-1]["verdict"] = "fail"
    found = compare(good, both, by=By.FIRMWARE)
    assert [(change.kind, change.board) for change in found.changes] == [
        ("new failure", f"linux {good['boards'][0]['firmware']}")
    ]
    desk["boards"][0]["facts"]["platform"] = "esp32"
    assert compare(good, desk, by=By.FIRMWARE).compared == 0


def test_pairs(good):
    """A board under another name is compared; its other firmware is in the notes."""
    desk = renamed(good, "desk", firmware="9.9.9")
    pairs = read_pairs(["unix=desk"], old=good, new=desk)
    found = compare(good, desk, pairs=pairs)
    assert (found.unchanged, found.changes) == (len(good["results"]), ())
    assert found.notes == (f"board desk: firmware {good['boards'][0]['firmware']} -> firmware 9.9.9",)
    odd = renamed(good, "a=b")
    assert read_pairs(["unix=a=b"], old=good, new=odd) == {"unix": "a=b"}
    with pytest.raises(UsageError) as caught:
        read_pairs(["unix=none"], old=good, new=desk)
    assert str(caught.value) == (
        "--pair 'unix=none': expected OLD=NEW, two boards or two servers (OLD has: unix, in-process; NEW has: desk, in-process)"
    )


def test_another_python_is_noted(good):
    """A difference that may be the cause is in the notes."""
    new = copy.deepcopy(good)
    new["servers"][0]["python"] = "3.99.0"
    (note,) = compare(good, new).notes
    assert note.startswith("server in-process: Python 3.")
    assert " -> Python 3.99.0, OpenSSL " in note


def test_firmware_that_is_not_known_is_not_a_difference(good):
    """A board that could not be probed has no firmware to compare, nor has one without results."""
    new = copy.deepcopy(good)
    new["boards"][0]["firmware"] = None
    assert compare(good, new).notes == compare(new, good).notes == ()
    new["boards"][0]["firmware"] = "9.9.9"
    assert compare(good, {**new, "results": []}).notes == ()


def test_other_settings_are_in_order(good):
    """Boards before servers, each by name."""
    old, new = (copy.deepcopy(good) for _ in range(2))
    for run, firmware in ((old, "1"), (new, "2")):
        run["boards"] = [{**run["boards"][0], "board": name, "firmware": firmware} for name in ("b", "a", "c")]
        run["results"] = [{**run["results"][0], "board": name} for name in ("b", "a", "c")]
    new["servers"][0]["python"] = "3.99.0"
    assert [note.partition(":")[0] for note in compare(old, new).notes] == [
        "board a",
        "board b",
        "board c",
        "server in-process",
    ]


def plan(*cases, tiers=None, **run):
    """A record that was asked to fill cells, of a set of cases."""
    return RunRecord.of_json(
        {
            "schema": "tls-harness/run/2",
            "run": {"harness": "0", "cases": "core", "started": "1", "finished": "2", "arguments": [], **run},
            "host": {
                "python": "3", "openssl": "3", "default_suites": [], "security_level": 1, "platform": "p", "implementation": "i",
            },
            "boards": [],
            "servers": [],
            "missing": [{"board": "b", "server": "s", "case": case} for case in cases],
            "cases": [
                {"case": case, "topic": case.partition("/")[0], "title": "T", "description": "D", "tier": tier, "weak": None}
                for case, tier in (tiers or {}).items()
            ],
            "results": [],
        }
    )  # fmt: skip


def test_cases_on_request_belong_to_no_set():
    """A run of every set was not asked for a program's case, unless it planned it."""
    case = "app/requests-verified"
    known = plan(tiers={case: "smoke"})
    for run, asked in ((plan(cases="full"), False), (plan(case, cases="full"), True)):
        assert diff.asked_for(run, known=known)(Cell(board="b", server="s", case=case)) is asked


TIERS = {"t/smoke": "smoke", "t/core": "core", "t/full": "full", "t/planned": "full"}


@pytest.mark.parametrize(
    ("run", "asked"),
    [
        ({}, ["t/smoke", "t/core", "t/planned", "t/unknown"]),
        ({"whole": True}, ["t/smoke", "t/core", "t/planned", "t/unknown"]),
        ({"whole": False}, ["t/planned"]),
        ({"cases": "smoke"}, ["t/smoke", "t/planned", "t/unknown"]),
        ({"cases": "full"}, ["t/smoke", "t/core", "t/full", "t/planned", "t/unknown"]),
    ],
)
def test_what_a_run_was_asked_for(run, asked):
    """The cells of its set, those that it planned, and cases that nothing describes; of selected cases only planned cells."""
    new = plan("t/planned", **run)
    wanted = diff.asked_for(new, known=plan(tiers=TIERS))
    assert [case for case in (*TIERS, "t/unknown") if wanted(Cell(board="b", server="s", case=case))] == sorted(
        asked, key=[*TIERS, "t/unknown"].index
    )
    renamed = diff.asked_for(plan("t/planned", whole=False), known=new, name=lambda cell: replace(cell, board="other"))
    assert [renamed(Cell(board=board, server="s", case="t/planned")) for board in ("b", "other")] == [False, True]


def test_the_caller_may_decide_what_was_asked_for(good):
    """An absent cell is gone only if the new run was asked to fill it; one that is present is always compared."""
    less = {**good, "results": good["results"][2:]}
    found = compare(good, less, wanted=lambda cell: cell.case == good["results"][0]["case"])
    assert [(change.kind, change.case) for change in found.changes] == [("gone", good["results"][0]["case"])]
    assert (found.left_out, found.compared, found.unchanged) == (1, len(less["results"]), len(less["results"]))


def test_the_comparison_of_a_record(good, bad):
    """It is read back as it was written; an older record has no numbers, one without a baseline no comparison."""
    found = compare(good, bad)
    baseline = {"file": "f", "started": "1", "compared": 7, "unchanged": 4, "left_out": 3, "notes": ["n"]}
    run = {**good, "changes": [change.as_json() for change in found.changes]}
    read = comparison_of(RunRecord.of_json({**run, "baseline": baseline}))
    assert (read.changes, read.compared, read.left_out, read.notes) == (found.changes, 7, 3, ("n",))
    older = comparison_of(RunRecord.of_json(run))
    assert (older.changes, older.compared, older.left_out, older.notes) == (found.changes, len(found.changes), 0, ())
    assert comparison_of(RunRecord.of_json(good)) is None


def test_a_pair_goes_before_the_firmware(good):
    """By firmware, a board that is paired by name keeps that name; with an unknown firmware it keeps its own name."""
    desk = renamed(good, "desk", firmware="9.9.9")
    title = f"{desk['boards'][0]['facts']['platform']} 9.9.9"
    assert compare(good, desk, by=By.FIRMWARE, pairs={"unix": title}).compared == len(good["results"])
    unknown = copy.deepcopy(good)
    unknown["boards"][0] |= {"firmware": None, "facts": None}
    assert compare(unknown, unknown, by=By.FIRMWARE).compared == len(good["results"])
    (change, *_) = compare({**unknown, "results": []}, unknown, by=By.FIRMWARE).changes
    assert change.board == "unix"
    bare = copy.deepcopy(good)
    bare["boards"][0]["facts"] = None
    (change, *_) = compare({**bare, "results": []}, bare, by=By.FIRMWARE).changes
    assert change.board == bare["boards"][0]["firmware"]


def test_several_pairs(good):
    """Boards and servers are paired alike; a text that can be cut in two ways is cut at the first."""
    new = copy.deepcopy(good)
    for result in new["results"]:
        result["server"] = "debian"
    pairs = read_pairs(["unix=unix", "in-process=debian"], old=good, new=new)
    assert pairs == {"unix": "unix", "in-process": "debian"}
    assert compare(good, new, pairs=pairs).unchanged == len(good["results"])
    first = good["results"][0]
    odd = {**good, "results": [{**first, "board": "a", "server": "b"}, {**first, "board": "a=b", "server": "b"}]}
    other = {**good, "results": [{**first, "board": "b=c", "server": "c"}]}
    assert read_pairs(["a=b=c"], old=odd, new=other) == {"a": "b=c"}
