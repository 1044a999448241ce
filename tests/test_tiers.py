"""Test which tests `pytest tests` deselects, and that `.ci/run` and tox run them."""

import configparser
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SLOW_FOLDERS = ("faults", "fuzzing", "generations", "packaging")


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
    assert ".venv/bin/pytest tests -m slow -n 2 --dist worksteal" in stages
    assert '-m "slow or not slow"' in ini("tox.ini")["testenv"]["commands"]
