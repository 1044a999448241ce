"""Explaining a result: one rule for each, the fallback, and every listed case that does not connect."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import harness.explain
from harness.cases import select
from harness.explain import NO_RULE, TOPICS, candidates, explain
from harness.explain.evidence import Evidence
from harness.explain.registry import names
from harness.model import BoardInfo, ClientFailure, Observation, Outcome, Side, Stage

# Hundreds of combinations of the same four causes, and intentionally slow cases.
LEFT_OUT = ("pairs/", "timing/slow", "suite/rare-", "fragments/slow")
# Shared modules, not topics.
SHARED = {
    "catalogue",
    "chain_evidence",
    "chain_fixes",
    "chain_sentences",
    "client_lines",
    "evidence",
    "faults",
    "fixes",
    "no_shared_cipher",
    "other_servers",
    "recipe_kinds",
    "registry",
    "server_lines",
    "shown",
    "switching",
}
STRANGE = Observation(
    outcome=Outcome.REFUSED,
    stage=Stage.HANDSHAKE,
    ended_by=Side.CLIENT,
    server=None,
    client=ClientFailure(type="OSError", args=(-4711,), number=-4711, flags=None, name=None, stage=Stage.HANDSHAKE),
)


def test_no_rule():
    """A result without a rule says so and shows the evidence."""
    said = explain(Evidence(select("smoke")[0], STRANGE, BoardInfo()))
    assert (said.rule, said.title) == (NO_RULE, "the cause of this result is not known; this is the evidence")
    assert [fix.title for fix in said.fixes] == ["try the server with another client, and read its log"]
    assert "client: OSError(-4711)" in said.why


def test_a_known_difference_is_the_reason(plain_hello):
    """Without a rule, the table of differences may know why this firmware behaves so; then nobody looks for a cause."""
    case = dataclasses.replace(select("smoke")[0], id="cert/ip-san-match")
    said = explain(Evidence(case, STRANGE, BoardInfo(tls_library="mbedTLS", hello=plain_hello)))
    assert (said.rule, said.title, said.fixes) == (
        NO_RULE,
        "on this firmware: this version does not read IP addresses in the subjectAltName",
        (),
    )


@pytest.mark.parametrize(
    ("outcome", "stage"), [(Outcome.HUNG, None), (Outcome.NOT_RUN, None), (Outcome.REFUSED, Stage.CONFIG)]
)
def test_a_result_without_facts(outcome, stage):
    """A result with almost no facts gets an explanation, never an exception."""
    seen = dataclasses.replace(STRANGE, outcome=outcome, stage=stage, client=None, ended_by=None)
    assert explain(Evidence(select("smoke")[0], seen, BoardInfo())).title


def test_every_topic_is_loaded():
    """A topic file that is not in TOPICS would never be loaded."""
    found = {item.name for item in pkgutil.iter_modules(harness.explain.__path__)}
    assert found - SHARED == set(TOPICS)
    for topic in TOPICS:
        importlib.import_module(f"harness.explain.{topic}")
    assert {name.partition("/")[0].replace("-", "_") for name in names()} == set(TOPICS)


def test_every_rule_has_its_stored_text():
    """What each rule says is stored, from a test of its topic (tests/unit/explain); a text of no rule is deleted."""
    explain(Evidence(select("smoke")[0], STRANGE, BoardInfo()))
    stored = {path.stem for path in (Path(__file__).parent / "explain" / "texts").iterdir()}
    assert stored == {name.replace("/", ".") for name in names()}


def test_rules_are_asked_in_the_order_of_topics_and_files():
    """Lack of memory comes before the message's own meaning, link errors come last; within a topic, rules keep the order of the file."""
    explain(Evidence(select("smoke")[0], STRANGE, BoardInfo()))
    declared = [
        name
        for topic in TOPICS
        for name in re.findall(
            r'^@rule\("(.+)"\)$', inspect.getsource(importlib.import_module(f"harness.explain.{topic}")), re.MULTILINE
        )
    ]
    assert list(names()) == declared
    assert (TOPICS[0], TOPICS[1], TOPICS[-2], TOPICS[-1]) == ("memory", "link", "peer", "closing")


@pytest.mark.slow
def test_one_rule_fits_every_case(lab, spec):
    """Exactly one rule fits each case that does not connect here, and it is the one in the result."""
    runner = lab.runner(spec, "in-process")
    wrong = []
    for case in select("full"):
        if case.id.startswith(LEFT_OUT):
            continue
        result = runner.run(case)
        if result.observation is None or result.observation.outcome is Outcome.CONNECTED:
            assert result.explanation is None, case.id
            continue
        tried = runner.last
        known = {"wire": tried.wire, "authorities": tried.authorities, "expected": result.expected}
        found = candidates(Evidence(case, tried.observation, runner.board.info, **known))
        if [item.rule for item in found] != [result.explanation.rule]:
            wrong.append((case.id, [item.rule for item in found], result.explanation.rule))
    assert wrong == []
