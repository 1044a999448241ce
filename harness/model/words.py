"""Closed sets of words, and the former names that are still read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

# Former abbreviations of case topics and of the first word of server behaviours: still read, never written.
FORMER_TOPICS: Mapping[str, str] = {
    "mut": "tampered",
    "frag": "fragments",
    "rec": "records",
    "ver": "versions",
    "cut": "cut-off",
    "raw": "not-tls",
}
_FORMER_NAME = re.compile(rf"({'|'.join(FORMER_TOPICS)})(?=[/.])")


def current_name(name: str) -> str:
    """Return the current name of a case (`raw/http-400` is `not-tls/http-400`) or of a behaviour (`raw.silent`).

    Args:
        name: a case id, a glob over case ids, or a behaviour's name; a name without a former topic is returned unchanged.
    """
    former = _FORMER_NAME.match(name)
    return FORMER_TOPICS[former[1]] + name[former.end() :] if former else name


class Outcome(StrEnum):
    """What happened in one case on one board."""

    CONNECTED = "connected"
    REFUSED = "refused"
    HUNG = "hung"
    NOT_RUN = "not-run"


class VerdictWord(StrEnum):
    """The judgement of an outcome. Its properties say what it implies."""

    PASS = "pass"
    FAIL = "fail"
    INSECURE = "insecure"
    KNOWN = "known"
    UNSUPPORTED = "unsupported"
    ERROR = "error"

    @classmethod
    def by_severity(cls) -> list[VerdictWord]:
        """All verdicts, the worst first."""
        return sorted(cls, key=lambda word: word.severity)

    @property
    def severity(self) -> int:
        """The place of a verdict among all of them; 0 is the worst."""
        return ("insecure", "fail", "error", "known", "unsupported", "pass").index(self.value)

    @property
    def fails_run(self) -> bool:
        """Whether a result with this verdict makes the run fail."""
        return self in (VerdictWord.INSECURE, VerdictWord.FAIL, VerdictWord.ERROR)

    @property
    def tells_tls(self) -> bool:
        """Whether it is a statement about TLS: `error` and `unsupported` are not."""
        return self not in (VerdictWord.ERROR, VerdictWord.UNSUPPORTED)

    @property
    def as_expected(self) -> bool:
        """Whether the outcome was expected, possibly as a known deviation."""
        return self in (VerdictWord.PASS, VerdictWord.KNOWN)

    @property
    def colour(self) -> str:
        """The colour in a terminal: red if it fails the run, green for `pass`, else yellow."""
        return "red" if self.fails_run else "green" if self is VerdictWord.PASS else "yellow"

    @property
    def sign(self) -> str:
        """The symbol next to the word in the HTML page."""
        return {"insecure": "‼", "fail": "✕", "error": "!", "known": "≈", "unsupported": "–", "pass": "✓"}[self.value]

    @property
    def meaning(self) -> str:
        """The meaning in a few words."""
        return {
            "insecure": "accepted what had to be refused",
            "fail": "not as expected",
            "error": "board, link or harness fault: says nothing about TLS",
            "known": "a listed deviation",
            "unsupported": "this firmware or server cannot try it",
            "pass": "exactly as expected",
        }[self.value]


class Stage(StrEnum):
    """Where a failure happened."""

    CONFIG = "config"
    CONNECT = "connect"
    HANDSHAKE = "handshake"
    READ = "read"
    WRITE = "write"
    CLOSE = "close"


class Side(StrEnum):
    """One end of the connection; the board is always the client."""

    SERVER = "server"
    CLIENT = "client"


class Subject(StrEnum):
    """The point a handshake must reach for a case's result to be meaningful, in the order of progress.

    `harness.expectations.subjects` says which point each case has, `harness.run.reached` what shows that it was reached.
    """

    CONFIG = "config"
    HELLO = "hello"
    NEGOTIATION = "negotiation"
    SERVER_CERTIFICATE = "server-certificate"
    CLIENT_CERTIFICATE = "client-certificate"
    FINISHED = "finished"
    DATA = "data"
    CLOSE = "close"

    @property
    def place(self) -> int:
        """The place in the order of progress, from 0."""
        return list(Subject).index(self)

    @property
    def phrase(self) -> str:
        """The point as the end of "never got as far as"."""
        return {
            "config": "the settings",
            "hello": "the ClientHello",
            "negotiation": "the choice of version and suite",
            "server-certificate": "the certificate",
            "client-certificate": "the client's certificate",
            "finished": "the end of the handshake",
            "data": "application data",
            "close": "the end of the session",
        }[self.value]


class Tier(StrEnum):
    """The smallest `--cases` set a case is in."""

    SMOKE = "smoke"
    CORE = "core"
    FULL = "full"


class Source(StrEnum):
    """Where an expectation comes from: stated by the case, or predicted from the ClientHello and the server's settings."""

    STATED = "stated"
    PREDICTED = "predicted"


class TcpEndKind(StrEnum):
    """The TCP flag that ended one direction of a connection."""

    FIN = "FIN"
    RST = "RST"


class TlsVersion(StrEnum):
    """The TLS versions that a server can be restricted to, oldest first, spelled as in Python's `ssl`."""

    TLSv1 = "TLSv1"
    TLSv1_1 = "TLSv1.1"
    TLSv1_2 = "TLSv1.2"
    TLSv1_3 = "TLSv1.3"


class Verify(StrEnum):
    """How strictly a side checks its peer's certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


class ClientApi(StrEnum):
    """The API through which a board connects."""

    SOCKET = "socket"
    ASYNCIO = "asyncio"


class Network(StrEnum):
    """How a board gets its network: nothing to set up, WiFi, a wired LAN, or whatever its boot.py brings up."""

    NONE = "none"
    WIFI = "wifi"
    LAN = "lan"
    BOOT = "boot"


class TlsModule(StrEnum):
    """The modules that TLS clients of MicroPython import: the newest comes first."""

    TLS = "tls"
    SSL = "ssl"
    USSL = "ussl"


class TlsLibrary(StrEnum):
    """The library behind a board's TLS module."""

    MBEDTLS = "mbedTLS"
    AXTLS = "axTLS"


class RecoveryAction(StrEnum):
    """The recovery steps, the mildest first; if none helps, the board is quarantined."""

    CTRL_C = "ctrl-c"
    PORT = "port"
    RAW_REPL = "raw-repl"
    SOFT_RESET = "soft-reset"
    RESET = "reset"
    POWER_CYCLE = "power-cycle"
    WAIT = "wait"
    QUARANTINE = "set-aside"


class StepResult(StrEnum):
    """The result of a recovery step."""

    HELPED = "helped"
    FAILED = "failed"
    SKIPPED = "skipped"
    QUARANTINED = "set-aside"
