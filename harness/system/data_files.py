"""Find the folders of the harness: its data (`certs/`, `device_scripts/` ...), and its part of the user's cache.

Knows the two places where data can be: inside the installed package, or next to it in a checkout. Must not know their content.
"""

from __future__ import annotations

import os
from pathlib import Path

from harness.errors import UsageError

# Name, which is also the place in an installed package -> place in a checkout.
DATA_FOLDERS = {
    "certs": "certs",
    "device_scripts": "device_scripts",
    "docs": "docs",
    "examples": "tests/examples",
    "tools": "tools",
}


def data_dir(name: str) -> Path:
    """Find a data folder of the harness.

    The installed wheel has the folders inside the package (`sources` of the wheel in pyproject.toml), a checkout has
    them at other places. Outside the package a folder counts only next to a pyproject.toml: `site-packages/certs` belongs
    to another package.

    Args:
        name: a key of `DATA_FOLDERS`.

    Raises:
        UsageError: for another name, or when the folder is in neither place.
    """
    if name not in DATA_FOLDERS:
        raise UsageError(f"unknown data folder {name!r} (expected one of {', '.join(DATA_FOLDERS)})")
    package = Path(__file__).resolve().parents[1]
    installed, checkout = package / name, package.parent / DATA_FOLDERS[name]
    if installed.is_dir():
        return installed
    if checkout.is_dir() and (package.parent / "pyproject.toml").is_file():
        return checkout
    raise UsageError(f"the harness's folder {name!r} is missing (not at {installed}, not at {checkout}): reinstall it")


def cache_dir(name: str) -> Path | None:
    """Return a folder of the user's cache: `$XDG_CACHE_HOME/tls-harness/NAME` or `~/.cache/...`; None without a home."""
    configured = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # A relative value is to be ignored (XDG Base Directory Specification).
        cache = Path(configured) if os.path.isabs(configured) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return cache / "tls-harness" / name
