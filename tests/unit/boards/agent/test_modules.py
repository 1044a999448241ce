"""The user's modules on a real board's filesystem: placed once, read back, replaced, and removed; files of the user stay."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from harness.boards.agent.modules import LIBRARY, Placed, place_modules, read_placed
from harness.boards.agent.protocol import MARK
from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind

FILES = {"umqtt/simple.py": b"A = 1\n", "plain.mpy": bytes(range(256)) * 5, "empty.py": b""}
BAD_FILE = "_open = open\ndef open(name, mode='r'):\n if 'w' in mode and 'simple' in name: raise OSError(28)\n return _open(name, mode)\n"


@pytest.fixture
def session(new_session: Callable[..., BoardSession]) -> BoardSession:
    """A board with its agent."""
    made = new_session()
    made.start()
    return made


def place(session: BoardSession, files: Mapping[str, bytes], **words: object) -> str | None:
    """Place modules on the board's filesystem."""
    given = {"filesystem": session.info.filesystem, "is_usb_drive": False, **words}
    return place_modules(session._console, files, **given)  # type: ignore[arg-type]


def on(folder: Path) -> dict[str, bytes]:
    """The files in the harness's directory, without the agent."""
    own = folder / "tls_harness"
    found = {path.relative_to(own).as_posix(): path.read_bytes() for path in own.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if name != "agent.py"}


def test_modules_are_placed_once(session: BoardSession, folder: Path) -> None:
    """Each file has its content, whatever bytes it has; what is there already is not written again, because flash wears out."""
    assert place(session, FILES) is None
    listed = on(folder).pop("lib.txt").decode()
    assert listed.split("\n") == list(FILES)
    assert on(folder) == {"lib.txt": listed.encode(), **{f"lib/{name}": data for name, data in FILES.items()}}
    for path in (folder / LIBRARY).rglob("*.*"):
        path.chmod(0o444)
    before = {path: path.stat().st_mtime_ns for path in (folder / LIBRARY).rglob("*.*")}
    assert place(session, FILES) is None
    assert {path: path.stat().st_mtime_ns for path in before} == before
    (folder / LIBRARY / "plain.mpy").chmod(0o644)
    assert place(session, {**FILES, "plain.mpy": FILES["plain.mpy"][:-1] + b"x"}) is None
    assert on(folder)["lib/plain.mpy"][-1:] == b"x"


def test_earlier_modules_are_removed(session: BoardSession, folder: Path) -> None:
    """A module of an earlier run would be imported instead of none; a file that the user put there stays."""
    assert place(session, FILES) is None
    (folder / LIBRARY / "mine.py").write_bytes(b"mine")
    assert place(session, {"umqtt/simple.py": b"A = 2\n"}) is None
    assert on(folder) == {"lib.txt": b"umqtt/simple.py", "lib/umqtt/simple.py": b"A = 2\n", "lib/mine.py": b"mine"}


def test_a_file_of_the_user_is_not_overwritten(session: BoardSession, folder: Path) -> None:
    """What the harness did not place is not its own, although it is in its directory: nothing is written."""
    (folder / LIBRARY / "umqtt").mkdir(parents=True)
    (folder / LIBRARY / "umqtt" / "simple.py").write_bytes(b"mine")
    message = (
        r"^lab-1: tls_harness/lib/umqtt/simple.py on the board was not written by the harness: rename or remove it$"
    )
    with pytest.raises(BoardError, match=message) as caught:
        place(session, FILES)
    assert caught.value.kind is FaultKind.FILESYSTEM
    assert on(folder) == {"lib/umqtt/simple.py": b"mine"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"filesystem": None}, "the board has no writable filesystem (none, read-only or full)"),
        ({"filesystem": "/remote"}, "/remote is a directory of the host, mounted by mpremote"),
        ({"is_usb_drive": True}, "the board is also a USB drive, which a host may have mounted"),
    ],
)
def test_nowhere_to_write(session: BoardSession, folder: Path, words: dict[str, object], why: str) -> None:
    """Where the agent would run from RAM, nothing is written and the reason is returned."""
    assert place(session, FILES, **words) == why
    assert on(folder) == {}


def test_a_full_disk(session: BoardSession, folder: Path) -> None:
    """A write that fails gives the board's own error; the list has what must be removed."""
    session._console.must(BAD_FILE, "stand in for a full disk")
    why = place(session, FILES)
    assert why == "cannot write tls_harness/lib/umqtt/simple.py on the board: OSError: 28"
    assert on(folder)["lib.txt"].decode().split("\n") == list(FILES)


def test_a_directory_that_cannot_be_made(session: BoardSession, folder: Path) -> None:
    """A file in place of the directory is an error of the filesystem, with the board's own exception."""
    (folder / LIBRARY).write_bytes(b"mine")
    why = place(session, FILES)
    assert why is not None
    assert why.startswith("cannot write to the board: OSError: ")
    assert (folder / LIBRARY).read_bytes() == b"mine"


@pytest.mark.parametrize("times", [1, 2])
def test_a_byte_lost_while_it_is_written(session: BoardSession, folder: Path, times: int) -> None:
    """Each file is read back; one that differs is written again, and twice is a fault of the line."""
    damage = (
        "_open, _left = open, [LEFT]\n"
        "class _F:\n"
        " def __init__(self, f): self.f = f\n"
        " def write(self, d):\n"
        "  return self.f.write(b'B' + d[1:])\n"
        " def close(self): self.f.close()\n"
        "def open(name, mode='r'):\n"
        " if mode == 'wb' and 'simple' in name and _left[0]:\n"
        "  _left[0] -= 1\n"
        "  return _F(_open(name, mode))\n"
        " return _open(name, mode)\n"
    )
    session._console.must(damage.replace("LEFT", str(times)), "damage what is written")
    if times == 1:
        assert place(session, FILES) is None
        assert on(folder)["lib/umqtt/simple.py"] == FILES["umqtt/simple.py"]
        return
    message = "^lab-1: tls_harness/lib/umqtt/simple.py was written twice, and differed both times when the board read it back$"
    with pytest.raises(BoardError, match=message) as caught:
        place(session, FILES)
    assert caught.value.kind is FaultKind.GARBLED


def test_what_places_modules_does_not_stay(session: BoardSession) -> None:
    """The board has its memory back: none of the functions is left."""
    output = session._console.run("print(sorted(n for n in globals() if 'place' in n))", timeout_s=60.0)
    before = output.stdout
    assert place(session, FILES) is None
    after = session._console.run("print(sorted(n for n in globals() if 'place' in n))", timeout_s=60.0)
    assert after.stdout == before == b"[]\n"


def test_clean_removes_what_was_placed(session: BoardSession, folder: Path) -> None:
    """`--clean` removes the modules and their directories; a file of the user and its directory stay."""
    assert place(session, FILES) is None
    assert session.clean()
    assert not (folder / "tls_harness").exists()
    assert place(session, FILES) is None
    (folder / LIBRARY / "umqtt" / "mine.py").write_bytes(b"mine")
    assert session.clean()
    assert on(folder) == {"lib/umqtt/mine.py": b"mine"}
    assert not session.clean()


def test_clean_leaves_the_harness_directory_only(session: BoardSession, folder: Path) -> None:
    """A list with a path outside the directory removes nothing there."""
    (folder / "main.py").write_bytes(b"mine")
    assert place(session, FILES) is None
    (folder / "tls_harness" / "lib.txt").write_text("../../main.py\nempty.py", encoding="ascii")
    assert session.clean()
    assert (folder / "main.py").read_bytes() == b"mine"
    assert not (folder / LIBRARY / "empty.py").exists()


def answer(**value: object) -> bytes:
    """What a board prints."""
    from harness.boards.agent.check_sum import check_sum

    text = json.dumps(value, separators=(",", ":"))
    return f"noise\r\n{MARK}{text} {check_sum(text.encode(), kind='c')}\r\n".encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"kind": "stored", "n": 5}, Placed(number=5)),
        ({"kind": "damaged"}, Placed(number=None, damaged=True)),
        ({"kind": "error", "n": 5, "type": "OSError", "args": [28]}, Placed(number=5, error="OSError: 28")),
        ({"kind": "error", "n": 5, "type": "MemoryError", "args": []}, Placed(number=5, error="MemoryError")),
        ({"kind": "error", "n": 5, "type": "ValueError", "args": ["a.py"]}, Placed(number=5, path="a.py")),
    ],
)
def test_answers(value: dict[str, object], expected: Placed) -> None:
    """Each answer of the script is read; without one there is none yet."""
    assert read_placed(answer(**value)) == expected
    assert read_placed(b"noise\r\n") is None


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "result", "n": 5},
        {"kind": "stored"},
        {"kind": "stored", "n": "5"},
        {"kind": "error", "n": 5, "args": 3},
    ],
)
def test_other_answers_are_refused(value: dict[str, object]) -> None:
    """A board that answers in another format has not placed anything."""
    with pytest.raises(ValueError, match=r"^the board's answer about its modules has an invalid format$"):
        read_placed(answer(**value))
