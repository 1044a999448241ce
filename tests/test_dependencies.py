"""Each dependency has its reason, licence and last release in ARCHITECTURE.md, and nothing else has (rule: no package without a reason)."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    """Return the packages of a list of requirements, without versions and markers."""
    return {re.match(r"[\w.-]+", text)[0].lower() for text in requirements}


def declared() -> dict[str, set[str]]:
    """Return package -> purpose as in the table: nothing for run time, else test, build, dev."""
    found: dict[str, set[str]] = {name: set() for name in names(PROJECT["project"]["dependencies"])}
    lists = {**PROJECT["project"]["optional-dependencies"], "build": PROJECT["build-system"]["requires"]}
    for use, requirements in lists.items():
        for name in names(requirements) - {PROJECT["project"]["name"]}:
            found.setdefault(name, set()).add(use)
    return found


def rows() -> list[list[str]]:
    """Return the cells of ARCHITECTURE.md's table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition("\n## Dependencies\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_has_what_is_declared():
    """The table has one line for each package of pyproject.toml, with its purpose before the name."""
    listed = {}
    for package, *_ in rows():
        uses, _, name = package.rpartition(": ")
        listed[name] = set(uses.split(", ")) if uses else set()
    assert listed == declared()
    assert len(rows()) == len(listed)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_line_is_complete(row):
    """A line has the reason, the licence, and the last release with its year."""
    _package, reason, licence, release = row
    assert len(reason.split()) >= 3
    assert licence
    assert re.match(r"\d+(\.\d+)+, 20\d\d\b", release)


def test_the_tools_of_tox_are_those_of_dev():
    """tox installs the same ruff and mypy as `pip install -e .[dev]`: two versions would disagree."""
    tox = set(re.findall(r"^deps = (\S+==\S+)$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE))
    assert tox == {text for text in PROJECT["project"]["optional-dependencies"]["dev"] if "==" in text}


def test_tox_has_an_environment_for_each_mpremote():
    """Every minor release that pyproject.toml allows can be tested by name: harness/boards/serial/raw_repl.py subclasses its transport."""
    (text,) = [text for text in PROJECT["project"]["dependencies"] if text.startswith("mpremote")]
    low, high = (int(number) for number in re.fullmatch(r"mpremote>=1\.(\d+),<1\.(\d+)", text).groups())
    tox = (ROOT / "tox.ini").read_text(encoding="utf-8")
    assert re.findall(r"^    mpremote1(\d+): mpremote==1\.(\d+)\.\*$", tox, re.MULTILINE) == [
        (str(minor), str(minor)) for minor in range(low, high)
    ]
