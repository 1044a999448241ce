"""What other people's tests hold in their hands: a board that connects, a server's settings, and the comparison.

Knows the stages; must not import pytest, so that the same objects work in a script.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from harness.certificates import Certificates
from harness.errors import BoardError, ServerError, UsageError
from harness.expectations import builders as expectations
from harness.expectations.needs import can_offer_exactly
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
    Strangers,
    TlsVersion,
    VerdictWord,
    Verify,
)
from harness.oracle.judge import mismatches
from harness.reports.record.plain import plain
from harness.reports.text.failure_text import expected_text, mismatch_lines, outcome_text, side_lines
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Attempt
from harness.run.health import Health
from harness.run.lab import Lab
from harness.server.engine.tls_contexts import CURVES
from harness.wire.alerts import alert_code
from harness.wire.groups import openssl_group_to_iana

W = TypeVar("W", bound=StrEnum)


def make_server(*certificates: str, **settings: Any) -> ServerProfile:
    """Describe a Python TLS server.

    Args:
        certificates: profile names of `certs/`; several mean several `load_cert_chain` calls, none a server without certificate.
        settings: the other fields of `harness.ServerProfile`: ciphers, minimum_version, maximum_version, curve, verify,
            client_ca, alpn, tickets ...

    Raises:
        UsageError: for a setting, a certificate, a version or a curve that does not exist.
    """
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
        raise UsageError(f"tls_server(curve=...): {curve!r} is no curve of TLS; accepted are {', '.join(CURVES)} ...")
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
        raise UsageError(f"{where}(): there is no setting {unknown[0]!r}; accepted are {listed}")


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
    """One board against one server interpreter, opened at its first use."""

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
        """What the probe found on the board.

        Raises:
            BoardError: the board cannot be opened.
        """
        return self.runner().board.info

    @property
    def firmware(self) -> str | None:
        """The version of its firmware; None while the board is not open."""
        found = (entry.info for entry in self.lab.boards() if entry.spec.label == self.label)
        return next((info.firmware for info in found if info is not None), None)

    def runner(self) -> CaseRunner:
        """The runner behind `connect`.

        Raises:
            BoardError: the board cannot be opened or does not reach the server.
        """
        return self.lab.runner(self.spec, self.server_python)

    def tried_runner(self) -> CaseRunner | None:
        """The runner if this board has one already, without opening anything."""
        return self.lab.known_runner(self.spec, self.server_python)

    def take_strangers(self) -> Strangers:
        """Whose connections this board's server has dropped since this was asked last."""
        return self.lab.take_strangers(self.server_python)

    def abandon(self, reason: str) -> Health | None:
        """End a case that broke off in the middle: its server stops, and the board is brought back before the next one."""
        return self.lab.abandon(self.spec, self.server_python, reason=reason)

    def connect(self, server: ServerProfile, **plan: Any) -> Observation:
        """Let the board connect once to `server`, send a text and read the answer.

        Args:
            server: from `tls_server(...)`.
            plan: fields of `harness.ClientPlan`: verify ("none", "optional", "required"), server_hostname, ca, certificate,
                suites (IANA names), ca_format ("der", "pem"), text ...

        Returns:
            Both sides and the wire. A TLS failure is no exception; compare with `expect`.

        Raises:
            BoardError: the board or its line failed: no statement about TLS.
            UsageError: for a setting or a suite that does not exist, and for suites that this board cannot be brought down to.
        """
        if not isinstance(server, ServerProfile):
            raise UsageError(f"board.connect({server!r}): the server is not one of tls_server(...)")
        _known(plan, ClientPlan, "board.connect")
        if "verify" in plan:
            plan["verify"] = _word(Verify, plan["verify"], "board.connect(verify=...)")
        if "ca" in plan:
            plan["ca"] = _tuple(plan["ca"])
        if plan.get("suites") is not None:
            plan["suites"] = _tuple(plan["suites"])
            need = can_offer_exactly(plan["suites"])
            if not need.met(self.info, {}):
                raise UsageError(f"board.connect(suites=...): {self.label}: {need.reason}")
        return self._attempt(self.runner(), server, ClientPlan(**plan))

    def _attempt(self, runner: CaseRunner, server: ServerProfile, plan: ClientPlan) -> Observation:
        """One handshake; after a fault the board is brought back or set aside at once, for whoever comes next."""
        faults: list[str] = []
        runner.health.begin("board.connect()")
        try:
            return runner.attempt(server, plan).observation
        except (BoardError, ServerError) as error:
            runner.server.cancel()
            faults.append(str(error))
            if isinstance(error, ServerError):
                raise
            runner.health.bring_back(error)
            tried = [
                f"; {step.step} {step.result}" for step in runner.health.recovery if step.result != StepResult.SKIPPED
            ]
            shown = runner.health.transcript or error.transcript
            raise BoardError(error.message + "".join(tried), kind=error.kind, transcript=shown) from error
        finally:
            runner.health.end(faults)
            self.take_strangers()  # the observation names them; they are no case's

    def keep_evidence(self, case: Case, result: CaseResult) -> CaseResult:
        """Give the result of a failing case (of every case with `--keep-wire`) its packet list, and write its capture and transcript."""
        from harness.run.artifacts import keep, with_packets

        failing = result.verdict.word in (VerdictWord.FAIL, VerdictWord.INSECURE, VerdictWord.ERROR)
        tried: Attempt | None = self.runner().last
        if not (failing or self.keep_wire):
            return result
        result = with_packets(result, tried)
        if self.artifacts is None:
            return result
        return keep(result, tried, folder=self.artifacts, case=case)


class Expect:
    """Compares an observation with what must have happened, all sides at once."""

    def connected(self, seen: Observation, **wanted: Any) -> Observation:
        """Assert text exchanged both ways, no error on either side, and what else is given: version, suite, group.

        Raises:
            AssertionError: listing every difference.
        """
        __tracebackhide__ = True
        _accepted(wanted, {"version", "suite", "group"}, "expect.connected")
        return _compare(expectations.connected(**wanted), seen)

    def refused(
        self,
        seen: Observation,
        *,
        by: str | None = None,
        stage: str = "handshake",
        server: str | None = None,
        alert: int | str | None = None,
        client: int | str | Iterable[str] | None = None,
        **more: Any,
    ) -> Observation:
        """Assert that one side ended the connection with exactly these errors.

        Args:
            seen: the observation.
            by: `server` or `client`; left out, the side whose error is not a received alert.
            stage: where that side failed: config, connect, handshake, read, write, close.
            server: `SSLError.reason` on the server; None means: the server saw no error.
            alert: number or name of the alert on the wire, sent by `by`; None means: no fatal alert.
            client: the number of the client's OSError, or its verification flag or flags; None means: the client saw no error.
            more: server_type, server_errno, verify_code, client_type as in `harness.expectations.builders.refused`.

        Raises:
            AssertionError: listing every difference.
        """
        __tracebackhide__ = True
        _accepted(more, {"server_type", "server_errno", "verify_code", "client_type", "open_because"}, "expect.refused")
        if isinstance(client, int):
            more["client"] = client
        elif client is not None:
            more["flags"] = _tuple(client)
        side = _word(Side, by, "expect.refused(by=...)") if by else _refusing_side(server)
        where = _word(Stage, stage, "expect.refused(stage=...)")
        if isinstance(alert, str) and alert_code(alert) is None:
            raise UsageError(
                f"expect.refused(alert={alert!r}): no TLS alert has this name; write it as in RFC 8446 or as a number"
            )
        return _compare(expectations.refused(by=side, stage=where, server=server, alert=alert, **more), seen)


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
