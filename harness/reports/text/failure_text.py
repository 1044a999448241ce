"""The block of text that shows one result: the terminal and JUnit print the same one. Pure."""

from __future__ import annotations

from harness.errors import FaultKind
from harness.explain.catalogue.causes import in_short
from harness.model import (
    Alert,
    CaseResult,
    ClientFailure,
    Expectation,
    Explanation,
    Fix,
    Mismatch,
    Observation,
    Outcome,
    RecoveryStep,
    ServerFailure,
    StepResult,
    VerdictWord,
)
from harness.reports.record.plain import one_line, plain
from harness.reports.record.result_types import Addresses, PacketEntry
from harness.reports.record.run_record import entry_of
from harness.reports.text.packets import packet_lines
from harness.reports.text.terminal import RERUN_HEAD

# pytest's short summary shows only the first line, and cuts it.
FIRST_LINE_LIMIT = 60


def headline(result: CaseResult, *, limit: int = FIRST_LINE_LIMIT) -> str:
    """Return the verdict in one line of at most `limit` characters."""
    text = verdict_text(result)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def verdict_text(result: CaseResult) -> str:
    """Return the verdict with its whole reason, on one line."""
    word, reason = result.verdict.word, result.verdict.reason
    return one_line(f"{word.value}: {reason}" if reason else word.value)


def server_text(failure: ServerFailure | None) -> str:
    """Return the server's error in one line."""
    if failure is None:
        return "no error"
    parts = [failure.type, failure.reason or (f"errno {failure.errno}" if failure.errno is not None else "")]
    if failure.verify_code:
        parts.append(f"verify code {failure.verify_code} ({failure.verify_message})")
    return " ".join(part for part in parts if part) + f", at {failure.stage}"


def client_text(failure: ClientFailure | None) -> str:
    """Return the client's error in one line."""
    if failure is None:
        return "no error"
    parts = [failure.type]
    if failure.number is not None:
        parts.append(str(failure.number))
    if failure.name:
        parts.append(failure.name)
    if failure.flags:
        parts.append("+".join(failure.flags))
    if failure.number is None and not failure.flags:
        parts += [repr(item) for item in failure.args]
    return " ".join(parts) + f", at {failure.stage}"


def alert_text(alerts: tuple[Alert, ...]) -> str:
    """Return the alerts in the order of the wire."""
    if not alerts:
        return "none"
    return ", ".join(
        f"{alert.name}({alert.code}) {alert.level} from the {alert.sender}{' (encrypted)' if alert.encrypted else ''}"
        for alert in alerts
    )


def expected_text(expected: Expectation) -> str:
    """Return the expectation in one line."""
    if expected.outcome is Outcome.CONNECTED:
        settings = [value for value in (expected.version, expected.suite, expected.group) if value]
        return "connected" + (f" with {', '.join(settings)}" if settings else "")
    by = f" by the {expected.ended_by}" if expected.ended_by else ""
    parts = [f"{expected.outcome}{by} at {expected.stage}"]
    server = [expected.server_type, expected.server_reason, _number("errno", expected.server_errno)]
    number = expected.client_name or _number("", expected.client_number)
    client = [expected.client_type, number, "+".join(expected.client_flags or ())]
    for name, values in (("server", server), ("client", client)):
        text = " ".join(value for value in values if value)
        parts.append(f"{name} {text or 'no error'}")
    if expected.alert:
        parts.append(f"alert {expected.alert.name}({expected.alert.code}) from the {expected.alert.sender}")
    return "; ".join(parts)


def _number(word: str, value: int | None) -> str:
    return "" if value is None else f"{word} {value}".strip()


def outcome_text(seen: Observation) -> str:
    """Return the outcome in one line."""
    if seen.outcome is Outcome.REFUSED:
        return f"refused by the {seen.ended_by} at {seen.stage}" if seen.ended_by else "refused"
    return seen.outcome.value


def failure_block(result: CaseResult, *, rerun: str) -> str:
    """Return all there is to know about a result that is not `pass`.

    Args:
        result: the result; control characters in texts of boards and servers are escaped.
        rerun: the command that runs only this case again.
    """
    lines = [headline(result)]
    if headline(result) != verdict_text(result):
        lines += _reason_lines(result)
    seen, expected = result.observation, result.expected
    if expected:
        lines.append(f"  expected    {expected_text(expected)}")
        if expected.note:
            lines.append(f"              {expected.note}")
    if seen:
        lines.append(f"  observed    {outcome_text(seen)}")
    lines += mismatch_lines(result.verdict.mismatches)
    if seen:
        lines += side_lines(seen)
    if result.verdict.word is not VerdictWord.UNSUPPORTED:
        lines += why_lines(result.explanation)
    if seen:
        rows = [entry_of(packet, PacketEntry) for packet in result.packets]
        lines += packet_lines(rows, addresses=Addresses(board=seen.board_address, server=seen.server_address))
    if len(result.link_errors) > 1:
        lines += [f"  attempt {number}   {one_line(text)}" for number, text in enumerate(result.link_errors, start=1)]
    lines += recovery_lines(result.recovery)
    if result.artifacts:
        lines += [f"  {name:<11} {path}" for name, path in result.artifacts.items() if path]
    lines += [RERUN_HEAD, f"    {rerun}"]
    return plain("\n".join(lines))


def unusable_block(result: CaseResult) -> str:
    """Return why a board cannot be used and what to do. No command runs one case again: all others wait for the same thing."""
    return plain("\n".join([headline(result), *_reason_lines(result), *why_lines(result.explanation)]))


def _reason_lines(result: CaseResult) -> list[str]:
    """The whole reason on one line; only the lines to write for a board without a network stay as they are, to be copied."""
    reason = result.verdict.reason or ""
    if result.explanation is None or result.explanation.rule != f"fault/{FaultKind.NO_NETWORK}":
        return [f"  {one_line(reason)}"]
    return [f"  {plain(line).rstrip()}" for line in reason.splitlines()]


def recovery_lines(recovery: tuple[RecoveryStep, ...]) -> list[str]:
    """List the recovery steps that were tried, a line each, and whether the board was quarantined at the end."""
    lines: list[str] = []
    for step in recovery:
        limit = f" of {step.deadline_s:g} s" if step.deadline_s is not None else ""
        reason = f": {one_line(step.reason)}" if step.reason else ""
        if step.result == StepResult.QUARANTINED:
            lines.append(f"  recovery    the board is quarantined{'' if lines else reason}")
        elif step.result != StepResult.SKIPPED:
            lines.append(f"  recovery    {step.step} {step.result} after {step.took_s:.2f}{limit}{reason}")
    return lines


def mismatch_lines(found: tuple[Mismatch, ...]) -> list[str]:
    """List every difference, a line each."""
    return [f"- {item.field}: expected {one_line(item.expected)}, got {one_line(item.observed)}" for item in found]


def side_lines(seen: Observation) -> list[str]:
    """List both sides' errors, the alerts and what was negotiated, a line each."""
    return [
        f"  server      {server_text(seen.server)}",
        f"  client      {client_text(seen.client)}",
        f"  alert       {alert_text(seen.alerts)}",
        f"  negotiated  {', '.join(_agreed(seen)) or 'nothing'}",
    ]


def _agreed(seen: Observation) -> list[str]:
    return [value for value in (seen.negotiated.version, seen.negotiated.suite, seen.negotiated.group) if value]


def why_lines(explanation: Explanation | None) -> list[str]:
    """Return why it failed and what to change."""
    if explanation is None:
        return []
    short = in_short(explanation.rule, title=explanation.title)
    lines = [
        f"  why         {explanation.title}   [{explanation.rule}]",
        *([f"  in short    {short}"] if short else []),
        *(f"              {item}" for item in explanation.why),
    ]
    for fix in explanation.fixes:
        lines += _fix(fix)
    return lines


def _fix(fix: Fix) -> list[str]:
    """List one fix with the lines for either side, and why it is discouraged."""
    state = "" if fix.proved is None else " (proved)" if fix.proved else " (tried, does not help)"
    against = f": {fix.because}" if fix.because else ""
    return [
        f"  fix         {fix.title}{state}{f' - discouraged{against}' if fix.discouraged else ''}",
        *(f"                server  {line}" for line in fix.server_lines),
        *(f"                board   {line}" for line in fix.client_lines),
    ]
