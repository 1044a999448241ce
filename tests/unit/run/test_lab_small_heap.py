"""The smallest board that can run cases: an ESP8266 has 26 KB of heap free when its agent runs from RAM.

A 64-bit interpreter stands for it with twice the heap: its objects and pointers take twice as much, its text takes the same.
"""

from dataclasses import replace

import pytest

from harness.boards.agent import deployment
from harness.cases import all_cases
from harness.model import BoardSettings, Tier, VerdictWord

FREE_BYTES = 26 * 1024
# What stays for a TLS session: axTLS has records of 5 KB in and 1 KB out (ports/esp8266/Makefile).
LEFT_BYTES = 14 * 1024
LEFT_PIECE_BYTES = 7 * 1024


@pytest.fixture
def runner(new_lab, spec, monkeypatch):
    """A board with that heap, whose agent runs from RAM."""

    def into_ram(console, **_facts):
        deployment.load_into_ram(console)
        return "the agent runs from RAM"

    monkeypatch.setattr(deployment, "load_part", into_ram)
    small = replace(spec, settings=BoardSettings(heap_bytes=2 * FREE_BYTES))
    return new_lab(boards=(small,)).runner(small, "in-process")


def test_f5_an_esp8266_runs_the_agent_from_ram(runner):
    """The probe is complete, and half of the heap is left, much of it in one piece."""
    info = runner.board.info
    assert info.heap_free_bytes < 2 * FREE_BYTES
    assert info.has_tls
    memory = runner.board.memory()
    assert memory.free > 2 * LEFT_BYTES
    assert memory.largest > 2 * LEFT_PIECE_BYTES


@pytest.mark.slow
def test_f5_smoke_on_an_esp8266(runner):
    """Each case of the set passes, one after another on the same heap."""
    smoke = [case for case in all_cases() if case.tier is Tier.SMOKE]
    found = {case.id: runner.run(case).verdict for case in smoke}
    assert {name: verdict for name, verdict in found.items() if verdict.word is not VerdictWord.PASS} == {}
    assert len(found) == 21
