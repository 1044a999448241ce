"""The first screen: counts, boards with problems, changes, heap, and the key table."""

from __future__ import annotations

import re

from harness.reports.html import render_html
from harness.reports.html.data import page_data
from harness.reports.html.overview import changes, flaky, heap_line, overview, problems, source_row, troubled


def test_counts_are_in_the_order_of_interest(make_run, make_result):
    """What must not be comes first; words that nothing has are left out."""
    view = overview(
        make_run(make_result(), make_result("key/b", verdict="insecure"), make_result("key/c", verdict="fail"))
    )
    assert [(item["sign"], item["word"], item["count"]) for item in view["verdicts"]] == [
        ("‼", "insecure", 1),
        ("✕", "fail", 1),
        ("✓", "pass", 1),
    ]


def test_a_run_without_server_keys_says_so(make_run, make_result):
    """The question at the top is not left without an answer."""
    view = overview(make_run(make_result("versions/x")))
    assert view["answer"] == ["This run has no case of a server key, so it cannot say which one to use."]
    assert view["key_table"] is None


def test_boards_with_problems_worst_first(make_run, make_result):
    """Boards that cannot be used, then those with results that are not as expected, then those with a note; the others are not listed."""
    step = {"step": "set-aside", "result": "set-aside", "reason": None, "deadline_s": None, "took_s": 0.1}
    gone = make_result(board="gone", verdict="error", reason="gone: quarantined after 3 faults", recovery=[step])
    run = make_run(
        make_result(board="noted"), make_result(board="bad", verdict="fail"), make_result(board="fine"), make_result(), gone
    )  # fmt: skip
    run["boards"][0]["notes"] = ["no clock"]
    run["boards"][3]["notes"] = ["it resets itself"]
    run["boards"][3]["error"] = "no prompt"
    assert [(item["board"], item["lines"], item["bad"]) for item in problems(run)] == [
        ("desk", ["not usable: no prompt", "it resets itself"], True),
        ("gone", ["quarantined at key/p256: gone: quarantined after 3 faults", "1 error of 1 results"], True),
        ("bad", ["1 fail of 1 results"], True),
        ("noted", ["no clock"], False),
    ]
    assert troubled(run) == "desk, gone, bad"
    run["boards"][4]["notes"] = ["quarantined after key/p256: 3 faults"]
    assert problems(run)[1]["lines"] == ["quarantined after key/p256: 3 faults", "1 error of 1 results"]
    deaf = make_run(make_result(verdict="unsupported", outcome="not-run", reason="no ssl module", observed=None))
    assert problems(deaf)[0]["lines"] == ["no case could be tried: no ssl module"]
    assert (
        troubled(make_run(*[make_result(board=f"b{number}", verdict="fail") for number in range(5)]))
        == "b0, b1, b2 and 2 more"
    )
    assert troubled(make_run(make_result())) == ""


def test_a_run_that_ended_early_is_not_all_well(make_run, make_result):
    """What was planned and not run is told of each board, also of one that was never come to; no result at all is no good news."""
    lost = [{"board": board, "server": "py", "case": "key/p384"} for board in ("desk", "lab", "lab")]
    run = make_run(make_result("versions/12"), missing=lost)
    assert [(item["board"], item["lines"], item["bad"]) for item in problems(run)] == [
        ("desk", ["1 case not run"], False),
        ("lab", ["2 cases not run"], False),
    ]
    assert overview(run)["answer"] == [
        "This run ended before it came to a server key, so it cannot say which one to use."
    ]
    page = render_html(make_run(missing=lost))
    assert "no board was tried" in page
    for words in ("no board with problems", "None: each board answered"):
        assert words not in page
    assert "Nothing is known of any board: the run has no result." in render_html(make_run())


def test_strangers_are_no_fault_of_the_board(make_run, make_result):
    """They are told with the board that they came between, which is not called bad for it."""
    run = make_run(make_result(strangers=2, stranger_addresses=["192.0.2.7"]))
    (row,) = problems(run)
    assert row["lines"] == [
        "2 connections from strangers were dropped, in 1 case (192.0.2.7): only the board is answered (--peer)"
    ]
    assert not row["bad"]


def test_flaky_cells_are_listed_with_all_they_did(make_run, make_result):
    """Nothing is averaged: every verdict with its count; the board is one with problems; without --repeat there is nothing to say."""
    cell = {
        "board": "desk", "server": "py", "case": "key/p256", "runs": 3, "flaky": True, "connected": "sometimes", "passed": "sometimes",
        "verdicts": {"pass": 2, "fail": 1}, "outcomes": {}, "case_ms": {"min": 5, "median": 9, "max": 40}, "handshake_board_ms": None,
    }  # fmt: skip
    steady = {**cell, "case": "key/rsa2048", "flaky": False, "verdicts": {"pass": 3}}
    run = make_run(make_result(), soak={"repeat": 3, "flaky": 1, "cells": [cell, steady]})
    found = flaky(run)
    assert found == {
        "repeat": 3, "cells": 2, "more": 0,
        "rows": [{
            "case": "key/p256", "board": "desk", "server": "py", "connected": "sometimes", "verdicts": "pass 2, fail 1",
            "times": "5/9/40 ms",
        }],
    }  # fmt: skip
    assert problems(run)[0]["lines"] == ["1 flaky"]
    page = render_html(run)
    for words in ("3 times each", "~</span> 1 flaky", "pass 2, fail 1 · connected sometimes · 5/9/40 ms"):
        assert words in page
    assert flaky(make_run(make_result())) is None


def test_a_merged_record_may_know_less_or_more(make_run, make_result):
    """Several runs have no one start, host or command line; what is not there is not shown, what is added does no harm."""
    run = make_run({**make_result(), "source": "unknown", "anything": 1}, anything=[{"anything": 1}])
    full = render_html(run)
    assert "2026-11-25 08:36 UTC · core cases · 1 results" in full
    assert "Called with: <code>-q</code>" in full
    for about in ({}, {"started": None, "finished": None, "cases": None, "arguments": None}):
        page = render_html({**run, "run": about, "host": {}})
        assert '<p class="meta">1 results' in page
        assert "Called with" not in page
        assert "Host: " not in page
        assert ("interrupted run" in page) is bool(about)


def test_changes_are_counted_and_regressions_come_first(make_run, make_result):
    """Six kinds, never merged; without a baseline there is nothing to say."""
    assert changes(make_run(make_result())) is None
    rows = [{"kind": "fixed", "case": "a"}, {"kind": "new failure", "case": "b"}, *[{"kind": "gone", "case": "c"}] * 60]
    found = changes(make_run(make_result(), changes=rows))
    assert found is not None
    assert found["counts"] == [("new failure", 1), ("gone", 60), ("fixed", 1)]
    assert found["rows"][0]["case"] == "b"
    assert (len(found["rows"]), found["more"], found["regressions"]) == (50, 12, 0)


def test_a_merged_record_says_who_measured_what_when(make_run, make_result):
    """The runs that were merged stand in a table, and each result knows its own; planned cells without a result are counted."""
    source = {
        "id": "7f", "file": "lab-a/run.json", "results": 1, "boards": {"desk": "unix"}, "servers": {},
        "run": {"started": "2026-11-25T08:36:00.000+00:00"}, "host": {"machine": "bench-1", "platform": "Linux-6", "python": "3.11.7"},
    }  # fmt: skip
    lost = [{"board": "desk", "server": "py", "case": "key/p384"}] * 2
    run = make_run(make_result(source="7f", at="2026-11-25T08:37:01.5+00:00"), sources=[source], missing=lost)
    assert source_row(source) == {
        "file": "lab-a/run.json", "when": "2026-11-25 08:36", "where": "bench-1, Linux-6, Python 3.11.7", "boards": "desk", "results": 1,
    }  # fmt: skip
    page = render_html(run)
    for words in ("merged from 1 runs", "2 not run", '<th scope="row">lab-a/run.json</th><td>2026-11-25 08:36</td>'):
        assert words in page
    data = page_data(run, links="")
    assert data["sources"] == {"7f": "lab-a/run.json, bench-1"}
    assert (data["results"][0]["source"], data["results"][0]["when"]) == ("7f", "2026-11-25T08:37:01.5+00:00")
    assert data["results"][0]["at"] == [0, 0, 0]


def test_what_the_run_was_compared_with(make_run, make_result):
    """The baseline's file and date, how much was compared, and what the comparison noted."""
    baseline = {
        "file": "old.json", "started": "2026-11-24T08:36:00.000+00:00", "compared": 20, "unchanged": 20, "left_out": 3,
        "notes": ["the baseline is of another firmware"],
    }  # fmt: skip
    page = render_html(make_run(make_result(), changes=[], baseline=baseline))
    assert (
        "Nothing changed. Compared with old.json of 2026-11-24 08:36 UTC: 20 compared, 20 unchanged, 3 of the baseline not asked for."
        in page
    )
    assert "the baseline is of another firmware" in page


def test_a_regression_is_red_at_the_top(make_run, make_result):
    """Sign and words at the top of the page, both states below, and a link that opens the cell."""
    row = {
        "kind": "new failure",
        "regression": True,
        "board": "my desk",
        "server": "py",
        "case": "key/p256",
        "before": "pass",
        "after": "fail",
    }
    page = render_html(make_run(make_result(), changes=[row]))
    assert re.search(
        r'<a class="chip v-fail" href="#changes-h"><span aria-hidden="true">✕</span> 1 new failure</a>', page
    )
    assert '<a href="#open=my%20desk%7Cpy%7Ckey/p256">key/p256</a> <small>my desk, py</small>' in page
    assert "before: pass<br>now: fail" in page
    better = render_html(
        make_run(make_result(), changes=[{**row, "kind": "fixed", "regression": False, "before": None}])
    )
    assert '<a class="chip" href="#changes-h"><span aria-hidden="true">Δ</span> 1 fixed</a>' in better
    assert "before: nothing<br>now: fail" in better


def test_heap_is_only_what_was_measured(make_run, make_result):
    """Before, the low-water mark if the port keeps one, and what a session does not give back."""
    assert heap_line(make_run(make_result()), "desk") == (
        "desk: 90.0 kB free before a handshake, no low-water mark kept by this port, 2.0 kB not given back after it"
    )
    low = make_result(memory_bytes={"free_before": 90000, "free_low": 41500, "free_after": 90100})
    assert heap_line(make_run(low), "desk").endswith("lowest during the run 41.5 kB, 0 B not given back after it")
    held = make_result(memory_bytes={"free_before": 90000, "free_low": None, "free_after": 90000, "held": 25200})
    assert "free before a handshake, an open session holds 25.2 kB, no low-water" in heap_line(make_run(held), "desk")
    assert heap_line(make_run(make_result(outcome="refused")), "desk") == "desk: not measured"
