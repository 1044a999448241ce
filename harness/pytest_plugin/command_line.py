"""Keep pytest from taking the value of an option for the path of its tests.

pytest looks for its configuration file before it loads any plugin. At that time it takes every existing path on the command line for a
path of tests (findpaths.py, determine_setup; documented under "Initialization: determining rootdir"). With
`pytest --board /dev/ttyUSB0` the root directory becomes /dev, pytest.ini is not found, and every test of the folder runs.
With `--board=/dev/ttyUSB0` it does not.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from harness.pytest_plugin.node_ids import current_nodeid
from harness.pytest_plugin.options import PATH_OPTIONS


def joined(arguments: Sequence[str], *, folder: Path, options: Iterable[str] = PATH_OPTIONS) -> list[str] | None:
    """Rewrite `--option PATH` as `--option=PATH` if pytest would take the path for tests.

    Args:
        arguments: the command line.
        folder: the current directory; a path inside it leads pytest to the same configuration file as no path.
        options: those that take a path.

    Returns:
        The new command line; None if nothing has to change.
    """
    words, changed = [], False
    rest = iter(arguments)
    for word in rest:
        value = next(rest, None) if word in options else None
        if value is None:
            words.append(word)
        elif _misleading(value, folder=folder, made=word == "--artifacts"):
            words.append(f"{word}={value}")
            changed = True
        else:
            words += [word, value]
    return words if changed else None


def _misleading(value: str, *, folder: Path, made: bool) -> bool:
    """Whether pytest would take a path for the path of tests.

    Args:
        value: the path as given.
        folder: the current directory.
        made: whether the run creates it: the path then exists when pytest-xdist's workers read the same command line.
    """
    if value.startswith("-"):
        return False
    path = Path(os.path.abspath(folder / value))
    try:
        return (made or path.exists()) and not path.is_relative_to(folder)
    except OSError:  # a name too long for a file
        return False


def run_again(config: pytest.Config) -> int | None:
    """Run pytest again in this process with an unambiguous command line; return None if that is not needed."""
    folder = config.invocation_params.dir
    current = [current_nodeid(word) for word in config.invocation_params.args]
    arguments = joined(current, folder=folder)
    if arguments is None and current != list(config.invocation_params.args):
        arguments = current
    before = os.environ.get("PYTEST_ADDOPTS", "")
    added = joined(shlex.split(before), folder=folder) if before else None
    if arguments is None and added is None:
        return None
    if added is not None:
        os.environ["PYTEST_ADDOPTS"] = shlex.join(added)
    try:
        return int(
            pytest.main(arguments or list(config.invocation_params.args), plugins=config.invocation_params.plugins)
        )
    finally:
        if added is not None:
            os.environ["PYTEST_ADDOPTS"] = before
