"""Names and sizes of files: tests mirror the package, names are nouns, files stay short."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HARNESS = ROOT / "harness"
UNIT = ROOT / "tests" / "unit"
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "base", "misc", "tools", "stuff"}
MAX_LINES = 400
RECORDS = (
    "behaviours",
    "boards",
    "cases",
    "json_values",
    "observations",
    "programs",
    "simulation",
    "recipes",
    "results",
    "wire",
    "words",
)

# Modules without a test file of the same name, each with the place that tests them.
TESTED_ELSEWHERE = {
    "harness/__init__.py": "version and re-exports; tests/packaging",
    "harness/__main__.py": "tests/unit/test_cli.py runs it as a process",
    "harness/boards/board_kind.py": "a record; tests/unit/boards/test_kinds.py",
    "harness/compat/test_matrix.py": "tests/compat runs it",
    **{f"harness/model/{name}.py": "records; tests/unit/test_model.py" for name in RECORDS},
    "harness/pytest_plugin/arguments.py": "types only; tests/unit/pytest_plugin/test_fixtures.py",
    "harness/pytest_plugin/case_report.py": "needs a pytest run; tests/plugin/test_failures.py",
    "harness/pytest_plugin/case_run.py": "needs a pytest run; tests/plugin/test_failures.py",
    "harness/pytest_plugin/collection.py": "needs a pytest run; tests/plugin/test_board_option.py",
    "harness/pytest_plugin/plugin.py": "hooks without logic; tests/plugin runs each option through pytest",
    "harness/pytest_plugin/record.py": "needs a pytest run; tests/plugin/test_run_record.py",
    "harness/pytest_plugin/reporter.py": "needs a pytest run; tests/plugin",
    "harness/pytest_plugin/run.py": "needs a pytest run; tests/plugin",
    "harness/server/__init__.py": "protocols and two records; mypy, and the tests of local.py and remote.py",
    "harness/wire/insistence.py": "two records; tests/unit/diagnose/remote/test_varying.py",
}


def own_files() -> list[Path]:
    """Return the Python files of this checkout, without those of tools and environments."""
    found = []
    for folder in ("harness", "device_scripts", "tests", "benchmarks", "website"):
        found += sorted((ROOT / folder).rglob("*.py"))
    return [*found, ROOT / "conftest.py"]


FILES = [path.relative_to(ROOT).as_posix() for path in own_files()]
ON_BOARD = [path for path in FILES if path.startswith("device_scripts/") or path == "benchmarks/client.py"]
MODULES = [path for path in FILES if path.startswith("harness/")]
UNIT_TESTS = [path for path in FILES if path.startswith("tests/unit/") and Path(path).name.startswith("test_")]


def module_of(test: str) -> Path:
    """`tests/unit/wire/test_records.py` -> `harness/wire/records.py`; a test may add a suffix: test_predict_against_openssl.py."""
    path = Path(test)
    folder = HARNESS / path.parent.relative_to("tests/unit")
    words = path.stem.removeprefix("test_").split("_")
    for end in range(len(words), 0, -1):
        stem = "_".join(words[:end])
        if (folder / f"{stem}.py").exists():
            return folder / f"{stem}.py"
        if (folder / stem / "__init__.py").exists():
            return folder / stem / "__init__.py"
    return folder / ("_".join(words) + ".py")


def test_each_unit_test_has_its_module():
    """A file in tests/unit is named after the module it tests, in the folder of the same name."""
    assert [test for test in UNIT_TESTS if not module_of(test).exists()] == []


def has_test(module: str) -> bool:
    """Return whether a file of tests/unit is named after this module."""
    return any(module_of(test) == ROOT / module for test in UNIT_TESTS)


def has_code(module: str) -> bool:
    """Return whether there is anything to test: a function or a class. A topic of cases is a declaration, which tests/compat runs."""
    if module.startswith("harness/cases/") and not module.endswith("__init__.py"):
        return False
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def test_each_module_has_its_unit_test():
    """A module with functions has a test file of its name, or is in the list above with the place that tests it."""
    untested = [path for path in MODULES if path not in TESTED_ELSEWHERE and has_code(path) and not has_test(path)]
    assert untested == []


def test_the_list_of_modules_tested_elsewhere_is_not_stale():
    """An entry of the list exists, and is still needed."""
    assert [path for path in TESTED_ELSEWHERE if path not in MODULES] == []
    named = {(Path(test).stem, module_of(test)) for test in UNIT_TESTS}
    assert [path for path in TESTED_ELSEWHERE if (f"test_{Path(path).stem}", ROOT / path) in named] == []


def test_names_are_nouns():
    """No file is named utils, common, helpers or base: such a name does not say what is inside."""
    assert [path for path in FILES if set(Path(path).with_suffix("").parts) & EMPTY_NAMES] == []


def lines_of(path: str) -> int:
    """Return the number of lines of a file."""
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_files_are_short():
    """A file has at most 400 lines."""
    assert [path for path in FILES if lines_of(path) > MAX_LINES] == []


def test_each_file_says_what_it_is():
    """Each Python file opens with a docstring; code for a board may open with a comment, which takes no memory there."""
    silent = []
    for path in FILES:
        text = (ROOT / path).read_text(encoding="utf-8")
        if not ast.get_docstring(ast.parse(text)) and not (path in ON_BOARD and text.startswith("# ")):
            silent.append(path)
    assert silent == ["conftest.py"]


def test_device_scripts_are_ascii():
    """Code that runs on a board is ASCII: a small MicroPython may be built without unicode."""
    assert [path.name for path in (ROOT / "device_scripts").glob("*.py") if not path.read_bytes().isascii()] == []


def test_no_secrets_in_git():
    """No tracked file holds a private key or is one."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout (an sdist): there is nothing tracked to look at")
    # Split, or the test would find this file.
    header = (
        b"-----BEGIN " + b"PRIVATE KEY-----",
        b"-----BEGIN RSA " + b"PRIVATE KEY-----",
        b"-----BEGIN EC " + b"PRIVATE KEY-----",
    )
    names = [name for name in listing.stdout.decode().split("\0") if name]
    assert names
    assert [name for name in names if name.endswith((".pem", ".der", ".key", ".p12"))] == []
    assert [
        name for name in names if (ROOT / name).is_file() and any(h in (ROOT / name).read_bytes() for h in header)
    ] == []
