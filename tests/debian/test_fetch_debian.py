"""Test what tools/fetch_debian.py builds and prints, and its exit codes, without the network."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import fetch_debian
import pytest
from apt_text import FetchError, Source

PROGRAM = Path(fetch_debian.__file__)
ELF = b"\x7fELF"

needs_apt = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in fetch_debian.TOOLS), reason="this machine has no apt"
)


def call(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def put(path: Path, content: bytes = ELF) -> None:
    """Write a file of an unpacked package."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def fetched(folder: Path, *, script: str) -> Path:
    """Create a program that was fetched before, as a script."""
    launcher = folder / "trixie/micropython/micropython-1.25"
    put(launcher, f"#!/bin/sh\n{script}\n".encode())
    launcher.chmod(0o755)
    (launcher.parent / fetch_debian.STATE).write_text('{"launcher": "micropython-1.25"}', encoding="utf-8")
    return launcher


@pytest.mark.parametrize(
    ("version", "short"),
    [
        ("1.25.0+ds-1", "1.25"),
        ("1.26.1+ds-1", "1.26.1"),
        ("3.13.5-2+deb13u5", "3.13.5"),
        ("1:3.0~rc1-1", "3.0"),
        ("2.0-1", "2.0"),
    ],
)
def test_short_version(version: str, short: str) -> None:
    """The epoch, the repack suffix and Debian's revision are not part of the name."""
    assert fetch_debian.short_version(version) == short


@pytest.mark.parametrize(
    ("loader", "libraries"),
    [
        ("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "/final/root/usr/lib:/final/root/usr/lib/x86_64-linux-gnu"),
        ("usr/lib/ld-linux-aarch64.so.1", "/final/root/usr/lib"),
        (
            "lib/x86_64-linux-gnu/ld-2.31.so",
            "/final/root/lib:/final/root/lib/x86_64-linux-gnu",
        ),
    ],
)
def test_launcher(tmp_path: Path, loader: str, libraries: str) -> None:
    """The program runs under its own loader and with its own libraries first, wherever its suite puts them."""
    put(tmp_path / "root" / loader)
    put(tmp_path / "root/usr/bin/micropython")
    # As in bullseye: the usual name is an absolute link, which here would lead into the host.
    (tmp_path / "root/lib64").mkdir()
    (tmp_path / "root/lib64/ld-linux-x86-64.so.2").symlink_to("/lib64/ld-linux-x86-64.so.2")
    name = fetch_debian.write_launcher(tmp_path, final=Path("/final"), program="micropython", version="1.25.0+ds-1")
    assert name == "micropython-1.25"
    assert os.access(tmp_path / name, os.X_OK)
    assert (tmp_path / name).read_text(encoding="utf-8") == (
        f'#!/bin/sh\nexec /final/root/{loader} --library-path {libraries} /final/root/usr/bin/micropython "$@"\n'
    )


def test_launcher_in_a_folder_with_spaces(tmp_path: Path) -> None:
    """The path of the home folder may contain spaces; the name of a Python's launcher has its version once."""
    put(tmp_path / "root/usr/lib/ld-linux-x86-64.so.2")
    put(tmp_path / "root/usr/bin/python3.13")
    name = fetch_debian.write_launcher(tmp_path, final=Path("/a b"), program="python3.13", version="3.13.5-2")
    assert name == "python-3.13.5"
    assert "exec '/a b/root/usr/lib/ld-linux-x86-64.so.2'" in (tmp_path / name).read_text(encoding="utf-8")


def test_package_without_the_program(tmp_path: Path) -> None:
    """A package without a program is refused."""
    with pytest.raises(FetchError, match="'zlib1g' contains no program of that name"):
        fetch_debian.write_launcher(tmp_path, final=tmp_path, program="zlib1g", version="1")


def test_package_without_a_loader(tmp_path: Path) -> None:
    """Without libc6 there is no loader to start the program with."""
    put(tmp_path / "root/usr/bin/micropython")
    with pytest.raises(FetchError, match=r"has no dynamic loader: the package libc6 is missing$"):
        fetch_debian.write_launcher(tmp_path, final=tmp_path, program="micropython", version="1.25")


def test_a_present_program_is_not_fetched_again(tmp_path: Path) -> None:
    """If the program is in place, apt is not needed and only the path is printed."""
    launcher = fetched(tmp_path, script="echo runs")
    done = call("--folder", str(tmp_path), PATH=str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{launcher}\n", "")


def test_environment_names_the_folder(tmp_path: Path) -> None:
    """Without --folder, the folder is $TLS_HARNESS_DEBIAN."""
    launcher = fetched(tmp_path, script="echo runs")
    assert call(PATH="/nothing", TLS_HARNESS_DEBIAN=str(tmp_path)).stdout == f"{launcher}\n"


def test_a_program_that_does_not_start_is_fetched_again(tmp_path: Path) -> None:
    """A program whose files are damaged or moved counts as missing."""
    fetched(tmp_path, script="exit 3")
    assert fetch_debian.present(tmp_path / "trixie/micropython") is None


def test_no_apt(tmp_path: Path) -> None:
    """On a system without apt: one line and exit code 3."""
    done = call("--folder", str(tmp_path), PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "fetch_debian: this machine has no apt-get: only a Debian-like system can fetch Debian packages\n"
    )


@pytest.mark.parametrize("arguments", [("--suite", "../etc"), ("a b",), ("--suite", "")])
def test_usage(arguments: tuple[str, ...]) -> None:
    """A suite or program with an invalid name is a usage error."""
    done = call(*arguments)
    assert done.returncode == 2
    assert "expected the name of a Debian" in done.stderr


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """If the folder is a file: one line and exit code 1 (or 3 without apt)."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = call("--folder", str(tmp_path / "file"))
    assert done.returncode in (1, 3)
    assert done.stderr.startswith("fetch_debian: ")
    assert done.stderr.count("\n") == 1


@needs_apt
def test_archive_that_is_gone(tmp_path: Path) -> None:
    """apt's message is shown in one line, without the address, which may contain a password."""
    source = Source(uri=f"file://user:word@/{tmp_path}/none", suite="x", components=("main",))
    apt = fetch_debian.PrivateApt(tmp_path / "apt", source=source, suite="nosuch")
    with pytest.raises(FetchError, match=r"^cannot fetch the package lists of suite 'nosuch': ") as caught:
        apt.update()
    assert "word" not in str(caught.value)
    assert "\n" not in str(caught.value)


@needs_apt
def test_suite_without_the_package(tmp_path: Path) -> None:
    """The error for a missing package names the package and the suite."""
    source = Source(uri=f"file:{tmp_path}/none", suite="x", components=("main",))
    apt = fetch_debian.PrivateApt(tmp_path / "apt", source=source, suite="trixie")
    with pytest.raises(FetchError, match=r"suite 'trixie' has no package 'micropython' for \w+"):
        apt.version("micropython")


@needs_apt
def test_files_with_the_address_are_private(tmp_path: Path) -> None:
    """The private sources are readable for the user only: a mirror's address may contain a password."""
    source = Source(uri="file:/none", suite="x", components=("main",), signed_by="/k.gpg")
    fetch_debian.PrivateApt(tmp_path / "apt", source=source, suite="trixie")
    file = tmp_path / "apt/sources.d/suite.sources"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "Signed-By: /k.gpg\n" in file.read_text(encoding="utf-8")
