"""`--baseline RUN.json`: read before the run, compared after it, a regression fails it; with and without -n."""

import json

import jsonschema
import pytest

from harness.reports.schema import run_schema

CASES = ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]


# The second case needs what no board has: it was tried in the baseline, and no longer can be.
NEEDY = """
import dataclasses
from harness.model import Need

def test_case(board, tls_case, run_case):
    if "swapped" in tls_case.id:
        need = Need(name="moon", reason="no full moon", met=lambda info, server: False)
        tls_case = dataclasses.replace(tls_case, needs=(need,))
    run_case(board, tls_case)
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "-n"])
def test_changes(suite, workers):
    """What got better and what can no longer be tried: in the terminal, run.json and the page; the run fails though no test did."""
    assert suite.run(*suite.quick).status == 0
    record = json.loads((suite.folder / ".compat" / "run.json").read_text())
    record["results"][0] |= {"verdict": "insecure", "reason": "accepted"}
    # Not chosen by the second run, so no change.
    record["results"].append({**record["results"][0], "case": "seed/wrong-ca"})
    suite.write("old.json", json.dumps(record))
    suite.write("test_mine.py", NEEDY)
    ran = suite.run(*suite.quick, "--baseline", "old.json", "--compat-report", "out.md", *workers)
    assert (ran.status, ran.summary()) == (1, "1 passed, 1 skipped"), ran.text
    start = ran.lines.index(f"baseline: old.json, {record['run']['started']}, 3 results")
    assert ran.lines[start + 3].startswith("      before  pass: refused by the server at config: server ")
    assert [*ran.lines[start + 1 : start + 3], *ran.lines[start + 4 : start + 9]] == [
        "newly unsupported (1): regression",
        f"  unix in-process {CASES[1]}",
        "      after   unsupported: no full moon",
        "fixed (1)",
        f"  unix in-process {CASES[0]}",
        "      before  insecure: refused by the server at config: server EE_KEY_TOO_SMALL | client - | no alert",
        "      after   pass: refused by the server at config: server EE_KEY_TOO_SMALL | client - | no alert",
    ]
    assert ran.lines[start + 9] == (
        "REGRESSION: 1 newly unsupported, 1 fixed (2 compared, 0 unchanged, 1 not compared: the new run was not asked for them)"
    )
    new = ran.record()
    jsonschema.Draft202012Validator(run_schema()).validate(new)
    assert [(change["kind"], change["case"]) for change in new["changes"]] == [
        ("newly unsupported", CASES[1]), ("fixed", CASES[0]),
    ]  # fmt: skip
    assert (new["baseline"]["file"], new["baseline"]["left_out"]) == ("old.json", 1)
    assert "1 newly unsupported" in (suite.folder / ".compat" / "matrix.html").read_text()


def test_other_boards(suite):
    """A baseline that has nothing in common with this run is refused before the run, with workers, too."""
    assert suite.run(*suite.quick, "--artifacts", "old").status == 0
    text = (suite.folder / "old" / "run.json").read_text()
    suite.write("old.json", text.replace('"board": "unix"', '"board": "desk"'))
    for workers in ((), ("-n", "1")):
        ran = suite.run("--cases", "smoke", "--baseline", "old.json", *workers)
        wanted = (
            "--baseline old.json: no board and server in common with this run: it has desk with in-process; "
            "this run has unix with in-process"
        )
        assert ran.status == 4
        assert [line for line in ran.lines if wanted in line] != [], ran.text
        assert not (suite.folder / ".compat").exists()


def test_nothing_to_compare(suite):
    """A baseline given to a run of no case: it must not look like one that got no worse."""
    assert suite.run(*suite.quick, "--artifacts", "old").status == 0
    suite.write("test_other.py", "def test_other(): pass")
    ran = suite.run("--baseline", "old/run.json", "test_other.py")
    assert (ran.status, ran.summary()) == (1, "1 passed")
    assert "--baseline: nothing was compared: this run has no result of a case" in ran.lines
    assert suite.run("--baseline", "old/run.json", "test_other.py", "--collect-only").status == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--baseline", "none.json"),
            "--baseline none.json: cannot be read (No such file or directory); wanted is a run.json",
        ),
        (("--baseline", "test_mine.py"), "--baseline test_mine.py: no JSON at line 2, column 1"),
        (
            ("--baseline", "newer.json"),
            "--baseline newer.json: has the schema 'tls-harness/run/7'; this version reads tls-harness/run/1",
        ),
    ],
)
def test_wrong_file(suite, words, message):
    """One line and exit code 4, before anything ran."""
    suite.write("newer.json", '{"schema": "tls-harness/run/7"}')
    assert suite.refused(*words).startswith(message)
