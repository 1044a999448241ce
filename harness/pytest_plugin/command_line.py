"""Keeps pytest from taking the value of one of our options for the place of its tests.

pytest looks for its configuration file before it loads any plugin, and then every existing path on the command line is to it a
path of tests (findpaths.py, determine_setup; documented under "Initialization: determining rootdir"): with
`pytest --board /dev/ttyUSB0` the root directory becomes /dev, pytest.ini is not found, and every test of the folder runs.
Written as `--board=/dev/ttyUSB0` the same words are left alone.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from harness.model import current_name
from harness.pytest_plugin.options import PATH_OPTIONS

# The case in the id of a test: `test_case[unix-raw/http-400]`.
_CASE = re.compile(r"(?<=[\[-])[a-z0-9]+/[a-z0-9-]+(?=\]$)")


def joined(arguments: Sequence[str], *, folder: Path, options: Iterable[str] = PATH_OPTIONS) -> list[str] | None:
    """Write `--option PATH` as `--option=PATH` where pytest would mistake the path.

    Args:
        arguments: the command line.
        folder: the current directory; a path inside it leads pytest to the same configuration file as no path.
        options: those that take a path.

    Returns:
        The new command line, None if nothing was to be done.
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
    """Whether pytest would take a path for a place of tests.

    Args:
        value: the path as it was told.
        folder: the current directory.
        made: whether the run makes it: pytest-xdist's workers, which get the same words, then meet a path that exists.
    """
    if value.startswith("-"):
        return False
    path = Path(os.path.abspath(folder / value))
    try:
        return (made or path.exists()) and not path.is_relative_to(folder)
    except OSError:  # a name too long for a file
        return False


def current_nodeid(word: str) -> str:
    """Write the current id of the case into the id of a test that an older record or report names.

    Args:
        word: an argument of pytest; what is not the id of such a test is returned as it is.
    """
    return _CASE.sub(lambda found: current_name(found[0]), word) if "::" in word else word


def run_again(config: pytest.Config) -> int | None:
    """Run pytest anew, in this process, with a command line it cannot mistake; None if it is good as it is."""
    folder = config.invocation_params.dir
    current = [current_nodeid(word) for word in config.invocation_params.args]
    arguments = joined(current, folder=folder)
    if arguments is None and current != list(config.invocation_params.args):
        arguments = current
    told = os.environ.get("PYTEST_ADDOPTS", "")
    added = joined(shlex.split(told), folder=folder) if told else None
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
            os.environ["PYTEST_ADDOPTS"] = told
