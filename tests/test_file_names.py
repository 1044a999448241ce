"""Names and sizes of files: tests mirror the package, names are nouns, files stay short (style rules 4, 5, 6 and 37)."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HARNESS = ROOT / "harness"
UNIT = ROOT / "tests" / "unit"
EMPTY_NAMES = {"util", "utils", "common", "helper", "helpers", "base", "misc", "tools", "stuff"}
MAX_LINES = 400

# Files over the limit, each with the reason why two files would be worse.
LONG_FILES = {
    "harness/model.py": "every record between stages in one place (style rule 2)",
}
# Modules without a test file of their own name, each with the place that tests them.
TESTED_ELSEWHERE = {
    "harness/__init__.py": "version and re-exports; tests/packaging",
    "harness/__main__.py": "tests/unit/test_cli.py runs it as a process",
    "harness/boards/open_port.py": "only Link opens ports; tests/unit/boards/test_link.py",
    "harness/plugin.py": "hooks without logic; tests/plugin runs each option through pytest",
    "harness/pytest_record.py": "needs a pytest run; tests/plugin/test_run_record.py",
    "harness/pytest_reporter.py": "needs a pytest run; tests/plugin",
    "harness/pytest_run.py": "needs a pytest run; tests/plugin",
    "harness/pytest_screen.py": "needs a pytest run on a terminal; tests/plugin/test_terminal.py",
    "harness/server/__init__.py": "protocols and two records; mypy, and the tests of local.py and remote.py",
}


def own_files() -> list[Path]:
    """The Python files of this checkout, without what tools and environments put into it."""
    found = []
    for folder in ("harness", "device_scripts", "tests", "benchmarks"):
        found += sorted((ROOT / folder).rglob("*.py"))
    return [*found, ROOT / "conftest.py"]


FILES = [path.relative_to(ROOT).as_posix() for path in own_files()]
ON_BOARD = [path for path in FILES if path.startswith("device_scripts/") or path == "benchmarks/client.py"]
MODULES = [path for path in FILES if path.startswith("harness/")]
UNIT_TESTS = [path for path in FILES if path.startswith("tests/unit/") and Path(path).name.startswith("test_")]


def module_of(test: str) -> Path:
    """`tests/unit/wire/test_records.py` -> `harness/wire/records.py`; a test may add words: test_predict_against_openssl.py."""
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


@pytest.mark.parametrize("test", UNIT_TESTS)
def test_each_unit_test_has_its_module(test):
    """A file in tests/unit is called after the module it tests, in the folder of the same name."""
    assert module_of(test).exists()


def has_test(module: str) -> bool:
    """Whether a file of tests/unit is called after this module."""
    return any(module_of(test) == ROOT / module for test in UNIT_TESTS)


def has_code(module: str) -> bool:
    """Whether there is anything to test: a function or a class. A topic of cases is a declaration, which tests/compat runs."""
    if module.startswith("harness/cases/") and not module.endswith("__init__.py"):
        return False
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module not in TESTED_ELSEWHERE and has_code(module)]
)
def test_each_module_has_its_unit_test(module):
    """A module with functions has a test file of its name, or stands in the list above with the place that tests it."""
    assert has_test(module)


@pytest.mark.parametrize("module", sorted(TESTED_ELSEWHERE))
def test_the_list_of_modules_tested_elsewhere_is_not_stale(module):
    """An entry of the list is there, and is still needed."""
    assert module in MODULES
    assert not any(
        Path(test).stem == f"test_{Path(module).stem}" and module_of(test) == ROOT / module for test in UNIT_TESTS
    )


@pytest.mark.parametrize("path", FILES)
def test_names_are_nouns(path):
    """No file is called utils, common, helpers or base: such a name says nothing of what is inside."""
    assert set(Path(path).with_suffix("").parts) & EMPTY_NAMES == set()


@pytest.mark.parametrize("path", FILES)
def test_files_are_short(path):
    """A file has at most 400 lines, or stands in the list above with its reason."""
    count = len((ROOT / path).read_text(encoding="utf-8").splitlines())
    if path in LONG_FILES:
        assert count > MAX_LINES, "short again: take it off the list"
    else:
        assert count <= MAX_LINES


@pytest.mark.parametrize("path", [path for path in FILES if path != "conftest.py"])
def test_each_file_says_what_it_is(path):
    """Each Python file opens with a docstring; code for a board may open with a comment, which takes no memory there."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)) or (path in ON_BOARD and text.startswith("# "))


@pytest.mark.parametrize("path", sorted((ROOT / "device_scripts").glob("*.py")), ids=lambda path: path.name)
def test_device_scripts_are_ascii(path):
    """What runs on a board is ASCII: a small MicroPython may be built without unicode."""
    assert path.read_bytes().isascii()


def test_no_secrets_in_git():
    """No tracked file holds a private key or is one."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout (an sdist): there is nothing tracked to look at")
    # Written apart, or this file would find itself.
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
