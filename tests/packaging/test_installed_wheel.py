"""The wheel in an empty environment, outside this checkout: the command line and the fixtures work in anybody's suite."""

import json

import pytest

pytestmark = pytest.mark.slow

FOREIGN = '''
"""A suite of somebody else that uses the fixtures."""


def test_connects(board, tls_server, expect):
    seen = board.connect(tls_server("server-p256", maximum_version="TLSv1.2"), verify="required", ca="ca-p256")
    expect.connected(seen, version="TLSv1.2")


def test_refused(board, tls_server, expect):
    seen = board.connect(tls_server("server-rsa2048", ciphers="ECDHE-RSA-AES128-GCM-SHA256", maximum_version="TLSv1.2"),
                         suites=["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"])
    expect.refused(seen, server="NO_SHARED_CIPHER", alert="handshake_failure", client=-30592)
'''
FOREIGN_CASES = """
def test_case(board, tls_case, run_case):
    run_case(board, tls_case)
"""


def test_it_is_the_installed_package(installed):
    """The environment runs its own copy, with the data folders inside, and nothing of this checkout."""
    code = (
        "import harness; from harness.system.data_files import data_dir; "
        "print(harness.__file__, data_dir('certs'), data_dir('device_scripts'))"
    )
    done = installed.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert [path.startswith(str(installed.environment)) for path in done.stdout.split()] == [True, True, True]


def test_boards(installed):
    """`tls-harness boards` runs and finds the interpreter that came with the dependencies, where there is a wheel of it."""
    done = installed.run("tls-harness", "boards", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)) == {"ports", "configured", "virtual"}


def test_version_is_that_of_the_distribution(installed):
    """The version the program says is the one pip knows."""
    code = "import importlib.metadata as m; print('tls-harness', m.version('micropython-tls-harness'))"
    assert installed.run("tls-harness", "--version").stdout == installed.run("python", "-c", code).stdout


def test_a_foreign_test_file_uses_the_fixtures(installed):
    """Somebody's test file connects a board to a server and compares both sides, without any configuration of ours."""
    _needs_unix(installed)
    (installed.elsewhere / "test_foreign.py").write_text(FOREIGN, encoding="utf-8")
    done = installed.run("python", "-m", "pytest", "-W", "error", "test_foreign.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_case_list_runs_in_a_foreign_suite(installed):
    """`pytest --cases smoke` with a three-line test file runs the case list and writes its report."""
    _needs_unix(installed)
    (installed.elsewhere / "test_cases.py").write_text(FOREIGN_CASES, encoding="utf-8")
    done = installed.run("pytest", "test_cases.py", "--cases", "smoke", "--artifacts", "results")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((installed.elsewhere / "results" / "run.json").read_text(encoding="utf-8"))
    verdicts = {result["verdict"] for result in report["results"]}
    assert "pass" in verdicts
    assert verdicts <= {"pass", "unsupported"}


def _needs_unix(installed) -> None:
    virtual = json.loads(installed.run("tls-harness", "boards", "--json").stdout)["virtual"]
    if not virtual["available"]:
        pytest.skip(virtual["reason"])
