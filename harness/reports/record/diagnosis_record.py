"""A diagnosis as JSON (schema `tls-harness/diagnose/1`): its types, and how it is made. Pure.

Keys may be added, none is renamed or removed: scripts are written against them. Results are those of the run record.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from harness.model import Diagnosis, Outcome, Program, Recipe, Side, Trial, as_json
from harness.reports.record.plain import bounded
from harness.reports.record.result_types import AnyJson, Entry, FixEntry, Result, always
from harness.reports.record.run_record import entry_of, result_entry

SCHEMA: Literal["tls-harness/diagnose/1"] = "tls-harness/diagnose/1"


class DiagnosedBoard(Entry, frozen=True, kw_only=True):
    """The board, its firmware and its TLS library, as far as known."""

    board: str
    firmware: str | None
    tls_version: str | None


class Step(Entry, frozen=True, kw_only=True):
    """One message of the wire, milliseconds after accept."""

    sender: Side = field(name="from")
    at_ms: float
    name: str
    detail: str


class ChangedSettings(Entry, frozen=True, kw_only=True):
    """The settings of the two sides that were changed: name -> new value. `route` is another port of the server, or STARTTLS."""

    server: dict[str, AnyJson]
    client: dict[str, AnyJson]
    route: dict[str, AnyJson] = field(default_factory=dict)


class CommandEntry(Entry, frozen=True, kw_only=True):
    """One command: its arguments, the files it creates, and the one among them that gets its output."""

    arguments: tuple[str, ...]
    creates: tuple[str, ...]
    output: str | None


class ProgramEntry(Entry, frozen=True, kw_only=True):
    """A file of a recipe, line by line."""

    name: str
    lines: tuple[str, ...]


class RecipeEntry(Entry, frozen=True, kw_only=True):
    """Everything that was run for a trial: files to save, commands, both programs, and how to start them."""

    texts: tuple[ProgramEntry, ...]
    commands: tuple[CommandEntry, ...]
    server: ProgramEntry | None
    board: ProgramEntry | None
    server_start: tuple[str, ...]
    board_start: tuple[tuple[str, ...], ...]


class ProblemEntry(Entry, frozen=True, kw_only=True):
    """One of the problems, in the order in which they have to be removed."""

    rule: str
    title: str
    why: tuple[str, ...]


class TrialEntry(Entry, frozen=True, kw_only=True):
    """One change: the fix, both sides' settings, and the handshake that was tried with it. A proved fix has a connected result.

    `problem` is the number of the problem that it is a fix of, from 1. `general` marks a change that no rule proposed; without a result,
    `note` says why. `recipe` is what was run.
    """

    fix: FixEntry
    change: ChangedSettings | None
    problem: int = always(value=1)
    general: bool = always(value=False)
    note: str | None
    server_lines: tuple[str, ...]
    client_lines: tuple[str, ...]
    recipe: RecipeEntry | None = always(None)
    result: Result | None


class DiagnosisRecord(Entry, frozen=True, kw_only=True):
    """What `tls-harness diagnose --json` prints."""

    schema: Literal["tls-harness/diagnose/1"]
    connected: bool
    board: DiagnosedBoard
    server: str
    server_lines: tuple[str, ...]
    client_lines: tuple[str, ...]
    result: Result
    wire: tuple[Step, ...]
    problems: tuple[ProblemEntry, ...] = always(())
    trials: tuple[TrialEntry, ...]
    unseen: tuple[str, ...]
    notes: tuple[str, ...]


def diagnosis_record(found: Diagnosis) -> DiagnosisRecord:
    """Return the whole diagnosis."""
    seen, info = found.result.observation, found.info
    return bounded(
        DiagnosisRecord(
            schema=SCHEMA,
            connected=seen is not None and seen.outcome is Outcome.CONNECTED,
            board=DiagnosedBoard(
                board=found.board,
                firmware=info.firmware if info else None,
                tls_version=info.tls_version if info else None,
            ),
            server=found.server,
            server_lines=found.server_lines,
            client_lines=found.client_lines,
            result=result_entry(found.result),
            wire=tuple(entry_of(step, Step) for step in found.wire),
            problems=tuple(entry_of(problem, ProblemEntry) for problem in found.problems),
            trials=tuple(trial_entry(trial) for trial in found.trials),
            unseen=found.unseen,
            notes=found.notes,
        )
    )


def trial_entry(trial: Trial) -> TrialEntry:
    """Return one change with the handshake that shows its effect."""
    change = trial.fix.change
    return TrialEntry(
        fix=entry_of(trial.fix, FixEntry),
        change=ChangedSettings(
            server=as_json(change.server), client=as_json(change.client), route=as_json(change.route)
        )
        if change
        else None,
        problem=trial.problem,
        general=trial.general,
        note=trial.note,
        server_lines=trial.server_lines,
        client_lines=trial.client_lines,
        recipe=recipe_entry(trial.recipe) if trial.recipe else None,
        result=result_entry(trial.result) if trial.result else None,
    )


def recipe_entry(recipe: Recipe) -> RecipeEntry:
    """Return a recipe with its programs line by line."""
    return RecipeEntry(
        texts=tuple(_program(program) for program in recipe.texts),
        commands=tuple(entry_of(command, CommandEntry) for command in recipe.commands),
        server=_program(recipe.server) if recipe.server else None,
        board=_program(recipe.board) if recipe.board else None,
        server_start=recipe.server_start,
        board_start=recipe.board_start,
    )


def _program(program: Program) -> ProgramEntry:
    return ProgramEntry(name=program.name, lines=tuple(program.text.splitlines()))
