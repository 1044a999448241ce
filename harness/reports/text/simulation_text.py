"""A simulation as text: one table of firmware, numbered causes, and the change that lets most connect. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model import Outcome, Side, Simulated, SimulatedChange, SimulatedFirmware, Simulation
from harness.reports.record.plain import one_line, plain
from harness.reports.text.recipe_text import recipe_lines

NO_SESSION = (
    "No session was completed and no application data was sent: each line is a server's answer to a ClientHello."
)
ASSUMED = "* assumed: the ClientHello was not captured from this release and configuration"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_INDENT = "    "


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the table: releases of one port that follow each other and get the same."""

    port: str
    releases: str
    assumed: bool
    result: Simulated
    firmware: tuple[SimulatedFirmware, ...]


def simulation_text(found: Simulation) -> str:
    """Return the whole simulation of one server."""
    head = [one_line(f"server {found.server}"), *(f"{_INDENT}{line}" for line in found.server_lines)]
    if found.certificate:
        head.append(f"  certificate: {one_line(found.certificate)}")
    if found.failure is not None:
        return plain("\n".join([*head, f"not reached: {one_line(found.failure)}"]))
    lines = [*head, f"  {NO_SESSION}", *(f"  note: {one_line(note)}" for note in found.notes), ""]
    lines += [*_table(found), "", one_line(summary(found))]
    for number, result in enumerate(causes(found), start=1):
        lines += ["", *_cause(number, result)]
    for letter, result in zip(_LETTERS, judgements(found), strict=False):
        lines += ["", f"({letter}) a client that verifies refuses the certificate:"]
        lines += [f"{_INDENT}{line}" for line in problem_lines(found, result)]
    for change in found.changes:
        lines += ["", *_change(found, change)]
    return plain("\n".join(lines))


def summary(found: Simulation) -> str:
    """Return how many connect, in one line."""
    if found.failure is not None:
        return f"{found.server}: not reached: {found.failure}"
    undecided = any(item.asks_certificate for item in found.results)
    also = "; the server asks for a client certificate: not decided" if undecided else ""
    return f"{found.connecting} of {found.count} firmwares connect{also}"


def table_lines(found: Simulation) -> tuple[Line, ...]:
    """Return the lines of the table, by port and release; releases with the same words and notes share a line."""
    known = {(item.port, item.version): (item, result) for result in found.results for item in result.firmware}
    notes = _notes(found)
    lines: list[Line] = []
    for port in dict.fromkeys(port for port, _version in sorted(known)):
        here = sorted((item for (name, _), item in known.items() if name == port), key=lambda item: _release(item[0]))
        run: list[tuple[SimulatedFirmware, Simulated]] = []
        for item in here:
            if run and _shown(run[-1][1], notes) != _shown(item[1], notes):
                lines.append(_line(run))
                run = []
            run.append(item)
        lines.append(_line(run))
    return tuple(lines)


def partly_assumed(found: Simulation) -> str:
    """Return the assumed releases of lines that also have measured ones; empty if there are none."""
    mixed = [
        line for line in table_lines(found) if not line.assumed and not all(item.measured for item in line.firmware)
    ]
    texts: dict[str, list[str]] = {}
    for line in mixed:
        texts.setdefault(line.port, []).extend(item.version for item in line.firmware if not item.measured)
    shown = "; ".join(f"{port} {', '.join(versions)}" for port, versions in texts.items())
    return f"also assumed: {shown}" if texts else ""


def _shown(result: Simulated, notes: dict[int, str]) -> tuple[str, str]:
    return outcome_words(result), notes.get(id(result), "")


def _notes(found: Simulation) -> dict[int, str]:
    """Return the references behind a result: the number of its cause, the letter of what a verifying client refuses."""
    numbers = {id(result): f"({number})" for number, result in enumerate(causes(found), start=1)}
    letters = {
        _texts(item): f"({letter} if it verifies)" for letter, item in zip(_LETTERS, judgements(found), strict=False)
    }
    return {
        id(item): " ".join(filter(None, (numbers.get(id(item)), letters.get(_texts(item))))) for item in found.results
    }


def causes(found: Simulation) -> tuple[Simulated, ...]:
    """Return the refusals, in the order of their numbers."""
    return tuple(item for item in found.results if item.outcome is not Outcome.CONNECTED)


def judgements(found: Simulation) -> tuple[Simulated, ...]:
    """Return the results whose certificate a client that verifies refuses, in the order of their letters; equal ones once."""
    known: dict[object, Simulated] = {}
    for item in found.results:
        if item.problems:
            known.setdefault(_texts(item), item)
    return tuple(known.values())


def problem_lines(found: Simulation, judged: Simulated) -> list[str]:
    """Return the problems of a result with the flag of each, and how it is known of the firmwares that have it."""
    same = [item for item in found.results if _texts(item) == _texts(judged)]
    lines = []
    for place, problem in enumerate(judged.problems):
        basis = sorted({item.problems[place].basis for item in same})
        lines.append(
            f"{one_line(problem.text)}   [{problem.flag}, {'measured, partly assumed' if len(basis) > 1 else basis[0]}]"
        )
    return lines


def _texts(result: Simulated) -> tuple[tuple[str, str], ...]:
    return tuple((item.flag, item.text) for item in result.problems)


def outcome_words(result: Simulated) -> str:
    """Return what a firmware gets, in a few words."""
    if result.outcome is Outcome.HUNG:
        return f"hung: {result.reason}"
    if result.outcome is Outcome.REFUSED:
        by = "the server" if result.ended_by is Side.SERVER else "the client"
        return f"refused by {by}: {result.reason}"
    session = result.negotiated
    words = [session.version or "", session.suite or "", session.group or "no group"]
    words += [f"weak: {', '.join(result.weak)}"] if result.weak else []
    words += ["after a HelloRetryRequest"] if result.retry else []
    words += [f"not all read: {result.unread}"] if result.unread else []
    return "  ".join(word for word in words if word)


def client_words(result: Simulated) -> str:
    """Return what the client raises, empty where the table does not say."""
    if result.client_flags is not None:
        return f"ValueError: {', '.join(result.client_flags)}"
    return f"OSError {result.client_number}" if result.client_number is not None else ""


def _release(item: SimulatedFirmware) -> tuple[tuple[int, ...], bool]:
    numbers = tuple(int(part) for part in item.version.removesuffix("-preview").split("."))
    return numbers, not item.version.endswith("-preview")


def _line(run: Sequence[tuple[SimulatedFirmware, Simulated]]) -> Line:
    firmware = tuple(item for item, _result in run)
    first, last = firmware[0].version, firmware[-1].version
    return Line(
        port=firmware[0].port,
        releases=first if len(run) == 1 else f"{first} to {last}",
        assumed=not any(item.measured for item in firmware),
        result=run[0][1],
        firmware=firmware,
    )


def _table(found: Simulation) -> list[str]:
    lines, notes = table_lines(found), _notes(found)
    widths = [max(map(len, column)) for column in zip(*((line.port, line.releases) for line in lines), strict=True)]
    shown = []
    for line in lines:
        words, note = _shown(line.result, notes)
        mark = "*" if line.assumed else " "
        text = f"{line.port:<{widths[0]}}  {line.releases + mark:<{widths[1] + 1}}  {one_line(words)}"
        shown.append(f"{text}  {note}" if note else text)
    below = [ASSUMED, partly_assumed(found)]
    return [*shown, *(text for text in below if text)]


def _cause(number: int, result: Simulated) -> list[str]:
    why = result.explanation
    raised = client_words(result)
    lines = [f"({number}) {one_line(outcome_words(result))}" + (f"; the client raises {raised}" if raised else "")]
    if why is not None:
        lines.append(f"{_INDENT}{one_line(why.title)}   [{why.rule}]")
        lines += [
            f"{_INDENT}fix: {one_line(fix.title)}{' (discouraged)' if fix.discouraged else ''}" for fix in why.fixes
        ]
    return lines


def change_title(found: Simulation, change: SimulatedChange) -> str:
    """Return what a change is to be made for; one with which more connect comes second, because it is weak or discouraged."""
    if change is not found.changes[0]:
        return "more would connect with a change that is weak or discouraged"
    return "the single change that lets most connect" if len(found.changes) == 1 else "the best single change"


def _change(found: Simulation, change: SimulatedChange) -> list[str]:
    title = change_title(found, change)
    how = (
        "simulated with a Python server that has the same keys, suites and versions" if change.stand_in else "simulated"
    )
    weak = f", {change.weak} of them in a weak session" if change.weak else ""
    against = f" - discouraged: {one_line(change.fix.because or '')}" if change.fix.discouraged else ""
    lines = [
        f"{title}: {change.connecting} of {found.count} instead of {found.connecting}{weak} ({how})",
        f"{_INDENT}{one_line(change.fix.title)}{against}",
        *(f"{_INDENT}{line}" for line in change.server_lines or change.fix.server_lines),
    ]
    # Only the recipe of what is advised.
    if change.recipe is not None and change is found.changes[0]:
        lines += ["", *recipe_lines(change.recipe)]
    return lines


def hosts_text(found: Sequence[Simulation]) -> str:
    """Return one line per server, and what keeps firmwares from each."""
    lines = [NO_SESSION]
    for item in found:
        lines.append(one_line(summary(item) if item.failure is not None else f"{item.server}: {summary(item)}"))
        for number, result in enumerate(causes(item), start=1):
            everyone = len(result.firmware) == item.count
            here = (f"{line.port} {line.releases}" for line in table_lines(item) if line.result is result)
            lines.append(
                f"{_INDENT}({number}) {'every firmware' if everyone else ', '.join(here)}: {one_line(outcome_words(result))}"
            )
            if result.explanation is not None:
                lines.append(f"{_INDENT}    {one_line(result.explanation.title)}   [{result.explanation.rule}]")
    return plain("\n".join(lines))
