"""How rules are declared and asked."""

import pytest

from harness.explain.registry import rule, told
from harness.model import Fix


def test_a_rule_of_another_topic():
    """The id's topic is the file's name."""
    with pytest.raises(ValueError, match="ciphers/x: declared twice, or not in its topic's file"):
        rule("ciphers/x")(lambda evidence: None)


def test_discouraged_fixes_come_last():
    """The order is kept, but what is discouraged goes behind the rest."""
    said = told("t", fixes=(Fix(title="a", discouraged=True), Fix(title="b"), Fix(title="c")))
    assert [fix.title for fix in said.fixes] == ["b", "c", "a"]
