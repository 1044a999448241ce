"""The first screen: counts, boards with problems, changes, heap, and the key table."""

from __future__ import annotations

import re

from harness.reports import html
from harness.reports.html.data import page_data
from harness.reports.html.overview import changes as changes_of
from harness.reports.html.overview import flaky as flaky_of
from harness.reports.html.overview import heap_line as heap_line_of
from harness.reports.html.overview import overview as overview_of
from harness.reports.html.overview import problems as problems_of
from harness.reports.html.overview import source_row
from harness.reports.html.overview import troubled as troubled_of
from harness.reports.record.run_types import RunRecord, Source


def overview(run):
    """Return the first screen of a record in JSON."""
    return overview_of(RunRecord.of_json(run))


def render_html(run):
    """Render a record in JSON; without the places where a long name may be broken."""
    return html.render_html(RunRecord.of_json(run)).replace("<wbr>", "")


def problems(run):
    """Return the boards with problems of a record in JSON."""
    return problems_of(RunRecord.of_json(run))


def troubled(run):
    """Return the names of those boards."""
    return troubled_of(RunRecord.of_json(run))


def changes(run):
    """Return the changes of a record in JSON."""
    return changes_of(RunRecord.of_json(run))


def flaky(run):
    """Return the flaky cells of a record in JSON."""
    return flaky_of(RunRecord.of_json(run))


def heap_line(run, board):
    """Return the line about a board's heap of a record in JSON."""
    return heap_line_of(RunRecord.of_json(run), board)


def test_counts_are_in_the_order_of_interest(make_run, make_result):
    """The worst verdict comes first; verdicts without a result are omitted."""
    view = overview(
        make_run(make_result(), make_result("key/b", verdict="insecure"), make_result("key/c", verdict="fail"))
    )
    assert [(item["sign"], item["word"], item["count"]) for item in view["verdicts"]] == [
        ("‼", "insecure", 1),
        ("✕", "fail", 1),
        ("✓", "pass", 1),
    ]


def test_a_run_without_server_keys_says_so(make_run, make_result):
    """The question at the top of the page is answered in any case."""
    view = overview(make_run(make_result("versions/x")))
    assert view["answer"] == ["This run has no server-key case, so it cannot say which one to use."]
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
    words = {"verdict": "unsupported", "outcome": "not-run", "observed": None}
    mixed = make_run(*(make_result(f"key/{n}", reason=reason, **words) for n, reason in enumerate("abb")))
    assert problems(mixed)[0]["lines"] == ["no case could be tried: b"]  # the reason of most cases
    assert (
        troubled(make_run(*[make_result(board=f"b{number}", verdict="fail") for number in range(5)]))
        == "b0, b1, b2 and 2 more"
    )
    assert troubled(make_run(make_result())) == ""


def test_a_run_that_ended_early_is_not_all_well(make_run, make_result):
    """Cells without a result are counted for each board, also for one that was never opened; a run without results has no good news."""
    lost = [{"board": board, "server": "py", "case": "key/p384"} for board in ("desk", "lab", "lab")]
    run = make_run(make_result("versions/12"), missing=lost)
    assert [(item["board"], item["lines"], item["bad"]) for item in problems(run)] == [
        ("desk", ["1 case not run"], False),
        ("lab", ["2 cases not run"], False),
    ]
    assert overview(run)["answer"] == [
        "This run ended before it tested a server key, so it cannot say which one to use."
    ]
    page = render_html(make_run(missing=lost))
    assert "no board was tried" in page
    for words in ("no board with problems", "None: each board answered"):
        assert words not in page
    assert "Nothing is known of any board: the run has no result." in render_html(make_run())


def test_unexpected_peers_are_not_a_fault_of_the_board(make_run, make_result):
    """They are listed with the board, which does not become a serious problem."""
    run = make_run(make_result(strangers=2, stranger_addresses=["192.0.2.7"]))
    (row,) = problems(run)
    assert row["lines"] == [
        "2 connections from unexpected peers were dropped, in 1 case (192.0.2.7): only the board may connect (--peer)"
    ]
    assert not row["bad"]


def test_flaky_cells_are_listed_with_their_verdicts(make_run, make_result):
    """Every verdict has its count; the board has a problem; without --repeat there is no such list."""
    cell = {
        "board": "desk", "server": "py", "case": "key/p256", "runs": 3, "flaky": True, "connected": "sometimes", "passed": "sometimes",
        "verdicts": {"pass": 2, "fail": 1}, "outcomes": {}, "case_ms": {"min": 5, "median": 9, "max": 40}, "handshake_board_ms": None,
    }  # fmt: skip
    steady = {**cell, "case": "key/rsa2048", "flaky": False, "verdicts": {"pass": 3}}
    run = make_run(make_result(), soak={"repeat": 3, "flaky": 1, "cells": [cell, steady]})
    found = flaky(run)
    assert found == {
        "repeat": 3, "cells": 2, "more": 0, "leaks": [],
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


def test_leaks_are_named_first(make_run, make_result):
    """A leak is counted in the head, and its line is in the section of what repeated runs showed."""
    leak = {"board": "desk", "what": "free heap", "bytes_per_session": 200.0, "sessions": 48}
    run = make_run(make_result(), soak={"repeat": 50, "flaky": 0, "cells": [], "leaks": [leak]})
    text = "leak: desk: the free heap falls by 200 bytes a session, over 48 sessions"
    assert flaky(run)["leaks"] == [text]
    page = render_html(run)
    assert page.index("1 leak</a>") < page.index(text)
    assert "leak</a>" not in render_html(make_run(make_result()))


def test_the_head_of_the_page(make_run, make_result):
    """Start, set, number of results and command line; a run without an end is called interrupted."""
    run = make_run({**make_result(), "source": "unknown"})
    full = render_html(run)
    assert "2026-11-25 08:36 UTC · core cases · 1 results" in full
    assert "Called with: <code>-q</code>" in full
    assert "interrupted run" not in full
    assert "interrupted run" in render_html({**run, "run": {**run["run"], "finished": None}})


def test_changes_are_counted_and_regressions_come_first(make_run, make_result):
    """Six kinds are counted separately; without a baseline there are none."""
    assert changes(make_run(make_result())) is None
    cell = {"board": "desk", "server": "py", "before": None, "after": None}
    rows = [
        {**cell, "kind": kind, "case": case}
        for kind, case in (("fixed", "a"), ("new failure", "b"), *[("gone", "c")] * 60)
    ]
    found = changes(make_run(make_result(), changes=rows))
    assert found is not None
    assert found["counts"] == [("new failure", 1), ("gone", 60), ("fixed", 1)]
    assert found["rows"][0]["case"] == "b"
    assert (len(found["rows"]), found["more"], found["regressions"]) == (50, 12, 1)


def test_a_merged_record_lists_its_runs(make_run, make_result):
    """The merged runs are a table, and each result names its own; planned cells without a result are counted."""
    source = {
        "id": "7f", "file": "lab-a/run.json", "results": 1, "boards": {"desk": "unix"}, "servers": {},
    }  # fmt: skip
    base = make_run()
    source["run"] = {**base["run"], "started": "2026-11-25T08:36:00.000+00:00"}
    source["host"] = {**base["host"], "machine": "bench-1", "platform": "Linux-6", "python": "3.11.7"}
    lost = [{"board": "desk", "server": "py", "case": "key/p384"}] * 2
    run = make_run(make_result(source="7f", at="2026-11-25T08:37:01.5+00:00"), sources=[source], missing=lost)
    assert source_row(Source.of_json(source)) == {
        "file": "lab-a/run.json", "when": "2026-11-25 08:36", "where": "bench-1, Linux-6, Python 3.11.7", "boards": "desk", "results": 1,
    }  # fmt: skip
    page = render_html(run)
    for words in ("merged from 1 runs", "2 not run", '<th scope="row">lab-a/run.json</th><td>2026-11-25 08:36</td>'):
        assert words in page
    data = page_data(RunRecord.of_json(run))
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
        "Nothing changed. Compared with old.json of 2026-11-24 08:36 UTC: 20 compared, 20 unchanged, 3 of the baseline not selected."
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
    """Free heap before, the low-water mark if the port keeps one, and what a session does not free."""
    assert heap_line(make_run(make_result()), "desk") == (
        "desk: 90.0 kB free before a handshake, this port keeps no low-water mark, 2.0 kB not given back after it"
    )
    low = make_result(memory_bytes={"free_before": 90000, "free_low": 41500, "free_after": 90100})
    assert heap_line(make_run(low), "desk").endswith("lowest during the run 41.5 kB, 0 B not given back after it")
    held = make_result(memory_bytes={"free_before": 90000, "free_low": None, "free_after": 90000, "held": 25200})
    assert "free before a handshake, an open session holds 25.2 kB, this port keeps no low-water" in heap_line(
        make_run(held), "desk"
    )
    assert heap_line(make_run(make_result(outcome="refused")), "desk") == "desk: not measured"


def test_what_the_server_should_use(make_run, make_result):
    """The page has the configuration to copy and a sentence per board; a run without keys has neither."""
    seen = overview(make_run(make_result("key/p256", board="lab")))
    assert seen["board_lines"] == [
        "lab (1.24.1): EC key, or firmware 1.24 (rp2: 1.20; esp32: every version) or later for an RSA key."
    ]
    python = seen["config"]["servers"][0]
    assert (seen["config"]["title"], python["name"]) == ("KEY/P256", "Python")
    assert python["text"].splitlines()[-1] == 'context.load_cert_chain("ec-cert.pem", "ec-key.pem")'
    nothing = overview(make_run(make_result("cert/good")))
    assert (nothing["config"], nothing["board_lines"]) == (None, [])


def test_the_legend_has_every_verdict(make_run, make_result):
    """Also those that this run does not have."""
    legend = overview(make_run(make_result()))["legend"]
    assert [item["word"] for item in legend] == ["insecure", "fail", "error", "known", "unsupported", "pass"]
