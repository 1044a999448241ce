"""The connections that a test of the user's own made, each with what was expected of it, as results for the run record.

Knows handshakes and expectations; writes evidence through `harness.run.artifacts`. Must not import pytest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.model import (
    Case,
    CaseResult,
    ClientPlan,
    Expectation,
    Explanation,
    Mismatch,
    Observation,
    ServerProfile,
    Subject,
    Tier,
    Verdict,
    VerdictWord,
)
from harness.run.artifacts import keep, with_packets
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake

#: The topic of the results, which no case of the list has.
TOPIC = "own"
NOTHING_EXPECTED = "no `expect` compared this connection; the test decides"


@dataclass(slots=True, eq=False)
class Connection:
    """One `board.connect`. `handshake` is None where a fault ended it, which `fault` names; `expected` is set by `expect`."""

    runner: CaseRunner
    server: ServerProfile
    plan: ClientPlan
    target: str = ""
    handshake: Handshake | None = None
    fault: str | None = None
    transcript: str = ""
    expected: Expectation | None = None
    mismatches: tuple[Mismatch, ...] = ()

    def case(self, name: str = "", *, title: str = "", description: str = "") -> Case:
        """Return the connection as a case that is not in the list."""
        return Case(
            id=f"{TOPIC}/{name}",
            title=f"{title}: {self.target}" if self.target else title,
            description=description,
            tier=Tier.SMOKE,
            server=self.server,
            client=self.plan,
            expect=self.expected,
            subject=Subject.NEGOTIATION,
        )

    def explanation(self) -> Explanation | None:
        """Return why it did not connect, with what to change; None for a session or a fault."""
        if self.handshake is None:
            return None
        return self.runner.explained(self.case(), self.handshake, expected=self.expected)

    def verdict(self, *, failed: str | None) -> Verdict:
        """Return the verdict: that of `expect`, else that of the test.

        Args:
            failed: the first line of the test's failure; None if it did not fail.
        """
        if self.fault is not None:
            return Verdict(word=VerdictWord.ERROR, reason=self.fault)
        if self.mismatches:
            names = ", ".join(item.field for item in self.mismatches)
            return Verdict(word=VerdictWord.FAIL, reason=f"not as expected: {names}", mismatches=self.mismatches)
        if self.expected is None and failed is not None:
            return Verdict(word=VerdictWord.FAIL, reason=f"the test failed: {failed}")
        return Verdict(word=VerdictWord.PASS, reason=NOTHING_EXPECTED if self.expected is None else None)


@dataclass(slots=True)
class Connections:
    """The connections since the last test ended."""

    made: list[Connection] = field(default_factory=list)

    def of(self, seen: Observation) -> Connection | None:
        """Return the connection that an observation is from; the object itself decides, not what it says."""
        return next((one for one in self.made if one.handshake is not None and one.handshake.observation is seen), None)

    def take(self) -> list[Connection]:
        """Return them, and begin anew."""
        taken, self.made = self.made, []
        return taken


def own_results(
    made: Sequence[Connection],
    *,
    test: str,
    description: str,
    failed: str | None,
    folder: Path | None,
    keep_wire: bool,
) -> list[tuple[Case, CaseResult]]:
    """Return a result for each connection of a test, with its evidence.

    Args:
        made: in the order of the test.
        test: the node id, without what names board and server.
        description: of the test.
        failed: the first line of the test's failure; None if it did not fail.
        folder: for captures and transcripts; None writes none.
        keep_wire: write them for results that pass, too.
    """
    found = []
    for number, one in enumerate(made, start=1):
        name = case_name(test) + (f"-{number}" if number > 1 else "")
        title = test if len(made) == 1 else f"{test}, connection {number}"
        case = one.case(name, title=title, description=description)
        verdict = one.verdict(failed=failed)
        result = CaseResult(
            board=one.runner.board.spec.label,
            server=one.runner.server_label,
            client=one.runner.client,
            link=one.runner.link_name,
            case=case.id,
            attempt=1,
            verdict=verdict,
            expected=one.expected,
            observation=one.handshake.observation if one.handshake is not None else None,
            explanation=one.explanation(),
            transcript=one.transcript,
        )
        if verdict.word is not VerdictWord.PASS or keep_wire:
            result = with_packets(result, one.handshake)
            if folder is not None:
                result, _lost = keep(result, one.handshake, folder=folder, case=case)
        found.append((case, result))
    return found


def case_name(test: str) -> str:
    """Return the second part of a case id: `test_mine.py::test_our_broker[ec]` -> `mine-our-broker-ec`."""
    path, _, rest = test.partition("::")
    words = [Path(path).stem.removeprefix("test_"), *(part.removeprefix("test_") for part in rest.split("::"))]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-") or "test"
