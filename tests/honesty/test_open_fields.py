"""What happened and is not compared with anything: the open fields of the full set, counted. The numbers may only shrink."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model import VerdictWord

TIERS = ("smoke", pytest.param("full", marks=[pytest.mark.slow, pytest.mark.timeout(900)]))
# Handshakes about something else than the negotiation, which therefore is not predicted; errors of which the port or a race decides
# the number; and what a program of other people raises when its server closes. With the packaged interpreter, python.org's Python and
# OpenSSL 3.0.
OPEN = {
    "smoke": {"suite": 5, "group": 5, "version": 1},
    "full": {"suite": 23, "group": 21, "version": 19, "client_number": 5, "client_type": 1, "client_flags": 1},
}


def open_fields(item):
    """Return the fields with a value that the expectation of a case leaves open."""
    seen, expected = item.observed, item.ruling.expected
    server, client = seen.server, seen.client
    values = {
        "stage": seen.stage,
        "ended_by": seen.ended_by,
        "server_type": server and server.type,
        "server_reason": server and server.reason,
        "verify_code": server and server.verify_code,
        "client_type": client and client.type,
        "client_number": client and client.number,
        "client_flags": client and client.flags,
        "alert": seen.fatal_alert(),
        "version": seen.negotiated.version,
        "suite": seen.negotiated.suite,
        "group": seen.negotiated.group,
    }
    return [name for name, value in values.items() if value is not None and getattr(expected, name) is None]


@pytest.mark.parametrize("tier", TIERS)
def test_open_fields_do_not_grow(judged_cases, tier):
    """Each value of each case that passed is compared, but for these."""
    passed = [item for item in judged_cases(tier) if item.ruling.verdict.word is VerdictWord.PASS]
    found = {item.case.id: names for item in passed if (names := open_fields(item))}
    counts = Counter(name for names in found.values() for name in names)
    print(f"{tier}: {counts.total()} open fields in {len(found)} of {len(passed)} cases: {dict(counts)}")
    assert len(passed) > 15
    assert {name: count for name, count in counts.items() if count > OPEN[tier].get(name, 0)} == {}, found


def test_the_number_in_the_documentation():
    """docs/faults.md gives the number of the full set."""
    text = (Path(__file__).parents[2] / "docs/faults.md").read_text(encoding="utf-8")
    assert f"leave {sum(OPEN['full'].values())} values open" in text


def test_an_open_field_counts(judged_cases):
    """A case that no longer compares what it compared is one more."""
    item = next(item for item in judged_cases("smoke") if item.case.id == "not-tls/http-400")
    assert open_fields(item) == []
    opened = replace(item.ruling, expected=replace(item.ruling.expected, client_number=None))
    assert open_fields(replace(item, ruling=opened)) == ["client_number"]
