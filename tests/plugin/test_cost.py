"""Test that the plugin costs nothing where it is not used: nothing is imported or opened. (benchmarks/ measure the rest.)"""

import json
import subprocess
import sys

HEAVY = ("ssl", "serial", "mpremote", "cryptography", "harness.model", "harness.run.lab", "harness.cases")


def test_the_plugin_imports_nothing_heavy():
    """A suite that uses no board loads neither TLS, serial nor cases, however pytest is configured."""
    code = (
        "import sys, pytest\n"
        "import harness.pytest_plugin.plugin, harness.pytest_plugin.run, harness.pytest_plugin.reporter\n"
        "import json; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = json.loads(done.stdout)
    assert [name for name in HEAVY if name in modules] == []


def test_nothing_is_opened_unless_a_test_asks(suite):
    """A run of other tests with --board given opens no board, no server and no certificate."""
    suite.write(
        "conftest.py",
        "import sys\ndef pytest_unconfigure():\n    print([m for m in ('harness.run.lab', 'serial', 'ssl') if m in sys.modules])\n",
    )
    suite.write("test_mine.py", "def test_one():\n    pass\n")
    ran = suite.run("--board", "/dev/ttyNOPE7")
    assert (ran.status, ran.lines[-1]) == (0, "[]")


def test_what_a_case_leaves_in_memory(suite):
    """pytest keeps every test and report: a finished test has no result, its report only what the summary shows; hooks see all of it."""
    suite.write(
        "conftest.py",
        """
import pytest
from harness.pytest_plugin.case_report import RESULT

seen = []

def pytest_runtest_logreport(report):
    if report.when == "call":
        seen.append("observed" in report.tls["result"])

@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    items = terminalreporter._session.items
    reports = [report for group in terminalreporter.stats.values() for report in group if getattr(report, "tls", None)]
    print("hooks:", seen)
    print("kept:", [RESULT in item.stash for item in items], sorted({tuple(report.tls) for report in reports}),
          sorted({tuple(report.tls["result"]) for report in reports}))
""",
    )
    ran = suite.run(*suite.quick, "-ra")
    assert ran.status == 0, ran.text
    assert ran.line("hooks:") == "hooks: [True, True]"
    assert ran.line("kept:") == "kept: [False, False] [('result', 'line', 'not_run')] [('case', 'verdict', 'reason')]"
