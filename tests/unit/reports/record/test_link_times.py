"""Tests of harness/reports/record/link_times.py: handshake times by network, of the same cases in each."""

from __future__ import annotations

from harness.reports.record.link_times import LinkTime, link_times
from harness.reports.record.result_types import Result

RESULT = {
    "board": "pico", "server": "in-process", "attempt": 1, "outcome": "connected", "verdict": "pass", "stage": None, "ended_by": None,
    "reason": None, "expected": None, "observed": None, "mismatches": [], "explanation": None,
    "memory_bytes": {"free_before": None, "free_low": None, "free_after": None}, "artifacts": {},
}  # fmt: skip


def result(case: str, time_ms: float | None, **words) -> Result:
    """Return a result of a case whose handshake took so long on the board."""
    timing = {"handshake_board": time_ms, "handshake_server": None, "case": None}
    return Result.of_json({**RESULT, "case": case, "timing_ms": timing, **words})


def test_only_cases_that_connected_in_every_network_count() -> None:
    """Else one network would have the quick handshakes and another the slow ones."""
    found = link_times(
        [
            result("key/a", 10.0),
            result("key/b", 20.04),
            result("key/c", 900.0),
            result("key/d", 900.0, outcome="refused", verdict="fail", reason="x"),
            result("key/a", 110.0, link="satellite"),
            result("key/b", 150.0, link="satellite"),
            result("key/b", 130.0, link="satellite", repeat=2),
            result("key/d", 100.0, link="satellite"),
            result("key/e", None, link="satellite"),
        ]
    )
    common = {"board": "pico", "server": "in-process"}
    assert found == [
        LinkTime(**common, link="none", sessions=2, median_ms=15.0, longest_ms=20.0),
        LinkTime(**common, link="satellite", sessions=3, median_ms=130.0, longest_ms=150.0),
    ]


def test_columns_are_apart() -> None:
    """Each board, firmware, client and server has rows of its own; one without another network has none."""
    found = link_times(
        [
            result("key/a", 1.0, link="stalls"),
            result("key/a", 2.0, link="stalls", client="asyncio"),
            result("key/a", 3.0, link="stalls", board="pico@1.28.0", firmware="1.28.0"),
            result("key/a", 4.0, link="stalls", server="python3.8.18"),
            result("key/a", 5.0, board="esp32"),
        ]
    )
    assert [(row.board, row.server, row.link, row.median_ms) for row in found] == [
        ("pico", "in-process", "stalls", 1.0),
        ("pico asyncio", "in-process", "stalls", 2.0),
        ("pico@1.28.0", "in-process", "stalls", 3.0),
        ("pico", "python3.8.18", "stalls", 4.0),
    ]


def test_nothing_to_compare() -> None:
    """A run with the network as it is has no table, nor one in which no case connected in both."""
    assert link_times([result("key/a", 1.0), result("key/b", 2.0)]) == []
    assert link_times([result("key/a", 1.0), result("key/b", 2.0, link="gprs")]) == []
    assert link_times([]) == []
