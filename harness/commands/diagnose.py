"""`tls-harness diagnose`: my server and my board, why they do not connect, and what was proved to help."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.commands import Commands
    from harness.diagnose.request import Files, Request

EXAMPLE = """\
examples:
  my certificate and key, with Python's default settings, on the board behind /dev/ttyUSB0:
  $ tls-harness diagnose --board /dev/ttyUSB0 --cert server.pem --key server-key.pem

  the same as my server has it: its suites, TLS 1.2 only, and clients must show a certificate of my CA:
  $ tls-harness diagnose --board u0 --cert server.pem --key server-key.pem \\
        --ciphers ECDHE+AESGCM --max 1.2 --client-ca ca.pem --client-cert board.pem --client-key board-key.pem

  the board checks the server, as my own program does:
  $ tls-harness diagnose --board u0 --cert server.pem --key server-key.pem --ca ca.pem --hostname broker.example

  a server that runs already (Python, nginx, mosquitto ...):
  $ tls-harness diagnose --board u0 --connect broker.example:8883 --ca ca.pem

  and whether it answers what the board says:
  $ tls-harness diagnose --board u0 --connect broker.example:443 --send 'GET / HTTP/1.0\\r\\n\\r\\n'

  no board at hand: `--board unix` is a real MicroPython on this machine.

Files are read where they lie. Of a private key nothing is copied, logged or shown; a board gets its own (--client-key) over its line.
What would help is tried on the board one change at a time; PROVED means that it connected with exactly this change.

exit codes: 0 it connects as it is, 1 it does not, 2 wrong usage, 3 fault of the board or of the harness, 130 Ctrl-C
"""
_OWN = ("cert", "key", "ciphers", "min", "max", "client_ca", "server")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "diagnose",
        help="why my server and my board do not connect, and what was proved to help",
        description="Let a board connect once to a server with your certificate and key (or to a server that runs already), say why it "
        "fails, with both sides' errors and the wire, try what would help, and print what was proved.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--board", metavar="SPEC", default="unix", help="the board, as in `pytest --board` (default: unix)"
    )
    parser.add_argument("--boards", metavar="FILE", help="boards.toml of the lab (default: ./boards.toml if it exists)")
    own = parser.add_argument_group("a server of my own files")
    own.add_argument("--cert", metavar="F", type=Path, help="its certificate, PEM; with intermediates: the whole chain")
    own.add_argument("--key", metavar="F", type=Path, help="its private key, PEM, not encrypted")
    own.add_argument("--ciphers", metavar="S", help="what it gives to set_ciphers(), in OpenSSL's words")
    own.add_argument("--min", metavar="V", help="its minimum_version: TLSv1.2, TLSv1.3 ...")
    own.add_argument("--max", metavar="V", help="its maximum_version")
    own.add_argument("--client-ca", metavar="F", type=Path, help="it requires client certificates of this CA, PEM")
    own.add_argument("--server", metavar="PYTHON", help="run it under this Python (default: the harness's own)")
    foreign = parser.add_argument_group("a server that runs already")
    foreign.add_argument("--connect", metavar="HOST:PORT", help="where it listens, seen from this machine")
    foreign.add_argument(
        "--no-probe",
        action="store_true",
        help="after a refusal do not ask it from this machine which versions, suites and keys it takes (some dozen connections)",
    )
    foreign.add_argument(
        "--send",
        metavar="TEXT",
        help=r"what the board says after the handshake (\r \n \xNN for control characters), e.g. 'GET / HTTP/1.0\r\n\r\n'; "
        "connected then means that the server answered (default: close after the handshake)",
    )
    board = parser.add_argument_group("what the board does")
    board.add_argument(
        "--ca",
        metavar="F",
        type=Path,
        help="it verifies the server against this CA; PEM or DER, and it gets the file as it lies",
    )
    board.add_argument(
        "--hostname", metavar="NAME", help="the server_hostname it names (default: what the certificate is for)"
    )
    board.add_argument("--client-cert", metavar="F", type=Path, help="the certificate it shows, PEM or DER")
    board.add_argument("--client-key", metavar="F", type=Path, help="the private key of that, in the same form")
    board.add_argument("--suites", metavar="S,S", help="what it gives to set_ciphers(): IANA's or mbedTLS's names")
    net = parser.add_argument_group("network, as in pytest's options")
    net.add_argument("--bind", metavar="ADDR", help="address of this machine to listen on")
    net.add_argument("--ports", metavar="A-B", help="range of ports to listen on")
    net.add_argument("--advertise", metavar="ADDR", help="address that the board is told")
    net.add_argument(
        "--peer", metavar="ADDR", action="append", default=[], help="address that may connect (behind NAT)"
    )
    parser.add_argument("--no-fixes", action="store_true", help="only say why; try nothing else on the board")
    parser.add_argument(
        "--capture", metavar="FILE", help="write what crossed the wire at first to this file, pcapng for Wireshark"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema tls-harness/diagnose/1)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Diagnose and print.

    Returns:
        0 if board and server connect as they are, 1 if not.

    Raises:
        UsageError: for options that do not go together, and files that cannot be used.
        BoardError: the board or its line failed: no statement about TLS.
    """
    request = read_request(options)
    from harness.model import Outcome

    if request.connect is not None:
        from harness.diagnose.remote.foreign import diagnose_server as diagnose
    else:
        from harness.diagnose.own import diagnose_files as diagnose
    found = diagnose(request, progress=_progress if sys.stderr.isatty() else _silent)
    if options.json:
        from harness.reports.record.diagnosis_record import diagnosis_record

        print(json.dumps(diagnosis_record(found).as_json(), indent=1))
    else:
        from harness.reports.text.diagnosis_text import diagnosis_text

        print(diagnosis_text(found))
    seen = found.result.observation
    return 0 if seen is not None and seen.outcome is Outcome.CONNECTED else 1


def _progress(line: str) -> None:
    print(f"... {line}", file=sys.stderr, flush=True)


def _silent(_line: str) -> None:
    """Nobody watches."""


def read_request(options: argparse.Namespace) -> Request:
    """Turn the options into a record.

    Raises:
        UsageError: naming the option, the value and what is accepted.
    """
    from harness.diagnose.request import (
        Request,
        capture_file,
        host_and_port,
        suite_names,
        text_to_send,
        version,
    )
    from harness.pytest_plugin.options import boards, host, peer, servers
    from harness.run.options import IN_PROCESS, RunOptions

    connect = _which(options)
    spec = boards([options.board], file=options.boards, folder=Path.cwd())[0]
    bind, ports = options.bind, options.ports
    if bind or ports:
        from harness.server.address import check_bind, parse_ports

        bind, ports = (check_bind(bind) if bind else None), (parse_ports(ports) if ports else None)
    run_options = RunOptions(
        boards=(spec,),
        servers=servers([options.server] if options.server else []),
        bind=bind,
        ports=ports,
        advertise=host(options.advertise) if options.advertise is not None else None,
        peers=tuple(peer(text) for text in options.peer),
        link_retries=1,
    )
    return Request(
        board=spec,
        options=run_options,
        files=_files(options),
        server=options.server or IN_PROCESS,
        connect=host_and_port(connect, option="--connect") if connect else None,
        hostname=options.hostname,
        ciphers=options.ciphers,
        minimum_version=version(options.min, option="--min") if options.min else None,
        maximum_version=version(options.max, option="--max") if options.max else None,
        suites=suite_names(options.suites, option="--suites") if options.suites is not None else None,
        fixes=not options.no_fixes,
        probe=not options.no_probe,
        send=text_to_send(options.send, option="--send") if options.send is not None else None,
        capture=capture_file(options.capture, option="--capture") if options.capture is not None else None,
    )


def _which(options: argparse.Namespace) -> str | None:
    """Tell the two kinds of server apart: HOST:PORT of one that runs, or None for files of the user's."""
    given = [f"--{name.replace('_', '-')}" for name in _OWN if getattr(options, name) is not None]
    if options.send is not None and options.connect is None:
        raise UsageError("--send: a server of your files has its own text; name one that runs with --connect HOST:PORT")
    if options.no_probe and options.connect is None:
        raise UsageError("--no-probe: only a server that runs is asked what it takes; name it with --connect HOST:PORT")
    if options.connect is not None:
        if given:
            raise UsageError(
                f"{given[0]}: says how a server of yours is started, --connect names one that runs; leave one out"
            )
        return str(options.connect)
    for name in ("cert", "key"):
        if getattr(options, name) is None:
            raise UsageError(
                f"--{name}: missing; wanted are --cert F and --key F (your server's own files), or --connect HOST:PORT (a server that runs)"
            )
    return None


def _files(options: argparse.Namespace) -> Files:
    from harness.diagnose.request import Files

    if (options.client_cert is None) != (options.client_key is None):
        there, missing = ("--client-cert", "--client-key") if options.client_cert else ("--client-key", "--client-cert")
        raise UsageError(f"{missing}: missing; the board needs both for a certificate of its own ({there} is given)")
    return Files(
        certificate=options.cert,
        key=options.key,
        client_ca=options.client_ca,
        ca=options.ca,
        client_certificate=options.client_cert,
        client_key=options.client_key,
    )
