"""Make a separate environment for labgrid: its pyserial and ours both provide the package `serial`.

    python tools/fetch_labgrid.py

Prints the path of `labgrid-client` on standard output; `labgrid-coordinator` and `labgrid-exporter` are in the same folder. The harness
looks for it there. pip uses this machine's configuration. An existing environment is kept, without network access.
Exit codes: 0 done, 1 the environment could not be made, 2 usage error.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER_VARIABLE = "TLS_HARNESS_LABGRID"
#: Coordinator, exporter and client must have the same version: 25.0 changed their protocol.
REQUIREMENT = "labgrid==26.0.1"
DONE = "tls-harness-labgrid.txt"
CALL_TIMEOUT_S = 600


class FetchError(Exception):
    """The environment could not be made; the message is one line."""


def default_folder() -> Path:
    """Return the environment's folder: $TLS_HARNESS_LABGRID, else one in the user's cache."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(chosen).expanduser() if chosen else Path(cache).expanduser() / "tls-harness" / "labgrid"


def present(folder: Path) -> Path | None:
    """Return the client of a complete environment with this requirement whose Python still exists; else None."""
    client = folder / "bin" / "labgrid-client"
    try:
        complete = (folder / DONE).read_text(encoding="utf-8").strip() == REQUIREMENT
    except OSError:
        return None
    return client if complete and client.is_file() and (folder / "bin" / "python").exists() else None


def fetch(folder: Path) -> Path:
    """Make the environment unless it exists; return the client's path.

    Raises:
        FetchError: if it cannot be made.
    """
    client = present(folder)
    if client is not None:
        return client
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = present(folder)  # another process may have made it in the meantime
        if client is not None:
            return client
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)], what="make an environment")
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
        _run([*pip, REQUIREMENT], what=f"install {REQUIREMENT}")
        (folder / DONE).write_text(f"{REQUIREMENT}\n", encoding="utf-8")
    client = present(folder)
    if client is None:
        raise FetchError(f"{REQUIREMENT} was installed into {folder}, but there is no labgrid-client")
    return client


def _run(command: Sequence[str], *, what: str) -> None:
    """Run a program; a failure is one line that ends with the program's last line."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=CALL_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"cannot {what}: {type(error).__name__}") from error
    if done.returncode != 0:
        said = [line for line in done.stdout.splitlines() if line.startswith("ERROR")] or done.stdout.splitlines()
        raise FetchError(f"cannot {what}: {' '.join(said[-1].split()) if said else 'it failed'}"[:300])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="fetch_labgrid.py", description="Make an environment for labgrid and print the path of labgrid-client."
    )
    parser.add_argument("--folder", type=Path, help=f"Default: ${FOLDER_VARIABLE}, or ~/.cache/tls-harness/labgrid")
    options = parser.parse_args(arguments)
    folder = (options.folder.expanduser() if options.folder else default_folder()).absolute()
    try:
        print(fetch(folder))
    except FetchError as error:
        print(f"fetch_labgrid: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"fetch_labgrid: {folder}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
