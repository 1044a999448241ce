"""A server that is already running, with the board, through a recording relay; changes on the board are tried."""

from __future__ import annotations

from dataclasses import replace

from harness.diagnose.files import check_size_for_board
from harness.diagnose.given import GivenCertificates
from harness.diagnose.own import AS_IT_IS, case_of, kept, secret_variables, starts_programs, with_proofs
from harness.diagnose.recipes import Ends
from harness.diagnose.remote.application import asked_application, requests_certificate, talking, whole_line
from harness.diagnose.remote.names import passes_name, with_names
from harness.diagnose.remote.probe import Found
from harness.diagnose.remote.visible import completed, unseen
from harness.diagnose.remote.ways import Ways
from harness.diagnose.request import Progress, Request
from harness.diagnose.settings import Settings, as_given
from harness.diagnose.trying import Trials, Tried
from harness.diagnose.wire_steps import wire_steps
from harness.diagnose.workshop import Workshop
from harness.errors import BoardError, FaultKind
from harness.explain import explain
from harness.explain.evidence import Evidence
from harness.explain.other_servers import for_any_server
from harness.model import (
    BoardInfo,
    Case,
    CaseResult,
    Diagnosis,
    Explanation,
    Fix,
    Observation,
    Outcome,
    ServerFailure,
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.run.bare_board import uses_host_network
from harness.run.board_facts import NO_TLS
from harness.run.case_runner import CaseRunner
from harness.run.handshake import Handshake
from harness.run.lab import Lab
from harness.run.options import IN_PROCESS
from harness.server.relay import Relay
from harness.server.target import look_up
from harness.wire.application_replies import ApplicationReply
from harness.wire.host_names import is_ip_address

_ONLY_WEAK = (
    "weak: the server accepts no suite with forward secrecy (ECDHE) from this machine either, so that anyone who gets its key later can "
    "decrypt recorded traffic; let it accept ECDHE+AESGCM"
)


def diagnose_server(request: Request, *, progress: Progress) -> Diagnosis:
    """Let the board connect to `request.connect` and return the diagnosis.

    The board makes the handshake and closes: the server's application protocol is unknown. In TLS 1.3 a server that ends the session
    at once refuses it (`harness.wire.last_word`). With `send` the board sends a text, and only an answer counts as connected.

    Args:
        request: with `connect`; its server-side files and settings are empty.
        progress: gets one line per step.

    Raises:
        UsageError: a file or an address cannot be used.
        BoardError: the board or its line failed, which says nothing about TLS.
        ServerError: the relay failed.
    """
    if request.connect is None:
        raise ValueError("there is no server to connect to")
    host, port = request.connect
    name = request.hostname or (None if is_ip_address(host) else host)
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    unknown = look_up(host, port)
    if unknown is not None:
        return _not_there(request, target, unknown)
    check_size_for_board(request.files.ca, option="--ca")
    certificates = GivenCertificates(request.files, host=name)
    lab, relay = Lab(request.options, certificates=certificates), Relay(host, port)
    try:
        progress(f"opening {request.board.label}")
        near = lab.runner(request.board, IN_PROCESS)
        if not near.board.info.has_tls:
            raise BoardError(f"{request.board.label}: {NO_TLS}", kind=FaultKind.NO_TLS)
        runner = CaseRunner(
            near.board, relay, server_label=target, certificates=certificates, addresses=near.addresses, link_retries=1
        )
        ways = Ways(relay, name=name, probes=request.probe, progress=progress)
        return _Foreign(request, runner, certificates, target=target, ways=ways, progress=progress).diagnosis()
    finally:
        relay.close()
        lab.close()


class _Foreign:
    """One diagnosis through the relay."""

    def __init__(
        self,
        request: Request,
        runner: CaseRunner,
        certificates: GivenCertificates,
        *,
        target: str,
        ways: Ways,
        progress: Progress,
    ) -> None:
        self._request = request
        self._runner = runner
        self._certificates = certificates
        self._target = target
        self._ways = ways
        self._progress = progress
        self._told: Observation | None = None

    def diagnosis(self) -> Diagnosis:
        """The first attempt, its explanation, and fixes on the board."""
        info, start = self._runner.board.info, self._start()
        self._progress("trying the given settings")
        first = self._handshake(AS_IT_IS, start)
        seen, last = first.observation, self._runner.last
        if first.verdict.word is VerdictWord.ERROR or seen is None or last is None:
            raise BoardError(first.verdict.reason or "the board failed", transcript=first.transcript)
        first, kept_notes = kept(self._request, self._runner, first)
        notes = (*self._runner.board.notes, *kept_notes)
        if last.report.failure is not None:
            gone = _not_there(self._request, self._target, last.report.failure)
            return replace(gone, info=info, notes=notes)
        self._certificates.served = last.wire.certificates
        steps = wire_steps(last)
        probe = self._ways.probe
        found = probe.found(seen, last.wire) if probe is not None else Found()
        reply = self._reply(start, seen, last)
        first = self._judged(first, seen, last, reply)
        notes = (*notes, *self._remarks(seen, reply))
        hidden = unseen(
            seen,
            last.wire,
            told=self._told or seen,
            asked=self._ways.asked,
            sent=reply.asked if reply is not None else self._request.send,
            plain=found.plain,
            insists=found.insists,
        )
        tried = Tried(trials=(), problems=())
        shop = Workshop(
            self._runner.board,
            self._certificates,
            ends=self._ends(),
            ports=None,
            peers=(),
            strip_env=secret_variables(self._request),
        )
        try:
            if self._request.fixes and first.explanation is not None:
                trying = Trials(
                    self._handshake,
                    certificates=self._certificates,
                    progress=self._progress,
                    book=shop.book,
                    works=shop,
                    own_server=False,
                )
                tried = trying.all(start, first)
                first = replace(first, explanation=with_proofs(first.explanation, tried.trials))
        finally:
            shop.close()
        return Diagnosis(
            board=self._request.board.label,
            info=info,
            server=self._target,
            result=first,
            client_lines=shop.book.client_lines(start),
            wire=steps,
            problems=tried.problems,
            trials=tried.trials,
            unseen=hidden,
            notes=notes,
        )

    def _judged(
        self, first: CaseResult, seen: Observation, last: Handshake, reply: ApplicationReply | None
    ) -> CaseResult:
        """Explain a refusal by the server's application, if the server had asked for a certificate."""
        if reply is None or not reply.refuses or not requests_certificate(last.wire):
            return first
        evidence = self._evidence(case_of(AS_IT_IS, self._start()), seen, last)
        evidence.reply = reply
        return replace(first, explanation=_explained(evidence))

    def _remarks(self, seen: Observation, reply: ApplicationReply | None) -> tuple[str, ...]:
        """Show the first line of the server's answer, and say whose choice a weak session is."""
        notes = _answer_note(reply, asked=self._request.send is None) if reply is not None else ()
        probe = self._ways.probe
        if seen.weak and probe is not None and probe.lacks_forward_secrecy(seen.client_hello):
            return (*notes, _ONLY_WEAK)
        return notes

    def _ends(self) -> Ends:
        host, port = self._request.connect or ("", 0)
        hosted = uses_host_network(self._runner.board.info)
        start = starts_programs(self._request.board, self._runner.board.link.device, hosted=hosted)
        return Ends(listen="", connect=host, port=port, shares_files=hosted, own_server=False, board=start)

    def _start(self) -> Settings:
        """The board closes after the handshake, or sends a text and waits for the beginning of an answer."""
        given = as_given(self._request, self._certificates)
        if self._request.send is not None:
            return talking(given, self._request.send)
        return replace(given, client=replace(given.client, close_first=True))

    def _reply(self, start: Settings, seen: Observation, last: Handshake) -> ApplicationReply | None:
        """Return what the server's application answers, if the user sends something; ask it if the server requested a certificate."""

        def handshake(name: str, settings: Settings) -> CaseResult:
            return self._runner.run(case_of(name, settings))

        if self._request.send is not None:
            return whole_line(handshake, start, seen)
        if seen.outcome is not Outcome.CONNECTED or self._ways.probe is None or not requests_certificate(last.wire):
            return None
        self._progress(
            "the server asked for a client certificate: asking its application whether the board may connect"
        )
        return asked_application(handshake, start, target=self._request.connect or ("", 0))

    def _handshake(self, name: str, settings: Settings) -> CaseResult:
        """Make a handshake, and explain its result from the wire and, if useful, from a probe of the server."""
        case, probe = case_of(name, settings), self._ways.take(settings.route)
        result, last = self._runner.run(case), self._runner.last
        seen = result.observation
        if seen is None or last is None or seen.outcome is Outcome.CONNECTED:
            return result
        found = probe.found(seen, last.wire) if probe is not None else Found()
        told = completed(seen, last.wire, facts=found.facts)
        self._told = self._told or told
        evidence = self._evidence(case, told, last)
        evidence.plain, evidence.insists = found.plain, found.insists
        said = _explained(evidence)
        return replace(result, explanation=replace(said, fixes=self._named(said.fixes, settings)))

    def _named(self, fixes: tuple[Fix, ...], settings: Settings) -> tuple[Fix, ...]:
        """Return the fixes, those that pass the server's name with each name that the server's certificate has."""
        if not any(passes_name(fix) for fix in fixes):
            return fixes
        probe = self._ways.probe
        names = probe.names(tried=settings.client.server_hostname) if probe is not None else ()
        return tuple(named for fix in fixes for named in with_names(fix, names))

    def _evidence(self, case: Case, seen: Observation, last: Handshake) -> Evidence:
        info = self._runner.board.info_in_use()
        return Evidence(
            case,
            seen,
            info,
            wire=last.wire,
            authorities=last.authorities,
            own_key=last.own_key,
            server_places=last.server_places,
            client_places=last.client_places,
        )


def _explained(evidence: Evidence) -> Explanation:
    """Explain, with the fixes in the words of every server."""
    said = explain(evidence)
    return replace(said, fixes=tuple(map(for_any_server, said.fixes)))


def _answer_note(reply: ApplicationReply, *, asked: bool) -> tuple[str, ...]:
    """Show the first line of the server's answer."""
    if reply.line is None:
        return ()
    what = (
        f"the board sent {reply.asked}, because the server asked for a client certificate"
        if asked
        else "the server answered"
    )
    return (f"{what}; the first line of the answer: {reply.line}",)


def _not_there(request: Request, target: str, gone: ServerFailure) -> Diagnosis:
    """Report that this machine cannot reach the server; the board is not asked to connect."""
    seen = Observation(outcome=Outcome.REFUSED, stage=Stage.CONNECT, ended_by=Side.SERVER, server=gone, client=None)
    seen = replace(seen, server_address=target)
    case = case_of(AS_IT_IS, Settings.untouched())
    return Diagnosis(
        board=request.board.label,
        info=None,
        server=target,
        result=CaseResult(
            board=request.board.label,
            server=target,
            case=case.id,
            attempt=1,
            verdict=Verdict(word=VerdictWord.FAIL, reason=f"this machine cannot reach {target}: {gone.reason}"),
            expected=None,
            observation=seen,
            explanation=explain(Evidence(case, seen, BoardInfo())),
        ),
        unseen=("whether the board can reach it: not tried, because this machine cannot",),
    )
