"""The values of --firmware, and which board gets which of them."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards.firmwares import EXPECTED, parse_firmwares, with_firmwares
from harness.boards.spec import choose_boards
from harness.errors import UsageError
from harness.model import BoardSettings, BoardSpec, FirmwareChoice

WITH_FILE = ("esptool", "--port", "{port}", "write-flash", "0", "{file}")
BY_VERSION = ("mpflash", "flash", "--serial", "{port}", "--version", "{firmware}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pytest was started: an interpreter and a firmware file."""
    (tmp_path / "mp").write_text("#!/bin/sh\n")
    (tmp_path / "mp").chmod(0o755)
    (tmp_path / "fw.bin").write_bytes(b"\xe9")
    return tmp_path


def boards(*texts: str, flash: tuple[str, ...] = ()) -> list[BoardSpec]:
    """Return boards, all with this flash hook."""
    return [replace(spec, settings=BoardSettings(flash=flash)) for spec in choose_boards(texts, {})]


def axis(specs: list[BoardSpec], *texts: str, folder: Path) -> tuple[BoardSpec, ...]:
    """Return the boards with these values of --firmware."""
    return with_firmwares(specs, parse_firmwares(texts, folder=folder))


def test_without_the_option(folder: Path):
    """The boards are unchanged."""
    assert axis(boards("unix", "u0"), folder=folder) == tuple(boards("unix", "u0"))


def test_virtual_boards_change_their_interpreter(folder: Path):
    """Each virtual board gets each interpreter, all of one board in turn; a faulty one keeps its fault."""
    made = axis(boards("unix", "faulty:slow"), "1.25=unix:mp", "1.28.0=unix", "1.27=faulty:leak", folder=folder)
    assert [(spec.label, spec.kind, spec.target, spec.interpreter) for spec in made] == [
        ("unix@1.25", "unix", str(folder / "mp"), ""),
        ("unix@1.28.0", "unix", "", ""),
        ("unix@1.27", "faulty", "leak", ""),
        ("faulty:slow@1.25", "faulty", "slow", str(folder / "mp")),
        ("faulty:slow@1.28.0", "faulty", "slow", ""),
        ("faulty:slow@1.27", "faulty", "leak", ""),
    ]
    assert [spec.name for spec in made] == ["unix"] * 3 + ["faulty:slow"] * 3
    assert [spec.text for spec in made] == ["unix"] * 3 + ["faulty:slow"] * 3
    assert made[0].firmware == FirmwareChoice(text="1.25=unix:mp", version="1.25")


def test_boards_with_a_hook(folder: Path):
    """They get every version, with the file as an absolute path."""
    assert [spec.firmware for spec in axis(boards("u0", flash=BY_VERSION), "1.27.0", "1.28", folder=folder)] == [
        FirmwareChoice(text="1.27.0", version="1.27.0"),
        FirmwareChoice(text="1.28", version="1.28"),
    ]
    (spec,) = axis(boards("u0", flash=WITH_FILE), "1.28=fw.bin", folder=folder)
    assert spec.firmware == FirmwareChoice(text="1.28=fw.bin", version="1.28", file=str(folder / "fw.bin"))
    assert (spec.label, spec.target, spec.settings.flash) == ("u0@1.28", "u0", WITH_FILE)


def test_a_mixed_run(folder: Path):
    """A virtual interpreter is for virtual boards, a file for those with a hook; both may have one version."""
    specs = boards("unix") + boards("u0", flash=WITH_FILE)
    made = axis(specs, "1.28=unix:mp", "1.28=fw.bin", folder=folder)
    assert [spec.label for spec in made] == ["unix@1.28", "u0@1.28"]


def test_a_virtual_board_with_a_hook(folder: Path):
    """Its hook runs for a file; a virtual interpreter needs no hook."""
    file, interpreter = axis(boards("unix", flash=WITH_FILE), "1.27=fw.bin", "1.28=unix:mp", folder=folder)
    assert (file.target, file.settings.flash) == ("", WITH_FILE)
    assert (interpreter.target, interpreter.settings.flash) == (str(folder / "mp"), ())


@pytest.mark.parametrize(
    ("version", "probed"),
    [
        ("1.25", "1.25.0"),
        ("1.25.1", "1.25.1"),
        ("1.29.0-preview", "1.29.0-preview"),
        ("1.29-preview", "1.29.0-preview"),
    ],
)
def test_the_version_as_it_is_probed(version: str, probed: str):
    """A version of two numbers is the release with patch 0."""
    assert FirmwareChoice(text=version, version=version).probed == probed


@pytest.mark.parametrize(
    "word", ["", "v1.28", "1", "1.28.", "1.28.0.1", "latest", "1.28=", "=fw.bin", "1.28 ", "1.28-", "1٠.2"]
)
def test_invalid_values(word: str, folder: Path):
    """A version is two or three numbers and perhaps a tag; a file must not be empty."""
    with pytest.raises(UsageError) as caught:
        parse_firmwares([word], folder=folder)
    assert str(caught.value) == f"--firmware {word!r}: expected {EXPECTED}"


@pytest.mark.parametrize(("first", "second"), [("1.25", "1.25"), ("1.25", "1.25.0"), ("1.25=unix", "1.25=unix:mp")])
def test_the_same_version_twice(first: str, second: str, folder: Path):
    """1.25 is 1.25.0."""
    with pytest.raises(UsageError) as caught:
        parse_firmwares([first, second], folder=folder)
    assert (
        str(caught.value)
        == f"--firmware {second!r}: the same version as {first!r}; each firmware may be given only once"
    )


def test_paths_that_do_not_exist(folder: Path):
    """The value, the path and what is accepted are named."""
    (folder / "folder").mkdir()
    for path in ("no.bin", "folder"):
        with pytest.raises(UsageError) as caught:
            parse_firmwares([f"1.28={path}"], folder=folder)
        assert str(caught.value) == f"--firmware '1.28={path}': no readable file {path!r}; expected {EXPECTED}"
    for name in ("no", "folder", "fw.bin"):
        path = os.fspath(folder / name)
        with pytest.raises(UsageError) as caught:
            parse_firmwares([f"1.28=unix:{name}"], folder=folder)
        assert str(caught.value) == (
            f"--firmware '1.28=unix:{name}': no executable program {path!r}; "
            "expected the path of a MicroPython unix-port interpreter"
        )
    with pytest.raises(
        UsageError, match=r"^--firmware '1\.28=faulty:x': 'faulty:x': unknown fault; expected faulty:NAME"
    ):
        parse_firmwares(["1.28=faulty:x"], folder=folder)


@pytest.mark.parametrize(
    ("spec", "flash", "text", "message"),
    [
        (
            "unix",
            (),
            "1.28",
            "board unix is a virtual board without a flash hook; expected 1.28=unix:/path/to/micropython",
        ),
        (
            "u0",
            (),
            "1.28",
            "board u0 has no flash hook; expected a line flash = [...] in boards.toml: the command that flashes it, with "
            "{port}, {board}, {firmware}, {file}",
        ),
        ("u0", BY_VERSION, "1.28=unix", f"this run has no virtual board; expected {EXPECTED}"),
        ("u0", WITH_FILE, "1.28", "the flash hook of board u0 needs a file: expected 1.28=FILE"),
        ("u0", BY_VERSION, "1.28=fw.bin", "the flash hook of board u0 has no {file}: expected 1.28"),
    ],
)
def test_what_a_board_cannot_get(spec: str, flash: tuple[str, ...], text: str, message: str, folder: Path):
    """Each refusal names the value, the board and what is accepted."""
    others = boards("a0", flash=BY_VERSION) if text == "1.28=unix" else []
    texts = (text, "1.27") if text == "1.28=unix" else (text,)
    with pytest.raises(UsageError) as caught:
        axis([*boards(spec, flash=flash), *others], *texts, folder=folder)
    assert str(caught.value) == f"--firmware {text!r}: {message}"


def test_a_firmware_for_no_board(folder: Path):
    """A file is refused where all boards are virtual and get others."""
    with pytest.raises(UsageError) as caught:
        axis(boards("unix"), "1.28=unix", "1.27=fw.bin", folder=folder)
    assert str(caught.value) == (
        f"--firmware '1.27=fw.bin': this run has no board with a flash hook in boards.toml; expected {EXPECTED}"
    )
