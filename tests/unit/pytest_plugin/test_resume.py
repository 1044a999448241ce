"""`--resume`: which results of an earlier run are taken over; tests/plugin/test_resume_option.py continues real runs."""

from dataclasses import replace

import msgspec
import pytest

from harness.errors import UsageError
from harness.model import VerdictWord
from harness.pytest_plugin.resume import TakenOver, check_mergeable, had, identities
from harness.reports.record.columns import cell_of
from harness.reports.record.reading import read_run
from harness.reports.record.run_types import Source

changed = msgspec.structs.replace


@pytest.fixture(scope="module")
def earlier(good_run):
    """Return a real run as the one that is resumed."""
    return read_run("run.json", source="--resume", start=good_run.parent)


def with_run(file, **fields):
    """Return the file with other fields of its record."""
    return replace(file, run=changed(file.run, **fields))


def test_what_is_had(earlier):
    """A cell of this run whose last attempt is not an error; all its attempts are taken over, and nothing of other cells."""
    passed, failed, *_ = earlier.run.results
    failed = changed(failed, verdict=VerdictWord.FAIL, reason="x")
    error = changed(passed, verdict=VerdictWord.ERROR, reason="x", attempt=1)
    again = changed(passed, attempt=2)
    cells = [cell_of(passed), cell_of(failed)]
    assert had([passed, failed], cells=cells) == (passed, failed)
    assert had([failed, passed], cells=cells) == (passed, failed)
    assert had([passed, failed], cells=cells[1:]) == (failed,)
    assert had([error, failed], cells=cells) == (failed,)
    assert had([again, error], cells=cells) == (again, error)
    assert had([passed, changed(error, attempt=2)], cells=cells) == ()
    other = [
        changed(passed, **axis) for axis in ({"board": "b"}, {"server": "s"}, {"client": "asyncio"}, {"link": "x"})
    ]
    assert had(other, cells=cells) == ()


def test_what_fails_the_run(earlier):
    """An earlier fail or insecure fails the run that takes it over."""
    first, *_ = earlier.run.results
    for word in (VerdictWord.FAIL, VerdictWord.INSECURE, VerdictWord.PASS, VerdictWord.UNSUPPORTED):
        taken = TakenOver(file=earlier, results=(changed(first, verdict=word, reason="x"),))
        assert taken.fails_run is (word in (VerdictWord.FAIL, VerdictWord.INSECURE))


def test_who_the_boards_were(earlier):
    """Only boards with results count, and what an older record does not have is not compared."""
    first, *_ = earlier.run.results
    taken = TakenOver(file=earlier, results=(first,))
    (board,) = earlier.run.boards
    assert identities(taken)[board.board]["firmware"] == board.facts.firmware
    assert "unique id" not in identities(taken)[board.board]
    assert identities(TakenOver(file=earlier, results=())) == {}
    unprobed = with_run(earlier, boards=(changed(board, facts=None),))
    assert identities(TakenOver(file=unprobed, results=(first,))) == {}


def test_records_that_are_refused(earlier):
    """Each refusal names the file and why."""
    check_mergeable(earlier, repeat=1)
    (first, *_), run = earlier.run.results, earlier.run.run
    source = Source(id="1", file="x", run=run, host=earlier.run.host, results=1, boards={}, servers={})
    refused = {
        "a merged record: expected the run.json or run.jsonl of one run": with_run(earlier, sources=(source,)),
        "a run with --repeat: expected a run with one result for each case": with_run(
            earlier, results=(changed(first, repeat=2),)
        ),
        f"made by version 9.9 of the harness, this is {run.harness}; results of both would be mixed: run without --resume": (
            with_run(earlier, run=changed(run, harness="9.9"))
        ),
    }
    for message, file in refused.items():
        with pytest.raises(UsageError) as caught:
            check_mergeable(file, repeat=1)
        assert str(caught.value) == f"--resume run.json: {message}"
