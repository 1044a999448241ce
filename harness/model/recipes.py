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
    """How to make board and server connect, complete: nothing else is needed. `server` is None for a server that is not ours."""

    commands: tuple[Command, ...] = ()
    server: Program | None = None
    board: Program | None = None
    board_files: tuple[BoardFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """A certificate that `ServerProfile` or `ClientPlan` name, as files: how the programs name them, and the commands that make them.

    A name without a folder is a file that one of the commands creates; a file of the user's is an absolute path. `certificate` and `key`
    are PEM, `der` and `key_der` the same as DER for a board, `root` is what a client that verifies must trust, as DER. A form
    that does not exist is None.
    """

    certificate: str | None = None
    key: str | None = None
    der: str | None = None
    key_der: str | None = None
    root: str | None = None
    commands: tuple[Command, ...] = ()
