"""Test `--resume`: an interrupted run is continued, and its results are results of the run that continues it."""

import copy
import json

import pytest

CASES = ("--cases", "smoke", "-k", "rsa-1024-key or key-and-certificate-swapped or rsa-key-no-shared-cipher")


def cut(suite, *, left, verdict=None, **run):
    """Cut the journal of a run after some results, as if the run had been killed; change the last verdict, and the run's facts."""
    path = suite.folder / ".compat" / "run.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines = [line for line in lines if line["record"] != "end"]
    results = [line for line in lines if line["record"] == "result"]
    lines = [line for line in lines if line not in results[left:]]
    if verdict is not None:
        results[left - 1].update(verdict=verdict, reason="as if")
    lines[0]["run"].update(run)
    killed = suite.folder / "killed.jsonl"
    killed.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [(line["board"], line["case"]) for line in results]


def rows(record):
    """The results of a run: board, case and verdict."""
    return [(result["board"], result["case"], result["verdict"]) for result in record["results"]]


@pytest.fixture
def two(suite):
    """A suite, and the record of its first run: three cases on each of two boards."""
    suite.write("boards.toml", '[board.a]\nspec = "unix"\n\n[board.b]\nspec = "unix"\n')
    first = suite.run(*CASES, "--board", "a", "--board", "b")
    assert first.status == 0, first.text
    return suite, first.record()


def test_an_interrupted_run(two):
    """Only what has no result runs; the record, the reports and the exit code are those of both runs together."""
    suite, first = two
    cut(suite, left=4)
    ran = suite.run(*CASES, "--board", "a", "--board", "b", "--resume", "killed.jsonl")
    assert (ran.status, ran.summary()) == (0, "2 passed"), ran.text
    assert rows(ran.record()) == rows(first)
    started = first["run"]["started"]
    assert ran.line("resumed: ") == f"resumed: 4 of 6 results were taken over from killed.jsonl ({started})"
    record = ran.record()
    assert record["resumed"] == {
        "file": "killed.jsonl",
        "id": first["run"]["id"],
        "started": started,
        "results": 4,
    }
    assert (record["run"]["planned"], record["missing"]) == (6, [])
    assert [board["board"] for board in record["boards"]] == ["a", "b"]
    assert [line["record"] for line in ran.journal()].count("result") == 6
    assert [line.split("]")[0] for line in ran.lines if line.startswith("[")] == ["[1/2", "[2/2"]
    # Nothing is left: no board is opened, and with workers neither.
    for more in ((), ("-n", "2")):
        again = suite.run(*CASES, "--board", "a", "--board", "b", "--resume", ".compat/run.json", *more)
        assert again.status == 0, again.text
        assert rows(again.record()) == rows(first)
        assert again.line("resumed: ").startswith("resumed: 6 of 6 results were taken over from .compat/run.json (")


@pytest.mark.slow
def test_what_runs_again_and_what_fails(two):
    """A cell whose result is an `error` runs again; an earlier failure fails the run that takes it over. With workers."""
    suite, first = two
    cut(suite, left=2, verdict="error")
    ran = suite.run(*CASES, "--board", "a", "--board", "b", "-n", "auto", "--resume", "killed.jsonl")
    assert (ran.status, ran.summary()) == (0, "5 passed"), ran.text
    assert rows(ran.record()) == rows(first)
    _first, failing, *_ = cut(suite, left=2, verdict="fail")
    ran = suite.run(*CASES, "--board", "a", "--board", "b", "-n", "auto", "--resume", "killed.jsonl")
    assert (ran.status, ran.summary()) == (1, "4 passed"), ran.text
    assert [(*cell, word) for *cell, word in rows(ran.record()) if word != "pass"] == [(*failing, "fail")]


@pytest.mark.slow
def test_a_smaller_run_keeps_the_record(two):
    """A run that leaves out boards of the record takes over the others, and does not replace the record in its own folder."""
    suite, first = two
    ran = suite.run(*CASES, "--board", "b", "--resume", ".compat/run.json")
    assert ran.status == 0, ran.text
    assert rows(ran.record()) == rows(first)
    assert [
        (row["board"], row["verdict"])
        for row in json.loads((suite.folder / ".compat" / "part-run.json").read_text())["results"]
    ] == [("b", "pass")] * 3
    assert ran.line("resumed: .compat") == (
        "resumed: .compat/run.json was kept, because it has cases that this run leaves out; the record of this run is part-run.json"
    )


@pytest.mark.slow
def test_another_board(two):
    """A board that is not the one of the record has no result under its name, and the run says what differs."""
    suite, _first = two
    cut(suite, left=4)
    path = suite.folder / "killed.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if line["record"] == "board" and line["board"] == "b":
            now, line["facts"]["firmware"] = line["facts"]["firmware"], "1.20.0"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    ran = suite.run(*CASES, "--board", "a", "--board", "b", "--resume", "killed.jsonl")
    assert ran.status == 10, ran.text
    assert [verdict for _board, _case, verdict in rows(ran.record())] == ["pass"] * 4 + ["error"] * 2
    reason = f"b: differs from the board in the record that --resume continues, so no case was run on it: firmware 1.20.0 -> {now}"
    assert {result["reason"] for result in ran.record()["results"] if result["verdict"] == "error"} == {reason}


def test_wrong_records(two):
    """One line that names the file and why its results cannot be taken over."""
    suite, first = two
    for path in (suite.folder / ".compat").iterdir():
        path.rename(suite.folder / path.name)
    (suite.folder / ".compat").rmdir()
    assert suite.refused("--resume", "no.json").startswith("--resume no.json: ")
    assert suite.refused("--resume", "run.json", "--repeat", "2") == (
        "--resume run.json: not possible with --repeat: statistics need all rounds in one run"
    )
    record = copy.deepcopy(first)
    record["run"]["harness"] = "0.0.1"
    (suite.folder / "old.json").write_text(json.dumps(record))
    now = copy.deepcopy(first)["run"]["harness"]
    assert suite.refused("--resume", "old.json") == (
        f"--resume old.json: made by version 0.0.1 of the harness, this is {now}; results of both would be mixed: "
        "run without --resume"
    )
    record = copy.deepcopy(first)
    (server,) = record["servers"]
    python, server["python"] = server["python"], "3.8.0"
    (suite.folder / "other.json").write_text(json.dumps(record))
    assert suite.refused("--board", "a", "--resume", "other.json") == (
        f"--resume other.json: server in-process has another python: 3.8.0 -> {python}; results of both would be mixed: "
        "run without --resume"
    )
