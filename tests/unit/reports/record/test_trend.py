"""What cells did over many runs: the order of time, flips, turns, and measures that went somewhere."""

import pytest

from harness.model import VerdictWord
from harness.reports.record.trend import Replaced, Turn, Way, measure

PASS, FAIL, ERROR = VerdictWord.PASS, VerdictWord.FAIL, VerdictWord.ERROR


def history(cell, runs):
    """The letters of a cell."""
    return "".join(letter for letter, _time, _heap in cell.series(runs))


def test_runs_are_sorted_by_time(a_run, trend_of):
    """Records may come in any order; a run without the cell is a gap."""
    nights = [
        a_run(3, a_run.result("t/a", "fail", ms=7.0, heap=900)),
        a_run(1, a_run.result("t/a", ms=5.0, heap=1000)),
        a_run(2, a_run.result("t/b")),
    ]
    trend = trend_of(*nights)
    first = trend.cells[0]
    assert [run.file for run in trend.runs] == ["1.json", "2.json", "0.json"]
    assert list(first.series(3)) == [("p", 5.0, 1000), (".", None, None), ("f", 7.0, 900)]
    assert (first.latest, first.verdicts) == (FAIL, {PASS: 1, FAIL: 1})
    assert [run.results for run in trend.runs] == [{PASS: 1}, {PASS: 1}, {FAIL: 1}]


def test_a_run_counts_once(a_run, trend_of):
    """The same run in two files is left out, with a note."""
    night = a_run(1, a_run.result("t/a"))
    trend = trend_of(night, night)
    assert (len(trend.runs), history(trend.cells[0], 1)) == (1, "p")
    assert trend.notes == ("1.json: left out, the same run as in 0.json",)


def test_a_merged_record_is_its_runs(a_run, trend_of):
    """Each result belongs to the run that it came from, and a run that was merged and given alone counts once."""
    one, other = a_run(1, a_run.result("t/a")), a_run(2, a_run.result("t/a", "fail"))
    sources = [
        {
            "id": run.run.id, "file": f"{run.run.id}.json", "run": run.run.as_json(), "host": run.host.as_json(), "results": 1,
            "boards": {}, "servers": {},
        }
        for run in (one, other)
    ]  # fmt: skip
    both = [a_run.result("t/a", source="id-1"), a_run.result("t/a", "fail", source="id-2")]
    trend = trend_of(a_run(9, *both, sources=sources), other)
    assert [run.started[:10] for run in trend.runs] == ["2026-03-01", "2026-03-02"]
    assert history(trend.cells[0], 2) == "pf"
    assert trend.notes == ("1.json: left out, the same run as in 0.json",)


def test_attempts_of_one_run(a_run, trend_of):
    """The worst verdict counts; if the attempts disagree, the letter is upper case and the cell flaky. Times are medians, heaps minima."""
    results = [
        a_run.result("t/a", word, ms=ms, heap=heap, repeat=number)
        for number, (word, ms, heap) in enumerate((("pass", 5.0, 30), ("fail", 9.0, 10), ("pass", 6.0, 20)), 1)
    ]
    trend = trend_of(a_run(1, *results))
    (cell,) = trend.cells
    assert trend.runs[0].results == {FAIL: 1}
    assert list(cell.series(1)) == [("F", 6.0, 10)]
    assert (cell.mixed, cell.flips, cell.flaky) == (1, 0, True)


@pytest.mark.parametrize(
    ("words", "flips", "flaky", "turn"),
    [
        ("pass pass pass", 0, False, None),
        ("pass fail fail", 1, False, Turn(run=1, before=PASS, after=FAIL)),
        ("pass fail pass", 2, True, Turn(run=2, before=FAIL, after=PASS)),
        # A fault of board or line is no statement about TLS.
        ("pass error pass", 0, False, None),
        ("pass error fail", 1, False, Turn(run=2, before=PASS, after=FAIL)),
    ],
)
def test_flips(a_run, trend_of, words, flips, flaky, turn):
    """A cell that changes twice with the same firmware and server is flaky."""
    (cell,) = trend_of(*(a_run(night, a_run.result("t/a", word)) for night, word in enumerate(words.split(), 1))).cells
    assert (cell.flips, cell.flaky, cell.turn) == (flips, flaky, turn)


def test_what_was_replaced(a_run, trend_of):
    """A change together with other firmware or another server is no flip, and says what changed with it."""
    trend = trend_of(
        a_run(1, a_run.result("t/a")),
        a_run(2, a_run.result("t/a", "fail"), firmware="1.29"),
        a_run(3, a_run.result("t/a"), firmware="1.29", python="3.13.1"),
    )
    (cell,) = trend.cells
    servers = ("Python 3.11.7, OpenSSL 3.0.1", "Python 3.13.1, OpenSSL 3.0.1")
    assert (cell.flips, cell.flaky) == (0, False)
    assert cell.turn == Turn(run=2, before=FAIL, after=PASS, replaced=" -> ".join(servers))
    assert trend.replaced == (
        Replaced(run=1, name="lab-1", before="1.28", after="1.29"),
        Replaced(run=2, name="server s", before=servers[0], after=servers[1]),
    )


def test_a_board_without_firmware_text_was_not_replaced(a_run, trend_of):
    """A board that could not be opened has no firmware: that is not another firmware."""
    nights = [
        a_run(night, a_run.result("t/a"), firmware=firmware) for night, firmware in enumerate(("1.28", None, "1.28"), 1)
    ]
    assert trend_of(*nights).replaced == ()


def test_axes_are_columns(a_run, trend_of):
    """Another firmware, client or network of one board is another cell."""
    results = [
        a_run.result("t/a"),
        a_run.result("t/a", "fail", board="lab-1@1.29", firmware="1.29"),
        a_run.result("t/a", client="asyncio", link="slow"),
    ]
    trend = trend_of(a_run(1, *results))
    assert [cell.board for cell in trend.cells] == ["lab-1", "lab-1@1.29", "lab-1 asyncio slow"]


@pytest.mark.parametrize(
    ("earlier", "recent", "way"),
    [
        ([10.0] * 15, [12.5] * 5, Way.WORSE),
        ([10.0] * 15, [12.4] * 5, Way.STEADY),
        ([10.0] * 15, [8.0] * 5, Way.BETTER),
        ([10.0] * 15, [8.1] * 5, Way.STEADY),
        # The middle halves overlap: a noisy machine.
        ([10.0, 30.0, 10.0, 30.0, 10.0], [30.0, 10.0, 30.0, 10.0, 30.0], Way.STEADY),
        ([30.0, 10.0, 30.0, 10.0, 30.0], [10.0, 30.0, 10.0, 30.0, 10.0], Way.STEADY),
        ([10.0] * 4, [20.0] * 5, Way.STEADY),
        ([10.0] * 5, [20.0] * 5, Way.WORSE),
    ],
)
def test_times_that_went_somewhere(earlier, recent, way):
    """At least a quarter more, over at least ten runs, and not within the spread."""
    found = measure(earlier + recent, factor=1.25)
    assert found.way is way
    assert (found.runs, found.min, found.max) == (len(earlier + recent), min(earlier + recent), max(earlier + recent))


def test_less_heap_is_worse():
    """Of a measure with a factor below 1 less is worse."""
    assert measure([100.0] * 10 + [90.0] * 5, factor=0.9).way is Way.WORSE
    assert measure([100.0] * 10 + [91.0] * 5, factor=0.9).way is Way.STEADY
    assert measure([100.0] * 10 + [120.0] * 5, factor=0.9).way is Way.BETTER
    assert measure([], factor=0.9) is None


def test_the_recent_runs_are_the_last_quarter():
    """Of many runs a quarter is recent, of few the last five."""
    many = measure([float(value) for value in range(100)], factor=1.25)
    assert (many.earlier, many.recent, many.latest) == (37.0, 87.0, 99.0)
    few = measure([1.0] * 7 + [2.0] * 5, factor=1.25)
    assert (few.earlier, few.recent) == (1.0, 2.0)


@pytest.mark.parametrize("heap", [-5, 1 << 80])
def test_impossible_heaps(a_run, trend_of, heap):
    """A record may contain any number."""
    (cell,) = trend_of(a_run(1, a_run.result("t/a", heap=heap))).cells
    assert list(cell.series(1)) == [("p", None, None if heap < 0 else (1 << 63) - 1)]


def test_times_that_cannot_be_read(a_run, trend_of):
    """A run whose start cannot be read comes first; one without a time zone is taken as UTC."""
    odd = [a_run(night, a_run.result("t/a", word)) for night, word in ((1, "pass"), (2, "fail"), (3, "known"))]
    starts = ("2026-03-02T00:00:00", "yesterday", "2026-03-01T23:00:00+00:00")
    about = [{**run.as_json()["run"], "started": start} for run, start in zip(odd, starts, strict=True)]
    runs = [type(run).of_json({**run.as_json(), "run": info}) for run, info in zip(odd, about, strict=True)]
    (cell,) = trend_of(*runs).cells
    assert history(cell, 3) == "fkp"
