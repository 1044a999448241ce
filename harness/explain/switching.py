"""MicroPython lines that start TLS on a connection that begins in plain text (STARTTLS): they go between connect() and wrap_socket()."""

from __future__ import annotations

from harness.explain.server_lines import quoted
from harness.wire.plain_protocols import PlainProtocol
from harness.wire.starttls import DIALOGUES

# Which lines of an answer are not its last one.
_MORE = {
    PlainProtocol.SMTP: 'line[3:4] == b"-"',
    PlainProtocol.IMAP: 'line[:2] == b"* "',
    # RFC 959 section 4.2: the lines in between may begin with anything.
    PlainProtocol.FTP: 'line and not (line[:3].isdigit() and line[3:4] == b" ")',
}


def asking_for_tls(protocol: PlainProtocol) -> tuple[str, ...]:
    """Return the lines for a connected `sock`; they raise OSError with the server's answer if it refuses.

    Args:
        protocol: one of `DIALOGUES`.
    """
    greeting, *steps = DIALOGUES[protocol]
    # IMAP's greeting is one line that begins as the lines before its other answers do.
    skips = protocol in _MORE
    lines = [
        "def expect(good):  # read an answer of the server",
        "    line = sock.readline()",
        *([f"    while {_MORE[protocol]}:", "        line = sock.readline()"] if skips else []),
        "    if not line.startswith(good):",
        '        raise OSError("the server answers:", line)',
    ]
    first = "sock.readline()  # the greeting" if protocol is PlainProtocol.IMAP else f"expect({_bytes(greeting.good)})"
    lines.append(first)
    for step in steps:
        lines += [f"sock.write({_bytes(step.sends)})", f"expect({_bytes(step.good)})"]
    return (*lines[:-1], f"{lines[-1]}  # now it expects TLS")


def _bytes(data: bytes) -> str:
    return f"b{quoted(data.decode('ascii'))}"
