"""Merge and compare three real runs and use them as a baseline for a fourth, as a lab does from night to night."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from harness.reports.record.schema import run_schema

BOARD = Path(sys.executable).parent / "micropython"
pytestmark = pytest.mark.skipif(not BOARD.exists(), reason="the packaged interpreter has no wheel for this machine")


def report(suite, *words):
    """`tls-harness report ...` as a process."""
    done = subprocess.run(
        [sys.executable, "-m", "harness", "report", *words],
        cwd=suite.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.slow
def test_nights(suite):
    """Two boards run on two nights; the second board is lost in the second night."""
    (suite.folder / "desk").symlink_to(BOARD)
    boards = ("--board", "unix", "--board", "unix:./desk")
    assert suite.run(*suite.quick, *boards, "--artifacts", "monday").status == 0
    names = list(
        dict.fromkeys(
            result["board"] for result in json.loads((suite.folder / "monday/run.json").read_text())["results"]
        )
    )
    assert len(names) == 2
    alone = suite.run(*suite.quick, *boards[:2], "--artifacts", "tuesday")
    assert alone.status == 0

    done = report(suite, "merge", "monday/run.json", "tuesday/run.json", "-o", "all.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tls-harness: duplicate results for unix in-process seed/")
    done = report(
        suite, "merge", "monday/run.json", "tuesday/run.json", "--prefer", "newest", "-o", "all.json", "-o", "all.html"
    )
    assert done.returncode == 0, done.stderr
    merged = json.loads((suite.folder / "all.json").read_text())
    jsonschema.validate(merged, run_schema(), jsonschema.Draft202012Validator)
    assert [(source["file"], source["results"]) for source in merged["sources"]] == [
        ("monday/run.json", 2), ("tuesday/run.json", 2),
    ]  # fmt: skip
    assert {board["board"] for board in merged["boards"]} == set(names)
    assert names[1] in (suite.folder / "all.html").read_text()

    done = report(suite, "diff", "all.json", "tuesday/run.json")
    assert done.returncode == 0, done.stdout
    assert (
        done.stdout.splitlines()[-1]
        == "no regression: nothing changed (2 compared, 2 unchanged, 2 not compared: not selected in the new run)"
    )
    (suite.folder / "desk").unlink()
    (suite.folder / "desk").symlink_to("/bin/true")
    lost = suite.run(*suite.quick, *boards, "--baseline", "all.json")
    assert lost.status == 1
    assert any(line.startswith("new failure (2): regression") for line in lost.lines), lost.text
    assert {(change["kind"], change["board"]) for change in lost.record()["changes"]} == {("new failure", names[1])}
    assert report(suite, "diff", "all.json", ".compat/run.json", "--json").returncode == 1
