"""The user's own certificate and key, served by the harness in place; possible fixes are tried one change at a time."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from harness.boards.virtual.interpreter import PACKAGE, find_interpreter
from harness.diagnose.files import check_size_for_board
from harness.diagnose.given import GivenCertificates
from harness.diagnose.recipes import Ends
from harness.diagnose.request import Progress, Request
from harness.diagnose.settings import Settings, as_given
from harness.diagnose.trying import Trials, Tried
from harness.diagnose.wire_steps import wire_steps
from harness.diagnose.workshop import Workshop
from harness.errors import BoardError, FaultKind, UsageError
from harness.expectations.builders import connected
from harness.explain.fixes import NO_FORWARD_SECRECY
from harness.model import (
    BoardSpec,
    Case,
    CaseResult,
    Diagnosis,
    Explanation,
    Observation,
    Outcome,
    Tier,
    Trial,
    VerdictWord,
    recommended,
)
from harness.run.artifacts import keep_capture
from harness.run.bare_board import uses_host_network
from harness.run.board_facts import NO_TLS
from harness.run.case_runner import CaseRunner
from harness.run.lab import Lab
from harness.run.options import IN_PROCESS
from harness.wire.suites import suite_code, suite_info

NO_OTHER = "this board offers nothing better with an EC key"
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
    check_size_for_board(request.files.ca, option="--ca")
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
    info, addresses = runner.board.info, runner.addresses
    certificates.server_address = addresses.advertise
    start = as_given(request, certificates)
    shop = Workshop(
        runner.board,
        certificates,
        ends=Ends(
            listen=addresses.bind,
            connect=addresses.advertise,
            python=_interpreter(request.server),
            shares_files=uses_host_network(info),
            board=starts_programs(request.board, runner.board.link.device, hosted=uses_host_network(info)),
        ),
        ports=addresses.ports,
        peers=addresses.peers,
        strip_env=secret_variables(request),
    )

    def handshake(name: str, settings: Settings) -> CaseResult:
        return runner.run(case_of(name, settings))

    try:
        progress("trying the given settings")
        first = handshake(AS_IT_IS, start)
        if first.verdict.word is VerdictWord.ERROR:
            raise BoardError(first.verdict.reason or "the board failed", transcript=first.transcript)
        wire = wire_steps(runner.last) if runner.last and first.observation else ()
        first, notes = kept(request, runner, first)
        notes = (*notes, *weak_session(first.observation))
        tried = Tried(trials=(), problems=())
        seen = first.observation
        if request.fixes and seen is not None and seen.outcome is not Outcome.CONNECTED:
            trying = Trials(handshake, certificates=certificates, progress=progress, book=shop.book, works=shop)
            tried = trying.all(start, first)
            first = replace(first, explanation=with_proofs(first.explanation, tried.trials))
        notes = (*notes, *_written(request, shop, start, seen, tried))
    finally:
        shop.close()
    return Diagnosis(
        board=request.board.label,
        info=info,
        server=server,
        result=first,
        server_lines=shop.book.server_lines(start),
        client_lines=shop.book.client_lines(start),
        wire=wire,
        problems=tried.problems,
        trials=tried.trials,
        notes=(*runner.board.notes, *notes),
    )


def _written(
    request: Request, shop: Workshop, start: Settings, seen: Observation | None, tried: Tried
) -> tuple[str, ...]:
    """Write what was proved first, if requested; return a line about it.

    Raises:
        UsageError: it cannot be written.
    """
    if request.write is None or seen is None:
        return ()
    first = recommended(tried.trials)
    recipe = first.recipe if first is not None else None
    if seen.outcome is Outcome.CONNECTED:
        proof = shop.prove(shop.prepare(start))
        if not proof.connected:
            return (f"--write: nothing was written: {proof.note}",)
        recipe = proof.recipe
    if recipe is None:
        return ("--write: nothing was written, because no fix was proved",)
    try:
        names = shop.write(recipe, request.write)
    except OSError as error:
        raise UsageError(f"--write '{request.write}': cannot be written ({error.strerror})") from error
    return (f"{request.write} has everything, ready to run: {', '.join(names)}",)


def weak_session(seen: Observation | None) -> tuple[str, ...]:
    """Say what a session without forward secrecy means, and which key of the server avoids it with this board, if one does."""
    if seen is None or seen.outcome is not Outcome.CONNECTED or seen.client_hello is None:
        return ()
    used = suite_info(suite_code(seen.negotiated.suite or "") or 0)
    if used is None or used.tls13 or used.key_exchange != "RSA":
        return ()
    offered = (suite_info(int(code, 16)) for code in seen.client_hello.suites)
    ephemeral = any(
        info is not None and (info.key_exchange, info.authentication) == ("ECDHE", "ECDSA") for info in offered
    )
    better = (
        "this board offers ECDHE with an EC key: let the server load one as well, on P-256" if ephemeral else NO_OTHER
    )
    return (f"weak: {NO_FORWARD_SECRECY}; {better}",)


def starts_programs(spec: BoardSpec, device: str, *, hosted: bool) -> tuple[str, ...]:
    """Return what a user types before the name of a program: the interpreter of a virtual board, or mpremote with the port."""
    if not hosted:
        return "mpremote", "connect", device
    name = find_interpreter(spec.target if spec.kind == "unix" else "").name
    if name != PACKAGE:
        return (name,)
    script = Path(sys.executable).with_name("micropython")
    return (str(script) if script.exists() else "micropython",)


def _interpreter(server: str) -> str:
    """Return the Python of the server; a path that works from every folder."""
    if server == IN_PROCESS:
        return sys.executable
    return str(Path(server).absolute()) if Path(server).name != server else server


def secret_variables(request: Request) -> set[str]:
    """Return the environment variables that no process of a recipe gets."""
    return {spec.settings.password_env or "" for spec in request.options.boards}


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
    known = {trial.fix.title: trial.fix for trial in trials if not trial.general and trial.problem == 1}
    return replace(explanation, fixes=tuple(known.get(fix.title, fix) for fix in explanation.fixes))
