"""`tls-harness simulate`: which MicroPython firmwares connect to a server, without a board."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import FAULT_EXIT_CODE, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.commands import Commands
    from harness.diagnose.request import Request
    from harness.firmware.table import Firmware
    from harness.model import Simulation

EXAMPLE = """\
examples:
  your certificate and key with Python's default settings:
  $ tls-harness simulate --cert server.pem --key server-key.pem

  the same with the Python that will run the server, and one more:
  $ tls-harness simulate --cert server.pem --key server-key.pem --server /usr/bin/python3 --server python3.13

  a server that is already running; only two releases:
  $ tls-harness simulate broker.example:8883 --firmware 1.20.0 --firmware 1.24

  many servers, one HOST:PORT per line, as a page:
  $ tls-harness simulate --hosts hosts.txt --html servers.html

Each firmware's ClientHello is sent as it was recorded, and the server's answer is read up to the point where it waits for the
client. No session is completed and no application data is sent. Facts about firmware are those of the harness's table;
values that were not measured are marked.

exit codes: 0 all firmwares connect, 1 some do not, 2 usage error, 10 a server was not reached, 130 Ctrl-C
"""
_OWN = ("cert", "key", "ciphers", "min", "max", "client_ca")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "simulate",
        help="find out which MicroPython firmwares connect to a server, without a board",
        description="Send the ClientHello of every MicroPython release and port to a server. Report which firmwares connect, why the "
        "others do not, and which change to the server lets most of them connect.",
        epilog=EXAMPLE,
    )
    parser.add_argument("targets", metavar="HOST:PORT", nargs="*", help="a server that is already running")
    parser.add_argument(
        "--hosts",
        metavar="FILE",
        type=Path,
        help="file with one HOST:PORT per line; # begins a comment. Changes to these servers are not simulated",
    )
    own = parser.add_argument_group("a Python server with your files and settings")
    own.add_argument("--cert", metavar="F", type=Path, help="PEM certificate, followed by any intermediates")
    own.add_argument("--key", metavar="F", type=Path, help="private key, PEM, not encrypted")
    own.add_argument("--ciphers", metavar="S", help="argument to set_ciphers() (default: not called)")
    own.add_argument("--min", metavar="V", help="minimum_version: TLSv1.2, TLSv1.3 ... (default: Python's)")
    own.add_argument("--max", metavar="V", help="maximum_version (default: Python's)")
    own.add_argument("--client-ca", metavar="F", type=Path, help="require client certificates issued by this CA, PEM")
    own.add_argument(
        "--server",
        metavar="PYTHON",
        action="append",
        default=[],
        help="Python that runs the server, repeatable (default: the one that runs the harness)",
    )
    client = parser.add_argument_group("the clients")
    client.add_argument(
        "--firmware",
        metavar="VERSION",
        action="append",
        default=[],
        help="only this release, on every port; repeatable (default: every release of the table)",
    )
    client.add_argument(
        "--hostname", metavar="NAME", help="server_hostname (default: HOST, or a name of the certificate)"
    )
    client.add_argument(
        "--ca", metavar="F", type=Path, help="CA with which the clients verify the server (default: no verification)"
    )
    parser.add_argument(
        "--no-probe",
        action="store_true",
        help="if a running server refuses a firmware, do not probe what it supports; the reasons given are then less exact",
    )
    parser.add_argument("--no-fixes", action="store_true", help="do not simulate changes of your server")
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema tls-harness/simulate/1)")
    parser.add_argument("--html", metavar="F", type=Path, help="write the result to this page as well")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Simulate and print.

    Returns:
        0 if every firmware connects to every server, 1 if not, 10 if a server was not reached.

    Raises:
        UsageError: options contradict each other, or a file cannot be used.
        ServerError: the server side of the harness failed.
    """
    firmwares = _firmwares(options.firmware)
    found = tuple(_simulations(options, firmwares))
    if options.html is not None:
        from harness.reports.html.simulation_page import render_simulations

        _write(options.html, render_simulations(found))
    if options.json:
        from harness.reports.record.simulation_record import simulation_record

        print(json.dumps(simulation_record(found).as_json(), indent=1))
    else:
        from harness.reports.text.simulation_text import hosts_text, simulation_text

        print(hosts_text(found) if options.hosts is not None else "\n\n".join(map(simulation_text, found)))
    if any(item.failure is not None for item in found):
        return FAULT_EXIT_CODE
    return 0 if all(item.connecting == item.count for item in found) else 1


def _simulations(options: argparse.Namespace, firmwares: tuple[Firmware, ...]) -> Iterable[Simulation]:
    from harness.diagnose.request import host_and_port
    from harness.diagnose.simulation.servers import Simulating, simulate_files, simulate_running
    from harness.run.options import IN_PROCESS

    progress = _progress if sys.stderr.isatty() else _silent
    if _is_own(options):
        for python in options.server or [IN_PROCESS]:
            request = _request(options, server=python)
            yield simulate_files(
                Simulating(firmwares=firmwares, request=request, changes=not options.no_fixes), progress=progress
            )
        return
    targets = [host_and_port(text, option="HOST:PORT") for text in options.targets]
    if options.hosts is None:
        for host, port in targets:
            asked = Simulating(firmwares=firmwares, request=_request(options), changes=not options.no_fixes)
            yield simulate_running(asked, host=host, port=port, progress=progress)
        return
    from harness.diagnose.simulation.hosts import read_hosts, simulate_hosts

    asked = Simulating(firmwares=firmwares, request=_request(options), changes=False)
    yield from simulate_hosts(asked, [*targets, *read_hosts(options.hosts)], progress=_progress)


def _is_own(options: argparse.Namespace) -> bool:
    """Whether the harness starts the server.

    Raises:
        UsageError: nothing or both was given.
    """
    given = [f"--{name.replace('_', '-')}" for name in _OWN if getattr(options, name) is not None]
    given += ["--server"] if options.server else []
    running = bool(options.targets) or options.hosts is not None
    if running and given:
        raise UsageError(f"{given[0]}: for a server that the harness starts; HOST:PORT and --hosts name running ones")
    if running:
        return False
    if not given:
        raise UsageError("nothing to simulate: expected HOST:PORT, --hosts FILE, or --cert F and --key F")
    for name in ("cert", "key"):
        if getattr(options, name) is None:
            raise UsageError(f"--{name}: missing; expected --cert F and --key F (your server's files)")
    return True


def _firmwares(versions: list[str]) -> tuple[Firmware, ...]:
    """Return the rows of these releases, on every port that has one.

    Raises:
        UsageError: the text is no release, or the table has nothing so old.
    """
    from harness.firmware.table import firmware, firmwares, ports

    if not versions:
        return firmwares()
    found = []
    for version in versions:
        try:
            here = [item for port in ports() if (item := firmware(version, port=port)) is not None]
        except ValueError:
            raise UsageError(f"--firmware {version!r}: expected a MicroPython release, e.g. 1.20.0 or 1.24") from None
        if not here:
            raise UsageError(f"--firmware {version!r}: older than every release of the table; the oldest is 1.14")
        found += here
    return tuple(dict.fromkeys(found))


def _request(options: argparse.Namespace, *, server: str | None = None) -> Request:
    from harness.diagnose.request import Files, Request, host_name, version
    from harness.model import BoardSpec
    from harness.run.options import IN_PROCESS, RunOptions

    simulated = BoardSpec(text="simulated", kind="simulated", target="", label="simulated")
    return Request(
        board=simulated,
        options=RunOptions(boards=(simulated,)),
        files=Files(certificate=options.cert, key=options.key, client_ca=options.client_ca, ca=options.ca),
        server=server or IN_PROCESS,
        hostname=options.hostname and host_name(options.hostname, option="--hostname"),
        ciphers=options.ciphers,
        minimum_version=version(options.min, option="--min") if options.min else None,
        maximum_version=version(options.max, option="--max") if options.max else None,
        probe=not options.no_probe,
    )


def _write(path: Path, text: str) -> None:
    from harness.reports.record.journal import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise UsageError(f"--html '{path}': cannot be written ({error.strerror})") from error


def _progress(line: str) -> None:
    print(f"... {line}", file=sys.stderr, flush=True)


def _silent(_line: str) -> None:
    """Print nothing: standard error is not a terminal."""
