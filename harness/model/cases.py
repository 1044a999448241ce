"""A case: the settings of both sides, what a handshake depends on, and what must happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import UsageError
from harness.model.behaviours import Behaviour
from harness.model.boards import BoardInfo
from harness.model.words import Outcome, Side, Source, Stage, Subject, Tier, Verify, current_name


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerProfile:
    """The settings of the Python TLS server of one case.

    `certificates` are profile names of `certs/`; more than one means several `load_cert_chain` calls.
    In every field, None keeps Python's default. `swap_key_and_certificate` passes the two files
    to `load_cert_chain` in the wrong order. `legacy_wrap_socket` uses the `ssl.wrap_socket` removed in 3.12.
    `behaviour` is empty for a correct server; else `name` is a `Behaviour`, and the other keys are that behaviour's settings.
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
        """Make the behaviour's name a `Behaviour`; a former name is accepted.

        Raises:
            UsageError: no behaviour has this name.
        """
        if name := str(self.behaviour.get("name", "")):
            try:
                known = Behaviour(current_name(name))
            except ValueError:
                raise UsageError(
                    f"unknown server behaviour {name!r}: expected a value of harness.model.Behaviour"
                ) from None
            object.__setattr__(self, "behaviour", {**self.behaviour, "name": known})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """What the board does in one case.

    `ca` and `certificate` are profile names of `certs/`; `suites` are IANA names, offered exactly, or None
    for the firmware's own; `suite_words` are passed to `set_ciphers` unchanged, valid or not.
    `*_format` is a key of `harness.certificates.forms` (`der`, `pem`, or something damaged on purpose). `text` is sent
    after the handshake, None for a greeting with the number of this exec; the server answers `Hallo, Client!`. `psk_key` is hex.
    `read_to_end` reads until the server closes, `close_first` closes right after the handshake, `any_answer` accepts any answer to
    `text` (of a server that is not ours). `timeout_s` is the socket's own, for servers that stay silent. `program` is a key of
    `harness.model.programs.PROGRAMS` that connects instead of the agent.
    For this attempt only, `clock_unix_s` is what the board's clock shows at its start, `heap_bytes` how much heap is free at most.
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
    text: str | None = None
    send_bytes: int | None = None
    receive_bytes: int | None = None
    read_to_end: bool = False
    close_first: bool = False
    any_answer: bool = False
    timeout_s: float | None = None
    program: str | None = None
    clock_unix_s: int | None = None
    heap_bytes: int | None = None
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
    the number is an errno, whose values differ between ports. `subject` is the point that the evidence must show; it is set when the
    case is judged.
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
    subject: Subject | None = None
    open_because: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFacts:
    """A key and certificate of the server.

    `type` is `RSA`, `EC`, `Ed25519`, `Ed448` or `RSA-PSS`; `curve` an IANA group name. `signature_hash` is the
    hash of the certificate's own signature (`sha256`), `key_usage` are the KeyUsage bits, None without the extension. `weak` is what is
    weak in its chain, in words.
    """

    type: str
    bits: int
    curve: str | None = None
    signature_hash: str | None = None
    signature_key_type: str | None = None
    key_usage: tuple[str, ...] | None = None
    chain_bytes: int = 0
    weak: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSettings:
    """What handshakes in memory found out about a server's context: settings that Python does not show (openssl.cnf, crypto-policies).

    `versions` are the protocol versions by name, oldest first; `groups` IANA names in OpenSSL's tuples, in order of preference;
    `signature_algorithms` IANA names in no order. All are what the security level leaves, whatever the server's key.
    """

    versions: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    signature_algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """The live settings of a server context, as far as a handshake depends on them.

    `suites` is `ctx.get_ciphers()` in server preference order as (IANA code, protocol, OpenSSL name).
    `minimum_version` / `maximum_version` are `TLSv1` ... `TLSv1.3` or None for "no limit of its own".
    `security_level` is OpenSSL's, from 0 to 5.
    `groups` are the IANA names that Python restricted the server to, None for OpenSSL's own list. `found` are the settings that
    handshakes found, None where none could or the server is not ours. `eof` is the exception type
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
    found: FoundSettings | None = None
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
    ClientHello and the live server. `expect` is then what must follow a negotiation that succeeds, or None: the negotiation is
    all that the case is about. A predicted refusal before the `subject` never makes a case with an `expect` pass.
    `positive_control` is the id of the case that must have connected first on the same board. `without_ecdsa` is the same case with an
    RSA key, for firmware that offers no ECDHE_ECDSA suite; `unverified` the one for firmware that cannot verify the server's certificate.
    """

    id: str
    title: str
    description: str
    tier: Tier
    server: ServerProfile
    client: ClientPlan
    expect: Expectation | ExpectationRule | None
    subject: Subject = Subject.NEGOTIATION
    predicted: bool = False
    needs: tuple[Need, ...] = ()
    positive_control: str | None = None
    without_ecdsa: Case | None = None
    unverified: Case | None = None

    @property
    def topic(self) -> str:
        """The part of the id before the slash; one file of `harness/cases/`."""
        return self.id.partition("/")[0]
