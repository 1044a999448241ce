"""Changelog fragments have the names that towncrier accepts, and the README of their folder lists the same types."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "changelog"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]
TYPES = [entry["directory"] for entry in SETTINGS["type"]]


def test_names_of_fragments():
    """A fragment is `<issue number>.<type>.md` or `+<short-name>.<type>.md`."""
    allowed = re.compile(rf"(\d+|\+[a-z0-9]+(-[a-z0-9]+)*)\.({'|'.join(TYPES)})\.md")
    names = {path.name for path in FOLDER.iterdir()} - set(SETTINGS["ignore"])
    assert {name for name in names if not allowed.fullmatch(name)} == set()


def test_the_readme_lists_the_types():
    """The table names the types in the order in which the changelog shows them."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == TYPES


def test_fragments_are_short():
    """A fragment is plain text of at most 600 characters, without list or heading: towncrier makes one list item of it."""
    paths = [path for path in FOLDER.iterdir() if path.name != "README.md"]
    texts = {path.name: path.read_text(encoding="utf-8") for path in paths}
    assert {name for name, text in texts.items() if re.search(r"^(#|\*|-|\n)", text, re.MULTILINE)} == set()
    assert {name for name, text in texts.items() if not text.rstrip().endswith(".") or len(text) > 600} == set()


def test_the_changelog_has_the_marker_for_the_next_release():
    """towncrier writes below this line; without it, it writes above the title."""
    assert (ROOT / SETTINGS["filename"]).read_text(encoding="utf-8").count(
        "<!-- towncrier release notes start -->\n"
    ) == 1
