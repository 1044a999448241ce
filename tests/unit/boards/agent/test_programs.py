"""Whole programs on a real interpreter: their files, what they print, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.boards.agent.programs import Played, play_code, read_played
from harness.boards.agent.protocol import MARK
from harness.boards.session import BoardSession
from harness.system.deadline import Deadline

PROGRAM = """\
HELD = open("ca.der", "rb").read()
def shown():
    return HELD
print("it has", shown(), __name__)
print(open("names/\\u00e4.txt").read())
"""


def test_a_program_finds_its_files_and_is_heard(new_session: Callable[..., BoardSession], folder: Path) -> None:
    """Files come from RAM and replace none of the board's; functions see the program's globals; a later run starts with none of them."""
    (folder / "ca.der").write_bytes(b"of the user")
    session = new_session()
    session.start()
    files = {"ca.der": b"\x30\x00", "names/\u00e4.txt": "gr\u00fc\u00df".encode()}
    found = session.run_program(PROGRAM, files, deadline=Deadline(60))
    assert (found.said, found.error) == ("it has b'0\\x00' __main__\ngr\u00fc\u00df", "")
    assert (folder / "ca.der").read_bytes() == b"of the user"
    ended = session.run_program("print(1)\nHELD", {}, deadline=Deadline(60))
    assert (ended.said, ended.type) == ("1", "NameError")
    missing = session.run_program('open("ca.der", "rb")', {}, deadline=Deadline(60))
    assert (missing.said, missing.error) == ("", "OSError: 2")
    syntax = session.run_program("for", {}, deadline=Deadline(60))
    assert syntax.type == "SyntaxError"


@pytest.mark.parametrize("text", ['{"kind": "stored"}', '{"kind": "played"}', '{"kind": "played", "n": 1, "said": 2}'])
def test_a_foreign_answer(text: str) -> None:
    """An answer of another call is not taken for a program's."""
    from harness.boards.agent.check_sum import check_sum

    with pytest.raises(ValueError, match="about a program"):
        read_played(f"{MARK}{text} {check_sum(text.encode(), kind='c')}\n".encode())


def test_calls_and_answers_are_plain_data() -> None:
    """No answer yet is None; names with quotes stay inside the literal."""
    assert read_played(b"") is None
    assert play_code("ab", {"it's": "cd"}, number=7, kind="a").startswith(
        """th_play('{"n":7,"program":"ab","files":{"it\\'s":"cd"}}','a"""
    )
    assert Played(number=1, type="OSError", args=(-30592, "X")).error == "OSError: -30592, X"
