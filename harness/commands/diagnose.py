"""`tls-harness diagnose`: why a server and a board do not connect, and which changes were proved to help."""

from __future__ import annotations

import argparse
import contextlib
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
  your certificate and key, Python's default settings, the board at /dev/ttyUSB0:
  $ tls-harness diagnose --board /dev/ttyUSB0 --cert server.pem --key server-key.pem

  your server's own settings: its suites, TLS 1.2 only, client certificates required:
  $ tls-harness diagnose --board u0 --cert server.pem --key server-key.pem \\
        --ciphers ECDHE+AESGCM --max 1.2 --client-ca ca.pem --client-cert board.pem --client-key board-key.pem

  the board verifies the server's certificate:
  $ tls-harness diagnose --board u0 --cert server.pem --key server-key.pem --ca ca.pem --hostname broker.example

  a server that is already running (Python, nginx, mosquitto ...):
  $ tls-harness diagnose --board u0 --connect broker.example:8883 --ca ca.pem

  the same, also checking that the server answers a request from the board:
  $ tls-harness diagnose --board u0 --connect broker.example:443 --send 'GET / HTTP/1.0\\r\\n\\r\\n'

  no board: `--board unix` is a real MicroPython interpreter on this machine.

Files are read in place. Other certificates in their folders are read too, because a missing intermediate is often there; keys are not.
A private key is never logged or shown, and copied only by a printed command that converts it, into a private folder that is
removed; the board receives only its own (--client-key). Problems are removed one after another. PROVED means that exactly
the printed commands and programs were run, and that board and server connected.

words:
  alert            the message with which one side refuses, and the number of its reason
  CA               certificate authority: its certificate, on the board, decides which server certificates the board trusts
  chain            the server's certificate, the certificate that signed it, and so on up to the CA
  ClientHello      the board's first message: everything that it supports
  DER, PEM         two forms of one file: bytes, or text with BEGIN and END lines
  forward secrecy  stealing the server's key later does not help to decrypt recorded sessions
  handshake        the messages before the first data: the sides agree on algorithms and keys
  mutual TLS       the board has a certificate too, and the server verifies it
  PSK              pre-shared key: a secret that both sides have, instead of certificates
  SAN              subjectAltName: the names for which a certificate is valid
  SNI              the server's name in the ClientHello, from server_hostname
  suite            cipher suite: a set of algorithms; both sides need one in common

exit codes: 0 the board connects, 1 it does not connect, 2 usage error, 10 board or harness fault, 130 Ctrl-C
"""
_OWN = ("cert", "key", "password_env", "ciphers", "min", "max", "client_ca", "server")


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "diagnose",
        help="find out why your server and your board do not connect, and prove a fix",
        description="Connect a board once to a server with your certificate and key, or to a server that is already running. Explain the "
        "failure from the errors on both sides and the captured traffic, try possible fixes, and print those that were proved to work.",
        epilog=EXAMPLE,
    )
    parser.add_argument(
        "--board", metavar="SPEC", default="unix", help="the board, as in `pytest --board` (default: unix)"
    )
    parser.add_argument("--boards", metavar="FILE", help="the lab's boards.toml (default: ./boards.toml if it exists)")
    own = parser.add_argument_group("a Python server with your files and settings")
    own.add_argument("--cert", metavar="F", type=Path, help="PEM certificate, followed by any intermediates")
    own.add_argument("--key", metavar="F", type=Path, help="private key, PEM (default: the key in the file of --cert)")
    own.add_argument(
        "--password-env", metavar="NAME", help="environment variable with the password of an encrypted --key"
    )
    own.add_argument(
        "--ciphers", metavar="S", help="argument to set_ciphers(), in OpenSSL's syntax (default: not called)"
    )
    own.add_argument("--min", metavar="V", help="minimum_version: TLSv1.2, TLSv1.3 ... (default: Python's)")
    own.add_argument("--max", metavar="V", help="maximum_version (default: Python's)")
    own.add_argument("--client-ca", metavar="F", type=Path, help="require client certificates issued by this CA, PEM")
    own.add_argument(
        "--server", metavar="PYTHON", help="Python that runs the server (default: the one that runs the harness)"
    )
    foreign = parser.add_argument_group("a server that is already running")
    foreign.add_argument("--connect", metavar="HOST:PORT", help="address of the server, as this machine reaches it")
    foreign.add_argument(
        "--no-probe",
        action="store_true",
        help="do not probe the server. By default, after a refusal, this machine makes a few dozen connections to find out which versions, "
        "suites and key types it supports, what else it requires, the names in its certificate, and whether it speaks plain MQTT, HTTP, "
        "SMTP ... instead of TLS. If it asks for a client certificate, the board also sends a GET or an MQTT CONNECT",
    )
    foreign.add_argument(
        "--send",
        metavar="TEXT",
        help=r"text that the board sends after the handshake (\r \n \xNN for control characters), e.g. 'GET / HTTP/1.0\r\n\r\n'. "
        "The server must then answer (default: close after the handshake)",
    )
    board = parser.add_argument_group("the client on the board")
    board.add_argument(
        "--ca",
        metavar="F",
        type=Path,
        help="CA with which the board verifies the server, PEM or DER; the file is sent unmodified (default: no verification)",
    )
    board.add_argument("--hostname", metavar="NAME", help="server_hostname (default: a name from the certificate)")
    board.add_argument("--client-cert", metavar="F", type=Path, help="the board's certificate, PEM or DER")
    board.add_argument("--client-key", metavar="F", type=Path, help="its private key, in the same format")
    board.add_argument("--suites", metavar="S,S", help="argument to set_ciphers(): IANA or mbedTLS names")
    network = parser.add_argument_group("network (same options as in pytest)")
    network.add_argument("--bind", metavar="ADDR", help="address of this machine to listen on")
    network.add_argument("--ports", metavar="A-B", help="range of ports to listen on")
    network.add_argument("--advertise", metavar="ADDR", help="address that the board connects to")
    network.add_argument(
        "--peer", metavar="ADDR", action="append", default=[], help="address that the board connects from (behind NAT)"
    )
    parser.add_argument("--no-fixes", action="store_true", help="only explain the failure; try no fixes on the board")
    parser.add_argument(
        "--capture", metavar="FILE", help="write the first connection to this file, as pcapng for Wireshark"
    )
    parser.add_argument(
        "--write",
        metavar="DIR",
        help="write both programs of the first proved fix, and the files that its commands make, into this new folder, ready to run; "
        "only for a server with your files",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object (schema tls-harness/diagnose/1)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Diagnose and print.

    Returns:
        0 if board and server connect as they are, 1 if not.

    Raises:
        UsageError: options contradict each other, or a file cannot be used.
        BoardError: the board or its serial line failed, which says nothing about TLS.
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
    # A session is explained only if the server's application then refuses the board.
    connected = seen is not None and seen.outcome is Outcome.CONNECTED and found.result.explanation is None
    return 0 if connected else 1


def _progress(line: str) -> None:
    print(f"... {line}", file=sys.stderr, flush=True)


def _silent(_line: str) -> None:
    """Print nothing: standard error is not a terminal."""


def read_request(options: argparse.Namespace) -> Request:
    """Return the options as a record.

    Raises:
        UsageError: naming the option, the value and what is accepted.
    """
    from harness.diagnose.request import (
        Request,
        capture_file,
        host_and_port,
        host_name,
        new_folder,
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
        hostname=options.hostname and host_name(options.hostname, option="--hostname"),
        ciphers=options.ciphers,
        minimum_version=version(options.min, option="--min") if options.min else None,
        maximum_version=version(options.max, option="--max") if options.max else None,
        suites=suite_names(options.suites, option="--suites") if options.suites is not None else None,
        fixes=not options.no_fixes,
        probe=not options.no_probe,
        send=text_to_send(options.send, option="--send") if options.send is not None else None,
        write=new_folder(options.write, option="--write") if options.write is not None else None,
        capture=capture_file(options.capture, option="--capture") if options.capture is not None else None,
    )


def _which(options: argparse.Namespace) -> str | None:
    """Return HOST:PORT of a running server, or None for a server with the user's files."""
    given = [f"--{name.replace('_', '-')}" for name in _OWN if getattr(options, name) is not None]
    if options.send is not None and options.connect is None:
        raise UsageError("--send: only for a running server; name it with --connect HOST:PORT")
    if options.no_probe and options.connect is None:
        raise UsageError("--no-probe: only for a running server; name it with --connect HOST:PORT")
    if options.write is not None and options.connect is not None:
        raise UsageError("--write: only for a server that the harness starts; give --cert and --key")
    if options.connect is not None:
        if given:
            raise UsageError(
                f"{given[0]}: for a server that the harness starts; --connect names a running one. Give only one of them"
            )
        return str(options.connect)
    for name in ("cert", "key"):
        if getattr(options, name) is None and not (name == "key" and _has_key(options.cert)):
            raise UsageError(
                f"--{name}: missing; expected --cert F and --key F (your server's files), or --connect HOST:PORT (a running server)"
            )
    return None


def _has_key(path: Path) -> bool:
    from harness.diagnose.files import has_key

    with contextlib.suppress(UsageError):  # a file that cannot be read: named as soon as there is a key
        return has_key(path, option="--cert")
    return False


def _files(options: argparse.Namespace) -> Files:
    from harness.diagnose.request import Files

    if (options.client_cert is None) != (options.client_key is None):
        there, missing = ("--client-cert", "--client-key") if options.client_cert else ("--client-key", "--client-cert")
        raise UsageError(f"{missing}: missing; the board needs a certificate and its key ({there} is given)")
    return Files(
        certificate=options.cert,
        key=options.key if options.key is not None else options.cert,
        password_env=options.password_env,
        client_ca=options.client_ca,
        ca=options.ca,
        client_certificate=options.client_cert,
        client_key=options.client_key,
    )
