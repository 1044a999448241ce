"""The user's own certificate and key, served by the harness in place; possible fixes are tried one change at a time."""

from __future__ import annotations

from dataclasses import replace

from harness.diagnose.given import GivenCertificates
from harness.diagnose.request import Progress, Request
from harness.diagnose.settings import Settings, as_given, client_lines, server_lines
from harness.diagnose.trying import Trials
from harness.diagnose.wire_steps import wire_steps
from harness.errors import BoardError, FaultKind, UsageError
from harness.expectations.builders import connected
from harness.model import Case, CaseResult, Diagnosis, Explanation, Outcome, Tier, Trial, VerdictWord
from harness.run.artifacts import keep_capture
from harness.run.board_facts import NO_TLS
from harness.run.case_runner import CaseRunner
from harness.run.lab import Lab
from harness.run.options import IN_PROCESS

AS_IT_IS = "diagnose/as-it-is"


def diagnose_files(request: Request, *, progress: Progress) -> Diagnosis:
    """Serve the user's files to the board and return the diagnosis.

    Args:
        request: without `connect`.
        progress: gets one line per step.

    Raises:
        UsageError: a file, an address or an interpreter cannot be used.
        BoardError: the board or its line failed, which says nothing about TLS.
        ServerError: the server side of the harness failed.
    """
    certificates = GivenCertificates(request.files, host=request.hostname)
    lab = Lab(request.options, certificates=certificates)
    try:
        server = _server_text(lab, request)
        progress(f"opening {request.board.label}")
        runner = lab.runner(request.board, request.server)
        if not runner.board.info.has_tls:
            raise BoardError(f"{request.board.label}: {NO_TLS}", kind=FaultKind.NO_TLS)
        return _diagnosed(request, runner, certificates, server=server, progress=progress)
    finally:
        lab.close()


def _server_text(lab: Lab, request: Request) -> str:
    """Start the server's interpreter and describe it; a requested one is named by its version in results."""
    about = lab.server(request.server).describe()
    if request.server != IN_PROCESS:
        lab.options = replace(request.options, server_names={request.server: f"python{about['python']}"})
    return f"Python {about['python']}, {about['openssl']}"


def _diagnosed(
    request: Request, runner: CaseRunner, certificates: GivenCertificates, *, server: str, progress: Progress
) -> Diagnosis:
    info, start = runner.board.info, as_given(request, certificates)

    def handshake(name: str, settings: Settings) -> CaseResult:
        return runner.run(case_of(name, settings))

    progress("trying the given settings")
    first = handshake(AS_IT_IS, start)
    if first.verdict.word is VerdictWord.ERROR:
        raise BoardError(first.verdict.reason or "the board failed", transcript=first.transcript)
    wire = wire_steps(runner.last) if runner.last and first.observation else ()
    first, notes = kept(request, runner, first)
    trials: tuple[Trial, ...] = ()
    seen = first.observation
    if request.fixes and seen is not None and seen.outcome is not Outcome.CONNECTED:
        trying = Trials(handshake, certificates=certificates, info=info, progress=progress)
        trials = trying.all(start, first)
        first = replace(first, explanation=with_proofs(first.explanation, trials))
    return Diagnosis(
        board=request.board.label,
        info=info,
        server=server,
        result=first,
        server_lines=server_lines(start, certificates),
        client_lines=client_lines(start, info, certificates),
        wire=wire,
        trials=trials,
        notes=(*runner.board.notes, *notes),
    )


def kept(request: Request, runner: CaseRunner, result: CaseResult) -> tuple[CaseResult, tuple[str, ...]]:
    """Write the capture of the last handshake, if requested; return the result with its name, and a line about it.

    Raises:
        UsageError: the file cannot be written.
    """
    if request.capture is None:
        return result, ()
    try:
        named, note = keep_capture(result, runner.last, file=request.capture)
    except OSError as error:
        raise UsageError(f"--capture '{request.capture}': cannot be written ({error.strerror})") from error
    return named, (note,)


def case_of(name: str, settings: Settings) -> Case:
    """Return settings as a case that is expected to connect."""
    return Case(
        id=name,
        title="the user's own server and board",
        description="The settings of one `tls-harness diagnose`.",
        tier=Tier.SMOKE,
        server=settings.server,
        client=settings.client,
        expect=connected(),
    )


def with_proofs(explanation: Explanation | None, trials: tuple[Trial, ...]) -> Explanation | None:
    """Return the explanation with the results of its own fixes."""
    if explanation is None:
        return None
    known = {trial.fix.title: trial.fix for trial in trials if not trial.general}
    return replace(explanation, fixes=tuple(known.get(fix.title, fix) for fix in explanation.fixes))
