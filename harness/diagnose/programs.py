"""Whole programs: a server of Python's `ssl` and a MicroPython client, each complete and ready to run. Pure.

Knows how both sides listen, connect, exchange a line and close. The settings of TLS are lines from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.explain.server_lines import quoted
from harness.model import BoardInfo, Program

SERVER_FILE, BOARD_FILE = "server.py", "board.py"
GREETING, ANSWER = "Hallo, Server!", "Hallo, Client!"
LISTENING = "listening on"


def server_program(lines: Sequence[str], *, host: str, port: int) -> Program:
    """Return a server that answers every client, one after another, until Ctrl-C.

    Args:
        lines: make its `context`.
        host: the address to listen on.
        port: the port.
    """
    family = ", family=socket.AF_INET6" if ":" in host else ""
    uses_environment = any("os.environ" in line for line in lines)
    text = f"""\
{"import os" + chr(10) if uses_environment else ""}import socket
import ssl

ADDRESS = ({quoted(host)}, {port})

{_lines(lines)}

with socket.create_server(ADDRESS{family}) as listener:
    print({quoted(LISTENING)}, *ADDRESS, flush=True)
    while True:
        connection, peer = listener.accept()
        connection.settimeout(60)
        try:
            with context.wrap_socket(connection, server_side=True) as stream:
                text = stream.recv(1024)
                print(peer[0], stream.version(), stream.cipher()[0], text, flush=True)
                stream.sendall(b"{ANSWER}\\n")
        except OSError as error:
            print(peer[0], type(error).__name__, error, flush=True)
"""
    return Program(name=SERVER_FILE, text=text)


def board_program(
    lines: Sequence[str],
    info: BoardInfo,
    *,
    host: str,
    port: int,
    opening: Sequence[str] = (),
    send: str | None = None,
    talks: bool = True,
    needs_clock: bool = False,
) -> Program:
    """Return a client for this firmware. The network is not part of it.

    Args:
        lines: the import of the TLS module, its settings, and last the one that makes `stream` of `sock`.
        info: the board.
        host: where the server is.
        port: the port.
        opening: the lines between connect() and TLS, of a protocol that begins in plain text.
        send: what it sends; None for a line that our own server answers.
        talks: whether it sends anything at all: a server that is not ours may not expect it.
        needs_clock: whether dates are checked by a clock that a board does not keep; the harness had set it.
    """
    imports = [line for line in lines if line.startswith("import ")]
    settings = [line for line in lines[:-1] if line not in imports]
    exchange = []
    if talks:
        data = GREETING + "\n" if send is None else send
        exchange.append(f"stream.write({data.encode()!r})")
        # A server that is not ours may end no line: its first byte is enough.
        exchange.append(f'print("the server answers:", stream.{"readline()" if send is None else "read(1)"})')
    else:
        exchange.append('print("connected")')
    clock = ["# It checks dates: set the clock first, with ntptime.settime() or machine.RTC().datetime(...), in UTC."]
    parts = [
        f"# MicroPython {info.firmware}. The board must be in the network already: WiFi is not part of this program.",
        *(clock if needs_clock else []),
        "import socket",
        *imports,
        "",
        place(host, port),
        "",
        *([*settings, ""] if settings else []),
        "address = socket.getaddrinfo(HOST, PORT)[0]",
        "sock = socket.socket(address[0])",
        "sock.connect(address[-1])",
        *opening,
        lines[-1],
        *exchange,
        "stream.close()",
        "sock.close()",
    ]
    return Program(name=BOARD_FILE, text=_lines(parts) + "\n")


def place(host: str, port: int) -> str:
    """Return the line that says where the server is."""
    return f"HOST, PORT = {quoted(host)}, {port}"


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
