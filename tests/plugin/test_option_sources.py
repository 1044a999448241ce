"""Options set once, in the ini file or the environment."""

import sys

INI = """
[pytest]
tls_board = unix
tls_cases = smoke
tls_artifacts = results
tls_compat_report =
    results/matrix.md
    results/matrix.csv
"""


def test_an_ini_file_and_the_environment(suite):
    """The ini file sets board, set and reports, which are next to it; the environment overrides it; the run looks like any other."""
    suite.write("pytest.ini", INI)
    ran = suite.run(*suite.quick[2:], environment={"TLS_HARNESS_ARTIFACTS": "elsewhere", "TLS_HARNESS_REPEAT": "2"})
    assert (ran.status, ran.summary()) == (0, "4 passed"), ran.text
    assert {(result["board"], result["repeat"]) for result in ran.record("elsewhere")["results"]} == {
        ("unix", 1),
        ("unix", 2),
    }
    assert {path.name for path in (suite.folder / "results").iterdir()} == {"matrix.md", "matrix.csv"}
    ran = suite.run("--cases", "core", "--co", environment={"TLS_HARNESS_REPEAT": "none"})
    assert ran.status == 4
    assert [line for line in ran.lines if line] == [
        "ERROR: --repeat 'none': expected an integer from 1 to 10000 (from TLS_HARNESS_REPEAT)"
    ]


def test_the_python_of_pytest_and_another_one(suite):
    """`in-process` is a value of --server like any other: its ids are those of a run without --server."""
    ran = suite.run("--server", "in-process", "--server", sys.executable, *suite.quick, "-v")
    assert (ran.status, ran.summary()) == (0, "4 passed"), ran.text
    servers = [result["server"] for result in ran.record()["results"]]
    name = "python" + ".".join(map(str, sys.version_info[:3]))
    assert servers == ["in-process"] * 2 + [name] * 2
    assert ran.line("test_mine.py::test_case[unix-seed/rsa-1024-key] ")
    assert ran.record()["run"]["planned"] == 4
