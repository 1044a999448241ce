"""Define the request of one `tls-harness diagnose` and check its options. Opens no board and no socket."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import UsageError
from harness.model import BoardSpec, TlsVersion
from harness.run.options import IN_PROCESS, RunOptions
from harness.wire.suites import iana_suite_name, suite_code

Progress = Callable[[str], None]
"""Receives one line about the current step; the command shows it on a terminal."""

# The block type that every pcapng file begins with; it reads the same in both byte orders.
_PCAPNG = bytes.fromhex("0a0d0d0a")
# What fits into one request to a small board.
SEND_LIMIT_BYTES = 512
# As the resolver takes it (RFC 1035 section 2.3.4); the underscore and other signs are its business.
_NAME = re.compile(r"(?=.{1,254}$)[!-\-/-~]{1,63}(\.[!-\-/-~]{1,63})*\.?")
SHOWN_CHARACTERS = 80
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """The files that the user named. They are used in place; of a private key only the path is ever shown.

    `certificate`, `key` and `client_ca` are the server's; `ca`, `client_certificate` and `client_key` the board's. `password_env` is the
    environment variable that has the password of `key`.
    """

    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None
    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    password_env: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One diagnosis: which board, which server, with which settings.

    `server` is `in-process` or an interpreter. `connect` is the host and port of a running server; None starts one from the user's
    files. `suites` restricts the board to these IANA names; None keeps its own. `fixes`: try changes. `probe`: ask a running server
    from this machine what it accepts. `write` is a new folder for what is proved first. `capture` is the file for the first handshake.
    `send` is what the board sends to a running server, which must then answer; with None the board closes after the handshake.
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
    write: Path | None = None
    send: str | None = None


def version(text: str, *, option: str) -> str:
    """Read `TLSv1.2` or `1.2`.

    Raises:
        UsageError: if there is no such version.
    """
    for name in TlsVersion:
        if text.lower() in (name.lower(), name.lower().removeprefix("tlsv"), name.lower().replace("v", "")):
            return name
    raise UsageError(f"{option} {text!r}: expected one of {', '.join(TlsVersion)}; the short form 1.2 is accepted too")


def host_and_port(text: str, *, option: str) -> tuple[str, int]:
    """Read `HOST:PORT`; an IPv6 address is written in brackets.

    Raises:
        UsageError: if the host or the port is missing, or the port is out of range.
    """
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})", text)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise UsageError(f"{option} {text!r}: expected HOST:PORT, e.g. broker.example:8883 or [2001:db8::1]:8883")
    return found[1] or host_name(found[2], option=option), int(found[3])


def host_name(text: str, *, option: str) -> str:
    """Read the name of a host, which may be an IP address, or any name for SNI.

    Raises:
        UsageError: if no resolver and no ClientHello can have it.
    """
    if not text.isascii():
        raise UsageError(
            f"{option} {text!r}: expected the ASCII form of the name, e.g. xn--bcher-kva.example for b\u00fccher.example"
        )
    if ":" not in text and not _NAME.fullmatch(text):
        raise UsageError(
            f"{option} {text[:SHOWN_CHARACTERS]!r}: expected at most 253 characters, in parts of 1 to 63 with dots between them"
        )
    return text


def suite_names(text: str, *, option: str) -> tuple[str, ...]:
    """Read cipher suite names of IANA or mbedTLS, separated by commas, colons or blanks; return IANA names.

    Raises:
        UsageError: if a name is unknown or there is none.
    """
    names = [word for word in re.split(r"[\s,:]+", text) if word]
    if not names:
        raise UsageError(f"{option} {text!r}: expected cipher suite names, e.g. TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")
    found = [name if name.startswith("TLS_") else iana_suite_name(name) for name in names]
    for name, suite in zip(names, found, strict=True):
        if suite_code(suite) is None:
            raise UsageError(
                f"{option}: unknown cipher suite {name!r}; expected an IANA name (TLS_...) or an mbedTLS name (TLS-...)"
            )
    return tuple(found)


def capture_file(text: str, *, option: str) -> Path:
    """Read the name of a file to write a capture to.

    Raises:
        UsageError: if the file cannot be written, or exists and is not a pcapng file.
    """
    path = Path(text)
    try:
        if path.is_dir() or not path.parent.is_dir():
            raise UsageError(f"{option} {text!r}: expected a file name in an existing folder, e.g. board.pcapng")
        begins = path.read_bytes()[:4] if path.exists() else b""
    except OSError as error:
        raise UsageError(f"{option} {text!r}: {error.strerror}") from error
    if begins and begins != _PCAPNG:
        raise UsageError(f"{option} {text!r}: the file exists and is not a pcapng file; choose another name")
    return path


def new_folder(text: str, *, option: str) -> Path:
    """Read the name of a folder to make.

    Raises:
        UsageError: there is something of that name, or no folder to make it in.
    """
    path = Path(text)
    try:
        if os.path.lexists(path):
            raise UsageError(
                f"{option} {text!r}: it exists, and nothing is overwritten; expected the name of a new folder"
            )
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{option} {text!r}: expected a new folder in an existing one")
    except (OSError, ValueError) as error:
        raise UsageError(f"{option} {text!r}: not a path") from error
    return path


def text_to_send(text: str, *, option: str) -> str:
    r"""Read the text that the board sends, in which \r \n \t \0 \\ and \xNN stand for one character.

    Raises:
        UsageError: if it is empty or too long, or has an invalid escape.
    """

    def character(found: re.Match[str]) -> str:
        word = found[1]
        if word in _ESCAPES:
            return _ESCAPES[word]
        if len(word) == 3 and int(word[1:], 16) < 0x80:
            return chr(int(word[1:], 16))
        raise UsageError(rf"{option} {text!r}: invalid escape \{word}; expected \r, \n, \t, \0, \\ or \x00 to \x7f")

    said = re.sub(r"\\(x[0-9a-fA-F]{2}|.?)", character, text, flags=re.DOTALL)
    if not 0 < len(said.encode()) <= SEND_LIMIT_BYTES:
        raise UsageError(f"{option}: expected 1 to {SEND_LIMIT_BYTES} bytes, got {len(said.encode())}")
    return said
