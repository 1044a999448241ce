"""A case that runs out of memory on the board."""

import dataclasses
import re

import pytest

from harness.cases import find_case
from harness.model import ClientApi, ClientFailure, Outcome, Side, Stage, VerdictWord


@pytest.mark.parametrize(
    ("kind", "number", "stage"),
    [("OSError", 12, Stage.HANDSHAKE), ("OSError", -32512, Stage.HANDSHAKE), ("MemoryError", None, Stage.WRITE)],
)
def test_f12_rb09_a_case_without_enough_memory(lab, spec, monkeypatch, kind, number, stage):
    """It says nothing about TLS: `unsupported`, with what was free; also where the agent's own buffer found no room."""
    runner = lab.runner(spec, "in-process")
    attempt = runner.handshakes.attempt
    failure = ClientFailure(type=kind, args=(), number=number, flags=None, name=None, stage=stage)
    refused = {"outcome": Outcome.REFUSED, "stage": stage, "ended_by": Side.CLIENT, "client": failure}

    def short_of_memory(profile, plan, *, api=ClientApi.SOCKET, within=None):
        done = attempt(profile, plan, api=api, within=within)
        return dataclasses.replace(done, observation=dataclasses.replace(done.observation, **refused))

    monkeypatch.setattr(runner.handshakes, "attempt", short_of_memory)
    verdict = runner.run(find_case("seed/ecdsa-key-connects")).verdict
    assert verdict.word is VerdictWord.UNSUPPORTED
    needs = r"a TLS session needs 28 to 36 KB, 16\.7 KB of it in one piece"
    assert re.fullmatch(rf"too little memory: \d+ bytes of heap free, \d+ bytes in one piece; {needs}", verdict.reason)
