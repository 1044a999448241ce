"""The types of a result: what is written, what is accepted, and what contradicts itself."""

import json
from pathlib import Path

import msgspec
import pytest

from harness.model import VerdictWord
from harness.reports.record.result_types import Entry, Result, always, broken_rule

DATA = json.loads((Path(__file__).parent / "data" / "run-1.json").read_text(encoding="ascii"))
RESULT = DATA["results"][0]


class Sample(Entry, frozen=True, kw_only=True):
    """An entry with every kind of key."""

    needed: int
    written: str | None = always(None)
    optional: str | None = None


def test_which_keys_are_written():
    """A key with a plain default is written only if it has another value; one with `always` in any case."""
    assert Sample(needed=1).as_json() == {"needed": 1, "written": None}
    assert Sample(needed=1, optional="x").as_json() == {"needed": 1, "written": None, "optional": "x"}


def test_which_keys_are_read():
    """Keys with a default may be missing, unknown keys are ignored, and other keys must be present."""
    assert Sample.of_json({"needed": 1, "new": [2]}) == Sample(needed=1)
    with pytest.raises(msgspec.ValidationError, match=r"^Object missing required field `needed`$"):
        Sample.of_json({})


def test_there_and_back():
    """Nothing is lost between a result and its JSON."""
    result = Result.of_json(RESULT)
    assert json.loads(json.dumps(result.as_json())) == RESULT
    assert Result.of_json(result.as_json()) == result


def test_the_fatal_alert():
    """The first fatal alert ended the connection; warnings did not."""
    alerts = [
        {"from": "client", "level": level, "code": code, "name": "n"}
        for level, code in (("warning", 90), ("fatal", 48), ("fatal", 40))
    ]
    result = Result.of_json({**RESULT, "observed": {**RESULT["observed"], "alerts": alerts}})
    assert result.observed.fatal_alert.code == 48
    quiet = Result.of_json({**RESULT, "observed": {**RESULT["observed"], "alerts": alerts[:1]}})
    assert quiet.observed.fatal_alert is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, ""),
        ({"observed": None}, "observed must not be null where outcome is refused"),
        ({"observed": None, "outcome": "not-run"}, ""),
        ({"verdict": "error", "reason": None}, "reason must not be null where verdict is error"),
        ({"verdict": "unsupported", "reason": None}, "reason must not be null where verdict is unsupported"),
        ({"verdict": "fail", "reason": None}, "reason must not be null where verdict is fail"),
        ({"verdict": "known", "reason": None}, ""),
        ({"expected": None}, "expected must not be null where verdict is pass"),
        (
            {"mismatches": [{"field": "f", "expected": "a", "observed": "b"}]},
            "mismatches must be empty where verdict is pass",
        ),
    ],
)
def test_results_that_contradict_themselves(change, text):
    """Some outcomes and verdicts need a value, and a pass has no mismatch."""
    assert RESULT["verdict"] == VerdictWord.PASS
    assert broken_rule(Result.of_json({**RESULT, **change})) == text
