"""`--repeat N` repeats the whole set; a case that changes its verdict is flaky and fails the run."""

import re

import jsonschema
import pytest

from harness.reports.record.schema import run_schema

# In the second run the board lacks what one case needs, or the server fails in it.
CONFTEST = """
import pytest
from harness.run import case_runner as run
from harness.model import Need

CASE = "seed/rsa-1024-key"


@pytest.fixture(autouse=True)
def trouble(monkeypatch, tls_repeat, tls_case):
    def lacking(self, case):
        return Need(name="x", reason="no such thing today", met=lambda info, server: False)

    def broken(self, case):
        raise run.ServerError("no server today")

    if tls_repeat == 2 and tls_case.id == CASE:
        if TROUBLE == "lacking":
            monkeypatch.setattr(run.CaseRunner, "_unmet", lacking)
        else:
            monkeypatch.setattr(run.CaseRunner, "_own", broken)
"""


def rows(record):
    """Return the case and run number of each result, in the record's order."""
    return [(result["repeat"], result["case"]) for result in record["results"]]


def test_the_set_is_repeated_as_a_whole(suite):
    """The ids name the run, the journal has the set in order once per run, the record each case's runs together."""
    ran = suite.run(*suite.quick, "--repeat", "2")
    assert (ran.status, ran.summary()) == (0, "4 passed"), ran.text
    names = ["seed/rsa-1024-key", "seed/key-and-certificate-swapped"]
    first = [line["case"] for line in ran.journal() if line["record"] == "result"]
    assert sorted(first[:2]) == sorted(first[2:]) == sorted(names)
    record = ran.record()
    assert sorted(rows(record)) == sorted((number, name) for name in names for number in (1, 2))
    assert [cell["passed"] for cell in record["soak"]["cells"]] == ["always", "always"]
    assert "soak: 2 cells, 2 times each: 2 always pass" in ran.lines
    assert sum("2of2 seed/" in line for line in ran.lines) == 2
    jsonschema.Draft202012Validator(run_schema()).validate(record)


@pytest.mark.parametrize(
    ("trouble", "counts", "verdicts", "arguments"),
    [
        ("lacking", "5 passed, 1 skipped", {"pass": 2, "unsupported": 1}, ()),
        ("broken", "1 failed, 5 passed", {"pass": 2, "error": 1}, ("-n", "1")),
    ],
)
def test_flaky(suite, trouble, counts, verdicts, arguments):
    """One different verdict among three fails the run, also if pytest accepts each of them."""
    suite.write("conftest.py", CONFTEST.replace("TROUBLE", repr(trouble)))
    ran = suite.run(*suite.quick, "--repeat", "3", "--compat-report", "soak.md", *arguments)
    assert (ran.status, ran.summary()) == (1, counts), ran.text
    record = ran.record()
    flaky = [cell for cell in record["soak"]["cells"] if cell["flaky"]]
    assert [(cell["case"], cell["verdicts"]) for cell in flaky] == [("seed/rsa-1024-key", verdicts)]
    assert record["soak"]["flaky"] == 1
    said = ", ".join(f"{word} {count}" for word, count in verdicts.items())
    assert ran.line("flaky: ").startswith(f"flaky: unix in-process seed/rsa-1024-key: {said}; connected ")
    assert "## Flaky" in (ran.folder / "soak.md").read_text(encoding="utf-8")


def test_the_rerun_command(suite):
    """The id names one of three runs, so the command contains `--repeat 3`."""
    suite.write("conftest.py", CONFTEST.replace("TROUBLE", "'broken'"))
    ran = suite.run("--cases", "smoke", "-k", "rsa-1024-key", "--repeat", "2")
    assert (
        ran.line("    pytest ")
        == "    pytest 'test_mine.py::test_case[unix-2of2-seed/rsa-1024-key]' --repeat 2 --cases smoke --artifacts .compat/again"
    )


def test_bad_value(suite):
    """Refused in one line; tests/unit/pytest_plugin/test_options.py has the bounds."""
    assert suite.refused("--repeat=0") == "--repeat '0': expected an integer from 1 to 10000"


def test_too_many_tests(suite):
    """Too many tests are refused before pytest collects them, which would take gigabytes."""
    ran = suite.run("--cases", "full", "--repeat", "10000", "--board", "unix", "--collect-only")
    assert ran.status == 4
    assert re.fullmatch(
        r"ERROR: --repeat '10000': \d{3} cases, 1 boards and 1 servers give \d{7} tests; "
        r"expected at most 200000 in one run",
        ran.line("ERROR"),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "status", "kind"),
    [("faulty:leak", 1, "free heap"), ("faulty:jitter", 0, None), ("unix", 0, None)],
)
def test_a_leak_fails_the_run(suite, board, status, kind):
    """Memory that falls from session to session is named and fails the run; a heap that varies does not, and the agent keeps nothing."""
    ran = suite.run(
        "--board", board, "--cases", "smoke", "-k", "ca-verified", "--repeat", "50", "--compat-report", "m.md"
    )
    assert (ran.status, ran.summary()) == (status, "50 passed"), ran.text
    record, lines = ran.record(), [line for line in ran.lines if line.startswith("leak: ")]
    leaks = record["soak"].get("leaks", [])
    assert [(leak["board"], leak["what"]) for leak in leaks] == ([(board, kind)] if kind else [])
    if not kind:
        assert lines == []
        return
    (leak,) = leaks
    assert leak["sessions"] == 48
    assert 200 <= leak["bytes_per_session"] <= 280
    text = (
        f"leak: faulty:leak: the free heap falls by {leak['bytes_per_session']:.0f} bytes a session, over 48 sessions"
    )
    assert lines == [text]
    table = (suite.folder / "m.md").read_text()
    assert f"| faulty:leak | free heap | {leak['bytes_per_session']:.0f} | 48 |" in table
    memory = record["results"][0]["memory_bytes"]
    assert 0 < memory["largest_after"] <= memory["free_after"]
