"""The code that is sent to a board: the same program, smaller, in pieces."""

from __future__ import annotations

import ast

import pytest

from harness.boards.agent.scripts import agent_pieces, pieces_of, script, slim_source


def test_slim_source_is_the_same_program() -> None:
    """Comments and docstrings are removed; line numbers and everything else are kept."""
    source = (
        '"""Doc\nstring."""\n\n# why\ndef f(a):\n    """Doc."""\n    if a:  # because\n        return "# no comment"\n'
    )
    assert slim_source(source) == '\n\n\n\ndef f(a):\n\n if a:\n  return "# no comment"\n'


@pytest.mark.parametrize(
    "name", ["line", "load", "tls_client", "agent", "network_setup", "tcp_try", "set_clock", "play", "hold_heap"]
)
def test_deployed_scripts_compile_to_the_same_code(name: str) -> None:
    """The code that is sent is the source without docstrings: the same statements on the same lines."""
    from harness.system.data_files import data_dir

    def shape(text: str) -> list[tuple[str, int]]:
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
        kept = [node for node in nodes if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
        return [(type(node).__name__, node.lineno) for node in kept]

    assert shape(script(name)) == shape((data_dir("device_scripts") / f"{name}.py").read_text(encoding="ascii"))


def test_what_is_deployed() -> None:
    """The agent is sent in pieces of whole statements, the client before the functions that call it; it fits a small board."""
    pieces = agent_pieces()
    trees = [ast.parse(piece) for piece in pieces]
    names = [node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names.index("th_attempt") < names.index("th_run")
    assert sum(map(len, pieces)) < 9728
    assert max(map(len, pieces)) < 2048


def test_pieces_are_whole_statements() -> None:
    """Statements are grouped up to the size, a longer one is its own piece, and a decorator stays with its function."""
    source = "a = 1\nb = 2\n\n@c\ndef f():\n  return 1\nd = 3\n"
    assert pieces_of(source, piece_bytes=12) == ("a = 1\nb = 2\n", "@c\ndef f():\n  return 1\n", "d = 3\n")
    assert pieces_of(source, piece_bytes=11) == ("a = 1\n", "b = 2\n", "@c\ndef f():\n  return 1\n", "d = 3\n")
