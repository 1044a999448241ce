"""A fix as something that can be run: commands, the files that they create, and both sides' whole programs.

What is printed, what `--write` keeps and what the proof executes are the same objects.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, run in the folder of the recipe.

    `arguments` are what the program gets, one by one; `creates` the files that it leaves in the folder; `output` is the file, among
    them, that gets its standard output. Files of the user are named by their absolute path, and are only read.
    """

    arguments: tuple[str, ...]
    creates: tuple[str, ...] = ()
    output: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A whole program: the name of its file and its text."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFile:
    """A file that the board's program opens: its name there, and where it is on this machine.

    `source` is an absolute path of the user's, or the name of a file that a command creates.
    """

    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to make board and server connect, complete: nothing else is needed.

    `texts` are certificates to save before the commands run. `server` is None for a server that is not ours. `server_start` and
    `board_start` are what a user runs then; the proof starts the server in the same way, and the board's program through its session.
    """

    texts: tuple[Program, ...] = ()
    commands: tuple[Command, ...] = ()
    server: Program | None = None
    board: Program | None = None
    board_files: tuple[BoardFile, ...] = ()
    server_start: tuple[str, ...] = ()
    board_start: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A certificate that `ServerProfile` or `ClientPlan` name, as files: how the programs name them, and the commands that make them.

    A name without a folder is a file of the recipe; a file of the user's is an absolute path. `certificate` and `key` are PEM, made by
    `commands` or saved as one of `texts`; `der` and `key_der` are the same as DER, for a board, made by `der_commands`. A form that
    does not exist is None.
    """

    certificate: str | None = None
    key: str | None = None
    der: str | None = None
    key_der: str | None = None
    texts: tuple[Program, ...] = ()
    commands: tuple[Command, ...] = ()
    der_commands: tuple[Command, ...] = ()
