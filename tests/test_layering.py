"""Imports point to earlier stages only, and I/O stays in its modules (ARCHITECTURE.md)."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HARNESS = ROOT / "harness"

# The folders of harness/ in the order of the flow: a module may import its own folder and those before it. `errors` and
# `model` come first, the command line last.
STAGES = (
    "errors",
    "model",
    "system",
    "wire",
    "links",
    "firmware",
    "certificates",
    "expectations",
    "cases",
    "boards",
    "server",
    "oracle",
    "explain",
    "reports",
    "run",
    "diagnose",
    "pytest_plugin",
    "commands",
    "cli",
    "__main__",
    "compat",
)

# Earlier in the flow, but not an input.
APART = (
    ("harness.server", "harness.boards", "a server must not know who connects to it"),
    ("harness.server", "harness.cases", "a server gets a profile, never a case"),
    ("harness.boards", "harness.cases", "a board gets a plan, never a case"),
    ("harness.boards", "harness.expectations", "a board must not know what is expected of it"),
    ("harness.run.observe", "harness.expectations", "an observation is made without knowing what was expected"),
    ("harness.run.observe", "harness.cases", "an observation is made without knowing what was expected"),
    ("harness.oracle", "harness.boards", "judging is pure: no board"),
    ("harness.oracle", "harness.server", "judging is pure: no server"),
    ("harness.explain", "harness.boards", "explaining is pure: no board"),
    ("harness.explain", "harness.server", "explaining is pure: no server"),
    ("harness.explain", "harness.cases", "an explanation follows from records, not from the case list"),
    ("harness.reports", "harness.boards", "reports are pure: they show records"),
    ("harness.reports", "harness.server", "reports are pure: they show records"),
    ("harness.reports.record", "harness.reports.text", "a record does not know how it is shown"),
    ("harness.reports.record", "harness.reports.html", "a record does not know how it is shown"),
    ("harness.reports.text", "harness.reports.html", "the page uses the texts, not the other way round"),
    ("harness.pytest_plugin.fixtures", "pytest", "the fixtures' objects work in a script"),
    ("harness.commands", "harness.pytest_plugin.plugin", "the command line works without pytest's plugin"),
    ("harness.commands", "pytest", "the command line works without pytest's plugin"),
)

# A prediction sees a ClientHello and settings, and must not depend on what happened.
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

# Which module may use which I/O. Everything else is a pure function of its input. `sleep` is time.sleep.
IO = {
    "boards.flash": {"threading"},
    "boards.hook_guard": {"subprocess", "threading"},
    "boards.hooks": {"subprocess", "threading"},
    "boards.labgrid.board": {"subprocess"},
    "boards.labgrid.client": {"socket", "subprocess"},
    "boards.labgrid.keeper": {"subprocess"},
    "boards.locks.board_lock": {"pwd", "threading"},
    "boards.locks.identity": {"threading"},
    "boards.serial.line_errors": {"serial"},
    "boards.serial.open_port": {"serial", "socket"},
    "boards.serial.ports": {"grp", "serial", "socket"},
    "boards.serial.raw_paste": {"mpremote"},
    "boards.serial.raw_repl": {"sleep"},
    "boards.virtual.board": {"subprocess", "threading", "tty"},
    "boards.virtual.faulty": {"fcntl", "pty", "termios", "threading", "tty"},
    "boards.virtual.launch": {"fcntl", "termios"},
    "diagnose.remote.dialling": {"socket"},
    "diagnose.simulation.connection": {"socket"},
    "diagnose.simulation.hosts": {"threading"},
    "server.address": {"socket"},
    "server.engine.engine": {"socket", "threading"},
    "server.engine.engine_jobs": {"socket", "threading"},
    "server.engine.tls_link": {"selectors", "socket"},
    "server.one_peer": {"socket"},
    "server.program": {"subprocess", "threading"},
    "server.relay": {"selectors", "socket", "threading"},
    "server.remote": {"subprocess", "threading"},
    "server.slow_link": {"selectors", "socket", "threading"},
    "server.target": {"socket"},
    "system.commands": {"sleep", "subprocess"},
    "system.locks": {"fcntl"},
}
IO_MODULES = {"socket", "selectors", "serial", "mpremote", "subprocess", "threading", "asyncio", "multiprocessing"}
POSIX_MODULES = {"pty", "tty", "termios", "fcntl", "resource", "grp", "pwd"}


def module_name(path: Path) -> str:
    """`harness/wire/records.py` -> `harness.wire.records`; a package's `__init__` is the package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(HARNESS.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8"), str(path)) for name, path in SOURCES.items()}


def imports(name: str) -> list[tuple[int, str]]:
    """Return (line, dotted name) of a module's imports; `from a import b` is a.b if that is a module, else a."""
    found = []
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: a relative import; write the whole name"
            source = node.module or ""
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                found.append((node.lineno, inner if inner in SOURCES else source))
    return found


def own_imports(name: str) -> Iterator[tuple[int, str]]:
    """Return (line, module) of the harness's modules that a module imports, without the package itself."""
    return ((line, target) for line, target in imports(name) if target in SOURCES and target != "harness")


def within(name: str, parent: str) -> bool:
    """Return whether a dotted name is `parent` or inside it."""
    return name == parent or name.startswith(f"{parent}.")


def stage(name: str) -> int:
    """Return the number of a module's folder, or of a module in harness/ itself."""
    return STAGES.index(name.split(".")[1])


def test_every_module_has_a_stage():
    """The list names exactly the content of harness/; a new folder gets its place in the flow there."""
    there = {path.stem for path in HARNESS.glob("*.py")} | {
        path.name for path in HARNESS.iterdir() if (path / "__init__.py").exists()
    }
    assert there - {"__init__"} == set(STAGES)


def test_harness_itself_contains_only_the_entry_points():
    """Only the errors and the command line are directly in harness/; everything else is in a folder."""
    loose = {path.name for path in HARNESS.glob("*.py")}
    assert loose == {"__init__.py", "__main__.py", "cli.py", "errors.py"}


def test_imports_point_to_earlier_stages():
    """A module imports its own stage and earlier ones, also inside functions."""
    wrong = [
        f"{name}:{line} imports {target}"
        for name in SOURCES
        if name != "harness"
        for line, target in own_imports(name)
        if stage(target) > stage(name)
    ]
    assert wrong == []


def test_records_are_imported_from_the_package():
    """Other stages import records from harness.model itself: the file that defines one may change."""
    wrong = [
        f"{name}:{line} imports {target}"
        for name in SOURCES
        if not within(name, "harness.model")
        for line, target in own_imports(name)
        if target.startswith("harness.model.")
    ]
    assert wrong == []


def circles() -> list[list[str]]:
    """Return the groups of modules that import one another in a circle (Tarjan's strongly connected components)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    waiting: list[str] = []
    found = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        waiting.append(name)
        for _line, target in own_imports(name):
            if target not in number:
                visit(target)
            if target in waiting:
                lowest[name] = min(lowest[name], lowest[target])
        if lowest[name] == number[name]:
            group = waiting[waiting.index(name) :]
            del waiting[waiting.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in SOURCES:
        if name not in number:
            visit(name)
    return found


def test_no_circle_inside_a_stage():
    """Imports inside a stage have no circles either, imports inside functions included."""
    assert circles() == []


def test_packages_import_nothing():
    """A folder's __init__ only describes the folder; only these define names."""
    allowed = {
        "harness",
        "harness.cases",
        "harness.certificates",
        "harness.explain",
        "harness.model",
        "harness.reports.html",
        "harness.server",
    }
    importing = {
        name for name, path in SOURCES.items() if path.name == "__init__.py" and any(True for _ in own_imports(name))
    }
    assert importing - allowed == set()


def test_stages_that_know_nothing_of_each_other():
    """Some stages come later in the flow and still must not know an earlier one."""
    wrong = [
        f"{name}:{line} imports {target}: {reason}"
        for one, other, reason in APART
        for name in SOURCES
        if within(name, one)
        for line, target in imports(name)
        if within(target, other)
    ]
    assert wrong == []


def test_the_list_of_separations_is_not_stale():
    """Each entry names modules that exist."""
    named = {one for one, _other, _reason in APART} | {other for _one, other, _reason in APART if other != "pytest"}
    assert named - set(SOURCES) == set()


def closure(names: set[str]) -> set[str]:
    """Return all harness modules that importing these loads, with their packages."""
    seen: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        seen.add(name)
        if name == "harness":
            continue  # its names are loaded at their first use
        parts = name.split(".")
        around = {".".join(parts[:depth]) for depth in range(1, len(parts))}
        waiting |= {target for _line, target in imports(name) if target in SOURCES} | around
        waiting -= seen
    return seen


def test_prediction_knows_no_observation():
    """A prediction sees the ClientHello and the server's settings: except for the records, nothing that it imports knows what happened."""
    start = {name for name in SOURCES if any(within(name, entry) for entry in PREDICTION)}
    assert start >= set(PREDICTION)
    reached = {name for name in closure(start) if not within(name, "harness.model")}
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


def test_observing_is_pure():
    """Nothing that observe.py imports does I/O: an observation depends only on records."""
    assert {name: used for name in closure({"harness.run.observe"}) if (used := io_of(name))} == {}


def io_of(name: str) -> set[str]:
    """Return the I/O that a module uses: modules that do I/O, start processes or threads, or are POSIX only; and `sleep`."""
    used = {target.partition(".")[0] for _line, target in imports(name)} & (IO_MODULES | POSIX_MODULES)
    sleeps = any(
        isinstance(node, ast.Attribute)
        and node.attr == "sleep"
        and isinstance(node.value, ast.Name)
        and node.value.id == "time"
        for node in ast.walk(TREES[name])
    )
    return used | ({"sleep"} if sleeps else set())


def test_io_lives_in_the_listed_modules():
    """Each module uses exactly the I/O that the table above allows it."""
    assert {name.removeprefix("harness."): used for name in SOURCES if (used := io_of(name))} == IO


def test_ruff_bans_io_elsewhere():
    """ruff's TID251 is disabled only for the folders of the table, and bans every module of the table."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    lifted = {
        pattern.removeprefix("harness/").removesuffix("/**").replace("/", ".")
        for pattern, rules in settings["per-file-ignores"].items()
        if pattern.startswith("harness/") and "TID251" in rules
    }
    assert [name for name in IO if not any(within(name, folder) for folder in lifted)] == []
    assert [folder for folder in lifted if not any(within(name, folder) for name in IO)] == []
    banned = set(settings["flake8-tidy-imports"]["banned-api"])
    assert banned == IO_MODULES | POSIX_MODULES | {"time.sleep", "platform.platform", "platform.uname"}


ENGINE = "harness.server.engine"


def test_the_server_engine_needs_the_standard_library_only():
    """Code that runs under another interpreter imports only the standard library and its own folder."""
    parts = {name.removeprefix(f"{ENGINE}.") for name in SOURCES if within(name, ENGINE)}
    allowed = parts | {f"{ENGINE}.{part}" for part in parts}
    foreign = [
        f"{name}:{line} imports {target}"
        for name in SOURCES
        if within(name, ENGINE)
        for line, target in imports(name)
        if target not in allowed and target.partition(".")[0] not in sys.stdlib_module_names
    ]
    assert foreign == []


def test_the_server_engine_is_checked_for_the_oldest_python():
    """ruff checks the engine's folder for Python 3.8, and nothing else."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert settings["per-file-target-version"] == {"harness/server/engine/*.py": "py38"}


def test_only_the_plugin_knows_pytest():
    """pytest is imported by the plugin's own modules; everything else works without it. Nothing uses pytest's private modules."""
    users = {name for name in SOURCES if any(within(target, "pytest") for _line, target in imports(name))}
    assert {name for name in users if not within(name, "harness.pytest_plugin")} == set()
    private = [name for name in SOURCES for _line, target in imports(name) if within(target, "_pytest")]
    assert private == []
