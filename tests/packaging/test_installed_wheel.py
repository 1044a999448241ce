"""The wheel in an empty environment, outside this checkout: the command line and the fixtures work in any suite."""

import json
import shlex
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

FOREIGN = '''
"""A user's suite that uses the fixtures."""


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
    """The environment uses its own copy, with the data folders inside, and nothing from this checkout."""
    code = (
        "import harness; from harness.system.data_files import data_dir; "
        "print(harness.__file__, data_dir('certs'), data_dir('device_scripts'))"
    )
    done = installed.run("python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert [path.startswith(str(installed.environment)) for path in done.stdout.split()] == [True, True, True]


def test_boards(installed):
    """`tls-harness boards` runs and finds the interpreter among the dependencies, if there is a wheel of it."""
    done = installed.run("tls-harness", "boards", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)) == {"ports", "configured", "virtual"}


def test_version_is_that_of_the_distribution(installed):
    """The program prints the same version as pip."""
    code = "import importlib.metadata as m; print('tls-harness', m.version('micropython-tls-harness'))"
    assert installed.run("tls-harness", "--version").stdout == installed.run("python", "-c", code).stdout


def test_a_foreign_test_file_uses_the_fixtures(installed):
    """A user's test file connects a board to a server and compares both sides, without any configuration."""
    installed.needs_unix()
    (installed.elsewhere / "test_foreign.py").write_text(FOREIGN, encoding="utf-8")
    done = installed.run("python", "-m", "pytest", "-W", "error", "test_foreign.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_case_list_runs_in_a_foreign_suite(installed):
    """`pytest --cases smoke` with a three-line test file runs the case list and writes its report."""
    installed.needs_unix()
    (installed.elsewhere / "test_cases.py").write_text(FOREIGN_CASES, encoding="utf-8")
    done = installed.run("pytest", "test_cases.py", "--cases", "smoke", "--artifacts", "results")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((installed.elsewhere / "results" / "run.json").read_text(encoding="utf-8"))
    verdicts = {result["verdict"] for result in report["results"]}
    assert "pass" in verdicts
    assert verdicts <= {"pass", "unsupported"}


def test_a_board_in_an_empty_folder(installed):
    """`pytest --board SPEC` where no test is runs the packaged cases, also with workers; their commands to run them again work."""
    installed.needs_unix()
    folder = installed.elsewhere / "empty"
    folder.mkdir()
    done = installed.run("pytest", "--board", "unix", "--cases", "smoke", "-W", "error", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / ".compat" / "run.json").read_text(encoding="utf-8"))
    assert (report["run"]["planned"], report["run"]["whole"]) == (len(report["results"]), True)
    program, *arguments = shlex.split(report["results"][0]["rerun"])
    done = installed.run(program, *arguments, cwd=folder)
    assert (done.returncode, " 1 passed in" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_examples_are_installed(installed):
    """The examples run where the documentation says they are."""
    installed.needs_unix()
    folder = Path(installed.run("tls-harness", "files", "examples").stdout.strip())
    assert folder.is_relative_to(installed.environment)
    done = installed.run(
        "pytest", folder / "test_my_server.py", folder / "test_my_certificates.py", "--artifacts", "out"
    )
    assert (done.returncode, "4 passed" in done.stdout) == (0, True), done.stdout + done.stderr


def test_the_packaged_matrix(installed):
    """`pytest --pyargs harness.compat` runs the case list in a folder without tests, and its command to run a case again works there."""
    installed.needs_unix()
    folder = installed.elsewhere / "nothing"
    folder.mkdir()
    arguments = ("--pyargs", "harness.compat", "--cases", "smoke", "-W", "error", "--rootdir", folder)
    done = installed.run("python", "-m", "pytest", *arguments, "--artifacts", folder / "results")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    assert (report["run"]["planned"], report["run"]["whole"]) == (len(report["results"]), True)
    again = shlex.split(report["results"][0]["rerun"])
    done = installed.run(*again)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 1 passed in" in done.stdout


TYPED = '''
"""A user's suite, checked by mypy --strict: every fixture, and every name that `harness` exports."""

from collections.abc import Iterator

import pytest

import harness
from harness import (
    Board,
    BoardError,
    BoardInfo,
    Case,
    CaseResult,
    Certificates,
    Expect,
    HarnessError,
    Observation,
    Outcome,
    RunCase,
    Server,
    ServerError,
    ServerFactory,
    Side,
    Stage,
    UsageError,
    VerdictWord,
    Verify,
)


@pytest.fixture
def server(tls_server: ServerFactory, certificates: Certificates) -> Iterator[Server]:
    assert "server-p256" in certificates.names()
    path: str = str(certificates.make("server-p256").chain_file)
    assert path
    yield tls_server("server-p256", maximum_version="TLSv1.2", verify="none", client_ca=["ca-p256"], tickets=0)


def test_connects(board: Board, server: Server, expect: Expect, server_python: str, tls_repeat: int) -> None:
    info: BoardInfo = board.info
    seen: Observation = board.connect(server, verify=Verify.REQUIRED, ca="ca-p256", suites=["TLS_X"], timeout_s=2.5)
    expect.connected(seen, version="TLSv1.2", suite=None)
    expect.refused(seen, by="client", stage=Stage.HANDSHAKE, alert=40, client=["not_trusted"], verify_code=18)
    outcome: Outcome = seen.outcome
    ended_by: Side | None = seen.ended_by
    assert outcome and ended_by and info.firmware and server_python and tls_repeat


def test_case(board: Board, tls_case: Case, run_case: RunCase) -> None:
    result: CaseResult = run_case(board, tls_case)
    word: VerdictWord = result.verdict.word
    assert word


def test_errors() -> None:
    for kind in (BoardError, ServerError, UsageError):
        assert issubclass(kind, HarnessError)
    version: str = harness.__version__
    assert version
'''
# Mistakes that a type checker must find: a setting, a value, an argument that does not exist.
WRONG = """
from harness import Board, Case, Expect, RunCase, ServerFactory


def test_wrong(board: Board, tls_server: ServerFactory, expect: Expect, run_case: RunCase, tls_case: Case) -> None:
    server = tls_server("server-p256", cypher="x")
    seen = board.connect(server, verify=1)
    board.connect(7)
    expect.connected(seen, cipher="x")
    expect.refused(seen, alert=None, verify_code="x")
    run_case(tls_case, board)
    server.nothing()
"""


def test_types_of_a_foreign_test_file(installed):
    """mypy --strict accepts a test file that uses every fixture and public name, and finds each mistake of another."""
    pytest.importorskip("mypy")
    (installed.elsewhere / "test_typed.py").write_text(TYPED, encoding="utf-8")
    (installed.elsewhere / "test_wrong.py").write_text(WRONG, encoding="utf-8")
    done = installed.check_types("test_typed.py")
    assert (done.returncode, done.stdout) == (0, "Success: no issues found in 1 source file\n"), (
        done.stdout + done.stderr
    )
    done = installed.check_types("test_wrong.py")
    lines = [int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error: " in line]
    assert sorted(set(lines)) == [6, 7, 8, 9, 10, 11, 12], done.stdout
