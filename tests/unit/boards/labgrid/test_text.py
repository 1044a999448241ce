"""Parsing the output of labgrid's client, as printed by labgrid 26.0.1."""

from __future__ import annotations

import json

import pytest

from harness.boards.labgrid.text import (
    Place,
    Resource,
    SerialAddress,
    client_environment,
    coordinator,
    identity,
    last_words,
    own_name,
    read_export,
    read_place,
    read_places,
    serial_environment,
    serial_url,
    unknown_place,
    who_has,
)

FREE = """\
Place 'board0':
  aliases: bob:mine, myboard
  comment: the one with the red LED
  tags: chip=esp32
  matches:
    exp0/mpy-board0/*
    exp1/*/NetworkPowerPort/p -> power
  acquired: None
  acquired resources:
  created: 2026-11-25 09:50:40.048733
  changed: 2026-11-25 09:50:41.672714
Matching resource 'NetworkSerialPort' (exp0/mpy-board0/NetworkSerialPort/NetworkSerialPort):
  {'acquired': None,
   'avail': True,
   'cls': 'NetworkSerialPort',
   'params': {'extra': {'proxy': 'localhost', 'proxy_required': False},
              'host': '127.0.0.1',
              'port': 45888,
              'protocol': 'rfc2217',
              'speed': 115200}}
"""
HELD = """\
Place 'board1':
  matches:
    exp0/mpy-board1/*
  acquired: vm/root
  acquired resources:
    exp0/mpy-board1/NetworkSerialPort/NetworkSerialPort
  allowed: desk/bob, desk/eve
  created: 2026-11-25 09:50:42.628457
  changed: 2026-11-25 09:52:56.606601
  reservation: 7XN3SQ0Q9V
Orphaned resource 'repl' (exp0/mpy-board1/NetworkSerialPort/NetworkSerialPort)
"""
EXPORTED = (
    'Selected role main from configuration file\n{"LG__SERIALDRIVER_SPEED": "9600", "LG__SERIALDRIVER_HOST": "bench-1", '
    '"LG__SERIALDRIVER_PORT": "45888", "LG__SERIALDRIVER_PROTOCOL": "rfc2217", "LG__CLIENT_PID": "31327"}'
    "Waiting for CTRL+C or SIGTERM...\n"
)


def test_a_free_place() -> None:
    """Name, aliases, matches and resources."""
    assert read_place(FREE) == Place(
        name="board0",
        aliases=("bob:mine", "myboard"),
        matches=("exp0/mpy-board0/*", "exp1/*/NetworkPowerPort/p -> power"),
        resources=(Resource(name="NetworkSerialPort", kind="NetworkSerialPort", exporter="exp0"),),
    )


def test_a_held_place_whose_exporter_is_gone() -> None:
    """The holder, the other users allowed, the reservation, and that its resource has no exporter."""
    assert read_place(HELD) == Place(
        name="board1",
        matches=("exp0/mpy-board1/*",),
        acquired="vm/root",
        allowed=("desk/bob", "desk/eve"),
        reservation="7XN3SQ0Q9V",
        resources=(Resource(name="repl", kind="NetworkSerialPort", exporter="exp0", present=False),),
    )


def test_not_a_place() -> None:
    """An error of the client is not a place, nor is a place with an unreadable holder."""
    assert read_place("labgrid-client: Error: place pattern nix matches nothing\n") is None
    assert read_place("") is None
    assert read_place(FREE.replace("acquired: None", "acquired: alice")) is None


def test_a_text_that_is_cut_off() -> None:
    """Cut at any index, it is None or the same place, and never one that seems free because its holder is cut off."""
    for text in (FREE, HELD):
        whole = read_place(text)
        found = [read_place(text[:end]) for end in range(len(text))]
        assert found[0] is None
        assert whole is not None
        assert {(place.name, place.acquired) for place in found if place} == {(whole.name, whole.acquired)}


@pytest.mark.parametrize(
    ("word", "called"),
    [("board0", True), ("myboard", True), ("mine", True), ("bob:mine", True), ("board", False), ("board00", False)],
)
def test_names_and_aliases(word: str, called: bool) -> None:
    """A place is known by its whole name or alias; an alias with a user's name is that user's."""
    place = read_place(FREE)
    assert place is not None
    assert place.is_called(word, user="bob") is called
    assert place.is_called("mine", user="eve") is False


def test_places() -> None:
    """A name per line."""
    assert read_places("board0 (myboard)                         the red one\nboard1          \n\n") == (
        "board0",
        "board1",
    )
    assert read_places("") == ()


def test_an_export() -> None:
    """The JSON object is found among other output, and becomes the URL that labgrid itself would open."""
    assert read_export(EXPORTED) == SerialAddress(url="rfc2217://bench-1:45888?ign_set_control", baud=9600)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"PROTOCOL": "raw"}, "socket://bench-1:45888"),
        ({"HOST": "fd00::7"}, "rfc2217://[fd00::7]:45888?ign_set_control"),
        ({"PROTOCOL": "telnet"}, None),
        ({"PORT": "None"}, None),
        ({"PORT": "0"}, None),
        ({"PORT": "65536"}, None),
        ({"PORT": 45888}, None),
        ({"HOST": "bench-1/?x="}, None),
        ({"HOST": None}, None),
    ],
)
def test_export_variants(change: dict[str, object], expected: str | None) -> None:
    """Raw TCP and IPv6 are addresses; a port that is not there yet or an invalid host is not."""
    words: dict[str, object] = {"SPEED": "9600", "HOST": "bench-1", "PORT": "45888", "PROTOCOL": "rfc2217", **change}
    found = read_export(json.dumps({f"LG__SERIALDRIVER_{name}": value for name, value in words.items()}))
    assert (found.url if found else None) == expected


@pytest.mark.parametrize("speed", ["fast", None, "0", "99999999"])
def test_an_unusable_speed(speed: str | None) -> None:
    """An invalid baud rate becomes the default."""
    text = json.dumps({"LG__SERIALDRIVER_HOST": "h", "LG__SERIALDRIVER_PORT": "1", "LG__SERIALDRIVER_SPEED": speed})
    assert read_export(text) == SerialAddress(url="rfc2217://h:1?ign_set_control", baud=115200)


def test_an_export_that_is_cut_off() -> None:
    """Half an object is not an address."""
    whole = EXPORTED.removesuffix("Waiting for CTRL+C or SIGTERM...\n")
    assert {read_export(whole[:end]) for end in range(len(whole))} == {None}
    assert read_export('{"LG__x": }') is None


def test_the_file_for_export() -> None:
    """The name of a place is quoted, whatever characters it has."""
    assert json.loads(serial_environment('a": {'))["targets"]["main"]["resources"] == {"RemotePlace": {"name": 'a": {'}}
    assert serial_url("rfc2217", "h", 1) == "rfc2217://h:1?ign_set_control"


def test_the_environment_of_the_client() -> None:
    """labgrid's own variables are kept, except those that select other places; those of our Python are not."""
    environ = {"LG_PROXY": "gate", "LG_TOKEN": "T", "PATH": "/bin", "LG_ENV": "x", "LG_PLACE": "y", "PYTHONPATH": "z"}
    expected = {"LG_PROXY": "gate", "LG_TOKEN": "T", "PATH": "/bin", "PYTHONUNBUFFERED": "1"}
    assert client_environment(environ) == expected


def test_coordinator_and_identity() -> None:
    """The coordinator is that of labgrid's variables; coordinator and place together identify the board."""
    assert coordinator({}) == "127.0.0.1:20408"
    assert coordinator({"LG_CROSSBAR": "ws://old"}) == "ws://old"
    assert coordinator({"LG_CROSSBAR": "ws://old", "LG_COORDINATOR": "lab:1"}) == "lab:1"
    assert identity("board0", {"LG_COORDINATOR": "lab:1"}) == "labgrid:lab:1/board0"


def test_people() -> None:
    """labgrid's host/user; its own variables take precedence over the system's names."""
    assert own_name({}, host="desk", user="bob") == "desk/bob"
    assert own_name({"LG_HOSTNAME": "ci", "LG_USERNAME": "job"}, host="desk", user="bob") == "ci/job"
    assert who_has("desk/bob") == "bob on desk"


@pytest.mark.parametrize(
    ("word", "places", "expected"),
    [
        ("bord0", ["board1", "board0"], "labgrid has no place 'bord0' (did you mean 'board0' or 'board1'?); known places: board0, board1"),
        ("oard", ["board0"], "labgrid has no place 'oard' (did you mean 'board0'?); known places: board0"),
        ("x", [], "labgrid has no place 'x'; known places: none"),
        ("x", ["a"] * 21, f"labgrid has no place 'x'; known places: {', '.join(['a'] * 20)}, ..."),
    ],
)  # fmt: skip
def test_an_unknown_place(word: str, places: list[str], expected: str) -> None:
    """The message lists the places, and those that were probably meant."""
    assert unknown_place(word, places) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ERROR root: x\nServer error: Error: Could not connect to coordinator\n", "Could not connect to coordinator"),
        ("labgrid-client: Error: place board0 is not acquired\n", "place board0 is not acquired"),
        ("odd\x1b[31m\n\n", "odd?[31m"),
        ("", "no output"),
        ("x" * 999, "x" * 300),
    ],
)
def test_last_words(said: str, expected: str) -> None:
    """One line of bounded length, without control characters."""
    assert last_words(said) == expected
