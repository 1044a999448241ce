"""The options of a pytest run as one table: each is a command-line option, an ini option and an environment variable.

The command line overrides the environment, which overrides the ini file. Checks no values: harness/pytest_plugin/options.py does.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from harness.boards.kinds import spec_forms
from harness.errors import UsageError
from harness.links.profiles import profile_forms
from harness.reports.formats import SUFFIX_HELP

#: Where the value of an option is from, if not from the command line.
SOURCES = pytest.StashKey[dict[str, str]]()
NO_WORDS = ("", "0", "no", "false", "off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. `is_path`: a file or folder, which an ini file names relative to itself. `is_flag`: it has no value."""

    name: str
    help: str
    metavar: str = ""
    default: str | None = None
    repeatable: bool = False
    is_path: bool = False
    is_flag: bool = False

    @property
    def key(self) -> str:
        """The name in `config.option`."""
        return self.name.replace("-", "_")

    @property
    def ini(self) -> str:
        """The name in an ini file."""
        return f"tls_{self.key}"

    @property
    def variable(self) -> str:
        """The name of the environment variable."""
        return f"TLS_HARNESS_{self.key.upper()}"


OPTIONS: Final = (
    Option(
        name="board",
        metavar="SPEC",
        repeatable=True,
        help=f"Board to test on, repeatable: {spec_forms()}. Default: unix, a virtual board",
    ),
    Option(
        name="boards",
        metavar="FILE",
        is_path=True,
        help="File that describes the lab's boards: names, WiFi, reset commands. Default: ./boards.toml if it exists",
    ),
    Option(
        name="cases",
        metavar="SET",
        default="core",
        help="Which cases to run: smoke (a few seconds), core, or full (every case). Default: core",
    ),
    Option(
        name="board-path",
        metavar="DIR",
        repeatable=True,
        is_path=True,
        help="Directory with MicroPython modules (umqtt.simple, ...) for the programs that the cases of app/ run, repeatable: they are "
        "placed in tls_harness/lib on the board. With --cases full these cases are part of the run. Default: only what is on the board",
    ),
    Option(
        name="server",
        metavar="PYTHON",
        repeatable=True,
        help="Python interpreter (3.8 or later) that runs the TLS server, or in-process, repeatable: every case runs with each of them. "
        "Default: the Python that runs pytest",
    ),
    Option(
        name="client",
        metavar="API",
        repeatable=True,
        help="API through which the board connects, repeatable: socket, or asyncio (open_connection with ssl=, from firmware 1.22 on). "
        "Default: socket",
    ),
    Option(
        name="link-profile",
        metavar="NAME",
        repeatable=True,
        help=f"Network between board and server, repeatable: none (the real network); {profile_forms()}. A relay in front of the server "
        "delays, throttles and cuts the byte stream. It cannot lose or reorder packets: a lost segment arrives one retransmission "
        "time-out later instead. Default: none",
    ),
    Option(
        name="firmware",
        metavar="VERSION[=FILE]",
        repeatable=True,
        help="Firmware to test, repeatable: each board is flashed by its flash hook in boards.toml, probed, and runs every case before "
        "the next firmware. FILE is passed to the hook. VERSION=unix:PATH runs virtual boards with another interpreter. "
        "Default: the firmware on the board",
    ),
    Option(
        name="bind",
        metavar="ADDR",
        help="Address of this machine that the server listens on. Default: the address of the interface that routes to the board",
    ),
    Option(
        name="ports",
        metavar="A-B",
        help="Range of TCP ports that the server may listen on, e.g. 8400-8409 to match a firewall rule. Default: any free port",
    ),
    Option(
        name="advertise",
        metavar="ADDR",
        help="Address or host name that the board connects to, if it differs from the server's own (port forwarding, NAT). "
        "Default: the address that the server listens on",
    ),
    Option(
        name="peer",
        metavar="ADDR",
        repeatable=True,
        help="IP address that the board's connections come from, if a router changes it (NAT), repeatable. The server drops all "
        "other connections. Default: the board's own address",
    ),
    Option(
        name="compat-report",
        metavar="PATH",
        repeatable=True,
        is_path=True,
        help=f"Also write a report to this file, repeatable; {SUFFIX_HELP}",
    ),
    Option(
        name="artifacts",
        metavar="DIR",
        is_path=True,
        help="Directory for the record run.json, its journal run.jsonl, the page matrix.html, and captures and transcripts of "
        "failing cases. Default: .compat",
    ),
    Option(
        name="baseline",
        metavar="RUN.json",
        is_path=True,
        help="Compare with the run.json or run.jsonl of an earlier run and list every change. A case that newly fails, or is newly "
        "unsupported, fails this run. Cases that this run does not include are ignored",
    ),
    Option(
        name="resume",
        metavar="RUN.json",
        is_path=True,
        help="Continue an interrupted run: take over the results of its run.jsonl or run.json, and run only the cases without a "
        "result or with an error. The reports and the exit code cover both runs",
    ),
    Option(
        name="known",
        metavar="FILE",
        is_path=True,
        help="File of known deviations, each with a reason and a link: these cases are expected to fail. Default: "
        "./known_deviations.toml if it exists",
    ),
    Option(
        name="link-retries",
        metavar="N",
        default="0",
        help="Run a case again up to N times if the board or its serial line fails. A TLS result is never retried. Default: 0",
    ),
    Option(
        name="repeat",
        metavar="N",
        default="1",
        help="Run the whole set of cases N times on each board and print statistics per case. A case whose verdict changes is "
        "flaky and fails the run. Default: 1",
    ),
    Option(
        name="board-wait",
        metavar="SECONDS",
        default="0",
        help="Wait up to SECONDS for a board that is in use by another run or program, and print what is using it. Default: 0",
    ),
    Option(
        name="keep-wire",
        is_flag=True,
        help="Keep a capture of every case, not only of failing ones: a pcapng file that contains the session keys",
    ),
)


def declare(parser: pytest.Parser) -> None:
    """Declare every option on the command line and for ini files. The defaults follow in `resolve`: until then None is "not given"."""
    group = parser.getgroup("tls-harness", "TLS harness: MicroPython boards against Python TLS servers")
    for one in OPTIONS:
        also = f" [also: {one.ini} in the ini file, {one.variable} in the environment]"
        if one.is_flag:
            group.addoption(f"--{one.name}", action="store_true", default=None, help=one.help + also)
        else:
            action = "append" if one.repeatable else "store"
            group.addoption(f"--{one.name}", action=action, metavar=one.metavar, default=None, help=one.help + also)
        kind: Any = "bool" if one.is_flag else "args" if one.repeatable else "string"
        parser.addini(one.ini, f"as --{one.name}", type=kind, default=None)
    parser.addini(
        "tls_certs",
        "Folders with your own certificate profiles (*.toml), relative to this file",
        type="args",
        default=[],
    )


def resolve(config: pytest.Config, *, environment: Mapping[str, str] = os.environ) -> None:
    """Fill in what the command line leaves open: from the environment, else from the ini file, else the default. Once per run.

    Raises:
        UsageError: the variable of a repeatable option has an open quotation mark.
    """
    if SOURCES in config.stash:
        return
    sources = config.stash[SOURCES] = {}
    for one in OPTIONS:
        if getattr(config.option, one.key, None) is not None:
            continue
        text, ini = environment.get(one.variable), config.getini(one.ini)
        value: Any = [] if one.repeatable else False if one.is_flag else one.default
        if text:
            value = _of_text(one, text)
            sources[one.name] = one.variable
        elif ini not in (None, [], ""):
            value = _of_ini(one, ini, config)
            sources[one.name] = f"{one.ini} in {config.inipath.name if config.inipath is not None else 'the ini file'}"
        setattr(config.option, one.key, value)


def _of_text(one: Option, text: str) -> Any:
    if one.is_flag:
        return text.lower() not in NO_WORDS
    if not one.repeatable:
        return text
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UsageError(f"{one.variable}: {text!r}: {error} (expected values separated by blanks)") from error


def _of_ini(one: Option, value: Any, config: pytest.Config) -> Any:
    if not one.is_path or config.inipath is None:
        return value
    start: Path = config.inipath.parent
    return [str(start / each) for each in value] if one.repeatable else str(start / value)


def with_source(config: pytest.Config, text: str) -> str:
    """Add to a message about the value of an option where that value is from, if it is not on the command line."""
    for name, source in config.stash.get(SOURCES, {}).items():
        if text.startswith((f"--{name} ", f"--{name}:")):
            return f"{text} (from {source})"
    return text
