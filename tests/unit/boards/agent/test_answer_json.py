"""JSON of a board: what two readers might read differently is refused."""

import pytest

from harness.boards.agent.answer_json import strict_json


def test_json():
    """Values as json gives them."""
    assert strict_json('{"a": [1, null, {"b": "c"}], "d": 1.5}') == {"a": [1, None, {"b": "c"}], "d": 1.5}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"n": 1, "n": 2}', "duplicate key"),
        ('{"a": {"n": 1, "n": 1}}', "duplicate key"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("{", "Expecting property name enclosed in double quotes"),
    ],
)
def test_refused(text, why):
    """Each with its reason."""
    with pytest.raises(ValueError, match=f"^{why}$"):
        strict_json(text)
