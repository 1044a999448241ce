"""What `tls-harness diagnose` was asked to do: one record, its words checked. Opens no board and no socket."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UsageError
from harness.model import BoardSpec, TlsVersion
from harness.run.options import IN_PROCESS, RunOptions
from harness.wire.suites import iana_suite_name, suite_code

Progress = Callable[[str], None]
"""Takes one line of what is being done now; the command shows it on a terminal."""

# The block type that every pcapng file begins with; it reads the same in both byte orders.
_PCAPNG = bytes.fromhex("0a0d0d0a")
# As much as fits one request to a small board.
SEND_LIMIT_BYTES = 512
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that the user named. They are used where they lie; of a private key only the path is ever shown.

    `certificate`, `key` and `client_ca` are the server's; `ca`, `client_certificate` and `client_key` the board's.
    """

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One diagnosis: which board, which server, with which settings.

    `server` is `in-process` or an interpreter; `connect` host and port of a server that runs already, None for files of the
    user's. `suites` are IANA's names, what the board is held to; None leaves it its own. `fixes` is whether changes are tried,
    `probe` whether a server that runs may be asked from this machine what it takes. `capture` is the file for the first handshake.
    `send` is what the board says to a server that runs, which must then answer; None: it closes after the handshake.
    """

    board: BoardSpec
    options: RunOptions
    files: Files = field(default_factory=Files)
    server: str = IN_PROCESS
    connect: tuple[str, int] | None = None
    hostname: str | None = None
    ciphers: str | None = None
    minimum_version: str | None = None
    maximum_version: str | None = None
    suites: tuple[str, ...] | None = None
    fixes: bool = True
    probe: bool = True
    capture: Path | None = None
    send: str | None = None


def version(text: str, *, option: str) -> str:
    """Read `TLSv1.2` or `1.2`.

    Raises:
        UsageError: for a version that does not exist.
    """
    for name in TlsVersion:
        if text.lower() in (name.lower(), name.lower().removeprefix("tlsv"), name.lower().replace("v", "")):
            return name
    raise UsageError(f"{option} {text!r}: accepted are {', '.join(TlsVersion)}, also written 1.2")


def host_and_port(text: str, *, option: str) -> tuple[str, int]:
    """Read `HOST:PORT`; an IPv6 address stands in brackets.

    Raises:
        UsageError: host or port is missing, or there is no such port.
    """
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})", text)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise UsageError(
            f"{option} {text!r}: host and port are wanted, as in broker.example:8883 or [2001:db8::1]:8883"
        )
    return found[1] or found[2], int(found[3])


def suite_names(text: str, *, option: str) -> tuple[str, ...]:
    """Read suites, IANA's or mbedTLS's names, separated by commas, colons or blanks; returns IANA's.

    Raises:
        UsageError: for a name that no suite has, or none at all.
    """
    names = [word for word in re.split(r"[\s,:]+", text) if word]
    if not names:
        raise UsageError(f"{option} {text!r}: names of suites are wanted, as in TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    found = [name if name.startswith("TLS_") else iana_suite_name(name) for name in names]
    for name, suite in zip(names, found, strict=True):
        if suite_code(suite) is None:
            raise UsageError(
                f"{option}: {name!r} is no suite; accepted are IANA's names (TLS_...) and mbedTLS's (TLS-...)"
            )
    return tuple(found)


def capture_file(text: str, *, option: str) -> Path:
    """Read the name of a file to write a capture to.

    Raises:
        UsageError: it cannot be written there, or is a file of another kind, which is not overwritten.
    """
    path = Path(text)
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(
                f"{option} {text!r}: the name of a file in a folder that exists is wanted, as in board.pcapng"
            )
        begins = path.read_bytes()[:4] if path.exists() else b""
    except OSError as error:
        raise UsageError(f"{option} {text!r}: {error.strerror}") from error
    if begins and begins != _PCAPNG:
        raise UsageError(f"{option} {text!r}: is there already and no pcapng file; name another")
    return path


def text_to_send(text: str, *, option: str) -> str:
    r"""Read what the board shall say: text in which \r \n \t \0 \\ and \xNN stand for one character.

    Raises:
        UsageError: nothing, too much, an escape that is none, or a byte that is no character.
    """

    def character(found: re.Match[str]) -> str:
        word = found[1]
        if word in _ESCAPES:
            return _ESCAPES[word]
        if len(word) == 3 and int(word[1:], 16) < 0x80:
            return chr(int(word[1:], 16))
        raise UsageError(rf"{option} {text!r}: \{word} is none of \r \n \t \0 \\ and \x00 to \x7f")

    said = re.sub(r"\\(x[0-9a-fA-F]{2}|.?)", character, text, flags=re.DOTALL)
    if not 0 < len(said.encode()) <= SEND_LIMIT_BYTES:
        raise UsageError(f"{option}: 1 to {SEND_LIMIT_BYTES} bytes are wanted, not {len(said.encode())}")
    return said
