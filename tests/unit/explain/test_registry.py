"""Declaring and applying rules."""

import pytest

from harness.explain.evidence import Evidence
from harness.explain.registry import first, fitting, rule, told
from harness.model import Fix


def test_a_rule_of_another_topic():
    """A rule's topic must be the name of its file."""
    with pytest.raises(ValueError, match="ciphers/x: declared twice, or not in its topic's file"):
        rule("ciphers/x")(lambda evidence: None)


def test_discouraged_fixes_come_last():
    """Fixes keep their order, but discouraged ones come last."""
    said = told("t", fixes=(Fix(title="a", discouraged=True), Fix(title="b"), Fix(title="c")))
    assert [fix.title for fix in said.fixes] == ["b", "c", "a"]


def test_the_first_rule_that_fits_explains(made, monkeypatch):
    """Rules are tried in the order of declaration; the explanation has the id of its rule."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    for name, title in (("a", None), ("b", "second"), ("c", "third")):
        rule(f"test-registry/{name}")(lambda evidence, title=title: told(title) if title else None)
    result = made("OSError", -1)
    evidence = Evidence(result.case, result.seen, result.info)
    said = first(evidence)
    assert (said.rule, said.title) == ("test-registry/b", "second")
    assert [item.rule for item in fitting(evidence)] == ["test-registry/b", "test-registry/c"]


def test_no_rule_that_fits(made, monkeypatch):
    """Without a matching rule there is no explanation."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    result = made("OSError", -1)
    evidence = Evidence(result.case, result.seen, result.info)
    assert (first(evidence), fitting(evidence)) == (None, ())


def test_an_id_is_declared_once(monkeypatch):
    """A second rule with the same id is refused."""
    monkeypatch.setattr("harness.explain.registry._RULES", {})
    rule("test-registry/a")(lambda evidence: None)
    with pytest.raises(ValueError, match="test-registry/a: declared twice"):
        rule("test-registry/a")(lambda evidence: None)
