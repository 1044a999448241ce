"""Data folders are found in the package first, then in the checkout, and a missing one is named."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.system import data_files


def ask(top: Path) -> subprocess.CompletedProcess[str]:
    """Copy the module into a package at `top` and ask it for `certs`."""
    package = top / "harness"
    package.mkdir(parents=True, exist_ok=True)
    (package / "system").mkdir(exist_ok=True)
    for name in ("system/data_files.py", "system/__init__.py", "errors.py", "__init__.py"):
        shutil.copy(Path(data_files.__file__).parents[1] / name, package / name)
    code = "from harness.system.data_files import data_dir; print(data_dir('certs'))"
    return subprocess.run([sys.executable, "-c", code], cwd=top, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("name", data_files.DATA_FOLDERS)
def test_all_folders_are_found_here(name: str) -> None:
    """The checkout has them all."""
    assert data_files.data_dir(name).is_dir()


def test_another_name_is_refused() -> None:
    """Only some folders are data: the error has the list."""
    with pytest.raises(
        UsageError, match=r"unknown data folder 'doc' \(expected one of certs, device_scripts, docs, examples, tools\)"
    ):
        data_files.data_dir("doc")


def test_the_package_comes_before_the_checkout(tmp_path: Path) -> None:
    """The folder inside an installed package takes precedence over one next to it."""
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "certs").mkdir()
    assert ask(tmp_path).stdout.strip() == str(tmp_path / "certs")
    (tmp_path / "harness" / "certs").mkdir()
    assert ask(tmp_path).stdout.strip() == str(tmp_path / "harness" / "certs")


def test_a_folder_next_to_an_installed_package_is_not_ours(tmp_path: Path) -> None:
    """`site-packages/certs` belongs to another package: the error names both places."""
    (tmp_path / "certs").mkdir()
    done = ask(tmp_path)
    assert done.returncode == 1
    assert f"the harness's folder 'certs' is missing (not at {tmp_path / 'harness' / 'certs'}," in done.stderr


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The cache is XDG_CACHE_HOME if that is absolute, else ~/.cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_files.cache_dir("keys") == tmp_path / "tls-harness" / "keys"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert data_files.cache_dir("keys") == tmp_path / "home" / ".cache" / "tls-harness" / "keys"
