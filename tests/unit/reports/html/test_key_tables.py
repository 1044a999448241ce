"""The two tables of server keys, as texts."""

from __future__ import annotations

import json
from pathlib import Path

from harness.reports import html
from harness.reports.html.overview import overview as overview_of
from harness.reports.record.run_types import RunRecord

FACTS = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text())["boards"][0]["facts"]


def overview(run):
    """Return the first screen of a record in JSON."""
    return overview_of(RunRecord.of_json(run))


def render_html(run):
    """Render a record in JSON."""
    return html.render_html(RunRecord.of_json(run))


def refusal(reason="NO_SHARED_CIPHER"):
    """A refusal for this reason."""
    return {
        "outcome": "refused",
        "seen": {"server": {"type": "SSLError", "reason": reason, "errno": 1, "verify_code": None}},
    }


def cells(row):
    """The cells of a row, of all boards."""
    return [cell for board in row["boards"] for cell in board["cells"]]


def timed(ms, **heap):
    """A handshake time, and what of the heap was measured."""
    memory = {"free_before": 90000, "free_low": None, "free_after": 88000, **heap}
    return {"timing_ms": {"handshake_board": ms, "handshake_server": ms, "case": ms}, "memory_bytes": memory}


def test_the_key_table_says_each_cell_in_a_sign_and_a_word(make_run, make_result):
    """Sign, word, version and cost; the places of the results; an unexpected result is marked."""
    refused = refusal()
    run = make_run(
        make_result(),
        make_result("key/p256", board="lab", **refused, verdict="fail"),
        make_result("key/ed25519", **refused),
        make_result("key/dual-rsa-ec", outcome="not-run", verdict="unsupported", reason="no second key", observed=None),
    )
    table = overview(run)["key_table"]
    one, others = table["groups"]
    assert [row["title"] for row in one["rows"]] == ["KEY/P256", "KEY/ED25519"]
    assert [row["title"] for row in others["rows"]] == ["KEY/DUAL-RSA-EC"]
    best = one["rows"][0]
    assert (best["sign"], best["word"], best["count"], best["cost"]) == ("◐", "some", "1 of 2", "4.0 ms")
    good, bad = cells(best)
    assert (good["sign"], good["word"], good["detail"], good["at"]) == ("✓", "connects", "TLS 1.2 · 4.0 ms", "0,0,0")
    assert (bad["sign"], bad["word"], bad["detail"], bad["at"]) == ("✕", "refused", "NO_SHARED_CIPHER", "1,0,0")
    assert (good["verdict"], bad["verdict"]) == ("", "fail")
    assert good["name"] == "KEY/P256, board desk, server py: connects"
    assert cells(others["rows"][0])[0]["word"] == "unsupported"
    assert table["boards"][0]["columns"] == [{"heads": ["Python 3.11.7", "OpenSSL 3.0.19"]}]
    assert (table["boards"][0]["name"], table["boards"][0]["heads"]) == ("desk", ["firmware 1.24.1"])


def test_an_error_is_not_a_refusal_of_a_key(make_run, make_result):
    """An error says nothing about TLS, so the key is not called one that connects no board; nor is one that connects wrongly."""
    lost = {"outcome": "not-run", "verdict": "error", "reason": "garbled", "observed": None}
    wrong = make_result("key/p384", verdict="insecure")
    run = make_run(make_result(), make_result("key/rsa2048", **lost), make_result("key/ed25519", **refusal()), wrong)
    rows = {row["title"]: row for row in overview(run)["key_table"]["groups"][0]["rows"]}
    said = {title: (row["sign"], row["word"], row["count"]) for title, row in rows.items()}
    assert said == {
        "KEY/P256": ("✓", "all", "1 of 1"),
        "KEY/P384": ("✕", "none", "0 of 1 as expected"),
        "KEY/RSA2048": ("–", "unknown", "not tried"),
        "KEY/ED25519": ("✕", "none", "0 of 1"),
    }


def test_what_a_key_costs_each_board(make_run, make_result):
    """A column per board: time over its servers from the fastest to the slowest, heap if it was measured, and the rule next to it."""
    run = make_run(
        make_result(**timed(4, held=25200)),
        make_result(server="py2", **timed(12, held=25400)),
        make_result(board="lab", **timed(100)),
        make_result("key/rsa8192"),
        make_result("key/rsa8192", server="py2", **refusal()),
        make_result("key/rsa8192", board="lab", **refusal("A_B")),
        make_result("key/ed25519", **refusal()),
    )
    costs = overview(run)["costs"]
    assert [(board["name"], board["heads"]) for board in costs["boards"]] == [
        ("desk", ["firmware 1.24.1"]),
        ("lab", ["firmware 1.24.1"]),
    ]
    best, partly = costs["rows"]
    assert (best["title"], best["best"], best["count"], best["heap"]) == ("KEY/P256", True, "3 of 3", "26 to 27 kB")
    assert [(cell["sign"], cell["text"], cell["details"]) for cell in cells(best)] == [
        ("✓", "8.0 ms", ["4.0 to 12 ms", "25.4 kB heap"]),
        ("✓", "100 ms", []),
    ]
    assert (partly["title"], partly["best"], partly["word"], partly["heap"]) == ("KEY/RSA8192", False, "some", "")
    assert [(cell["sign"], cell["style"], cell["text"], cell["details"]) for cell in cells(partly)] == [
        ("◐", "some", "1 of 2", ["4.0 ms", "NO_SHARED_CIPHER"]),
        ("✕", "refused", "refused", ["A_B"]),
    ]
    (cost, *_others) = [row["cost"] for row in overview(run)["key_table"]["groups"][0]["rows"]]
    assert cost == "100 ms"  # of its slowest board
    page = render_html(run)
    assert "★ recommended" in page
    assert "26 to 27 kB heap" in page
    assert "Not measured here" not in page


def test_a_key_that_was_not_tried_with_a_board(make_run, make_result):
    """It is not called refused; the times of a board that it connects with some servers only have one value, the median."""
    lost = {"outcome": "not-run", "verdict": "error", "reason": "garbled", "observed": None}
    run = make_run(
        make_result(**timed(4)),
        make_result(server="py2", **timed(12)),
        make_result(server="py3", **refusal()),
        make_result(board="lab", **lost),
    )
    (row,) = overview(run)["costs"]["rows"]
    assert [(cell["sign"], cell["style"], cell["text"], cell["details"]) for cell in cells(row)] == [
        ("◐", "some", "2 of 3", ["8.0 ms", "NO_SHARED_CIPHER"]),
        ("–", "none", "not tried", ["error"]),
    ]


def test_no_key_is_recommended_if_none_connects_all(make_run, make_result):
    """The best of those that fail somewhere is first, without the star; with no key at all there is no table."""
    run = make_run(make_result(), make_result(board="lab", **refusal()))
    assert [row["best"] for row in overview(run)["costs"]["rows"]] == [False]
    assert "★" not in render_html(run)
    nothing = make_run(make_result(**refusal()))
    assert overview(nothing)["costs"]["rows"] == []
    assert 'class="costs"' not in render_html(nothing)


def test_a_board_that_is_a_process(make_run, make_result):
    """Its TLS memory comes from malloc: the heap of the garbage collector says nothing, and the page says so."""
    run = make_run(make_result(**timed(4, held=3700)))
    run["boards"][0]["facts"] = {**FACTS, "platform": "esp32"}
    assert overview(run)["costs"]["outside"] == []
    run["boards"][0]["facts"] = FACTS
    costs = overview(run)["costs"]
    assert costs["outside"] == ["desk"]
    assert cells(costs["rows"][0])[0]["details"] == []
    assert "Not measured here on desk: a process of this machine" in render_html(run)


def test_a_flaky_key_is_marked_in_both_tables(make_run, make_result):
    """One refusal in three runs: it does not connect the board, and both tables have the counts."""
    run = make_run(make_result(), make_result(verdict="fail", **refusal()), make_result())
    view = overview(run)
    (row,) = view["key_table"]["groups"][0]["rows"]
    assert (row["count"], cells(row)[0]["flaky"], cells(row)[0]["verdict"]) == ("0 of 1", "pass 2, fail 1", "fail")
    page = render_html(run)
    assert "~ flaky: pass 2, fail 1" in page
    both = make_run(make_result(), make_result(board="lab"), make_result(board="lab", verdict="known"))
    assert cells(overview(both)["costs"]["rows"][0])[1]["details"] == ["~ flaky with 1 server"]
    assert "~ flaky with 1 server" in render_html(both)


def test_virtual_boards_cost_nothing(make_run, make_result):
    """Their times are this computer's: no cost, no rank, and shown as what they are."""
    run = make_run(
        make_result("key/p256", **timed(9)),
        make_result("key/p256", server="py2", **timed(11)),
        make_result("key/p384", **timed(1)),
        make_result("key/p384", server="py2", **timed(1)),
    )
    run["boards"][0]["facts"] = {**FACTS, "platform": "linux"}
    seen = overview(run)
    assert seen["answer"][0] == "KEY/P256: works with every board and every server (2 of 2)."
    best = seen["costs"]["rows"][0]
    assert (best["title"], cells(best)[0]["text"]) == ("KEY/P256", "connects")
    assert cells(best)[0]["details"] == ["9.0 to 11 ms on this computer"]
    assert [row["cost"] for row in seen["key_table"]["groups"][0]["rows"]] == ["", ""]
    assert seen["hosted"] == ["desk"]
    run["boards"][0]["facts"] = {**FACTS, "platform": "esp32"}
    assert overview(run)["answer"][0].startswith("KEY/P384: works with every board")


def test_only_wrong_refusals_look_wrong(make_run, make_result):
    """An expected refusal is not as red as a failure, in either table."""
    for verdict, style in (("pass", "refused"), ("known", "refused"), ("fail", "no")):
        run = make_run(
            make_result("key/p256"),
            make_result("key/p256", board="lab", **refusal(), verdict=verdict),
        )
        seen = overview(run)
        assert cells(seen["costs"]["rows"][0])[1]["style"] == style
        assert cells(seen["key_table"]["groups"][0]["rows"][0])[1]["style"] == style


def test_columns_of_a_board_are_summed_up_for_folding(make_run, make_result):
    """Both tables have a cell for all columns of a board: in how many a key connects, why not in the others, red only for a failure."""
    old = {"board": "desk@1.20"}
    run = make_run(
        make_result(board="desk@1.24", **timed(4)),
        make_result(board="lab"),
        make_result(**old, **timed(10)),
        make_result("key/rsa2048", board="desk@1.24", weak="no forward secrecy"),
        make_result("key/rsa2048", board="lab", unverified=True),
        make_result("key/rsa2048", **old, **refusal()),
        make_result("key/p384", board="desk@1.24", **refusal("A")),
        make_result("key/p384", board="lab"),
        make_result("key/p384", **old, **refusal("B"), verdict="fail"),
    )
    seen = overview(run)
    costs, keys = seen["costs"], seen["key_table"]
    for table in (costs, keys):
        assert [(board["name"], len(board["columns"])) for board in table["boards"]] == [("desk", 2), ("lab", 1)]
        assert [board["heads"] for board in table["boards"]] == [[], ["firmware 1.24.1"]]
        assert [column["heads"][:1] for column in table["boards"][0]["columns"]] == [["firmware 1.24.1"]] * 2
        assert table["columns"] == 3
    rows = {row["title"]: row["boards"] for row in costs["rows"]}
    assert [board["name"] for board in rows["KEY/P256"]] == ["desk", "lab"]
    folded = {title: boards[0]["folded"] for title, boards in rows.items()}
    assert (folded["KEY/P256"]["text"], folded["KEY/P256"]["details"]) == ("7.0 ms", ["4.0 to 10 ms"])
    rsa = folded["KEY/RSA2048"]
    assert (rsa["text"], rsa["style"], rsa["details"]) == (
        "1 of 2",
        "some",
        ["4.0 ms", "NO_SHARED_CIPHER", "weak: no forward secrecy"],
    )
    rows = {row["title"]: [board["folded"] for board in row["boards"]] for row in keys["groups"][0]["rows"]}
    said = {title: [(cell["word"], cell["count"], cell["style"]) for cell in cells] for title, cells in rows.items()}
    assert said == {
        "KEY/P256": [("all", "2 of 2", "yes"), ("all", "1 of 1", "yes")],
        "KEY/RSA2048": [("some", "1 of 2", "some"), ("all", "1 of 1", "yes")],
        "KEY/P384": [("none", "0 of 2", "no"), ("all", "1 of 1", "yes")],
    }
    assert [cell["details"] for cell in rows["KEY/RSA2048"]] == [
        ["NO_SHARED_CIPHER", "weak: no forward secrecy"],
        ["certificate not verified"],
    ]
    assert rows["KEY/P384"][0]["details"] == ["A", "B"]


def test_a_folded_key_that_is_refused_or_was_not_tried(make_run, make_result):
    """An expected refusal is not red, and a key that was not tried is not called refused."""
    lost = {"outcome": "not-run", "verdict": "unsupported", "reason": "no key", "observed": None}
    run = make_run(*(make_result(board=f"desk@{number}", **refusal()) for number in (1, 2)))
    assert overview(run)["key_table"]["groups"][0]["rows"][0]["boards"][0]["folded"]["style"] == "refused"
    run = make_run(*(make_result(board=f"desk@{number}", **lost) for number in (1, 2)))
    folded = overview(run)["key_table"]["groups"][0]["rows"][0]["boards"][0]["folded"]
    assert (folded["word"], folded["style"], folded["details"]) == ("unknown", "none", ["no key"])
