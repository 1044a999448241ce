"""Fetch a program of another Debian suite through this machine's own apt, without installing anything.

    python tools/fetch_debian.py                              MicroPython of trixie
    python tools/fetch_debian.py --suite bullseye python3.9   another program, another suite

Prints the path of a launcher script on standard output, ready for `--board unix:PATH` or `--server PATH`. It uses this machine's mirror and
signing key. apt runs with its own configuration, lists and downloads in a private folder, so neither the machine's packages nor its
apt are changed; root is not needed. The packages are only unpacked. The program is started by the dynamic loader of its own suite,
because Debian trixie's libraries need a newer glibc than the host's.

A program that was fetched before is not fetched again, and no network access happens. Exit codes: 0 done, 1 the program could not be
fetched (no network, no such suite or package), 2 usage error, 3 this machine has no apt or no Debian mirror.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from apt_text import CannotError, FetchError, Source, closure, dependencies, own_archive, read_deb822, read_one_line

FOLDER_VARIABLE = "TLS_HARNESS_DEBIAN"
DEFAULT_SUITE = "trixie"
DEFAULT_PROGRAM = "micropython"
EXIT_FAILED = 1
EXIT_CANNOT = 3
CALL_TIMEOUT_S = 600
PROBE_TIMEOUT_S = 30
STATE = "state.json"
TOOLS = ("apt-get", "apt-cache", "apt-config", "dpkg", "dpkg-deb")


# ----------------------------------------------------------------------------------------------- this machine's apt


def machine_sources() -> list[Source]:
    """Return all archives in this machine's apt configuration, wherever its source lists are."""
    asked = ("file", "Dir::Etc::sourcelist/f", "parts", "Dir::Etc::sourceparts/d")
    answer = _run(["apt-config", "shell", *asked], what="read apt's configuration")
    places = dict(word.partition("=")[::2] for word in shlex.split(answer))
    parts = Path(places.get("parts", "/etc/apt/sources.list.d"))
    files = [Path(places.get("file", "/etc/apt/sources.list"))]
    files += sorted(
        item for item in (parts.iterdir() if parts.is_dir() else ()) if item.suffix in (".list", ".sources")
    )
    sources: list[Source] = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        sources += read_deb822(text) if file.suffix == ".sources" else read_one_line(text)
    return sources


def code_name() -> str:
    """Return the code name of this machine's system; empty if os-release has none."""
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return ""
    words = dict(line.partition("=")[::2] for line in shlex.split(text, comments=True))
    return words.get("VERSION_CODENAME", "")


# ----------------------------------------------------------------------------------------------- a private apt


class PrivateApt:
    """apt for one suite of one archive, with its own configuration, lists and downloads in `folder`."""

    def __init__(self, folder: Path, *, source: Source, suite: str) -> None:
        self.folder = folder
        self.suite = suite
        self.downloads = folder / "downloads"
        for name in ("sources.d", "state/lists/partial", "cache/archives/partial", "downloads"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.architecture = _run(["dpkg", "--print-architecture"], what="ask dpkg").strip()
        # A mirror's address may contain a password: only this user may read the file.
        _write_private(folder / "sources.d/suite.sources", self._source_text(source))
        _write_private(folder / "apt.conf", self._configuration())

    def _source_text(self, source: Source) -> str:
        lines = ["Types: deb", f"URIs: {source.uri}", f"Suites: {self.suite}", "Components: main"]
        lines.append(f"Architectures: {self.architecture}")
        if source.signed_by:
            # The field may contain the key itself, as continuation lines.
            lines.append("Signed-By: " + source.signed_by.replace("\n", "\n "))
        return "\n".join(lines) + "\n"

    def _configuration(self) -> str:
        """Return the apt.conf that is read after the machine's own (-c): it keeps the proxies and drops hooks, pins, sources and state."""
        cleared = ("Update::Pre-Invoke", "Update::Post-Invoke", "Update::Post-Invoke-Success", "Default-Release")
        settings = {
            "Dir::State": f"{self.folder}/state",
            "Dir::State::status": "/dev/null",
            "Dir::Cache": f"{self.folder}/cache",
            "Dir::Etc::sourcelist": "/dev/null",
            "Dir::Etc::sourceparts": f"{self.folder}/sources.d",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "APT::Architecture": self.architecture,
            # As root, apt would download as the user _apt, who cannot enter a private folder.
            "APT::Sandbox::User": "root",
            # Without this, a failed download is only a warning, and apt uses old lists.
            "APT::Update::Error-Mode": "any",
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
        }
        lines = [f"#clear APT::{name};" for name in cleared] + ["#clear APT::Architectures;"]
        lines += [f'{name} "{value}";' for name, value in settings.items()]
        return "\n".join(lines) + "\n"

    def update(self) -> None:
        """Fetch the suite's package lists."""
        self._apt("apt-get", "update", what=f"fetch the package lists of suite {self.suite!r}")

    def version(self, package: str) -> str:
        """Return the package's version in this suite.

        Raises:
            FetchError: if the suite does not have the package.
        """
        text = self._apt("apt-cache", "policy", package, what=f"look up {package!r}")
        found = re.search(r"(?m)^  Candidate: (\S+)$", text)
        if found is None or found[1] == "(none)":
            raise FetchError(f"suite {self.suite!r} has no package {package!r} for {self.architecture}")
        return found[1]

    def needed(self, package: str) -> list[str]:
        """Return the package, the parts it is split into, and the shared libraries of all of them."""
        kinds = ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")
        text = self._apt(
            "apt-cache", "depends", "--recurse", *(f"--no-{kind}" for kind in kinds), package, what="list dependencies"
        )
        return closure(package, dependencies(text))

    def download(self, packages: Sequence[str]) -> list[Path]:
        """Download the packages; apt checks their hashes and the archive's signature."""
        shutil.rmtree(self.downloads)
        self.downloads.mkdir()
        self._apt("apt-get", "download", *packages, what=f"download {packages[0]!r} and its libraries")
        return sorted(self.downloads.glob("*.deb"))

    def _apt(self, tool: str, *words: str, what: str) -> str:
        return _run([tool, "-q", "-c", str(self.folder / "apt.conf"), *words], what=what, folder=self.downloads)


# ----------------------------------------------------------------------------------------------- unpacked programs


def short_version(version: str) -> str:
    """Return the short form of a Debian version: `1.25.0+ds-1` is 1.25, `3.13.5-2+deb13u5` is 3.13.5."""
    upstream = re.split(r"[-+~]", version.rpartition(":")[2])[0]
    return upstream.removesuffix(".0") if upstream.count(".") > 1 else upstream


def write_launcher(home: Path, *, final: Path, program: str, version: str) -> str:
    """Write the script that starts the program with its own loader and libraries; return its file name.

    Args:
        home: the folder with `root/`, where the script is written.
        final: where that folder will be when the script runs.

    Raises:
        FetchError: if the packages contain no such program, or no loader.
    """
    root = home / "root"
    binary = next((path for path in (root / "usr/bin" / program, root / "bin" / program) if path.is_file()), None)
    if binary is None:
        raise FetchError(f"the package {program!r} contains no program of that name")
    # Up to glibc 2.33 the file name contains the version, and the usual name is an absolute link, which would lead into the host.
    names = ("ld-linux*.so.*", "ld64.so.*", "ld-2.*.so", "ld.so.*")
    folders = [folder for place in ("usr/lib", "lib") for folder in (root / place, *sorted((root / place).glob("*-*")))]
    found = (path for folder in folders for name in names for path in sorted(folder.glob(name)))
    loader = next((path for path in found if path.is_file() and not path.is_symlink()), None)
    if loader is None:
        raise FetchError(f"{program!r} has no dynamic loader: the package libc6 is missing")
    libraries = ":".join(str(final / folder.relative_to(home)) for folder in folders if folder.is_dir())
    words = [str(final / loader.relative_to(home)), "--library-path", libraries, str(final / binary.relative_to(home))]
    name = f"{program.rstrip('.0123456789')}-{short_version(version)}"
    # Not --argv0: old loaders lack it, and Python finds its library from the program's own path, which the loader passes.
    script = home / name
    script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return name


def present(home: Path) -> Path | None:
    """Return the launcher of a program that was fetched before, if it still starts."""
    try:
        launcher = home / str(json.loads((home / STATE).read_text(encoding="utf-8"))["launcher"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return launcher if _starts(launcher) is None else None


def _starts(launcher: Path) -> str | None:
    """Return None if the launcher's program runs, else its output."""
    environment = {"PATH": os.defpath, "HOME": str(launcher.parent)}
    command = [str(launcher), "-c", "print('runs')"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PROBE_TIMEOUT_S,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    return (
        None if done.stdout.strip() == "runs" else (done.stderr or done.stdout or f"status {done.returncode}").strip()
    )


def fetch(program: str, *, suite: str, folder: Path, refresh: bool) -> Path:
    """Fetch the program into `folder/suite/program` unless it is there; return its launcher.

    Raises:
        FetchError: if that failed, with the reason in one line. The previous files are kept.
    """
    base = folder / suite
    home = base / program
    if not refresh and (launcher := present(home)) is not None:
        return launcher
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise CannotError(f"this machine has no {missing[0]}: only a Debian-like system can fetch Debian packages")
    source = own_archive(machine_sources(), codename=code_name())
    base.mkdir(parents=True, exist_ok=True)
    with _alone(base / "lock"):
        # Another process may have fetched it in the meantime.
        if not refresh and (launcher := present(home)) is not None:
            return launcher
        apt = PrivateApt(base / "apt", source=source, suite=suite)
        apt.update()
        version = apt.version(program)
        packages = apt.download(apt.needed(program))
        return _unpack(packages, program=program, version=version, home=home)


def _unpack(packages: Sequence[Path], *, program: str, version: str, home: Path) -> Path:
    new, old = home.with_name(f"{home.name}.new"), home.with_name(f"{home.name}.old")
    for folder in (new, old):
        shutil.rmtree(folder, ignore_errors=True)
    for package in packages:
        _run(["dpkg-deb", "-x", str(package), str(new / "root")], what=f"unpack {package.name}", make=new / "root")
        package.unlink()
    name = write_launcher(new, final=home, program=program, version=version)
    (new / STATE).write_text(json.dumps({"launcher": name, "version": version}) + "\n", encoding="utf-8")
    if home.exists():
        home.rename(old)
    new.rename(home)
    shutil.rmtree(old, ignore_errors=True)
    trouble = _starts(home / name)
    if trouble is not None:
        raise FetchError(f"{home / name} was unpacked but does not start: {_one_line(trouble)}")
    return home / name


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Allow one fetch into a folder at a time; the lock ends with the process."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")


def _run(command: Sequence[str], *, what: str, folder: Path | None = None, make: Path | None = None) -> str:
    """Run a program and return its output; a failure is one line that ends with the program's last line."""
    if make is not None:
        make.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(
            list(command),
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CALL_TIMEOUT_S,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"cannot {what}: {command[0]}: {type(error).__name__}") from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E: ")]
        raise FetchError(f"cannot {what}: {_one_line((errors or done.stderr.splitlines() or ['it failed'])[0])}")
    return done.stdout


def _one_line(text: str) -> str:
    """Shorten a text to one line without addresses: a mirror's may contain a password."""
    return re.sub(r"\w+://\S+", "the mirror", " ".join(text.removeprefix("E: ").split()))[:300]


def default_folder() -> Path:
    """Return the folder of fetched programs: $TLS_HARNESS_DEBIAN, else one in the user's cache."""
    told = os.environ.get(FOLDER_VARIABLE)
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(told).expanduser() if told else Path(cache).expanduser() / "tls-harness" / "debian"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="fetch_debian.py", description="Fetch a program of another Debian suite and print the path that starts it."
    )
    parser.add_argument("program", nargs="?", default=DEFAULT_PROGRAM, help=f"Default: {DEFAULT_PROGRAM}")
    parser.add_argument("--suite", default=DEFAULT_SUITE, help=f"Default: {DEFAULT_SUITE}")
    parser.add_argument("--folder", type=Path, help=f"Default: ${FOLDER_VARIABLE}, or ~/.cache/tls-harness/debian")
    parser.add_argument(
        "--refresh", action="store_true", help="Fetch the suite's current version even if one is cached"
    )
    options = parser.parse_args(arguments)
    for name, value in (("program", options.program), ("--suite", options.suite)):
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]*", value):
            parser.error(
                f"{name} {value!r}: expected the name of a Debian {name.lstrip('-')}, e.g. {parser.get_default(name.lstrip('-'))}"
            )
    folder = (options.folder.expanduser() if options.folder else default_folder()).absolute()
    try:
        print(fetch(options.program, suite=options.suite, folder=folder, refresh=options.refresh))
    except FetchError as error:
        print(f"fetch_debian: {error}", file=sys.stderr)
        return EXIT_CANNOT if isinstance(error, CannotError) else EXIT_FAILED
    except OSError as error:
        print(f"fetch_debian: {folder}: {error.strerror}", file=sys.stderr)
        return EXIT_FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
