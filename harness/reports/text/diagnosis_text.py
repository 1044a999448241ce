"""A diagnosis as text. Pure; control characters of boards and servers are escaped."""

from __future__ import annotations

from collections.abc import Iterable

from harness.model import Diagnosis, Explanation, Observation, Outcome, Trial, WireStep
from harness.reports.record.cells import evidence
from harness.reports.record.plain import one_line, plain
from harness.reports.record.run_record import result_entry
from harness.reports.text.failure_text import client_text, outcome_text, server_text

_SERVER = "  server      "
_BOARD = "  board       "
_ORDINARY = {
    *("ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange", "ChangeCipherSpec", "EncryptedHandshake"),
    *("CertificateVerify", "NewSessionTicket"),
}
_INDENT = " " * len(_SERVER)


def diagnosis_text(found: Diagnosis) -> str:
    """Return the whole diagnosis: board and server, what happened, why, and what was tried."""
    lines = [*head_lines(found), "", *seen_lines(found)]
    explanation = found.result.explanation
    if explanation is not None:
        lines += ["", *why_lines(explanation)]
    if found.unseen:
        lines += ["", "not visible from here", *(f"  {item}" for item in found.unseen)]
    if found.trials:
        lines += ["", *trial_lines(found.trials)]
    return plain("\n".join(lines))


def head_lines(found: Diagnosis) -> list[str]:
    """Introduce board and server with their settings."""
    info = found.info
    firmware = f": MicroPython {info.firmware} ({info.tls_version or info.tls_library or 'no TLS'})" if info else ""
    return [
        one_line(f"board {found.board}{firmware}"),
        *(f"  note: {one_line(note)}" for note in found.notes),
        *(f"    {line}" for line in found.client_lines),
        one_line(f"server {found.server}"),
        *(f"    {line}" for line in found.server_lines),
    ]


def seen_lines(found: Diagnosis) -> list[str]:
    """Say what happened: the outcome, both sides' errors, the wire in brief."""
    seen = found.result.observation
    if seen is None:
        return [f"not tried: {one_line(found.result.verdict.reason or 'no reason')}"]
    if seen.outcome is Outcome.CONNECTED:
        lines = [evidence(result_entry(found.result))]
    else:
        lines = [
            outcome_text(seen),
            f"{_SERVER}{one_line(_server_text(found, seen))}",
            f"{_BOARD}{one_line(client_text(seen.client))}",
        ]
    return lines + wire_lines(found.wire)


def _server_text(found: Diagnosis, seen: Observation) -> str:
    """Return the server's own error; of a foreign server, its alerts on the wire."""
    if seen.server is not None or not found.unseen:
        return server_text(seen.server)
    alerts = [f"{item.name}({item.code})" for item in seen.alerts if item.sender == "server"]
    none = "none in the clear" if seen.negotiated.version == "TLSv1.3" else "none"
    return f"its error is not visible; its alert: {', '.join(alerts) or none}"


def wire_lines(steps: tuple[WireStep, ...]) -> list[str]:
    """List the messages of the wire, a line each, without those that say nothing about a failure."""
    steps = tuple(step for step in steps if step.name not in _ORDINARY)
    width = max((len(step.name) for step in steps), default=0)
    shown = [
        f"{'board' if step.sender == 'client' else 'server':<6} -> {step.name:<{width}}  {one_line(step.detail)}".rstrip()
        for step in steps
    ]
    return [f"  {'wire' if not at else '':<10}  {line}" for at, line in enumerate(shown)]


def why_lines(explanation: Explanation) -> list[str]:
    """Return the explanation without its fixes."""
    return [
        f"why: {one_line(explanation.title)}   [{explanation.rule}]",
        *(f"  {plain(line)}" for line in explanation.why),
    ]


def trial_lines(trials: tuple[Trial, ...]) -> list[str]:
    """List what was tried, in its order; then say in one line what to do first."""
    lines: list[str] = []
    for number, trial in enumerate(trials, start=1):
        lines += _trial(number, trial)
    lines += _verdict(trials)
    return lines


def _verdict(trials: tuple[Trial, ...]) -> list[str]:
    """Say which fixes were proved, and print the whole of both sides with the first good one."""
    proved = [number for number, trial in enumerate(trials, start=1) if trial.fix.proved]
    # The trials are in their order: a weak session comes after one that is not.
    good = [number for number in proved if not trials[number - 1].fix.discouraged]
    if not proved:
        return ["proved: none of them"]
    first = trials[(good or proved)[0] - 1]
    advice = f"begin with {good[0]}" if good else "all of them discouraged"
    lines = [f"proved: {_numbers(proved)} of {len(trials)}; {advice}"]
    for side, whole in (("server", first.server_lines), ("board", first.client_lines)):
        if whole:
            lines += [f"the whole {side} of {(good or proved)[0]}:", *(f"    {line}" for line in whole)]
    return lines


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _trial(number: int, trial: Trial) -> list[str]:
    fix = trial.fix
    word = {None: "not tried", True: "PROVED", False: "does not help"}[fix.proved]
    against = f" - discouraged: {fix.because}" if fix.discouraged and fix.because else ""
    lines = [
        f"{number}. [{word}] {one_line(fix.title)}{against}",
        *(f"{_SERVER}{line}" for line in fix.server_lines),
        *(f"{_BOARD}{line}" for line in fix.client_lines),
    ]
    if trial.note:
        lines.append(f"{_INDENT}({one_line(trial.note)})")
    if trial.result is not None:
        then = trial.result.explanation
        why = f"; {one_line(then.title)}" if then is not None and not fix.proved else ""
        lines.append(f"  then        {evidence(result_entry(trial.result))}{why}")
    return [*lines, ""]
