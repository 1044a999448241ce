"""Reads boards.toml; its meaning is in `harness.boards.spec`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from harness.boards.spec import parse_lab
from harness.errors import UsageError
from harness.model import BoardSpec

DEFAULT_FILE = "boards.toml"


def read_lab(path: str | None, *, folder: Path) -> dict[str, BoardSpec]:
    """Read the lab's boards by name.

    Args:
        path: what `--boards` says; None takes `boards.toml` in `folder` if it exists.
        folder: where the default is looked for.

    Raises:
        UsageError: the file is missing, no TOML, or says something unknown.
    """
    file = Path(path) if path else folder / DEFAULT_FILE
    if path is None and not file.exists():
        return {}
    try:
        with file.open("rb") as stream:
            data = tomllib.load(stream)
    except OSError as error:
        raise UsageError(f"--boards {file}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"--boards {file}: no valid TOML: {error}") from error
    return parse_lab(data, file=str(file))
