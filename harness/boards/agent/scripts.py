"""The device scripts as they are sent to a board: without comments, in pieces of whole statements.

Knows device_scripts/ and Python's grammar. Must not know what the scripts do, nor how they are sent to a board.
"""

from __future__ import annotations

import ast
import functools
import io
import itertools
import re
import tokenize
from dataclasses import dataclass

from harness.boards.agent.protocol import AGENT_FILE, FOLDER
from harness.system.data_files import data_dir

# Statements of the agent that run as one piece: as much as a small board can hold twice, as text and compiled.
PIECE_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the harness keeps on a board as one file: scripts that run one after another. `name` is for messages."""

    name: str
    path: str
    scripts: tuple[str, ...]

    def pieces(self) -> tuple[str, ...]:
        """Return it as it is sent to the board, in pieces of whole statements that run one after another in `__main__`."""
        return tuple(piece for name in self.scripts for piece in pieces_of(script(name)))

    @property
    def names(self) -> tuple[str, ...]:
        """The functions and classes that it defines in `__main__`."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        nodes = (node for name in self.scripts for node in ast.parse(script(name)).body)
        return tuple(node.name for node in nodes if isinstance(node, kinds))

    @property
    def sizes(self) -> str:
        """The sizes of the pieces, as a literal."""
        return repr(tuple(map(len, self.pieces()))).replace(" ", "")


AGENT = Part(name="the agent", path=AGENT_FILE, scripts=("tls_client", "agent"))
# Deployed and loaded only for `--client asyncio`: flash wears out, and memory is scarce.
ASYNCIO_CLIENT = Part(name="the asyncio client", path=f"{FOLDER}/asyncio_client.py", scripts=("asyncio_client",))


def agent_pieces() -> tuple[str, ...]:
    """Return the pieces of the agent."""
    return AGENT.pieces()


@functools.cache
def pieces_of(source: str, *, piece_bytes: int = PIECE_BYTES) -> tuple[str, ...]:
    """Split source into pieces of whole top-level statements, each of at most this many bytes unless one statement is longer."""
    lines = source.splitlines(keepends=True)
    starts = [_first_line(node) for node in ast.parse(source).body]
    statements = [
        "".join(line for line in lines[start - 1 : end - 1] if line.strip())
        for start, end in itertools.pairwise([*starts, len(lines) + 1])
    ]
    pieces: list[str] = []
    for statement in statements:
        if pieces and len(pieces[-1]) + len(statement) <= piece_bytes:
            pieces[-1] += statement
        else:
            pieces.append(statement)
    return tuple(pieces)


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return int(min([node.lineno, *(decorator.lineno for decorator in decorators)]))


def script(name: str) -> str:
    """Return one device script without comments and docstrings: they would cost a 115200-baud line half a second.

    Args:
        name: the file's name in `device_scripts/` without `.py`. Line numbers are kept, so that tracebacks match the file.
    """
    return slim_source((data_dir("device_scripts") / f"{name}.py").read_text(encoding="ascii"))


@functools.cache
def slim_source(source: str) -> str:
    """Remove comments, docstrings and three quarters of the indentation from Python source; keep its line numbers."""
    lines = source.splitlines()
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines[row - 1] = lines[row - 1][:column].rstrip()
        elif token.type == tokenize.STRING and starts_statement:
            for number in range(row, token.end[0] + 1):
                lines[number - 1] = ""
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            starts_statement = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return "\n".join(re.sub("^(?: {4})+", lambda spaces: " " * (len(spaces[0]) // 4), line) for line in lines) + "\n"
