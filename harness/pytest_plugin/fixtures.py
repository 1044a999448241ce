"""The objects that a user's test works with: a board that connects, the settings of a server, and the comparison.

Knows the stages; must not import pytest, so that the same objects work in a script.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar, Unpack

from harness.certificates import Certificates
from harness.errors import BoardError, ServerError, UsageError
from harness.expectations import builders as expectations
from harness.expectations.needs import can_offer_exactly, has_one_of, unmet
from harness.model import (
    BoardInfo,
    BoardSpec,
    Case,
    CaseResult,
    ClientPlan,
    Expectation,
    Observation,
    ServerProfile,
    Side,
    Stage,
    StepResult,
    TlsVersion,
    UnexpectedPeers,
    VerdictWord,
    Verify,
)
from harness.oracle.judge import mismatches
from harness.pytest_plugin.arguments import ClientSettings, NegotiatedValues, RefusalDetails, ServerSettings
from harness.reports.record.plain import plain
from harness.reports.text.failure_text import expected_text, mismatch_lines, outcome_text, side_lines
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake
from harness.run.health import Health
from harness.run.lab import Lab
from harness.server.engine.tls_contexts import CURVES
from harness.wire.alerts import alert_code
from harness.wire.groups import openssl_group_to_iana

W = TypeVar("W", bound=StrEnum)


def make_server(*certificates: str, **given: Unpack[ServerSettings]) -> ServerProfile:
    """Describe a TLS server that Python's `ssl` module runs. Nothing is started: `board.connect` starts it for one connection.

    Args:
        certificates: names of certificate profiles (`certificates.names()`). Several profiles mean several
            `load_cert_chain` calls; without any the server has no certificate.
        given: settings of the server. Each one that is left out keeps the default of Python and OpenSSL:
            ciphers: text for `SSLContext.set_ciphers`, as `"ECDHE+AESGCM"`. Suites of TLS 1.3 are not affected. The text is
            not checked here; OpenSSL refuses a wrong one when the server starts, and the observation has its error.
            minimum_version, maximum_version: `"TLSv1"`, `"TLSv1.1"`, `"TLSv1.2"` or `"TLSv1.3"`.
            curve: the only group for the key exchange, in OpenSSL's spelling: `"prime256v1"`, `"X25519"`.
            verify: whether clients must present a certificate: `"none"`, `"optional"` or `"required"`.
            client_ca: one or more profiles of CAs that client certificates must come from.
            alpn: one or more protocols to offer.
            tickets: how many TLS 1.3 session tickets to send.
            swap_key_and_certificate: pass the key file as the certificate file and the reverse.
            legacy_wrap_socket: use `ssl.wrap_socket`, which Python 3.12 removed.
            behaviour: a deviation from what a correct server does, as the cases use it. Not checked here.

    Returns:
        The settings, for `board.connect`.

    Raises:
        UsageError: a setting, certificate profile, version or curve does not exist.
    """
    settings: dict[str, Any] = {**given}
    _known(settings, ServerProfile, "tls_server")
    if "verify" in settings:
        settings["verify"] = _word(Verify, settings["verify"], "tls_server(verify=...)")
    for name in ("client_ca", "alpn"):
        if name in settings:
            settings[name] = _tuple(settings[name])
    for name in ("minimum_version", "maximum_version"):
        value = settings.get(name)
        if value is not None and value not in list(TlsVersion):
            raise UsageError(f"tls_server({name}=...): {value!r} is not one of {', '.join(TlsVersion)}")
    curve = settings.get("curve")
    if curve is not None and not (isinstance(curve, str) and openssl_group_to_iana(curve)):
        # Others that TLS has a number for are left to the server's OpenSSL, which says what it cannot do.
        raise UsageError(
            f"tls_server(curve=...): {curve!r} is not a TLS curve; expected one of {', '.join(CURVES)} ..."
        )
    for name in (*certificates, *settings.get("client_ca", ())):
        _declarations().profile(name)
    return ServerProfile(certificates=certificates, **settings)


@functools.cache
def _declarations() -> Certificates:
    """The declared certificates, read once; none of them is made here."""
    return Certificates()


def _known(settings: dict[str, Any], record: type, where: str) -> None:
    _accepted(settings, [item.name for item in fields(record)], where)


def _accepted(settings: dict[str, Any], names: Collection[str], where: str) -> None:
    unknown = sorted(set(settings) - set(names))
    if unknown:
        listed = ", ".join(names if isinstance(names, list) else sorted(names))
        raise UsageError(f"{where}(): unknown setting {unknown[0]!r}; expected one of {listed}")


def _word(words: type[W], value: str, where: str) -> W:
    try:
        return words(value)
    except ValueError:
        raise UsageError(f"{where}: {value!r} is not one of {', '.join(words)}") from None


def _tuple(value: str | Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


@dataclass(slots=True)
class Board:
    """A MicroPython board, opened at its first use, and the Python that runs the servers it connects to.

    The fixture `board` gives one. Tests use `connect`, `info`, `label`, `server_name` and `firmware`; the rest is for the plugin.
    """

    lab: Lab
    spec: BoardSpec
    server_python: str
    artifacts: Path | None = None
    keep_wire: bool = False

    @property
    def label(self) -> str:
        """The board's name in test ids and reports."""
        return self.spec.label

    @property
    def server_name(self) -> str:
        """The name of the server's interpreter in test ids and reports."""
        return self.lab.options.server_name(self.server_python)

    @property
    def info(self) -> BoardInfo:
        """What was found on the board: firmware, TLS library, offered suites, memory, address. Opens the board.

        Raises:
            BoardError: the board cannot be opened.
        """
        return self.runner().board.info

    @property
    def firmware(self) -> str | None:
        """The version of the firmware, as `1.28.0`; None before the board was opened."""
        found = (entry.info for entry in self.lab.boards() if entry.spec.label == self.label)
        return next((info.firmware for info in found if info is not None), None)

    def runner(self) -> CaseRunner:
        """The runner behind `connect`.

        Raises:
            BoardError: the board cannot be opened or does not reach the server.
        """
        return self.lab.runner(self.spec, self.server_python)

    @property
    def quarantine_reason(self) -> str | None:
        """Why the board is no longer used; None while it is."""
        runner = self.tried_runner()
        return runner.board.quarantine_reason if runner is not None else None

    def tried_runner(self) -> CaseRunner | None:
        """The runner if this board has one already, without opening anything."""
        return self.lab.known_runner(self.spec, self.server_python)

    def take_unexpected_peers(self) -> UnexpectedPeers:
        """Return the peers whose connections this board's server has dropped since the last call."""
        return self.lab.take_unexpected_peers(self.server_python)

    def abandon(self, reason: str) -> Health | None:
        """End a case that was interrupted: stop its server and recover the board before the next case."""
        return self.lab.abandon(self.spec, self.server_python, reason=reason)

    def connect(self, server: ServerProfile, **given: Unpack[ClientSettings]) -> Observation:
        """Connect the board once to `server`, send a text and read the answer.

        The server runs for this connection only. The server sees the board's own address; other peers are dropped.

        Args:
            server: from `tls_server(...)`.
            given: settings of the client. Each one that is left out keeps the default of the firmware, unless another is named:
                verify: whether the board checks the server's certificate: `"none"` (the default), `"optional"`, `"required"`.
                server_hostname: the name to ask for and to check; default `"tls.test"`, which the profiles have. None sends none.
                ca: one or more certificate profiles that the board trusts.
                ca_format, certificate_format: how files are given to the board, `"der"` (the default) or `"pem"`.
                certificate: the profile of the board's own certificate and key.
                suites: one or more IANA names of cipher suites; the board then offers exactly these.
                suite_words: words for `set_ciphers` as they are, right or wrong. Not checked.
                psk_identity, psk_key: a pre-shared key; the key in hex.
                text: what the board sends after the handshake; the server answers `Hallo, Client!`. Left out, it is a greeting
                    with the number of this call to the board, and must arrive with it: else another program has connected.
                send_bytes, receive_bytes: how much to transfer instead of a text, in bytes.
                read_to_end: read until the server closes the connection.
                close_first: close right after the handshake.
                any_answer: accept any answer to `text`.
                timeout_s: of the board's socket, in seconds.
                api: which of several MicroPython APIs to use, as the cases have it. Not checked.

        Returns:
            Both sides and the wire. A TLS failure is not an exception: compare it with `expect`.

        Raises:
            BoardError: the board or its serial line failed, which says nothing about TLS; the board was recovered or quarantined. Or the
                board did not follow the settings (kind `plan`), or another client connected in its place (`peer`).
            ServerError: the server could not run at all.
            UsageError: a setting, certificate profile or suite does not exist, or this board cannot offer exactly these suites.
        """
        if not isinstance(server, ServerProfile):
            raise UsageError(f"board.connect({server!r}): expected a server from tls_server(...)")
        plan: dict[str, Any] = {**given}
        _known(plan, ClientPlan, "board.connect")
        if "verify" in plan:
            plan["verify"] = _word(Verify, plan["verify"], "board.connect(verify=...)")
        if "ca" in plan:
            plan["ca"] = _tuple(plan["ca"])
        if plan.get("suites") is not None:
            plan["suites"] = _tuple(plan["suites"])
            missing = unmet((can_offer_exactly(plan["suites"]), has_one_of(plan["suites"])), self.info, {})
            if missing is not None:
                raise UsageError(f"board.connect(suites=...): {self.label}: {missing.reason}")
        return self._attempt(self.runner(), server, ClientPlan(**plan))

    def _attempt(self, runner: CaseRunner, server: ServerProfile, plan: ClientPlan) -> Observation:
        """Run one handshake; after a fault recover or quarantine the board at once, before another test uses it."""
        faults: list[str] = []
        runner.health.begin("board.connect()")
        try:
            return runner.handshakes.make(server, plan).observation
        except (BoardError, ServerError) as error:
            runner.server.cancel()
            faults.append(str(error))
            if isinstance(error, ServerError):
                raise
            runner.health.recover(error)
            steps = [step for step in runner.health.recovery if step.result != StepResult.SKIPPED]
            tried = [
                "; quarantined" if step.result == StepResult.QUARANTINED else f"; {step.step} {step.result}"
                for step in steps
            ]
            shown = runner.health.transcript or error.transcript
            raise BoardError(error.message + "".join(tried), kind=error.kind, transcript=shown) from error
        finally:
            runner.health.end(faults)
            self.take_unexpected_peers()  # the observation has them; they must not be counted for the next case

    def keep_evidence(self, case: Case, result: CaseResult) -> CaseResult:
        """Add the packet list to a failing result and write its capture and transcript; with `--keep-wire` to every result."""
        from harness.run.artifacts import keep, with_packets

        failing = result.verdict.word in (VerdictWord.FAIL, VerdictWord.INSECURE, VerdictWord.ERROR)
        tried: Handshake | None = self.runner().last
        if not (failing or self.keep_wire):
            return result
        result = with_packets(result, tried)
        if self.artifacts is None:
            return result
        kept, lost = keep(result, tried, folder=self.artifacts, case=case)
        notes = self.runner().board.notes
        notes += [text for text in lost if text not in notes]
        return kept


class RunCase(Protocol):
    """The type of the fixture `run_case`."""

    def __call__(self, board: Board, case: Case) -> CaseResult:
        """Run one case of the list on a board, and end the test as its verdict says: pass, skip, xfail or fail."""


class Expect:
    """Compares an observation with what must have happened, both sides and the wire at once."""

    def connected(
        self,
        seen: Observation,
        **negotiated: Unpack[NegotiatedValues],
    ) -> Observation:
        """Assert that text was exchanged both ways without an error on either side.

        Args:
            seen: from `board.connect`.
            negotiated: what must have been agreed on. Each one that is left out is not checked:
                version: as `"TLSv1.2"`.
                suite: IANA's name, as `"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"`.
                group: IANA's name of the key exchange group, as `"secp256r1"`.

        Returns:
            The observation.

        Raises:
            AssertionError: listing every difference.
            UsageError: there is no such value.
        """
        __tracebackhide__ = True
        _accepted({**negotiated}, NegotiatedValues.__annotations__, "expect.connected")
        return _compare(expectations.connected(**negotiated), seen)

    def refused(
        self,
        seen: Observation,
        *,
        by: str | None = None,
        stage: str = "handshake",
        server: str | None = None,
        alert: int | str | None = None,
        client: int | str | Iterable[str] | None = None,
        **details: Unpack[RefusalDetails],
    ) -> Observation:
        """Assert that one side ended the connection with exactly these errors.

        Args:
            seen: from `board.connect`.
            by: `"server"` or `"client"`; left out, the side whose error is not a received alert.
            stage: where that side failed: `"config"`, `"connect"`, `"handshake"`, `"read"`, `"write"` or `"close"`.
            server: `SSLError.reason` on the server, or the name of its OS error. None: the server must not have seen an error.
            alert: number or name (RFC 8446, section 6) of the fatal alert that `by` sent. None: there must be none.
            client: the number of the board's OSError as mbedTLS defines it, or its verification flag or flags, as
                `"not_trusted"`. None: the client must not have seen an error.
            details: what else must be so:
                server_type: class of the server's exception; default `"SSLError"` where `server` is given.
                server_errno: its `errno`. Left out: not checked.
                verify_code: OpenSSL's X509_V_ERR number on the server. Left out: not checked.
                client_type: class of the board's exception; default `"OSError"` for a number, `"ValueError"` for flags.
                open_because: the race that makes some of these errors unpredictable. With it, what is left out is not checked.

        Returns:
            The observation.

        Raises:
            AssertionError: listing every difference.
            UsageError: a side, stage, alert or detail does not exist.
        """
        __tracebackhide__ = True
        _accepted({**details}, RefusalDetails.__annotations__, "expect.refused")
        number = client if isinstance(client, int) else None
        flags = None if client is None or isinstance(client, int) else _tuple(client)
        side = _word(Side, by, "expect.refused(by=...)") if by else _refusing_side(server)
        where = _word(Stage, stage, "expect.refused(stage=...)")
        if isinstance(alert, str) and alert_code(alert) is None:
            raise UsageError(
                f"expect.refused(alert={alert!r}): no TLS alert has this name; write it as in RFC 8446 or as a number"
            )
        expected = expectations.refused(
            by=side,
            stage=where,
            server=server,
            alert=alert,
            client=number,
            flags=flags,
            **details,
        )
        return _compare(expected, seen)


def _refusing_side(server: str | None) -> Side:
    received = server is None or server.startswith(("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_"))
    return Side.CLIENT if received else Side.SERVER


def _compare(expected: Expectation, seen: Observation) -> Observation:
    __tracebackhide__ = True  # pytest then shows the line of the test, not ours
    found = mismatches(expected, seen)
    if not found:
        return seen
    lines = [
        f"{expected.outcome} expected, got {outcome_text(seen)}",
        f"  expected    {expected_text(expected)}",
        *mismatch_lines(found),
        *side_lines(seen),
    ]
    raise AssertionError(plain("\n".join(lines)))
