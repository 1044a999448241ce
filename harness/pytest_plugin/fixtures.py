"""The board that a user's test works with.

Knows the stages; must not import pytest, so that the same objects work in a script.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Unpack

from harness.errors import BoardError, ServerError, UsageError
from harness.expectations.needs import LIMITS_HEAP, SETS_CLOCK, can_offer_exactly, has_one_of, unmet
from harness.model import (
    DEFAULT_CLIENT,
    IN_PROCESS,
    BoardInfo,
    BoardSpec,
    Case,
    CaseResult,
    ClientApi,
    Observation,
    ServerProfile,
    Stage,
    StepResult,
    UnexpectedPeers,
    VerdictWord,
)
from harness.pytest_plugin.arguments import ClientSettings
from harness.pytest_plugin.client_settings import client_plan, running_server
from harness.pytest_plugin.connections import Connection, Connections
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake, Handshakes
from harness.run.health import Health
from harness.run.lab import Lab


@dataclass(slots=True, repr=False)
class Board:
    """A MicroPython board, opened at its first use, and the Python that runs the servers it connects to.

    The fixture `board` gives one. Tests use `connect`, `info`, `label`, `server_name` and `firmware`; the rest is for the plugin.
    """

    lab: Lab
    spec: BoardSpec
    server_python: str
    client: ClientApi = DEFAULT_CLIENT
    link: str = ""
    artifacts: Path | None = None
    keep_wire: bool = False
    connections: Connections = field(default_factory=Connections)

    def __repr__(self) -> str:
        return f"<Board {self.label}>"

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
        return self.lab.runner(self.spec, self.server_python, client=self.client, link=self.link)

    @property
    def quarantine_reason(self) -> str | None:
        """Why the board is no longer used; None while it is."""
        runner = self.tried_runner()
        return runner.board.quarantine_reason if runner is not None else None

    def tried_runner(self) -> CaseRunner | None:
        """The runner if this board has one already, without opening anything."""
        return self.lab.known_runner(self.spec, self.server_python, client=self.client, link=self.link)

    def take_unexpected_peers(self) -> UnexpectedPeers:
        """Return the peers whose connections this board's server has dropped since the last call."""
        return self.lab.take_unexpected_peers(self.server_python)

    def abandon(self, reason: str) -> Health | None:
        """End a case that was interrupted: stop its server and recover the board before the next case."""
        return self.lab.abandon(self.spec, self.server_python, client=self.client, link=self.link, reason=reason)

    def connect(self, server: ServerProfile | str, **given: Unpack[ClientSettings]) -> Observation:
        """Connect the board once to `server`, send a text and read the answer.

        A server of `tls_server` runs for this connection only. It sees the board's own address; other peers are dropped. A server that
        is running already, `"host:port"` as this machine reaches it, sees a relay of the harness, which records every byte. Of such a
        server only the wire is known, and the board closes after the handshake unless it has something to send.

        Args:
            server: from `tls_server(...)`, or `"host:port"`.
            given: settings of the client. Each one that is left out keeps the default of the firmware, unless another is named:
                verify: whether the board checks the server's certificate: `"none"` (the default), `"optional"`, `"required"`.
                server_hostname: the name to ask for and to check; default `"tls.test"`, which the profiles have, the first name in
                    your own `cert`, or the host of `"host:port"`. None sends none.
                ca: one or more CAs that the board trusts: certificate profiles or files, PEM or DER.
                ca_format, certificate_format: how files are given to the board, `"der"` (the default) or `"pem"`.
                certificate: the profile of the board's own certificate and key, or the file of the certificate.
                key: the file of the key, PEM or DER; left out, it is read from the file `certificate`.
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
                clock: what the board's clock shows when it connects: a datetime with a time zone, or Unix seconds, from 2000 to 2099. It
                    is put back after the connection. Boards without a clock that can be set: `@pytest.mark.needs("settable-clock")`.
                heap: how much of MicroPython's heap is free at most when it connects, in bytes, from 8192 on. Not for boards whose TLS
                    takes its memory from elsewhere, as an ESP32's: `@pytest.mark.needs("heap-limit")`.
                api: which of several MicroPython APIs to use, as the cases have it. Not checked.

        Returns:
            Both sides and the wire. A TLS failure is not an exception: compare it with `expect`.

        Raises:
            BoardError: the board or its serial line failed, which says nothing about TLS; the board was recovered or quarantined. Or the
                board did not follow the settings (kind `plan`), or another client connected in its place (`peer`).
            ServerError: the server could not run at all, or this machine does not reach the one at `"host:port"`.
            UsageError: a setting, certificate profile or suite does not exist, a file cannot be used, or this board cannot do what is
                asked of it: offer exactly these suites, set its clock, limit its heap.
        """
        if isinstance(server, ServerProfile) and "change" in server.behaviour and self.server_python != IN_PROCESS:
            raise UsageError(
                f"tls_server(flight=...): not with --server {self.server_python!r}: the function is in this process"
            )
        plan = client_plan(server, self.lab.certificates, given)
        if plan.suites is not None:
            missing = unmet((can_offer_exactly(plan.suites), has_one_of(plan.suites)), self.info, {})
            if missing is not None:
                raise UsageError(f"board.connect(suites=...): {self.label}: {missing.reason}")
        runner = self.runner()
        asked = {"clock": (plan.clock_unix_s, SETS_CLOCK), "heap": (plan.heap_bytes, LIMITS_HEAP)}
        for name, (value, need) in asked.items():
            if value is not None and runner.lacks((need,)) is not None:
                raise UsageError(
                    f"board.connect({name}=...): {self.label}: {need.reason}; @pytest.mark.needs({need.name!r}) skips the test"
                )
        if isinstance(server, ServerProfile):
            return self._attempt(Connection(runner, server, plan), runner.handshakes)
        with running_server(runner, server) as handshakes:
            seen = self._attempt(Connection(runner, ServerProfile(), plan, target=server), handshakes)
        if seen.server is not None and seen.server.stage is Stage.CONNECT:
            raise ServerError(
                f"board.connect({server!r}): this machine does not reach the server: {seen.server.reason}"
            )
        return seen

    def _attempt(self, made: Connection, handshakes: Handshakes) -> Observation:
        """Run one handshake; after a fault recover or quarantine the board at once, before another test uses it."""
        faults: list[str] = []
        runner = made.runner
        runner.board.begin_case()
        runner.health.begin("board.connect()")
        self.connections.made.append(made)
        try:
            made.handshake = handshakes.make(made.server, made.plan, api=self.client)
            return made.handshake.observation
        except (BoardError, ServerError) as error:
            handshakes.server.cancel()
            faults.append(str(error))
            made.fault = str(error)
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
            made.transcript = runner.board.transcript()
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
