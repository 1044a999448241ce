"""Only a run of cases replaces the record of the last run, never a run of other tests or an empty run."""

import pytest

from harness.cases import select

FOREIGN = """
import pytest

@pytest.mark.parametrize("name", {names!r})
def test_mine(name):
    pass
"""
LAST = {"run.json": "the last run", "run.jsonl": "its journal", "matrix.html": "its page"}


@pytest.fixture
def last(suite):
    """Create a folder with the record of an earlier run; return its content."""
    folder = suite.folder / ".compat"
    folder.mkdir()
    for name, text in LAST.items():
        (folder / name).write_text(text)
    return lambda: {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("board", "workers"),
    [((), ()), (("--board", "unix", "--board", "unix:/bin/true"), ("-n", "2"))],
    ids=["default", "boards-and-workers"],
)
def test_a_suite_whose_test_ids_end_like_case_ids(suite, last, workers, board):
    """A test is a case if its full id is that of a cell of this run; a parameter with the name of a case is not enough."""
    pytest.importorskip("xdist")
    cases = [case.id for case in select("smoke")][:2]
    (suite.folder / "test_mine.py").unlink()
    suite.write("test_other.py", FOREIGN.format(names=[*cases, *(f"other-{case}" for case in cases), "a/b"]))
    ran = suite.run("--cases", "smoke", *board, *workers)
    assert (ran.status, ran.summary()) == (0, "5 passed"), ran.text
    assert last() == LAST
    assert "TLS compatibility" not in ran.text


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "workers"])
def test_a_broken_lab_does_not_matter(suite, last, workers):
    """A suite that uses no board runs in a folder whose boards.toml is wrong, whatever its test ids are."""
    pytest.importorskip("xdist")
    (suite.folder / "test_mine.py").unlink()
    suite.write("boards.toml", "[board.x]\nnonsense = 1\n")
    suite.write("test_other.py", FOREIGN.format(names=["unix-seed/rsa-1024-key"]))
    ran = suite.run(*workers)
    assert (ran.status, ran.summary()) == (0, "1 passed"), ran.text
    assert last() == LAST


@pytest.mark.parametrize(
    "option",
    [
        "--fixtures",
        "--fixtures-per-test",
        "--help",
        "--version",
        "--collect-only",
        "--setup-plan",
        "--setup-only",
    ],
)
def test_an_option_that_runs_no_test(suite, last, option):
    """An option that only displays information about the tests keeps the record of the last run."""
    ran = suite.run(*suite.quick, option, "--compat-report", "report.md")
    assert ran.status == 0, ran.text
    assert last() == LAST
    assert not (suite.folder / "report.md").exists()


AGAIN = """
import pytest

def test_case(board, tls_case, run_case, request):
    result = run_case(board, tls_case)
    if request.node.execution_count == 1:
        pytest.fail("once")
"""


def test_a_test_that_another_plugin_runs_again(suite):
    """Two results of one cell, as pytest-rerunfailures produces them, are its attempts 1 and 2."""
    pytest.importorskip("pytest_rerunfailures")
    suite.write("test_mine.py", AGAIN)
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key", "--reruns", "1", "-n", "1")
    assert (ran.status, ran.summary()) == (0, "1 passed, 1 rerun"), ran.text
    results = ran.record()["results"]
    assert [(result["case"], result["attempt"], result["verdict"]) for result in results] == [
        ("seed/rsa-1024-key", 1, "pass"),
        ("seed/rsa-1024-key", 2, "pass"),
    ]


BREAKS = """
import pytest

def test_case(board, tls_case, run_case, request):
    if request.node.execution_count == 2:
        pytest.fail("before the case")
    run_case(board, tls_case)
    pytest.fail("after the case")
"""


def test_a_second_attempt_that_fails_earlier(suite):
    """A second attempt that fails before it runs the case has no result; the first result is not counted again."""
    pytest.importorskip("pytest_rerunfailures")
    suite.write("test_mine.py", BREAKS)
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key", "--reruns", "1")
    assert (ran.status, ran.summary()) == (1, "1 failed, 1 rerun"), ran.text
    assert [result["attempt"] for result in ran.record()["results"]] == [1]
