"""A recipe as text that can be copied from the screen: commands and whole programs, at the left edge, between lines of comment.

Pure. Each line between two marks is exactly what was run; the marks are comments for a shell and for Python.
"""

from __future__ import annotations

import shlex

from harness.model import Command, Program, Recipe

_MARK = "# ---- {} ----"
_END = "end"


def recipe_lines(recipe: Recipe) -> list[str]:
    """Return the blocks of a recipe, each behind its mark, and the last mark."""
    lines: list[str] = []
    for program in recipe.texts:
        lines += [_MARK.format(f"save as {program.name}, in an empty folder"), *program.text.splitlines()]
    if recipe.commands:
        lines += [
            _MARK.format(
                "run these commands in that folder" if recipe.texts else "run these commands in an empty folder"
            )
        ]
        lines += [command_line(command) for command in recipe.commands]
    if recipe.server is not None:
        lines += _program(recipe.server, "on this computer", [shlex.join(recipe.server_start)])
    if recipe.board is not None:
        lines += _program(recipe.board, "for the board", [shlex.join(words) for words in recipe.board_start])
    return [*lines, _MARK.format(_END)]


def _program(program: Program, where: str, start: list[str]) -> list[str]:
    run = f"; then run: {' && '.join(start)}" if start else ""
    return [_MARK.format(f"save as {program.name}, {where}{run}"), *program.text.splitlines()]


def command_line(command: Command) -> str:
    """Write a command for a POSIX shell."""
    line = shlex.join(command.arguments)
    return f"{line} > {shlex.quote(command.output)}" if command.output is not None else line
