"""Check the command line of a pytest run: one `UsageError` per mistake, before anything is opened.

Knows the options that take boards, servers, addresses and files. Imports other stages only if their options are used: a suite that
uses none of them does not pay for them.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, UsageError
from harness.reports.formats import REPORT_SUFFIXES
from harness.system.near_names import did_you_mean
from harness.wire.host_names import is_ip_address

if TYPE_CHECKING:
    import pytest

    from harness.model import BoardSpec, Case, ClientApi
    from harness.run.options import RunOptions

DEFAULT_BOARD = "unix"
# The value of harness.model.IN_PROCESS, which a suite without boards need not import.
IN_PROCESS = "in-process"
# The value of harness.model.DEFAULT_CLIENT, likewise.
DEFAULT_CLIENT = "socket"
MAX_WAIT_S = 86400
MAX_REPEAT = 10_000
# Each run of each case is a test: pytest collects all of them first, and the report uses 18 KB for each.
MAX_TESTS = 200_000
# The options whose values may be paths of existing files: pytest must not take those for tests (command_line.py).
PATH_OPTIONS = (
    "--board",
    "--boards",
    "--board-path",
    "--server",
    "--artifacts",
    "--compat-report",
    "--baseline",
    "--resume",
    "--known",
)
_HOST_NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


def any_given(config: pytest.Config) -> bool:
    """Whether any option of the harness is given; if not, options are checked only when a test uses them."""
    names = (
        "board",
        "boards",
        "board_path",
        "server",
        "client",
        "link_profile",
        "bind",
        "ports",
        "advertise",
        "peer",
        "compat_report",
        "artifacts",
        "firmware",
        "resume",
    )
    if any(config.getoption(name) not in (None, []) for name in names):
        return True
    usual = {"link_retries": "0", "repeat": "1", "board_wait": "0"}
    return any(config.getoption(name) != value for name, value in usual.items())


def run_options(config: pytest.Config) -> RunOptions:
    """Return the options as a record.

    Raises:
        UsageError: naming the option, the value and what is accepted.
    """
    from harness.run.options import RunOptions

    get: Callable[[str], Any] = config.getoption
    bind, ports = get("bind"), get("ports")
    if bind or ports:
        from harness.server.address import check_bind, parse_ports

        bind, ports = (check_bind(bind) if bind else None), (parse_ports(ports) if ports else None)
    specs = boards(get("board"), file=get("boards"), folder=config.invocation_params.dir)
    if get("firmware"):
        specs = firmware_axis(specs, get("firmware"), folder=config.invocation_params.dir)
    modules: Mapping[str, bytes] = {}
    if get("board_path"):
        from harness.pytest_plugin.board_path import modules_in

        modules = modules_in(get("board_path"))
    return RunOptions(
        modules=modules,
        boards=specs,
        servers=servers(get("server")),
        clients=clients(get("client")),
        links=links(get("link_profile")),
        bind=bind,
        ports=ports,
        advertise=host(get("advertise")) if get("advertise") is not None else None,
        peers=tuple(peer(text) for text in get("peer")),
        link_retries=count(get("link_retries"), option="--link-retries"),
        repeat=repeats(get("repeat")),
        board_wait_s=seconds(get("board_wait"), option="--board-wait"),
    )


def boards(texts: list[str], *, file: str | None, folder: Path) -> tuple[BoardSpec, ...]:
    """Return the boards of `--board` and `--boards`; without `--board` the virtual one.

    Raises:
        UsageError: unknown spec, the same board twice, an interpreter that is not there, a bad boards.toml.
    """
    from harness.boards.kinds import BOARD_KINDS
    from harness.boards.lab_file import read_lab
    from harness.boards.spec import choose_boards

    lab = read_lab(file, folder=folder)
    specs = tuple(choose_boards(texts or [DEFAULT_BOARD], lab))
    for spec in specs:
        variable = spec.settings.password_env
        if variable and variable not in os.environ:
            raise UsageError(
                f"board {spec.label}: its WiFi password comes from the environment variable {variable}, which is not set"
            )
        for name, hook in (("reset", spec.settings.reset), ("power_cycle", spec.settings.power_cycle)):
            _check_hook(spec.label, name, hook)
        BOARD_KINDS[spec.kind].check(spec)
    return specs


def firmware_axis(specs: Iterable[BoardSpec], texts: list[str], *, folder: Path) -> tuple[BoardSpec, ...]:
    """Return each board once with each firmware of `--firmware`.

    Raises:
        UsageError: a value is invalid, a board cannot get any of them, or the program of a flash hook does not exist.
    """
    from harness.boards.firmwares import parse_firmwares, with_firmwares

    made = with_firmwares(specs, parse_firmwares(texts, folder=folder))
    for spec in made:
        _check_hook(spec.name, "flash", spec.settings.flash)
    return made


def check_distinct(specs: Iterable[BoardSpec]) -> None:
    """Refuse one physical board under two names: a symbolic link, `id:` and a path, two schemes of one network port.

    Ports are looked up, not opened. A port that cannot be found is reported when it is opened.

    Raises:
        UsageError: naming both.
    """
    from harness.boards.kinds import BOARD_KINDS

    each = {spec.name: spec for spec in specs}  # one with several firmwares is one board
    real = [spec for spec in each.values() if not BOARD_KINDS[spec.kind].is_virtual]
    if len(real) < 2:
        return
    seen: dict[str, BoardSpec] = {}
    for spec in real:
        try:
            name = BOARD_KINDS[spec.kind].identity(spec)
        except HarnessError:
            continue
        if name in seen:
            raise UsageError(
                f"--board {spec.text!r}: the same board as {seen[name].text!r} ({name}); each board may be given only once"
            )
        seen[name] = spec


def _check_hook(board: str, name: str, hook: tuple[str, ...]) -> None:
    """Check that the program of a hook exists at startup rather than on first use."""
    if hook and "{" not in hook[0] and shutil.which(hook[0]) is None:
        raise UsageError(f"board {board}: its {name} hook starts {hook[0]!r}: no such program")


def servers(texts: list[str]) -> tuple[str, ...]:
    """Return the interpreters of `--server`.

    Raises:
        UsageError: one is given twice, or cannot be started.
    """
    from harness.model import IN_PROCESS

    for text in texts:
        if texts.count(text) > 1:
            raise UsageError(f"--server {text!r}: each interpreter may be given only once")
        if text != IN_PROCESS and shutil.which(text) is None:
            raise UsageError(
                f"--server {text!r}: no such program (expected the path of a CPython >= 3.8, or {IN_PROCESS})"
            )
    return tuple(texts)


def clients(texts: list[str]) -> tuple[ClientApi, ...]:
    """Return the client APIs of `--client`.

    Raises:
        UsageError: one is given twice, or is unknown.
    """
    from harness.model import ClientApi

    for text in texts:
        if text not in list(ClientApi):
            near = did_you_mean(text, ClientApi)
            raise UsageError(f"--client {text!r}: expected one of {', '.join(ClientApi)}{near}")
        if texts.count(text) > 1:
            raise UsageError(f"--client {text!r}: each API may be given only once")
    return tuple(map(ClientApi, texts))


def links(texts: list[str]) -> tuple[str, ...]:
    """Return the networks of `--link-profile`; the network as it is has no name.

    Raises:
        UsageError: one is given twice, or is unknown.
    """
    from harness.links.profiles import NO_PROFILE, PROFILES

    known = (NO_PROFILE, *PROFILES)
    for text in texts:
        if text not in known:
            raise UsageError(f"--link-profile {text!r}: expected one of {', '.join(known)}{did_you_mean(text, known)}")
        if texts.count(text) > 1:
            raise UsageError(f"--link-profile {text!r}: each network may be given only once")
    return tuple("" if text == NO_PROFILE else text for text in texts)


def server_names(versions: Mapping[str, str]) -> dict[str, str]:
    """Return short unique names of interpreters.

    Args:
        versions: interpreter -> its Python version, in the order of the command line.

    Returns:
        interpreter -> `python3.8.18`, and `python3.8.18_2` for a second one of the same version.
    """
    from harness.model import IN_PROCESS

    names: dict[str, str] = {}
    for server, version in versions.items():
        if server == IN_PROCESS:
            names[server] = server
            continue
        name, number = f"python{version}", 1
        while name in names.values():
            number += 1
            name = f"python{version}_{number}"
        names[server] = name
    return names


def host(text: str) -> str:
    """Check the value of `--advertise`.

    Raises:
        UsageError: it is neither an IP address nor a host name.
    """
    if is_ip_address(text) or (_HOST_NAME.fullmatch(text) and not re.fullmatch(r"[0-9.]*", text)):
        return text
    raise UsageError(
        f"--advertise {text!r}: not an address (expected an IP address or host name that the board can reach, without a port)"
    )


def peer(text: str) -> str:
    """Check one value of `--peer`.

    Raises:
        UsageError: it is not an IP address.
    """
    if is_ip_address(text):
        return text
    raise UsageError(
        f"--peer {text!r}: not an IP address (expected the address that the board's connections come from)"
    )


def count(text: str, *, option: str) -> int:
    """Return a non-negative integer.

    Raises:
        UsageError: the text is anything else.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise UsageError(f"{option} {text!r}: expected a non-negative integer")
    return int(text)


def repeats(text: str) -> int:
    """Return the value of `--repeat`.

    Raises:
        UsageError: it is not a number in the accepted range.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_REPEAT):
        raise UsageError(f"--repeat {text!r}: expected an integer from 1 to {MAX_REPEAT}")
    return int(text)


def check_amount(options: RunOptions, cases: Callable[[], Sequence[Case]]) -> None:
    """Refuse a `--repeat` that gives more tests than pytest can handle.

    Args:
        options: the options.
        cases: returns the cases of the run.

    Raises:
        UsageError: naming the factors.
    """
    if options.repeat == 1:
        return  # without reading the list of cases, which another suite may not use
    factors = (
        options.repeat,
        len(cases()),
        len(options.boards),
        len(options.servers) or 1,
        len(options.clients) or 1,
    )
    if math.prod(factors) > MAX_TESTS:
        apis = f", {factors[4]} client APIs" if factors[4] > 1 else ""
        raise UsageError(
            f"--repeat '{options.repeat}': {factors[1]} cases, {factors[2]} boards{apis} and {factors[3]} servers give "
            f"{math.prod(factors)} tests; expected at most {MAX_TESTS} in one run"
        )


def seconds(text: str, *, option: str) -> float:
    """Return a time in seconds, from 0 to one day.

    Raises:
        UsageError: the text is anything else.
    """
    if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", text, re.ASCII) and float(text) <= MAX_WAIT_S:
        return float(text)
    raise UsageError(f"{option} {text!r}: expected a number of seconds from 0 to {MAX_WAIT_S}")


def check_set(word: str) -> None:
    """Check `--cases`.

    Raises:
        UsageError: for a word that is not a set.
    """
    from harness.model import Tier

    if word not in list(Tier):
        raise UsageError(f"--cases {word!r}: expected one of {', '.join(Tier)}{did_you_mean(word, Tier)}")


def check_outputs(artifacts: str | None, *, reports: Iterable[str]) -> None:
    """Check before the run that its reports can be written, by creating the directories and a temporary file.

    Raises:
        UsageError: a suffix is not a format, or a path cannot be written.
    """
    for text in reports:
        if Path(text).suffix not in REPORT_SUFFIXES:
            raise UsageError(
                f"--compat-report {text!r}: unknown suffix {Path(text).suffix!r} (expected one of {', '.join(REPORT_SUFFIXES)})"
            )
        if Path(text).is_dir():
            raise UsageError(f"--compat-report {text!r}: this is a directory (expected the path of a file)")
        _check_folder(Path(text).absolute().parent, option=f"--compat-report {text!r}")
    if artifacts is not None:
        if not artifacts:
            raise UsageError("--artifacts '': expected a writable directory")
        _check_folder(Path(artifacts).absolute(), option=f"--artifacts {artifacts!r}")


def _check_folder(folder: Path, *, option: str) -> None:
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir():
        raise UsageError(f"{option}: {existing} is a file (expected a writable directory)")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageError(f"{option}: {existing} is not writable (expected a writable directory)")
    try:
        # Permissions are not enough: a file system may be read-only or full.
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"1")
    except OSError as error:
        raise UsageError(
            f"{option}: {folder} cannot be written: {error.strerror} (expected a writable directory)"
        ) from error
