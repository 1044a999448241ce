"""Imports point to earlier stages only, and I/O stays in its files (ARCHITECTURE.md; style rules 1 and 7)."""

import ast
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HARNESS = ROOT / "harness"

# In the order of the flow. A module belongs to the longest name that fits it, and may import those of its own entry and of
# earlier ones. A new module that fits none has to be given its place here.
STAGES = (
    "harness.errors",
    "harness.deadline",
    "harness.resources",
    "harness.private_folder",
    "harness.folder_lock",
    "harness.shortages",
    "harness.model",
    "harness.wire",
    "harness.hello_notes",
    "harness.faults",
    "harness.options",
    "harness.labfile",
    "harness.run_options",
    "harness.reach",
    "harness.certificates",
    "harness.expect",
    "harness.needs",
    "harness.server_library",
    "harness.client_library",
    "harness.client_differences",
    "harness.cases",
    "harness.boards",
    "harness.server",
    "harness.observe",
    "harness.oracle",
    "harness.attempt",
    "harness.board_answer",
    "harness.explain",
    "harness.known",
    "harness.health",
    "harness.run",
    "harness.lab",
    "harness.reports",
    "harness.evidence",
    "harness.diagnose",
    "harness.user_api",
    "harness.pytest_options",
    "harness.pytest_paths",
    "harness.pytest_rerun",
    "harness.pytest_run",
    "harness.pytest_parcel",
    "harness.pytest_scheduler",
    "harness.pytest_boards",
    "harness.pytest_net",
    "harness.pytest_blocks",
    "harness.pytest_screen",
    "harness.pytest_plan",
    "harness.pytest_baseline",
    "harness.pytest_record",
    "harness.pytest_reporter",
    "harness.plugin",
    "harness.commands",
    "harness.cli",
    "harness.__main__",
)

# Later in the flow than the other, but no input of it.
APART = (
    ("harness.server", "harness.boards", "a server must not know who connects to it"),
    ("harness.server", "harness.cases", "a server gets a profile, never a case"),
    ("harness.boards", "harness.cases", "a board gets a plan, never a case"),
    ("harness.boards", "harness.expect", "a board must not know what is expected of it"),
    ("harness.observe", "harness.expect", "an observation is made without knowing what was expected"),
    ("harness.observe", "harness.cases", "an observation is made without knowing what was expected"),
    ("harness.oracle", "harness.boards", "judging is pure: no board"),
    ("harness.oracle", "harness.server", "judging is pure: no server"),
    ("harness.oracle", "harness.observe", "judging takes an observation, it does not make one"),
    ("harness.explain", "harness.boards", "explaining is pure: no board"),
    ("harness.explain", "harness.server", "explaining is pure: no server"),
    ("harness.explain", "harness.cases", "an explanation follows from records, not from the case list"),
    ("harness.explain", "harness.observe", "explaining takes an observation, it does not make one"),
    ("harness.reports", "harness.boards", "reports are pure: they show records"),
    ("harness.reports", "harness.server", "reports are pure: they show records"),
    ("harness.reports", "harness.run", "reports are pure: they show records"),
    ("harness.user_api", "pytest", "the fixtures' objects work in a script"),
    ("harness.commands", "harness.plugin", "the command line works without pytest's plugin"),
    ("harness.commands", "pytest", "the command line works without pytest's plugin"),
)

# The first prediction module and what it may use: it is given a ClientHello and settings, and must not be able to look at what happened.
PREDICTION = ("harness.oracle.predict", "harness.oracle.prediction")
OBSERVED = {
    "Observation",
    "ServerReport",
    "ClientReport",
    "ServerFailure",
    "ClientFailure",
    "CaseResult",
    "WireReading",
}

IO_MODULES = {"socket", "selectors", "serial", "mpremote", "subprocess", "threading", "asyncio", "multiprocessing"}
POSIX_MODULES = {"pty", "tty", "termios", "fcntl", "resource", "grp", "pwd"}


def module_name(path: Path) -> str:
    """`harness/wire/records.py` -> `harness.wire.records`; a package's file is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(HARNESS.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in SOURCES.items()}


def imports(name: str, *, everywhere: bool = True) -> list[tuple[int, str]]:
    """(line, dotted name) of what a module imports; `from a import b` is a.b where that is a module, else a."""
    found = []
    for node in ast.walk(TREES[name]) if everywhere else TREES[name].body:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: a relative import; write the whole name"
            source = node.module or ""
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                found.append((node.lineno, inner if inner in SOURCES else source))
    return found


def within(name: str, parent: str) -> bool:
    """Whether a dotted name is `parent` or lies inside it."""
    return name == parent or name.startswith(f"{parent}.")


def stage(name: str) -> int | None:
    """The number of a module's stage; None for the package itself, whose file only re-exports public names."""
    if name == "harness":
        return None
    fitting = [number for number, entry in enumerate(STAGES) if within(name, entry)]
    assert fitting, f"{name}: a module without a stage; give it a place in STAGES ({Path(__file__).name})"
    return max(fitting, key=lambda number: len(STAGES[number]))


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "harness"])
def test_imports_point_to_earlier_stages(name):
    """A module imports its own stage and earlier ones."""
    own = stage(name)
    wrong = [
        f"{name}:{line} imports {target}"
        for line, target in imports(name)
        if within(target, "harness") and (stage(target) or 0) > own
    ]
    assert wrong == []


@pytest.mark.parametrize("entry", STAGES)
def test_every_stage_exists(entry):
    """The list above names modules that exist."""
    assert entry in SOURCES


@pytest.mark.parametrize(("one", "other", "reason"), APART)
def test_stages_that_know_nothing_of_each_other(one, other, reason):
    """Some stages come later in the flow and still must not know an earlier one."""
    wrong = [
        f"{name}:{line} imports {target}: {reason}"
        for name in SOURCES
        if within(name, one)
        for line, target in imports(name)
        if within(target, other)
    ]
    assert wrong == []


def closure(names: set[str]) -> set[str]:
    """All harness modules that importing these brings in, with the packages around them."""
    seen: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        parts = name.split(".")
        around = {".".join(parts[:depth]) for depth in range(1, len(parts))}
        waiting |= {target for _line, target in imports(name) if target in SOURCES} | around
        waiting -= seen
    return seen


def test_prediction_knows_no_observation():
    """A prediction sees the ClientHello and the server's settings: nothing it can reach but the records knows what happened."""
    start = {name for name in SOURCES if any(within(name, entry) for entry in PREDICTION)}
    assert start >= set(PREDICTION)
    reached = closure(start) - {"harness.model"}
    assert {name for name in reached if not name.startswith(("harness.wire", "harness.oracle.predict"))} <= {
        "harness",
        "harness.oracle",
        "harness.errors",
    }
    for name in start:
        words = {node.id for node in ast.walk(TREES[name]) if isinstance(node, ast.Name)}
        words |= {
            alias.name for node in ast.walk(TREES[name]) if isinstance(node, ast.ImportFrom) for alias in node.names
        }
        assert words & OBSERVED == set(), name


def files_with_io() -> set[str]:
    """The files that import a module that does I/O or starts processes or threads, is POSIX only, or that sleep."""
    found = set()
    for name in SOURCES:
        targets = {target.partition(".")[0] for _line, target in imports(name)}
        sleeps = any(
            isinstance(node, ast.Attribute)
            and node.attr == "sleep"
            and isinstance(node.value, ast.Name)
            and node.value.id == "time"
            for node in ast.walk(TREES[name])
        )
        if sleeps or targets & (IO_MODULES | POSIX_MODULES):
            found.add(SOURCES[name].relative_to(ROOT).as_posix())
    return found


def test_io_lives_in_the_listed_files():
    """pyproject.toml (ruff's TID251) lists the files that do I/O, each by its name: no more, no fewer."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    listed = {
        pattern
        for pattern, rules in settings["per-file-ignores"].items()
        if pattern.startswith("harness/") and "TID251" in rules
    }
    assert files_with_io() == listed
    banned = set(settings["flake8-tidy-imports"]["banned-api"])
    assert banned == IO_MODULES | POSIX_MODULES | {"time.sleep"}


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_posix_modules_are_imported_where_they_are_used(name):
    """pty, termios, fcntl and their like are imported inside functions: Windows has none of them."""
    assert [entry for entry in imports(name, everywhere=False) if entry[1] in POSIX_MODULES] == []


def engine_parts() -> set[str]:
    """The modules of harness/server/ that the engine needs when it is started by path: it imports them by their bare names."""
    parts, waiting = set(), {"engine"}
    while waiting:
        part = waiting.pop()
        parts.add(part)
        targets = {target.removeprefix("harness.server.") for _line, target in imports(f"harness.server.{part}")}
        waiting |= {target for target in targets if f"harness.server.{target}" in SOURCES} - parts
    return parts


@pytest.mark.parametrize("part", sorted(engine_parts()))
def test_the_server_engine_needs_the_standard_library_only(part):
    """What runs under another interpreter imports the standard library and its own neighbours, nothing of the package's records."""
    parts = engine_parts()
    allowed = parts | {f"harness.server.{name}" for name in parts}
    foreign = [
        target
        for _line, target in imports(f"harness.server.{part}")
        if target not in allowed and target.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert foreign == []


def test_the_server_engine_is_checked_for_the_oldest_python():
    """ruff checks every part of the engine for Python 3.8, and nothing else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    expected = {f"harness/server/{part}.py": "py38" for part in engine_parts()}
    assert settings["per-file-target-version"] == expected


def test_only_the_plugin_side_knows_pytest():
    """pytest is imported by the plugin's own modules; everything else works without it."""
    users = {name for name in SOURCES if any(within(target, "pytest") for _line, target in imports(name))}
    assert {name for name in users if not name.startswith(("harness.plugin", "harness.pytest_"))} == set()
    private = [name for name in SOURCES for _line, target in imports(name) if within(target, "_pytest")]
    assert private == []
