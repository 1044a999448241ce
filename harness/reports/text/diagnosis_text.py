"""A diagnosis as text. Pure; control characters of boards and servers are escaped."""

from __future__ import annotations

from collections.abc import Iterable

from harness.explain.catalogue.causes import in_short
from harness.model import (
    HOSTED_PLATFORMS,
    Command,
    Diagnosis,
    Explanation,
    Observation,
    Outcome,
    Trial,
    WireStep,
    recommended,
)
from harness.reports.record.cells import evidence
from harness.reports.record.plain import one_line, plain
from harness.reports.record.run_record import result_entry
from harness.reports.text.failure_text import client_text, outcome_text, server_text
from harness.reports.text.recipe_text import command_line, recipe_lines

_SERVER = "  server      "
_BOARD = "  board       "
_RUN = "  run         "
_WORDS = {None: "not tried", True: "PROVED", False: "does not help"}
_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}
_ORDINARY = {
    *("ServerKeyExchange", "ServerHelloDone", "ClientKeyExchange", "ChangeCipherSpec", "EncryptedHandshake"),
    *("CertificateVerify", "NewSessionTicket"),
}
_INDENT = " " * len(_SERVER)


def diagnosis_text(found: Diagnosis) -> str:
    """Return the whole diagnosis: board and server, what happened, why, what was tried, and the recipe of what to do first."""
    lines = [*head_lines(found), "", *seen_lines(found)]
    explanation = found.result.explanation
    if len(found.problems) > 1:
        lines += problem_lines(found)
    elif explanation is not None:
        lines += ["", *why_lines(explanation)]
    if found.unseen:
        lines += ["", "not visible from here", *(f"  {item}" for item in found.unseen)]
    if found.trials:
        lines += ["", *trial_lines(found)]
    return plain("\n".join(lines))


def head_lines(found: Diagnosis) -> list[str]:
    """Introduce board and server with their settings."""
    info = found.info
    firmware = f": MicroPython {info.firmware} ({info.tls_version or info.tls_library or 'no TLS'})" if info else ""
    virtual = info is not None and info.platform in HOSTED_PLATFORMS
    return [
        one_line(f"board {found.board}{firmware}"),
        *(
            ["  a virtual board: this firmware runs on this computer; your own board may have another one"]
            if virtual
            else []
        ),
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
    """Return the explanation without its fixes: what was found, then the cause in plain words."""
    short = in_short(explanation.rule, title=explanation.title)
    return [
        f"why: {one_line(explanation.title)}   [{explanation.rule}]",
        *([f"in short: {short}"] if short else []),
        *(f"  {plain(line)}" for line in explanation.why),
    ]


def problem_lines(found: Diagnosis) -> list[str]:
    """Say how many problems there are, and list them in the order in which they have to be removed."""
    count = len(found.problems)
    lines = ["", f"{_COUNTS.get(count, str(count))} problems prevent the connection"]
    for number, problem in enumerate(found.problems, start=1):
        step = _removed_by(found, number - 1)
        seen = f" (seen after fix {step})" if step is not None else ""
        first, *rest = why_lines(problem)
        lines += ["", f"problem {number}{seen}: {first.removeprefix('why: ')}", *rest]
    return lines


def _removed_by(found: Diagnosis, problem: int) -> int | None:
    """Return the number of the fix that removed a problem, by which the next one was seen."""
    if not 1 <= problem < len(found.problems):
        return None
    after = found.problems[problem].rule
    for number, trial in enumerate(found.trials, start=1):
        said = trial.result.explanation if trial.result is not None else None
        if trial.problem == problem and said is not None and said.rule == after and not trial.fix.discouraged:
            return number
    return None


def trial_lines(found: Diagnosis) -> list[str]:
    """List what was tried, in its order; then say in one line what to do first, and how, complete."""
    removes = {_removed_by(found, problem) for problem in range(1, len(found.problems))}
    lines: list[str] = []
    known: dict[tuple[Command, ...], int] = {}
    for number, trial in enumerate(found.trials, start=1):
        word = f"removes problem {trial.problem}" if number in removes else _word(trial)
        lines += _trial(number, trial, word=word, commands=_commands(number, trial, known))
    return lines + _verdict(found.trials)


def _word(trial: Trial) -> str:
    """Return the result in two words; a handshake without the proof that its programs work is neither proved nor useless."""
    seen = trial.result.observation if trial.result is not None else None
    if trial.fix.proved is not True and seen is not None and seen.outcome is Outcome.CONNECTED:
        return "not proved"
    return _WORDS[trial.fix.proved]


def _commands(number: int, trial: Trial, known: dict[tuple[Command, ...], int]) -> list[str]:
    """Return the commands of a trial, or the number of the one that has the same."""
    commands = trial.recipe.commands if trial.recipe is not None else ()
    if not commands:
        return []
    if commands in known:
        return [f"(the commands of {known[commands]})"]
    known[commands] = number
    return [command_line(command) for command in commands]


def _verdict(trials: tuple[Trial, ...]) -> list[str]:
    """Say which fixes were proved, and print the recipe of the first good one."""
    proved = [number for number, trial in enumerate(trials, start=1) if trial.fix.proved]
    tried = sum(trial.fix.proved is not None for trial in trials)
    # The trials are in their order: a weak session comes after one that is not.
    good = [number for number in proved if not trials[number - 1].fix.discouraged]
    if not proved:
        return [f"proved: none ({tried} tried)" if tried else "proved: none; nothing could be tried from here"]
    if not good:
        lines = [f"proved: only {_numbers(proved)} ({tried} tried), which is discouraged; see why above"]
    else:
        lines = [f"proved: {_numbers(proved)} ({tried} tried); begin with {good[0]}"]
    first = recommended(trials)
    assert first is not None
    number, recipe = trials.index(first) + 1, first.recipe
    if recipe is None:
        return [*lines, *_settings(number, first)]
    said = f"the whole of {number}, as it was run; board and server connected:"
    return [*lines, "", said, *recipe_lines(recipe)]


def _settings(number: int, trial: Trial) -> list[str]:
    """Return both sides' settings where nothing could be run: the server is not ours."""
    lines = []
    for side, whole in (("server", trial.server_lines), ("board", trial.client_lines)):
        if whole:
            lines += [f"the settings of the {side} in {number}:", *(f"    {line}" for line in whole)]
    return lines


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _trial(number: int, trial: Trial, *, word: str, commands: list[str]) -> list[str]:
    fix = trial.fix
    against = f" - discouraged: {fix.because}" if fix.discouraged and fix.because else ""
    shell = [line.removeprefix("$ ") for line in fix.server_lines if line.startswith("$ ")]
    lines = [
        f"{number}. [{word}] {one_line(fix.title)}{against}",
        *(f"{_RUN}{line}" for line in (*commands, *shell)),
        *(f"{_SERVER}{line}" for line in fix.server_lines if not line.startswith("$ ")),
        *(f"{_BOARD}{line}" for line in fix.client_lines),
    ]
    if trial.note:
        lines.append(f"{_INDENT}({one_line(trial.note)})")
    if trial.result is not None:
        then = trial.result.explanation
        why = f"; {one_line(then.title)}" if then is not None and not fix.proved else ""
        lines.append(f"  then        {evidence(result_entry(trial.result))}{why}")
    return [*lines, ""]
