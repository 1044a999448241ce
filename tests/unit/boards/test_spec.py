"""Board specs and the meaning of boards.toml: one clear line for each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from harness.boards.spec import choose_boards, hook_arguments, parse_board, parse_lab, unique_labels
from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec


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
    """Every kind of spec, with the short name that test ids show: ASCII, no `::`, `[`, `@` or space."""
    spec = parse_board(text, {})
    assert (spec.kind, spec.target, spec.label) == (kind, target or ("" if text == "unix" else text), label)
    assert not set("[]@ ") & set(spec.label)
    assert "::" not in spec.label
    assert spec.label.isascii()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("esp32", r"--board 'esp32': not a board; accepted are a device path, COM3, u0, .* \(there: none\)"),
        ("", r"--board '': not a board"),
        ("unix:", r"--board 'unix:': the path of the interpreter is missing; `unix` alone takes the packaged one"),
        ("telnet://x:1", r"unknown scheme 'telnet'; accepted are rfc2217:// and socket://"),
        ("rfc2217://host", r"host and port are wanted, as in rfc2217://192\.0\.2\.7:2217"),
        ("socket://:99", r"host and port are wanted"),
        ("id:", r"--board 'id:': not a board"),
        ("faulty", r"--board 'faulty': no such fault; accepted are faulty:NAME with one of silent, .*, banner$"),
        ("faulty:Slow", r"--board 'faulty:Slow': no such fault; accepted are faulty:NAME with one of silent, "),
        (
            "labgrid:",
            r"--board 'labgrid:': the name of a labgrid place is wanted, as in labgrid:board0, or labgrid:\+ for the place",
        ),
        ("labgrid:a b", r"the place reserved with \$LG_TOKEN"),
        ("com3x", r"not a board"),
    ],
)
def test_wrong_specs(text: str, message: str) -> None:
    """What is no board names what is accepted."""
    with pytest.raises(UsageError, match=message) as raised:
        parse_board(text, {})
    assert "\n" not in str(raised.value)


def test_names_of_the_lab() -> None:
    """A name of boards.toml is a board; an unknown one lists those there are."""
    lab = parse_lab({"board": {"lab-1": {"spec": "u0"}, "lab-2": {"spec": "unix"}}}, file="boards.toml")
    assert parse_board("lab-1", lab) == lab["lab-1"]
    with pytest.raises(
        UsageError,
        match=r"not a board \(did you mean 'lab-[12]'\?\); .* or a name or tag:TAG in boards\.toml \(there: lab-1, lab-2\)",
    ):
        parse_board("lab-3", lab)


def specs(*texts: str) -> list[BoardSpec]:
    """Parsed specs."""
    return [parse_board(text, {}) for text in texts]


def test_unique_labels() -> None:
    """Boards whose short names are alike get as much of the path as tells them apart."""
    labels = [spec.label for spec in unique_labels(specs("unix:/a/1.20/mp", "unix:/a/1.24/mp", "unix"))]
    assert labels == ["unix:mp", "unix:1.24/mp", "unix"]
    labels = [spec.label for spec in unique_labels(specs("rfc2217://h:1", "rfc2217://h:1?ign_set_control"))]
    assert len(set(labels)) == 2


def test_same_board_twice() -> None:
    """A board is given once; the message has both spellings."""
    with pytest.raises(UsageError, match=r"--board 'u0': the same board as 'u0'; a board is given once"):
        unique_labels(specs("u0", "unix", "u0"))
    lab = parse_lab({"board": {"desk": {"spec": "u0"}}}, file="boards.toml")
    with pytest.raises(UsageError, match=r"--board 'desk': the same board as 'u0'"):
        unique_labels([parse_board("u0", lab), parse_board("desk", lab)])


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
    """A tag is all boards that have it, each once however often it is chosen; names of virtual boards are boards of their own."""
    assert [spec.label for spec in choose_boards(texts, TAGGED)] == chosen


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "tag:esp23",
            r"'tag:esp23': no board in boards\.toml has the tag 'esp23' \(did you mean 'esp32'\?\); there are: esp32,",
        ),
        ("tag:", r"'tag:': no board in boards\.toml has the tag ''; there are: esp32, small, virtual"),
        ("tag:small,esp32", r"'tag:small,esp32': no board in boards\.toml has all of these tags"),
    ],
)
def test_wrong_tags(text: str, message: str) -> None:
    """A tag that chooses nothing is refused, and those there are are named."""
    with pytest.raises(UsageError, match=message):
        choose_boards([text], TAGGED)
    with pytest.raises(UsageError, match="there are: none"):
        choose_boards(["tag:esp32"], {})


def test_one_board_is_no_tag() -> None:
    """Where one board is wanted a tag is refused."""
    with pytest.raises(
        UsageError, match=r"--clean 'tag:esp32': a tag may name several boards; here one board is wanted"
    ):
        parse_board("tag:esp32", TAGGED, told="--clean")


def test_hook_arguments() -> None:
    """Port and board are filled in, in one pass; other braces are the program's own business."""
    hook = ("mosquitto_pub", "-t", "lab/{board}/{port}", "-m", '{"POWER": "{board}"}', "{}")
    port = "/dev/{board}"
    words = ["mosquitto_pub", "-t", f"lab/desk/{port}", "-m", '{"POWER": "desk"}', "{}"]
    assert hook_arguments(hook, port=port, board="desk") == words


def lab_board(**table: Any) -> BoardSpec:
    """A board of boards.toml with these keys."""
    return parse_lab({"board": {"desk": {"spec": "u0", **table}}}, file="boards.toml")["desk"]


def test_lab_board() -> None:
    """Every key arrives; the password stays a name."""
    spec = lab_board(
        wifi={"ssid": "lab", "password": {"env": "LAB_WIFI"}},
        bind="192.0.2.1",
        baud=460800,
        dtr=False,
        rts=True,
        timeout_multiplier=3,
        heap_bytes=131072,
        reset=["gpioset", "{board}"],
        power_cycle=["uhubctl", "-p", "2"],
        tags=["esp32", "psram", "esp32"],
    )
    assert (spec.text, spec.label, spec.kind, spec.target) == ("desk", "desk", "serial", "u0")
    assert spec.settings == BoardSettings(
        network="wifi",
        ssid="lab",
        password_env="LAB_WIFI",
        bind="192.0.2.1",
        baud=460800,
        dtr=False,
        rts=True,
        timeout_multiplier=3.0,
        heap_bytes=131072,
        reset=("gpioset", "{board}"),
        power_cycle=("uhubctl", "-p", "2"),
        tags=("esp32", "psram"),
    )
    assert lab_board().settings == BoardSettings()
    assert lab_board(network="lan").settings.network == "lan"
    assert lab_board(network="none", wifi={"ssid": "lab"}).settings.network == "none"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sped": 1}, r"board\.desk: unknown key 'sped' \(did you mean 'spec'\?\); accepted are address, baud, bind,"),
        ({"volume": 1}, r"board\.desk: unknown key 'volume'; accepted are address, baud, bind,"),
        (
            {"reset": "uhubctl -p 2"},
            r"board\.desk\.reset = 'uhubctl -p 2': a list of words is wanted, as in \[\"uhubctl\",",
        ),
        ({"power_cycle": []}, r"board\.desk\.power_cycle = \[\]: a list of words is wanted, .*; no shell reads it"),
        ({"reset": ["a", 5]}, r"board\.desk\.reset = \['a', 5\]: a list of words is wanted"),
        (
            {"reset": ["a", "{prot}"]},
            r"board\.desk\.reset: nothing stands for \{prot\} in '\{prot\}'; accepted are \{port\}, \{board\}",
        ),
        ({"reset": ["a", "b\0"]}, r"board\.desk\.reset: no program can be given 'b\\x00', which has a zero byte in it"),
        ({"tags": "esp32"}, r"board\.desk\.tags = 'esp32': a list of words is wanted, as in \[\"esp32\", \"wifi\"\]"),
        ({"tags": ["a b"]}, r"board\.desk\.tags: 'a b' cannot be a tag; use letters, digits, \. _ -"),
        ({"spec": ""}, r"board\.desk: the key 'spec' is missing"),
        ({"spec": 5}, r"board\.desk\.spec = 5: wanted is a str"),
        ({"spec": "nowhere"}, r"board\.desk\.spec = 'nowhere': not a board"),
        ({"network": "lora"}, r"board\.desk\.network = 'lora': accepted are none, wifi, lan, boot"),
        ({"network": "wifi"}, r"board\.desk\.wifi: the key 'ssid' is missing; write wifi = \{ssid"),
        (
            {"wifi": {"ssid": "a", "pass": "b"}},
            r"board\.desk\.wifi: unknown key 'pass' \(did you mean 'password'\?\); accepted are password, ssid",
        ),
        ({"wifi": "lab"}, r"board\.desk\.wifi: a table is wanted, not str"),
        ({"bind": "my-host"}, r"board\.desk\.bind = 'my-host': an IP address of this machine is wanted"),
        ({"baud": "fast"}, r"board\.desk\.baud = 'fast': wanted is a int"),
        ({"baud": 0}, r"board\.desk\.baud = 0: accepted is 300 to 4000000"),
        ({"dtr": 1}, r"board\.desk\.dtr = 1: wanted is a bool"),
        ({"timeout_multiplier": True}, r"timeout_multiplier = True: wanted is a number"),
        ({"timeout_multiplier": 0}, r"timeout_multiplier = 0: accepted is 0\.1 to 100"),
        ({"heap_bytes": 10}, r"board\.desk\.heap_bytes = 10: accepted is 32768 to"),
    ],
)
def test_wrong_keys(table: dict[str, Any], message: str) -> None:
    """Each mistake names the file, the key, the value and what is accepted."""
    with pytest.raises(UsageError, match=message) as raised:
        lab_board(**table)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["s3cret", {"env": ""}, {"env": 5}, {"file": "s3cret"}, {"env": "A", "b": "s3cret"}, 5]
)
def test_password_is_never_written(password: Any) -> None:
    """A literal password is refused, and is not in the message."""
    with pytest.raises(
        UsageError, match=r"board\.desk\.wifi\.password: a password is never written here; use \{env"
    ) as raised:
        lab_board(wifi={"ssid": "lab", "password": password})
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["unix", "u0", "auto", "COM3", "a b", "-x", "x/y", ""])
def test_names_that_cannot_be(name: str) -> None:
    """A name that is a spec itself, or no word, is refused."""
    with pytest.raises(UsageError, match="cannot be a board's name; use letters, digits"):
        parse_lab({"board": {name: {"spec": "u0"}}}, file="boards.toml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"desk": {"spec": "u0"}}, r"boards\.toml: unknown key 'desk'; boards are written as \[board\.NAME\]"),
        ({"board": []}, r"boards\.toml: board: a table is wanted, not list"),
        ({"board": {"desk": "u0"}}, r"boards\.toml: board\.desk: a table is wanted, not str"),
    ],
)
def test_wrong_file(data: dict[str, Any], message: str) -> None:
    """A file that is written otherwise says how it is written."""
    with pytest.raises(UsageError, match=message):
        parse_lab(data, file="boards.toml")


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_impossible_ports(port: str) -> None:
    """A port that cannot be is no board that is switched off."""
    with pytest.raises(UsageError, match=f"^--board 'socket://127.0.0.1:{port}': there is no port {port}; "):
        parse_board(f"socket://127.0.0.1:{port}", {})


@pytest.mark.parametrize("spec", ["desk", "unix:", "telnet://host:1", "socket://host:99999"])
def test_a_wrong_spec_in_the_file_names_the_file(spec: str) -> None:
    """What stands in boards.toml is not blamed on --board; a name is no spec, not even its own."""
    with pytest.raises(UsageError, match=rf"^lab\.toml: board\.desk\.spec = '{spec}': "):
        parse_lab({"board": {"desk": {"spec": spec}}}, file="lab.toml")
