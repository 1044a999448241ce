"""`--baseline RUN.json` is read before the run and compared after it; a regression fails the run, with and without -n."""

import copy
import json
import os
import subprocess
import sys

import jsonschema
import pytest

from harness.reports.record.schema import run_schema

CASES = ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]


# The second case needs something that no board has: the baseline has a result of it, and now it cannot run.
NEEDY = """
import dataclasses
from harness.model import Need

def test_case(board, tls_case, run_case):
    if "swapped" in tls_case.id:
        need = Need(name="moon", reason="no full moon", met=lambda info, server: False)
        tls_case = dataclasses.replace(tls_case, needs=(need,))
    run_case(board, tls_case)
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """The record of a run of the two quick cases."""
    folder = tmp_path_factory.mktemp("old")
    (folder / "test_mine.py").write_text(
        "def test_case(board, tls_case, run_case):\n    run_case(board, tls_case)\n", encoding="utf-8"
    )
    words = ["--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped", "-p", "no:cacheprovider"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "TOX", "MICROPYTHON"))}
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words], cwd=folder, env=clean, check=True, capture_output=True
    )
    return json.loads((folder / ".compat" / "run.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "-n"])
def test_changes(suite, old, workers):
    """The terminal, run.json and the page list what was fixed and what can no longer run; the run fails although no test did."""
    record = copy.deepcopy(old)
    record["results"][0] |= {"verdict": "insecure", "reason": "accepted"}
    # Not selected in the second run, so not a change.
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
        "REGRESSION: 1 newly unsupported, 1 fixed (2 compared, 0 unchanged, 1 not compared: not selected in the new run)"
    )
    new = ran.record()
    jsonschema.Draft202012Validator(run_schema()).validate(new)
    assert [(change["kind"], change["case"]) for change in new["changes"]] == [
        ("newly unsupported", CASES[1]), ("fixed", CASES[0]),
    ]  # fmt: skip
    assert (new["baseline"]["file"], new["baseline"]["left_out"]) == ("old.json", 1)
    assert "1 newly unsupported" in (suite.folder / ".compat" / "matrix.html").read_text()


@pytest.mark.slow
def test_other_boards(suite, old):
    """A baseline that has nothing in common with this run is refused before the run, also with workers."""
    suite.write("old.json", json.dumps(old).replace('"board": "unix"', '"board": "desk"'))
    for workers in ((), ("-n", "1")):
        ran = suite.run("--cases", "smoke", "--baseline", "old.json", *workers)
        wanted = (
            "--baseline old.json: no board and server in common with this run: it has desk with in-process; "
            "this run has unix with in-process"
        )
        assert ran.status == 4
        assert [line for line in ran.lines if wanted in line] != [], ran.text
        assert "nothing was compared" not in ran.text
        assert not (suite.folder / ".compat").exists()


def test_nothing_to_compare(suite, old):
    """A run without cases must not look like one without regressions."""
    suite.write("old.json", json.dumps(old))
    suite.write("test_other.py", "def test_other(): pass")
    ran = suite.run("--baseline", "old.json", "test_other.py")
    assert (ran.status, ran.summary()) == (1, "1 passed")
    assert "--baseline: nothing was compared, because this run has no case results" in ran.lines
    assert suite.run("--baseline", "old.json", "test_other.py", "--collect-only").status == 0


def test_wrong_file(suite):
    """One line and exit code 4, before anything ran; the other mistakes are in tests/unit/pytest_plugin/test_baseline.py."""
    suite.write("newer.json", '{"schema": "tls-harness/run/7"}')
    assert suite.refused("--baseline", "newer.json").startswith(
        "--baseline newer.json: has the schema 'tls-harness/run/7'; this version reads tls-harness/run/2 and tls-harness/run/1"
    )


@pytest.mark.slow
def test_a_smaller_run_keeps_the_baseline(suite, old):
    """A run of fewer cases does not replace the record that it is compared with; one that has all of them does."""
    (suite.folder / ".compat").mkdir()
    baseline = suite.write(".compat/run.json", json.dumps(old))
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key", "--baseline", ".compat/run.json")
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    assert json.loads(baseline.read_text(encoding="utf-8")) == old
    assert len(json.loads((suite.folder / ".compat" / "part-run.json").read_text(encoding="utf-8"))["results"]) == 1
    assert (suite.folder / ".compat" / "part-matrix.html").is_file()
    assert ran.line(
        "baseline: .compat/run.json was kept, because it has cases that this run leaves out; the record of this run is "
    )
    ran = suite.run(*suite.quick, "--baseline", ".compat/run.json")
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    assert json.loads(baseline.read_text(encoding="utf-8"))["run"]["id"] != old["run"]["id"]
