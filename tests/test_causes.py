"""The catalogue of causes and the rules of harness/explain have the same ids."""

import harness.explain
from harness.explain.catalogue.causes import find_cause
from harness.explain.registry import names


def test_every_rule_is_a_cause():
    """A new rule needs its entry, with the rule's id, in its topic's file of harness/explain/catalogue/causes."""
    harness.explain._load()
    assert [name for name in names() if find_cause(name) is None] == []
