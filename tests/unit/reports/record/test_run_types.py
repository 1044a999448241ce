"""The types of the run record."""

import json
from pathlib import Path

import msgspec
import pytest

from harness.reports.record.run_types import JOURNAL_LINES, SCHEMA, ChangeKind, RunRecord

DATA = json.loads((Path(__file__).parent / "data" / "run-1.json").read_text(encoding="ascii"))


@pytest.mark.parametrize("schema", ["tls-harness/run/1", SCHEMA])
def test_both_versions_are_accepted(schema):
    """A record of either version has these types; another schema does not."""
    run = RunRecord.of_json({**DATA, "schema": schema})
    assert json.loads(json.dumps(run.as_json())) == {**DATA, "schema": schema}
    with pytest.raises(msgspec.ValidationError, match=r"^Invalid enum value 'tls-harness/run/3' - at `\$.schema`$"):
        RunRecord.of_json({**DATA, "schema": "tls-harness/run/3"})


def test_parts_that_a_record_may_not_have():
    """Statistics, a comparison and sources are absent unless there are any; what is missing is always written."""
    keys = set(RunRecord.of_json({key: value for key, value in DATA.items() if key != "missing"}).as_json())
    assert keys == {"schema", "run", "host", "boards", "servers", "cases", "results", "missing"}


def test_kinds_of_changes():
    """Two kinds are regressions; the worst comes first."""
    assert [kind.value for kind in ChangeKind if kind.regression] == ["new failure", "newly unsupported"]
    assert list(ChangeKind)[:2] == [kind for kind in ChangeKind if kind.regression]


def test_lines_of_the_journal():
    """A journal has these kinds of lines, and the first is the run."""
    assert list(JOURNAL_LINES) == ["run", "plan", "case", "board", "server", "result", "end"]
