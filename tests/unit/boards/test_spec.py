"""Board specs as on the command line: one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.kinds import spec_forms
from harness.boards.lab_file import parse_lab
from harness.boards.spec import choose_boards, parse_board, unique_labels
from harness.errors import UsageError
from harness.model import BoardSpec


@pytest.mark.parametrize(
    ("text", "kind", "target", "label"),
    [
        ("unix", "unix", "", "unix"),
        ("unix:/opt/mp/micropython", "unix", "/opt/mp/micropython", "unix:micropython"),
        ("/dev/ttyUSB0", "serial", "/dev/ttyUSB0", "ttyUSB0"),
        ("/dev/pts/5", "serial", "/dev/pts/5", "pts5"),
        ("/dev/serial/by-id/usb-A [1]@x", "serial", "/dev/serial/by-id/usb-A [1]@x", "usb-A_1_x"),
        ("COM3", "serial", "COM3", "COM3"),
        ("u0", "serial", "u0", "u0"),
        ("a1", "serial", "a1", "a1"),
        ("auto", "serial", "auto", "auto"),
        ("id:3F-09", "serial", "id:3F-09", "id:3F-09"),
        ("rfc2217://192.0.2.7:2217?ign_set_control", "serial", None, "rfc2217:192.0.2.7:2217"),
        ("socket://[::1]:99", "serial", "socket://[::1]:99", "socket:_1_:99"),
        ("labgrid:board-0", "labgrid", "board-0", "labgrid:board-0"),
        ("labgrid:+", "labgrid", "+", "labgrid:_"),
    ],
)
def test_specs(text: str, kind: str, target: str | None, label: str) -> None:
    """Every kind of spec has a short name for test ids: ASCII, no `::`, `[`, `@` or space."""
    spec = parse_board(text, {})
    assert (spec.kind, spec.target, spec.label) == (kind, target or ("" if text == "unix" else text), label)
    assert not set("[]@ ") & set(spec.label)
    assert "::" not in spec.label
    assert spec.label.isascii()


@pytest.mark.parametrize("text", ["esp32", "", "id:", "com3x", "u", "unixx"])
def test_not_a_board(text: str) -> None:
    """The error for text of no board kind lists every accepted form."""
    with pytest.raises(UsageError) as raised:
        parse_board(text, {})
    assert str(raised.value) == f"--board {text!r}: not a board; expected {spec_forms()} (boards.toml has: none)"


def test_names_of_the_lab() -> None:
    """A name in boards.toml is a board; the error for an unknown name lists the known ones."""
    lab = parse_lab({"board": {"lab-1": {"spec": "u0"}, "lab-2": {"spec": "unix"}}}, file="boards.toml")
    assert parse_board("lab-1", lab) == lab["lab-1"]
    with pytest.raises(
        UsageError,
        match=r"not a board \(did you mean 'lab-[12]'\?\); .* or a name or tag:TAG in boards\.toml \(boards\.toml has: lab-1, lab-2\)",
    ):
        parse_board("lab-3", lab)


def specs(*texts: str) -> list[BoardSpec]:
    """Return parsed specs."""
    return [parse_board(text, {}) for text in texts]


def test_unique_labels() -> None:
    """Boards with the same short name get as much of their paths as distinguishes them."""
    labels = [spec.label for spec in unique_labels(specs("unix:/a/1.20/mp", "unix:/a/1.24/mp", "unix"))]
    assert labels == ["unix:mp", "unix:1.24/mp", "unix"]
    labels = [spec.label for spec in unique_labels(specs("rfc2217://h:1", "rfc2217://h:1?ign_set_control"))]
    assert len(set(labels)) == 2


def test_same_board_twice() -> None:
    """Each board may be given only once; the message has both spellings."""
    with pytest.raises(UsageError, match=r"--board 'u0': the same board as 'u0'; each board may be given only once"):
        unique_labels(specs("u0", "unix", "u0"))
    lab = parse_lab({"board": {"desk": {"spec": "u0"}}}, file="boards.toml")
    message = 'given only once; for two such boards name them in boards.toml: \\[board.one\\] spec = "unix"$'
    with pytest.raises(UsageError, match=message):
        unique_labels(specs("unix", "unix"))
    with pytest.raises(UsageError, match=r"--board 'desk': the same board as 'desk'"):
        choose_boards(["u0", "desk"], lab)


@pytest.mark.parametrize(
    ("spec", "text", "found"),
    [
        ("/dev/ttyUSB7", "/dev/ttyUSB7", "desk"),
        ("u7", "/dev/ttyUSB7", "desk"),
        ("/dev/ttyUSB7", "u7", "desk"),
        ("LINK", "PORT", "desk"),
        ("PORT", "LINK", "desk"),
        ("rfc2217://h:1", "rfc2217://h:1", "desk"),
        ("rfc2217://h:1", "socket://h:1", "socket://h:1"),
        ("id:not-there", "/dev/ttyUSB7", "/dev/ttyUSB7"),
        ("/dev/ttyUSB7", "/dev/ttyUSB8", "/dev/ttyUSB8"),
        ("unix", "unix", "unix"),
    ],
)
def test_f14_rb13_board_named_by_its_port(tmp_path: Path, spec: str, text: str, found: str) -> None:
    """A port of boards.toml names its board there, also by another path; a virtual board is a new one each time."""
    link, port = tmp_path / "link", tmp_path / "port"
    link.symlink_to(port)
    places = {"LINK": str(link), "PORT": str(port)}
    table = {"spec": places.get(spec, spec), "timeout_multiplier": 3}
    chosen = parse_board(places.get(text, text), parse_lab({"board": {"desk": table}}, file="boards.toml"))
    assert chosen.text == places.get(found, found)
    assert chosen.settings.timeout_multiplier == (3 if found == "desk" else 1)


def test_port_that_two_boards_have() -> None:
    """A port with two entries is ambiguous; with a tag, a board that is also named by its port is one board."""
    lab = parse_lab({"board": {"a": {"spec": "u0"}, "b": {"spec": "/dev/ttyUSB0"}}}, file="boards.toml")
    message = "--board '/dev/ttyUSB0': boards.toml has several boards with this port: name one of a, b"
    with pytest.raises(UsageError, match=f"^{message}$"):
        parse_board("/dev/ttyUSB0", lab)
    assert [spec.label for spec in choose_boards(["tag:esp32", "/dev/ttyUSB0"], TAGGED)] == ["c"]


TAGGED = parse_lab(
    {
        "board": {
            "a": {"spec": "unix", "tags": ["virtual", "small"]},
            "b": {"spec": "unix", "tags": ["virtual"]},
            "c": {"spec": "u0", "tags": ["esp32"]},
        }
    },
    file="boards.toml",
)


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        (("tag:virtual",), ["a", "b"]),
        (("tag:virtual,small",), ["a"]),
        (("tag:esp32", "tag:virtual"), ["c", "a", "b"]),
        (("tag:virtual", "tag:small"), ["a", "b"]),
        (("tag:virtual", "b"), ["a", "b"]),
        (("b", "tag:virtual", "unix"), ["b", "a", "unix"]),
    ],
)
def test_tags(texts: tuple[str, ...], chosen: list[str]) -> None:
    """A tag means all boards that have it, each once however often it is selected; each virtual board is a separate board."""
    assert [spec.label for spec in choose_boards(texts, TAGGED)] == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tag:esp23",
            r"'tag:esp23': no board in boards\.toml has the tag 'esp23' \(did you mean 'esp32'\?\); known tags: esp32,",
        ),
        ("tag:", r"'tag:': no board in boards\.toml has the tag ''; known tags: esp32, small, virtual"),
        ("tag:small,esp32", r"'tag:small,esp32': no board in boards\.toml has all of these tags"),
    ],
)
def test_wrong_tags(text: str, message: str) -> None:
    """A tag that selects nothing is refused, and the message lists the known tags."""
    with pytest.raises(UsageError, match=message):
        choose_boards([text], TAGGED)
    with pytest.raises(UsageError, match="known tags: none"):
        choose_boards(["tag:esp32"], {})


def test_no_tag_for_one_board() -> None:
    """A tag is refused where exactly one board is accepted."""
    with pytest.raises(
        UsageError, match=r"--clean 'tag:esp32': a tag may name several boards, but exactly one is accepted here"
    ):
        parse_board("tag:esp32", TAGGED, source="--clean")
