"""Test which tests `pytest tests` deselects, and that `.ci/run` and tox run them."""

import configparser
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SLOW_FOLDERS = ("faults", "fuzzing", "generations", "packaging", "tutorials")


def ini(name: str) -> configparser.ConfigParser:
    """Return a configuration file of the project."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / name, encoding="utf-8")
    return parser


def test_slow_tests_are_deselected_by_default():
    """The default deselects the marker `slow` and nothing else."""
    words = shlex.split(ini("pytest.ini")["pytest"]["addopts"])
    assert words[words.index("-m") + 1] == "not slow"
    assert words.count("-m") == 1


def test_whole_folders_are_slow():
    """Every module that builds distributions, runs whole sets of cases or waits for faults is marked."""
    modules = [path for folder in SLOW_FOLDERS for path in (ROOT / "tests" / folder).glob("test_*.py")]
    assert modules
    assert [path.name for path in modules if "pytest.mark.slow" not in path.read_text(encoding="utf-8")] == []


def test_the_main_job_has_no_slow_case():
    """`pytest` runs every case that `--cases` selects: the default must not deselect one."""
    for path in (ROOT / "tests" / "compat").glob("*.py"):
        assert "mark.slow" not in path.read_text(encoding="utf-8")


def test_ci_runs_both_tiers():
    """`.ci/run` has a stage for the slow tests, and tox selects both kinds."""
    stages = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert '.venv/bin/pytest tests -m slow -n 2 --dist worksteal || rerun "$?"' in stages
    assert '-m "slow or not slow"' in ini("tox.ini")["testenv"]["commands"]


FAILS_AT_FIRST = """
import pathlib
@__import__("pytest").mark.parametrize("number", range({failing}))
def test_one(number):
    ran = pathlib.Path(f"ran-{{number}}")
    first = not ran.exists()
    ran.touch()
    assert not (first or {always})
"""


@pytest.mark.parametrize(
    ("failing", "always", "status"),
    [
        pytest.param(2, False, 0, id="by-chance"),
        pytest.param(3, False, 1, id="too-many"),
        pytest.param(1, True, 1, id="twice"),
    ],
)
def test_ci_runs_few_failed_tests_once_more(tmp_path, failing, always, status):
    """`.ci/run` names a test as FLAKY that fails once and passes alone; a test that fails twice, and a third failed test, stop it."""
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    function = ci[ci.index("RERUN_AT_MOST=") :].partition("\n}\n")[0] + "\n}\n"
    module = tmp_path / "tests" / "test_some.py"
    module.parent.mkdir()
    module.write_text(FAILS_AT_FIRST.format(failing=failing, always=always))
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "pytest").symlink_to(Path(sys.executable).with_name("pytest"))
    script = f"set -euo pipefail\nflaky=\n{function}.venv/bin/pytest tests || rerun $?\necho went on\n"
    ran = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == status, ran.stdout + ran.stderr
    named = [line for line in ran.stdout.splitlines() if "FLAKY" in line]
    expected = [
        f"  FLAKY: {module.relative_to(tmp_path)}::test_one[{number}] failed once, and passed alone"
        for number in range(failing)
    ]
    assert named == (expected if status == 0 else [])
    assert ran.stdout.endswith("went on\n") == (status == 0)
