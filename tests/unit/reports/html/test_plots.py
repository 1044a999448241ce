"""The geometry of the bars."""

from __future__ import annotations

from harness.reports.html.plots import WIDTH
from harness.reports.html.plots import plots as plots_of
from harness.reports.record.run_types import RunRecord


def plots(run):
    """Return the panels of a record in JSON."""
    return plots_of(RunRecord.of_json(run))


def test_a_bar_is_as_long_as_its_median(make_run, make_result):
    """The longest value fills the width; a line shows the spread if there is one; the words have all of it."""

    def timed(case: str, ms: float):
        return make_result(case, timing_ms={"handshake_board": ms, "handshake_server": ms, "case": ms})

    key, suite = plots(make_run(timed("key/p256", 10), timed("key/rsa2048", 2), timed("key/rsa2048", 4)))
    assert (key["title"], key["board"]) == ("Handshake by server key", "desk")
    quick, slow = key["bars"]
    assert (quick["label"], quick["value"], quick["width"], quick["spread"]) == (
        "KEY/RSA2048", "3.0 ms", WIDTH * 0.3, True,
    )  # fmt: skip
    assert (quick["low"], quick["high"]) == (WIDTH * 0.2, WIDTH * 0.4)
    assert quick["words"] == "KEY/RSA2048: 3.0 ms (2.0 ms to 4.0 ms, n = 2)"
    assert (slow["value"], slow["width"], slow["spread"]) == ("10 ms", WIDTH, False)
    assert slow["words"] == "KEY/P256: 10 ms"
    assert [bar["label"] for bar in suite["bars"]] == ["TLS_RSA_WITH_AES_128_CBC_SHA"]


def test_heap_is_drawn_where_it_differs(make_run, make_result):
    """Equal bars are not drawn; a low-water mark that depends on the key is."""

    def low(case: str, value: int | None, before: int = 90000):
        return make_result(case, memory_bytes={"free_before": before, "free_low": value, "free_after": 90000})

    found = plots(make_run(low("key/p256", 60000), low("key/rsa4096", 51000)))[-2]
    assert found["title"] == "Lowest free heap by server key"
    assert found["board"] == "desk"
    assert [(bar["label"], bar["value"]) for bar in found["bars"]] == [
        ("KEY/RSA4096", "51.0 kB"),
        ("KEY/P256", "60.0 kB"),
    ]
    assert len(plots(make_run(make_result(), make_result("key/rsa2048")))) == 2
    for lower, panels in ((98_000, 2), (97_999, 4)):  # two per cent are no difference
        assert len(plots(make_run(low("key/p256", 100_000), low("key/rsa4096", lower)))) == panels
    unmarked = plots(make_run(low("key/p256", None, 50_000), low("key/rsa4096", None, 95_000)))[-2]
    assert [bar["value"] for bar in unmarked["bars"]] == ["50.0 kB", "90.0 kB"]  # the smaller of before and after


def test_heap_that_sessions_hold_is_drawn_by_key_and_suite(make_run, make_result):
    """It is measured inside a session, per board, and drawn even if all values are alike."""

    def held(case: str, value: int, **more):
        memory = {"free_before": 90000, "free_low": None, "free_after": 90000, "held": value}
        return make_result(case, memory_bytes=memory, **more)

    found = plots(make_run(held("key/p256", 25200), held("key/rsa4096", 26000), make_result(board="lab")))
    panels = {(item["title"], item["board"]): item["bars"] for item in found}
    assert [(bar["label"], bar["value"]) for bar in panels["Heap held by a session by server key", "desk"]] == [
        ("KEY/P256", "25.2 kB"),
        ("KEY/RSA4096", "26.0 kB"),
    ]
    (bar,) = panels["Heap held by a session by suite", "desk"]
    assert bar["words"] == "TLS_RSA_WITH_AES_128_CBC_SHA: 25.6 kB (25.2 kB to 26.0 kB, n = 2)"
    assert not [title for title, board in panels if board == "lab" and "eap" in title]


def test_refusals_are_not_drawn(make_run, make_result):
    """A refusal has no handshake time."""
    assert plots(make_run(make_result(outcome="refused"))) == []
