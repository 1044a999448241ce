"""The records that the stages pass to each other: frozen, keyword-only, JSON-safe.

Knows the vocabulary of the run record and nothing else: no sockets, no boards, no pytest. Times are in the unit the name
carries, hex strings have no `0x`, suite names are IANA's, versions are `TLSv1.2` / `TLSv1.3`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

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


# ----------------------------------------------------------------------------------------------- boards


class Network(StrEnum):
    """How a board gets its network: nothing to set up, WiFi, a wired LAN, or whatever its boot.py brings up."""

    NONE = "none"
    WIFI = "wifi"
    LAN = "lan"
    BOOT = "boot"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSpec:
    """One `--board SPEC`, parsed.

    `kind` is a key of `harness.boards.kinds.BOARD_KINDS`; `target` is what that kind opens (device path, URL,
    interpreter path or "" for the default); `label` is the short unique name used in test ids and reports.
    """

    text: str
    kind: str
    target: str
    label: str
    settings: BoardSettings = field(default_factory=lambda: BoardSettings())


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardSettings:
    """The settings of one board in boards.toml. They contain no secrets: `password_env` only names the variable.

    `reset` and `power_cycle` are commands as argument lists, started without a shell; `{port}` and `{board}` in them are replaced by
    the open port and the board's name (`harness.boards.hooks.hook_arguments`). Empty: there is no such hook.

    `static` is address, netmask, gateway and name server. `lan` is the expression that creates a wired interface on the board. `address`
    is the address of a board that cannot report its own.
    """

    network: Network = Network.NONE
    ssid: str | None = None
    password_env: str | None = None
    country: str | None = None
    static: tuple[str, ...] = ()
    lan: str | None = None
    address: str | None = None
    bind: str | None = None
    baud: int = 115200
    dtr: bool | None = None
    rts: bool | None = None
    timeout_multiplier: float = 1.0
    heap_bytes: int | None = None
    reset: tuple[str, ...] = ()
    power_cycle: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardInfo:
    """What the probe read from a board; every field is measured, none is guessed from a version number.

    `api` holds dotted names that exist on the board, for example `tls.SSLContext.set_ciphers`, and
    `wrap_socket(cadata)` style names for accepted keyword arguments. `suites` are the suites that the TLS
    library reports, with mbedTLS names; empty if it cannot report them. `hello` is the ClientHello that the board sends without
    restrictions; `hello_unix_s` is when the host received it. `reads_pem`: it accepted a PEM certificate. `reads_pkcs8`: it accepted a
    PKCS#8 key. `takes_own_pss`: in TLS 1.2 it accepts the RSA-PSS that it offers. These three are None until they were tried.
    """

    implementation: str = ""
    version: tuple[int | str, ...] = ()
    version_text: str = ""
    machine: str = ""
    platform: str = ""
    build: str = ""
    unique_id: str | None = None
    tls_module: str | None = None
    tls_library: TlsLibrary | None = None
    tls_version: str | None = None
    modules: tuple[str, ...] = ()
    api: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    heap_free_bytes: int | None = None
    heap_total_bytes: int | None = None
    word_bits: int | None = None
    epoch_year: int | None = None
    clock_unix_s: int | None = None
    address: str | None = None
    ssid: str | None = None
    interfaces: tuple[str, ...] = ()
    filesystem: str | None = None
    usb_mode: str | None = None
    hello: HelloFacts | None = None
    hello_unix_s: int | None = None
    reads_pem: bool | None = None
    reads_pkcs8: bool | None = None
    takes_own_pss: bool | None = None

    @property
    def has_tls(self) -> bool:
        """Whether the board has a TLS module."""
        return self.tls_module is not None

    @property
    def is_usb_drive(self) -> bool:
        """Whether a host may have mounted the board's filesystem: MicroPython then must not write to it."""
        return "MSC" in (self.usb_mode or "")

    @property
    def can_set_ciphers(self) -> bool:
        """Whether the client's suites can be chosen."""
        return any(name.endswith("SSLContext.set_ciphers") for name in self.api)

    @property
    def can_verify(self) -> bool:
        """Whether the board can check the server's certificate against a CA."""
        return any(name.endswith(("SSLContext.load_verify_locations", "wrap_socket(cadata)")) for name in self.api)

    @property
    def names_verify_reason(self) -> bool:
        """Whether a refused certificate is a ValueError with the reason; the older API has one number for all reasons."""
        return any(name.endswith("SSLContext.load_verify_locations") for name in self.api)

    @property
    def can_load_certificate(self) -> bool:
        """Whether the board can present a certificate of its own."""
        return any(name.endswith(("SSLContext.load_cert_chain", "wrap_socket(key)")) for name in self.api)

    @property
    def firmware(self) -> str:
        """The firmware version, for example `1.20.0` or `1.29.0-preview`."""
        numbers = ".".join(str(part) for part in self.version[:3])
        tag = "-".join(str(part) for part in self.version[3:] if part)
        return f"{numbers}-{tag}" if tag else numbers


# ----------------------------------------------------------------------------------------------- cases


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """The settings of the Python TLS server of one case.

    `certificates` are profile names of `certs/`; more than one means several `load_cert_chain` calls.
    In every field, None keeps Python's default. `swap_key_and_certificate` passes the two files
    to `load_cert_chain` in the wrong order. `legacy_wrap_socket` uses the `ssl.wrap_socket` removed in 3.12.
    """

    certificates: tuple[str, ...] = ()
    ciphers: str | None = None
    minimum_version: str | None = None
    maximum_version: str | None = None
    curve: str | None = None
    verify: Verify = Verify.NONE
    client_ca: tuple[str, ...] = ()
    alpn: tuple[str, ...] = ()
    tickets: int | None = None
    swap_key_and_certificate: bool = False
    legacy_wrap_socket: bool = False
    behaviour: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Accept a behaviour under its former name."""
        name = self.behaviour.get("name")
        if isinstance(name, str) and current_name(name) != name:
            object.__setattr__(self, "behaviour", {**self.behaviour, "name": current_name(name)})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """What the board does in one case.

    `ca` and `certificate` are profile names of `certs/`; `suites` are IANA names, offered exactly, or None
    for the firmware's own; `suite_words` are passed to `set_ciphers` unchanged, valid or not.
    `*_format` is a key of `harness.certificates.forms` (`der`, `pem`, or something damaged on purpose). `text` is sent
    after the handshake; the server answers `Hallo, Client!`. `psk_key` is hex. `read_to_end` reads until the server
    closes, `close_first` closes right after the handshake, `any_answer` accepts any answer to `text` (of a server that is not ours).
    `timeout_s` is the socket's own, for servers that stay silent.
    """

    verify: Verify = Verify.NONE
    server_hostname: str | None = "tls.test"
    ca: tuple[str, ...] = ()
    ca_format: str = "der"
    certificate: str | None = None
    certificate_format: str = "der"
    suites: tuple[str, ...] | None = None
    suite_words: tuple[str, ...] | None = None
    psk_identity: str | None = None
    psk_key: str | None = None
    text: str = "Hallo, Server!"
    send_bytes: int | None = None
    receive_bytes: int | None = None
    read_to_end: bool = False
    close_first: bool = False
    any_answer: bool = False
    timeout_s: float | None = None
    api: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """The alert that must be on the wire, and its sender."""

    sender: Side
    code: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must happen, on both sides and on the wire. A field that is None is not checked.

    An expectation of a refusal names both sides; if a field is not checked because of a race, `open_because` cites the race.
    `server_name` is the required SNI of the ClientHello, "" for no such extension. `client_name` replaces `client_number` if
    the number is an errno, whose values differ between ports.
    """

    source: Source
    outcome: Outcome
    stage: Stage | None = None
    ended_by: Side | None = None
    server_type: str | None = None
    server_reason: str | None = None
    server_errno: int | None = None
    verify_code: int | None = None
    client_type: str | None = None
    client_number: int | None = None
    client_name: str | None = None
    client_flags: tuple[str, ...] | None = None
    alert: ExpectedAlert | None = None
    version: str | None = None
    suite: str | None = None
    group: str | None = None
    server_name: str | None = None
    no_server_error: bool = False
    no_client_error: bool = False
    no_alert: bool = False
    open_because: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A key and certificate of the server.

    `type` is `RSA`, `EC`, `Ed25519`, `Ed448` or `RSA-PSS`; `curve` an IANA group name. `signature_hash` is the
    hash of the certificate's own signature (`sha256`), `key_usage` are the KeyUsage bits, None without the extension.
    """

    type: str
    bits: int
    curve: str | None = None
    signature_hash: str | None = None
    signature_key_type: str | None = None
    key_usage: tuple[str, ...] | None = None
    chain_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The live settings of a server context, as far as a handshake depends on them.

    `suites` is `ctx.get_ciphers()` in server preference order as (IANA code, protocol, OpenSSL name).
    `minimum_version` / `maximum_version` are `TLSv1` ... `TLSv1.3` or None for "no limit of its own".
    `security_level` is OpenSSL's, from 0 to 5.
    `groups` are the IANA names the server was restricted to, None for OpenSSL's default list. `eof` is the exception type
    and reason of this Python if a client ends the handshake early. `checks_own_signature`: its OpenSSL checks the hash in the server's own
    certificate against the security level.
    """

    python: str
    openssl: str
    openssl_number: int
    suites: tuple[tuple[int, str, str], ...]
    keys: tuple[KeyFacts, ...] = ()
    minimum_version: str | None = None
    maximum_version: str | None = None
    groups: tuple[str, ...] | None = None
    security_level: int = 2
    server_preference: bool = True
    verify: Verify = Verify.NONE
    eof: tuple[str, str] = ("SSLEOFError", "UNEXPECTED_EOF_WHILE_READING")
    checks_own_signature: bool = True
    behaviour: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suite_codes(self) -> frozenset[int]:
        """The IANA codes the server may choose from."""
        return frozenset(code for code, _protocol, _name in self.suites)


ExpectationRule = Callable[[BoardInfo, ServerFacts], Expectation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A feature of the board or the server that a case needs; `reason` names what is missing."""

    name: str
    reason: str
    met: Callable[[BoardInfo, Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One TLS situation. `expect` is an expectation, or a function of the board and the live server that returns one.

    With `predicted`, the result of the negotiation (version, suite, group, or its exact failure) is computed from the
    ClientHello and the live server; `expect` then applies if the negotiation succeeds. `positive_control` is the id of
    the case that must have connected first on the same board.
    """

    id: str
    title: str
    description: str
    tier: Tier
    server: ServerProfile
    client: ClientPlan
    expect: Expectation | ExpectationRule
    predicted: bool = False
    needs: tuple[Need, ...] = ()
    positive_control: str | None = None
    weak: str | None = None

    @property
    def topic(self) -> str:
        """The part of the id before the slash; one file of `harness/cases/`."""
        return self.id.partition("/")[0]


# ----------------------------------------------------------------------------------------------- observations


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A TLS alert seen on the wire (RFC 8446 section 6). `encrypted` marks one that was decrypted with the session's secrets."""

    sender: Side
    level: str
    code: int
    name: str
    at_ms: float | None = None
    encrypted: bool = False

    @property
    def is_fatal(self) -> bool:
        """Whether the alert ends the connection; a `close_notify` is a warning."""
        return self.level == "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFailure:
    """What Python raised on the server: `reason` is `SSLError.reason`, or the name of the OS error."""

    type: str
    reason: str | None
    errno: int | None = None
    verify_code: int | None = None
    verify_message: str | None = None
    stage: Stage = Stage.HANDSHAKE


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFailure:
    """What MicroPython raised on the board. `number` identifies the error; `flags` are the verification reasons."""

    type: str
    args: tuple[Any, ...]
    number: int | None
    flags: tuple[str, ...] | None
    name: str | None
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class WireChunk:
    """Bytes that the server's socket sent or received at `at_ms` after accept; `sender` sent them."""

    sender: Side
    at_ms: float
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpEnd:
    """How one side ended its half of the TCP connection, as the server's socket saw it."""

    sender: Side
    at_ms: float
    how: TcpEndKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One row of the packet list: a TLS message or a TCP event. `at_ms` is after accept; `length` is in bytes, 0 for TCP events."""

    number: int
    at_ms: float
    sender: Side
    length: int
    info: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What both sides agreed on; None if the handshake ended before."""

    version: str | None = None
    suite: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloFacts:
    """The ClientHello as reports show it: hex strings, in the order of the wire."""

    record_version: str
    versions: tuple[str, ...]
    suites: tuple[str, ...]
    groups: tuple[str, ...]
    signature_algorithms: tuple[str, ...]
    extensions: tuple[int, ...]
    sni: str | None
    alpn: tuple[str, ...] = ()
    key_share_groups: tuple[str, ...] = ()
    random: str = ""
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReport:
    """Everything the server side of one case recorded.

    `exchanged` is true only if the client's text arrived and the answer was written. `wire` is every byte of both
    directions in order, `tcp_ends` how each stream ended. `key_log` holds NSS key-log lines (secrets: artifacts only).
    `strangers` counts unexpected peers, whose connections were dropped. `ended_first` is set by a relay only: the server behind
    it ended a TLS 1.3 session after the client's handshake and before any application data.
    """

    facts: ServerFacts | None
    failure: ServerFailure | None
    accepted: bool = False
    handshake_done: bool = False
    exchanged: bool = False
    received_text: str | None = None
    received_bytes: int | None = None
    negotiated_version: str | None = None
    negotiated_suite: str | None = None
    wire: tuple[WireChunk, ...] = ()
    tcp_ends: tuple[TcpEnd, ...] = ()
    message_alerts: tuple[Alert, ...] = ()
    key_log: str = ""
    strangers: int = 0
    stranger_addresses: tuple[str, ...] = ()
    peer: str | None = None
    peer_port: int | None = None
    local: str | None = None
    local_port: int | None = None
    started_unix_s: float = 0.0
    handshake_ms: float | None = None
    timed_out: bool = False
    ended_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientReport:
    """The board's report of one attempt: `done` if it read the server's answer, else where it failed.

    `stages_ms` maps stage -> milliseconds on the board's own clock.
    """

    done: bool
    failure: ClientFailure | None
    received_text: str | None = None
    received_bytes: int | None = None
    negotiated_suite: str | None = None
    negotiated_version: str | None = None
    handshake_ms: float | None = None
    free_before: int | None = None
    free_low: int | None = None
    idf_largest: int | None = None
    free_after: int | None = None
    held: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What both sides had to send: the beginning of the text, as the receiving side records it, and the number of bytes.

    None if nothing had to be sent. The defaults are those of a `ClientPlan`, so that an observation without a plan is
    compared too.
    """

    sent_text: str | None = "Hallo, Server!"
    sent_bytes: int | None = 14
    answer_text: str | None = "Hallo, Client!"
    answer_bytes: int | None = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What happened in one case, on both sides and on the wire; without a judgement.

    `handshake_done` is the server's record: the client's last message of the handshake arrived and was in order.
    """

    outcome: Outcome
    stage: Stage | None
    ended_by: Side | None
    server: ServerFailure | None
    client: ClientFailure | None
    alerts: tuple[Alert, ...] = ()
    negotiated: Negotiated = field(default_factory=Negotiated)
    client_hello: HelloFacts | None = None
    handshake_board_ms: float | None = None
    handshake_server_ms: float | None = None
    case_ms: float | None = None
    free_before: int | None = None
    free_low: int | None = None
    idf_largest: int | None = None
    free_after: int | None = None
    held: int | None = None
    strangers: int = 0
    stranger_addresses: tuple[str, ...] = ()
    received_by_server: str | None = None
    received_by_client: str | None = None
    server_received_bytes: int | None = None
    client_received_bytes: int | None = None
    exchange: Exchange = field(default_factory=Exchange)
    handshake_done: bool = False
    server_facts: ServerFacts | None = None
    server_address: str | None = None
    board_address: str | None = None

    def fatal_alert(self, *, sender: Side | str | None = None) -> Alert | None:
        """Return the first fatal alert, or None if there was none.

        Args:
            sender: the side whose alerts count; None for both.
        """
        return next((alert for alert in self.alerts if alert.is_fatal and sender in (None, alert.sender)), None)

    @property
    def free_for_tls(self) -> int | None:
        """The free memory for TLS before the handshake, in bytes: on an ESP32 the largest block of ESP-IDF's heap, else the free heap."""
        return self.free_before if self.idf_largest is None else self.idf_largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """One field in which expectation and observation differ."""

    field: str
    expected: str
    observed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The judgement of one case: the word, the reason in one line, and every mismatch."""

    word: VerdictWord
    reason: str | None = None
    mismatches: tuple[Mismatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a fix changes on each side, so that it can be tried: field -> new value; other fields stay the same.

    `server` names fields of `ServerProfile`, `client` fields of `ClientPlan`. A certificate named after a profile of `certs/` is generated,
    for the user's host name if there is one. `issuer` is the CA of the server's present certificate, `client-issuer` that of the board's.
    In a list, `*` stands for the present values; as `server_hostname` it is a name in the server's certificate.
    """

    server: Mapping[str, Any] = field(default_factory=dict)
    client: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change that would make the case connect. `proved` is None until it was tried.

    `because` says why it is discouraged. `server_lines` are the exact lines of Python's `ssl`, or of a shell after
    `$`; for a server that is not ours, each starts with that server's name (`harness.explain.other_servers`). `client_lines` are the exact
    MicroPython lines for this firmware's API. Both are empty if that side does not change. `change` is what `diagnose` does to try the
    fix, None if it cannot be tried from here (new firmware, a cable).
    """

    title: str
    proved: bool | None = None
    discouraged: bool = False
    because: str | None = None
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()
    change: Change | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a case failed, with the evidence line by line, and fixes, the most secure first."""

    rule: str
    title: str
    why: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryStep:
    """One step of recovering a board. A `skipped` step is not possible with this board, for the given reason."""

    step: RecoveryAction
    result: StepResult
    reason: str | None
    deadline_s: float | None
    took_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class UnexpectedPeers:
    """Connections that were dropped because they came from another address: how many, and the first few addresses."""

    count: int = 0
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """One run of a cell of the matrix: one case on one board against one server.

    `attempt` counts the tries after faults of the line; `repeat` is the number of the run with `--repeat N`, from 1. `strangers` are the
    unexpected peers of all connections that the case needed; the observation counts only those of its own handshake. None: not counted.
    """

    board: str
    server: str
    case: str
    attempt: int
    verdict: Verdict
    expected: Expectation | None
    observation: Observation | None
    repeat: int = 1
    explanation: Explanation | None = None
    weak: str | None = None
    strangers: UnexpectedPeers | None = None
    link_errors: tuple[str, ...] = ()
    recovery: tuple[RecoveryStep, ...] = ()
    transcript: str = ""
    artifacts: Mapping[str, str | None] = field(default_factory=dict)
    packets: tuple[Packet, ...] = ()


# ----------------------------------------------------------------------------------------------- the matrix

IN_PROCESS = "in-process"
DEFAULT_CLIENT = "socket"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Cell:
    """One cell of the compatibility matrix: a case, or a test of a user's own suite, with one value of each axis.

    An empty `firmware` is the board's present one; an empty `link` is the unchanged network. Either `case` or `test` is set.
    """

    board: str
    firmware: str = ""
    server: str = IN_PROCESS
    client: str = DEFAULT_CLIENT
    link: str = ""
    case: str = ""
    test: str = ""


# ----------------------------------------------------------------------------------------------- diagnosing


@dataclass(frozen=True, slots=True, kw_only=True)
class WireStep:
    """One message on the wire in readable form: its sender, its time (ms after accept), its name and its main content."""

    sender: Side
    at_ms: float
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One change, and its result on the board.

    `fix.proved` says whether it connected; `result` is the handshake that shows it. If there was none, it is None and `note` says why.
    `general` marks a change that no rule proposed; such changes are tried after the rule's own fixes failed. `server_lines` and
    `client_lines` are the complete settings of both sides in this trial.
    """

    fix: Fix
    result: CaseResult | None = None
    note: str | None = None
    general: bool = False
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One server with one board, unchanged and with one change at a time.

    `server` is what the board connected to, as the user named it (interpreter, or HOST:PORT). `server_lines` and `client_lines` are both
    sides' settings as code. `unseen` is what could not be observed of a server that is not ours. Key files are named, never included.
    """

    board: str
    info: BoardInfo | None
    server: str
    result: CaseResult
    server_lines: tuple[str, ...] = ()
    client_lines: tuple[str, ...] = ()
    wire: tuple[WireStep, ...] = ()
    trials: tuple[Trial, ...] = ()
    unseen: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def as_json(value: Any) -> Any:
    """Turn records, enums, tuples and mappings into plain JSON values.

    Args:
        value: a record of this module or anything inside one. Bytes become hex; callables are refused.

    Raises:
        TypeError: for a value JSON cannot hold.
    """
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: as_json(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [as_json(item) for item in value]
    raise TypeError(f"not JSON-safe: {type(value).__name__}")
