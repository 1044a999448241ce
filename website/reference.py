"""The reference: options, commands, fixtures and the public names, from the table, the parser and the docstrings themselves."""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, cast

import harness
from harness.boards.labgrid.client import VARIABLE as LABGRID_CLIENT
from harness.boards.virtual.faulty import SEED_VARIABLE
from harness.cli import parser
from harness.commands.manual_page import commands_of, option_words
from harness.expectations.needs import named_needs
from harness.pytest_plugin import arguments
from harness.pytest_plugin.needs_marker import ABOUT
from harness.pytest_plugin.option_table import OPTIONS, Option, declare
from harness.pytest_plugin.server_settings import make_server
from website.docstring import code, markdown, prose, table
from website.page import Page

#: Of these classes only some names are for tests, as their docstrings say.
FOR_TESTS = {"Board": ("label", "server_name", "info", "firmware", "connect")}
#: What is read from the environment and is no option, each with the place that says what it means.
_VARIABLES = {
    "MICROPYTHON": "[Board specs](../lab.md#board-specs)",
    LABGRID_CLIENT: "[A shared bench: labgrid](../lab.md#a-shared-bench-labgrid)",
    SEED_VARIABLE: "[Boards that misbehave](../faults.md)",
    "XDG_CACHE_HOME": "[Keys and certificates](../../certs/README.md)",
}
PLUGIN = Path(harness.__file__).with_name("pytest_plugin") / "plugin.py"


def options_page() -> Page:
    """Return the options of a pytest run: on the command line, in the ini file, in the environment."""
    parts = [
        "# Options of a run",
        "Each option is given on the command line of pytest, in the environment, or in the ini file. The command line overrides the "
        "environment, which overrides the ini file. `pytest --help` prints the same texts.",
        table(
            ("option", "ini file", "environment"),
            ([f"[{code(_usage(one))}](#{one.name})", code(one.ini), code(one.variable)] for one in OPTIONS),
        ),
    ]
    for one in OPTIONS:
        several = (
            " Several values are separated by blanks; in the environment, quote a value that has one." * one.repeatable
        )
        relative = " In an ini file, a relative path starts at that file." * one.is_path
        parts += [f"## {code(_usage(one))} {{ #{one.name} }}", f"{prose(one.help)}.{several}{relative}"]
    parts.append("## Only in the ini file")
    parts += [f"{code(name)}: {prose(text)}." for name, text in _other_ini_options()]
    parts += [
        "## Only in the environment",
        table(("variable", "described in"), ([code(name), link] for name, link in _VARIABLES.items())),
    ]
    return Page(path="reference/options.md", title="Options", text="\n\n".join(parts) + "\n")


def _usage(one: Option) -> str:
    return f"--{one.name} {one.metavar}".rstrip()


class _IniOptions:
    """Stands for pytest's parser, and keeps what `declare` tells it about the ini file."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    def getgroup(self, *_arguments: str) -> _IniOptions:
        """Return the group of options."""
        return self

    def addoption(self, *_names: str, **_settings: Any) -> None:
        """Ignore an option: the table has it."""

    def addini(self, name: str, help: str, **_settings: Any) -> None:
        """Keep an ini option."""
        self.found.append((name, help))


def _other_ini_options() -> list[tuple[str, str]]:
    ini = _IniOptions()
    declare(cast(Any, ini))
    return [(name, text) for name, text in ini.found if name not in {one.ini for one in OPTIONS}]


def commands_page() -> Page:
    """Return every command of `tls-harness` with its options and examples."""
    whole = parser()
    parts = ["# Commands", prose(whole.description or ""), _block(whole.epilog)]
    for name, command in commands_of(whole):
        parts += _command(f"## tls-harness {name}", command)
        for sub, nested in commands_of(command):
            parts += _command(f"### tls-harness {name} {sub}", nested)
    return Page(path="reference/commands.md", title="Commands", text="\n\n".join(filter(None, parts)) + "\n")


def _command(heading: str, command: argparse.ArgumentParser) -> Iterator[str]:
    yield heading
    yield prose(command.description or "")
    actions = [
        action
        for action in command._actions
        if not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
    ]
    if actions:
        rows = ([code(option_words(action)), prose((action.help or "").replace("%%", "%"))] for action in actions)
        yield table(("option or argument", "meaning"), rows)
    yield _block(command.epilog)


def _block(text: str | None) -> str:
    return f"```text\n{text.rstrip()}\n```" if text else ""


def fixtures_page() -> Page:
    """Return the fixtures, the settings of `tls_server`, and the words of the marker."""
    parts = ["# Fixtures and marker", "Tests take these fixtures by name; `pytest --fixtures` lists them, too."]
    for function, scope in _fixtures():
        kind = ast.unparse(function.returns) if function.returns else ""
        parts += [f"## {function.name}", f"{code(kind)}, {scope} scope", markdown(ast.get_docstring(function))]
        if function.name == "tls_server":
            parts += ["### tls\\_server(...)", markdown(make_server.__doc__)]
    parts += [
        "## pytest.mark.needs",
        prose(ABOUT) + ".",
        table(
            ("word", "missing if the test is skipped"),
            ([code(word), prose(need.reason)] for word, need in sorted(named_needs().items())),
        ),
    ]
    return Page(path="reference/fixtures.md", title="Fixtures", text="\n\n".join(parts) + "\n")


def _fixtures() -> Iterator[tuple[ast.FunctionDef, str]]:
    for node in ast.parse(PLUGIN.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if any(mark.startswith("pytest.fixture") for mark in marks):
                yield node, "session" if "session" in marks[0] else "function"


def api_page() -> Page:
    """Return the public names of `harness`, and the settings that its functions take."""
    parts = ["# Python API", prose((harness.__doc__ or "").splitlines()[0])]
    for name in harness.__all__:
        value = getattr(harness, name)
        if inspect.isclass(value):
            parts += _class(name, value)
    parts.append("## Settings as keyword arguments")
    for name in ("ServerSettings", "ClientSettings", "NegotiatedValues", "RefusalDetails"):
        value = getattr(arguments, name)
        rows = ([code(key), code(kind)] for key, kind in inspect.get_annotations(value).items())
        parts += [f"### {name}", markdown(value.__doc__), table(("name", "type"), _plain(rows))]
    return Page(path="reference/api.md", title="Python API", text="\n\n".join(parts) + "\n")


def _plain(rows: Any) -> Iterator[list[str]]:
    for name, kind in rows:
        yield [name, kind.replace("ForwardRef('", "").replace("')", "")]


def _class(name: str, value: type) -> Iterator[str]:
    yield f"## {name}"
    yield markdown(value.__doc__)
    if issubclass(value, Enum):
        yield "Values: " + ", ".join(code(str(member.value)) for member in value) + "."
    elif is_dataclass(value) and name not in FOR_TESTS:
        yield table(
            ("field", "type", "default"),
            ([code(one.name), code(str(one.type)), code(_default(one))] for one in fields(value) if one.repr),
        )
    for key, member in vars(value).items():
        if (key.startswith("_") and key != "__call__") or key not in FOR_TESTS.get(name, (key,)):
            continue
        if isinstance(member, property):
            yield f"### {name}.{key}"
            yield markdown(member.__doc__)
        elif inspect.isfunction(member):
            yield f"### {name + '.' + key if key != '__call__' else 'Call'}"
            yield f"```python\n{_signature(key if key != '__call__' else name, member)}\n```"
            yield markdown(member.__doc__)


def _default(one: Any) -> str:
    if one.default_factory is not MISSING:
        return f"{one.default_factory.__name__}()"
    return "" if one.default is MISSING else repr(one.default)


def _signature(name: str, function: Callable[..., Any]) -> str:
    """Return a signature with its annotations as they are written."""
    signature = inspect.signature(function)
    words: list[str] = []
    for one in signature.parameters.values():
        if one.name == "self":
            continue
        if one.kind is one.KEYWORD_ONLY and "*" not in words and not any(word.startswith("*") for word in words):
            words.append("*")
        stars = "*" * ((one.kind is one.VAR_POSITIONAL) + 2 * (one.kind is one.VAR_KEYWORD))
        kind = "" if one.annotation is one.empty else f": {one.annotation}"
        default = "" if one.default is one.empty else f" = {one.default!r}"
        words.append(f"{stars}{one.name}{kind}{default}")
    returned = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    return f"{name}({', '.join(words)}){returned}"
