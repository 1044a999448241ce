"""A trend as text: what is worth a look, and nothing else."""

from harness.reports.text.trend_text import LISTED, flaky, headline, trend_text, turned


def nights(a_run, *, count=12, cases=1):
    """Runs with a flaky cell, one that changed with the firmware, one that became slower and leaves less heap, and one that is steady."""
    for night in range(1, count + 1):
        late = night > 6
        yield a_run(
            night,
            *(a_run.result(f"flaky/{case}", "fail" if night % 4 == 0 else "pass") for case in range(cases)),
            a_run.result("t/turned", "fail" if late else "pass"),
            a_run.result("t/slower", ms=8.0 if late else 5.0, heap=50_000 if late else 90_000),
            a_run.result("t/steady", ms=5.0, heap=50_000),
            firmware="1.29" if late else "1.28",
        )


def test_the_summary(a_run, trend_of):
    """Sections in the order of what to do first; steady cells are not listed."""
    assert trend_text(trend_of(*nights(a_run))) == (
        "12 runs, 2026-03-01 to 2026-03-12; 4 cells: 2 failing now, 1 flaky, 1 slower, 1 with less free heap\n"
        "\nreplaced between runs (1)\n"
        "  2026-03-07T01:00 lab-1: 1.28 -> 1.29\n"
        "\nflaky (1)\n"
        "  lab-1 s flaky/0: fail 3, pass 9; 5 changes\n"
        "\nchanged (1)\n"
        "  2026-03-07T01:00 lab-1 s t/turned: pass -> fail (with 1.28 -> 1.29)\n"
        "\nslower (1)\n"
        "  lab-1 s t/slower: 5.0 ms -> 8.0 ms (5.0 ms to 8.0 ms)\n"
        "\nless free heap (1)\n"
        "  lab-1 s t/slower: 90.0 kB -> 50.0 kB (50.0 kB to 90.0 kB)\n"
    )


def test_a_steady_trend(a_run, trend_of):
    """One line if nothing happened; a change without another firmware says so."""
    steady = trend_of(a_run(1, a_run.result("t/a")))
    assert trend_text(steady) == headline(steady) + "\n"
    assert headline(steady) == (
        "1 run, 2026-03-01 to 2026-03-01; 1 cell: 0 failing now, 0 flaky, 0 slower, 0 with less free heap"
    )
    changed = trend_of(a_run(1, a_run.result("t/a")), a_run(2, a_run.result("t/a", "fail")))
    assert trend_text(changed).endswith("2026-03-02T01:00 lab-1 s t/a: pass -> fail (same firmware and server)\n")


def test_long_lists_are_counted(a_run, trend_of):
    """As many as fit on a screen, the most unsteady first."""
    lines = trend_text(trend_of(*nights(a_run, cases=LISTED + 3))).splitlines()
    assert f"flaky ({LISTED + 3})" in lines
    assert "  ... and 3 more" in lines
    assert sum(line.startswith("  lab-1 s flaky/") for line in lines) == LISTED


def test_texts_of_boards_are_plain(a_run, trend_of):
    """A board's firmware text cannot write to the terminal."""
    runs = [a_run(night, a_run.result("t/a"), firmware=text) for night, text in ((1, "1.28"), (2, "\x1b[31mred\n"))]
    assert "lab-1: 1.28 -> \\x1b[31mred\n" in trend_text(trend_of(*runs))


def test_runs_that_disagree_with_themselves(a_run, trend_of):
    """Repeats of one run with different verdicts are counted."""
    results = [a_run.result("t/a", word, repeat=at) for at, word in enumerate(("pass", "fail"), 1)]
    assert trend_text(trend_of(a_run(1, *results))).endswith(
        "lab-1 s t/a: fail 1; 0 changes, 1 run with different verdicts\n"
    )


def test_the_order_of_lists(a_run, trend_of):
    """The most unsteady cell first; the newest change first, and of one run the worst."""
    words = {
        "t/twice": "pass fail pass pass pass",
        "t/often": "pass fail pass fail pass",
        "t/early": "pass fail fail fail fail",
        "t/late": "fail fail fail pass pass",
        "t/worse": "pass pass pass fail fail",
    }
    nights = zip(*(text.split() for text in words.values()), strict=True)
    trend = trend_of(
        *(
            a_run(night, *(a_run.result(case, word) for case, word in zip(words, row, strict=True)))
            for night, row in enumerate(nights, 1)
        )
    )
    assert [cell.case for cell in flaky(trend)] == ["t/often", "t/twice"]
    assert [cell.case for cell in turned(trend)] == ["t/worse", "t/late", "t/early"]


def test_what_is_failing_now(a_run, trend_of):
    """As the exit code counts: known deviations and unsupported cases do not fail a run."""
    words = ("pass", "known", "unsupported", "fail", "insecure", "error")
    trend = trend_of(a_run(1, *(a_run.result(f"t/{word}", word) for word in words)))
    assert ": 3 failing now, " in headline(trend)
