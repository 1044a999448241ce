"""boards.toml: every key, and one clear line for each mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.boards.lab_file import parse_lab, read_lab
from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec


def test_default(tmp_path: Path) -> None:
    """boards.toml of the folder is read if it exists; without one there are no names."""
    assert read_lab(None, folder=tmp_path) == {}
    (tmp_path / "boards.toml").write_text("[board.desk]\nspec = 'unix'\n")
    assert list(read_lab(None, folder=tmp_path)) == ["desk"]


def test_given_file(tmp_path: Path) -> None:
    """--boards names the file, and it must exist."""
    file = tmp_path / "lab.toml"
    with pytest.raises(UsageError, match=r"--boards .*lab\.toml: cannot be read \(No such file or directory\)"):
        read_lab(str(file), folder=tmp_path)
    with pytest.raises(UsageError, match=r"--boards .*: cannot be read \(not a regular file\)"):
        read_lab(str(tmp_path), folder=tmp_path)
    file.write_text("[board.desk]\nspec = 'u0'\n")
    assert read_lab(str(file), folder=tmp_path)["desk"].target == "u0"


@pytest.mark.parametrize("content", [b"[board.desk\n", b"board = \n", b"\xff\xfe"])
def test_invalid_toml(tmp_path: Path, content: bytes) -> None:
    """A file that is not TOML is refused in one line, with the position of the mistake."""
    file = tmp_path / "boards.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"--boards .*boards\.toml: invalid TOML: ") as raised:
        read_lab(None, folder=tmp_path)
    assert "\n" not in str(raised.value)


def lab_board(**table: Any) -> BoardSpec:
    """Return a board of boards.toml with these keys."""
    return parse_lab({"board": {"desk": {"spec": "u0", **table}}}, file="boards.toml")["desk"]


def test_lab_board() -> None:
    """Every key is read; the password stays the name of a variable."""
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
        flash=["mpflash", "{port}", "{board}", "{firmware}", "{file}"],
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
        flash=("mpflash", "{port}", "{board}", "{firmware}", "{file}"),
        tags=("esp32", "psram"),
    )
    assert lab_board().settings == BoardSettings()
    assert lab_board(network="lan").settings.network == "lan"
    assert lab_board(network="none", wifi={"ssid": "lab"}).settings.network == "none"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"sped": 1},
            r"board\.desk: unknown key 'sped' \(did you mean 'spec'\?\); expected one of address, baud, bind,",
        ),
        ({"volume": 1}, r"board\.desk: unknown key 'volume'; expected one of address, baud, bind,"),
        (
            {"reset": "uhubctl -p 2"},
            r"board\.desk\.reset = 'uhubctl -p 2': expected a list of strings, e\.g\. \[\"uhubctl\",",
        ),
        (
            {"power_cycle": []},
            r"board\.desk\.power_cycle = \[\]: expected a list of strings, .*; it runs without a shell",
        ),
        ({"reset": ["a", 5]}, r"board\.desk\.reset = \['a', 5\]: expected a list of strings"),
        (
            {"reset": ["a", "{prot}"]},
            r"board\.desk\.reset: unknown placeholder \{prot\} in '\{prot\}'; expected one of \{port\}, \{board\}",
        ),
        (
            {"reset": ["a", "{file}"]},
            r"board\.desk\.reset: unknown placeholder \{file\} in '\{file\}'; expected one of \{port\}, \{board\}$",
        ),
        (
            {"flash": ["a", "{version}"]},
            r"board\.desk\.flash: unknown placeholder \{version\} in '\{version\}'; "
            r"expected one of \{port\}, \{board\}, \{firmware\}, \{file\}$",
        ),
        (
            {"reset": ["a", "b\0"]},
            r"board\.desk\.reset: 'b\\x00' has a zero byte, which no program argument can contain",
        ),
        ({"tags": "esp32"}, r"board\.desk\.tags = 'esp32': expected a list of strings, e\.g\. \[\"esp32\", \"wifi\"\]"),
        ({"tags": ["a b"]}, r"board\.desk\.tags: invalid tag 'a b': expected letters, digits, \. _ -"),
        ({"spec": ""}, r"board\.desk: missing key 'spec'"),
        ({"spec": 5}, r"board\.desk\.spec = 5: expected str"),
        ({"spec": "nowhere"}, r"board\.desk\.spec = 'nowhere': not a board"),
        ({"network": "lora"}, r"board\.desk\.network = 'lora': expected one of none, wifi, lan, boot"),
        ({"network": "wifi"}, r"board\.desk\.wifi: missing key 'ssid'; write wifi = \{ssid"),
        (
            {"wifi": {"ssid": "a", "pass": "b"}},
            r"board\.desk\.wifi: unknown key 'pass' \(did you mean 'password'\?\); expected one of password, ssid",
        ),
        ({"wifi": "lab"}, r"board\.desk\.wifi: expected a table, not str"),
        ({"bind": "my-host"}, r"board\.desk\.bind = 'my-host': expected an IP address of this machine"),
        ({"baud": "fast"}, r"board\.desk\.baud = 'fast': expected int"),
        ({"baud": 0}, r"board\.desk\.baud = 0: expected 300 to 4000000"),
        ({"dtr": 1}, r"board\.desk\.dtr = 1: expected bool"),
        ({"timeout_multiplier": True}, r"timeout_multiplier = True: expected number"),
        ({"timeout_multiplier": 0}, r"timeout_multiplier = 0: expected 0\.1 to 100"),
        ({"heap_bytes": 10}, r"board\.desk\.heap_bytes = 10: expected 32768 to"),
    ],
)
def test_wrong_keys(table: dict[str, Any], message: str) -> None:
    """Each error names the file, the key, the value and what is expected."""
    with pytest.raises(UsageError, match=message) as raised:
        lab_board(**table)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "password", ["s3cret", {"env": ""}, {"env": 5}, {"file": "s3cret"}, {"env": "A", "b": "s3cret"}, 5]
)
def test_password_is_never_written(password: Any) -> None:
    """A literal password is refused, and is not in the message."""
    with pytest.raises(
        UsageError, match=r"board\.desk\.wifi\.password: passwords are not accepted here; use \{env"
    ) as raised:
        lab_board(wifi={"ssid": "lab", "password": password})
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("name", ["unix", "u0", "auto", "COM3", "a b", "-x", "x/y", ""])
def test_invalid_names(name: str) -> None:
    """A name that is itself a spec, or has other characters, is refused."""
    with pytest.raises(
        UsageError,
        match=r"invalid board name .*: expected letters, digits, '\.', '_' and '-', and a name that is not a board spec",
    ):
        parse_lab({"board": {name: {"spec": "u0"}}}, file="boards.toml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"desk": {"spec": "u0"}}, r"boards\.toml: unknown key 'desk'; boards are written as \[board\.NAME\]"),
        ({"board": []}, r"boards\.toml: board: expected a table, not list"),
        ({"board": {"desk": "u0"}}, r"boards\.toml: board\.desk: expected a table, not str"),
    ],
)
def test_wrong_file(data: dict[str, Any], message: str) -> None:
    """The error for a file of another structure says how boards are written."""
    with pytest.raises(UsageError, match=message):
        parse_lab(data, file="boards.toml")


@pytest.mark.parametrize("spec", ["desk", "unix:", "telnet://host:1", "socket://host:99999"])
def test_a_wrong_spec_in_the_file_names_the_file(spec: str) -> None:
    """A mistake in boards.toml is not blamed on --board; the name of a board is not a spec, not even its own."""
    with pytest.raises(UsageError, match=rf"^lab\.toml: board\.desk\.spec = '{spec}': "):
        parse_lab({"board": {"desk": {"spec": spec}}}, file="lab.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 2000, "a = " + "9" * 5000])
def test_toml_that_has_no_end(tmp_path, text):
    """Nesting and numbers that the parser gives up on are one line, too."""
    (tmp_path / "lab.toml").write_text(text)
    with pytest.raises(UsageError, match=r"^--boards .*lab\.toml: invalid TOML: "):
        read_lab(str(tmp_path / "lab.toml"), folder=tmp_path)


def test_a_byte_order_mark_is_accepted(tmp_path):
    """Editors on Windows write one."""
    (tmp_path / "boards.toml").write_bytes(b'\xef\xbb\xbf[board.desk]\nspec = "/dev/ttyUSB0"\n')
    assert list(read_lab(None, folder=tmp_path)) == ["desk"]
