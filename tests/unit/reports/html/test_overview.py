"""The first screen: counts, boards with problems, changes, heap, and the key table."""

from __future__ import annotations

from harness.reports.html.overview import changes, heap_line, kilobytes, overview, problems


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
    view = overview(make_run(make_result("ver/x")))
    assert view["answer"] == ["This run has no case of a server key, so it cannot say which one to use."]
    assert view["key_table"] is None


def test_the_key_table_says_each_cell_in_a_sign_and_a_word(make_run, make_result):
    """Sign, word, version and cost; where the results are; what is not as expected is marked."""
    refused = {"outcome": "refused", "seen": {"server": {"type": "SSLError", "reason": "NO_SHARED_CIPHER"}}}
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
    good, bad = best["cells"]
    assert (good["sign"], good["word"], good["detail"], good["at"]) == ("✓", "connects", "TLS 1.2 · 4.0 ms", "0,0,0")
    assert (bad["sign"], bad["word"], bad["detail"], bad["at"]) == ("✕", "refused", "NO_SHARED_CIPHER", "1,0,0")
    assert (good["verdict"], bad["verdict"]) == ("", "fail")
    assert good["name"] == "KEY/P256, board desk, server py: connects"
    assert others["rows"][0]["cells"][0]["word"] == "unsupported"
    assert table["boards"][0]["servers"] == [["Python 3.11.7", "OpenSSL 3.0.19"]]


def test_boards_with_problems_worst_first(make_run, make_result):
    """A board that only has a note stands behind one with failures; one without either is not listed."""
    run = make_run(
        make_result(board="noted"), make_result(board="bad", verdict="fail"), make_result(board="fine"), make_result()
    )
    run["boards"][0]["notes"] = ["no clock"]
    run["boards"][3]["error"] = "no prompt"
    assert problems(run) == [
        {"board": "bad", "lines": ["results: 1 fail"], "bad": True},
        {"board": "desk", "lines": ["no prompt"], "bad": True},
        {"board": "noted", "lines": ["no clock"], "bad": False},
    ]


def test_changes_are_counted_and_regressions_come_first(make_run, make_result):
    """Six kinds, never merged; without a baseline there is nothing to say."""
    assert changes(make_run(make_result())) is None
    rows = [{"kind": "fixed", "case": "a"}, {"kind": "new failure", "case": "b"}, *[{"kind": "gone", "case": "c"}] * 60]
    found = changes(make_run(make_result(), changes=rows))
    assert found is not None
    assert found["counts"] == [("new failure", 1), ("gone", 60), ("fixed", 1)]
    assert found["rows"][0]["case"] == "b"
    assert (len(found["rows"]), found["more"]) == (50, 12)


def test_heap_is_only_what_was_measured(make_run, make_result):
    """Before, the low-water mark if the port keeps one, and what a session does not give back."""
    assert heap_line(make_run(make_result()), "desk") == (
        "desk: 90.0 kB free before a handshake, no low-water mark kept by this port, 2.0 kB not given back after it"
    )
    low = make_result(memory_bytes={"free_before": 90000, "free_low": 41500, "free_after": 90100})
    assert heap_line(make_run(low), "desk").endswith("lowest during the run 41.5 kB, 0 B not given back after it")
    assert heap_line(make_run(make_result(outcome="refused")), "desk") == "desk: not measured"


def test_sizes():
    """Bytes, kilobytes, megabytes."""
    assert [kilobytes(value) for value in (999, 16700, 2054016)] == ["999 B", "16.7 kB", "2.1 MB"]
