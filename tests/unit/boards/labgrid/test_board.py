"""Holding a place, and the errors when the process that keeps it fails. tests/plugin/test_labgrid_board.py has a real lab."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.boards.labgrid import board as labgrid
from harness.boards.labgrid.board import KeptPlace
from harness.boards.labgrid.client import LabgridClient
from harness.boards.labgrid.text import Place, identity
from harness.boards.locks.board_lock import holder_of, lock_folder, lock_path
from harness.errors import BoardError

PLACE = """\
Place 'board0':
  aliases: first
  matches:
    exp0/mpy/*
  acquired: None
  acquired resources:
  created: 2026-11-25 09:50:40.048733
  changed: 2026-11-25 09:50:41.672714
Matching resource 'NetworkSerialPort' (exp0/mpy/NetworkSerialPort/NetworkSerialPort):
"""
CLIENT = """#!/bin/sh
folder="$(dirname "$0")"
echo "$@" >>"$folder/calls"
case "$2" in
show) cat "$folder/place" ;;
acquire|release-from) . "$folder/$2" ;;
*) . "$folder/export" ;;
esac
"""
STAYS = """echo '{"LG__SERIALDRIVER_HOST": "127.0.0.1", "LG__SERIALDRIVER_PORT": "1", "LG__SERIALDRIVER_PROTOCOL": "raw"}'
exec sleep 600"""
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="labgrid is for Linux")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script for the client, and one for each of its commands."""
    client = tmp_path / "labgrid-client"
    for name, text in {"place": PLACE, "acquire": "true", "release-from": "true", "export": STAYS}.items():
        (tmp_path / name).write_text(text, encoding="ascii")
    client.write_text(CLIENT, encoding="ascii")
    client.chmod(0o755)
    environment = {"LABGRID_CLIENT": str(client), "LG_COORDINATOR": f"{tmp_path}:1", "LG_HOSTNAME": "desk"}
    for name, value in {**environment, "LG_USERNAME": "bob"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def calls(lab: Path) -> list[str]:
    """The command of each call of the client."""
    lines = (lab / "calls").read_text(encoding="ascii").splitlines()
    return [line.split()[1].replace("-c", "export") for line in lines]


def test_a_place_from_beginning_to_end(lab: Path) -> None:
    """A place is locked here, acquired, resolved and released; its lock is freed last, and its port has a lock of its own."""
    place = KeptPlace("board0", label="desk", timeout_s=60)
    assert (place.address.url, place.notes) == ("socket://127.0.0.1:1", [])
    holder = holder_of(identity("board0", os.environ))
    with pytest.raises(BoardError, match="rack: this run already uses the board under a different name"):
        KeptPlace("board0", label="rack", timeout_s=60)
    place.close()
    assert calls(lab) == ["show", "acquire", "export", "release-from"]
    assert holder is not None
    assert holder.pid == os.getpid()
    assert holder_of(identity("board0", os.environ)) is None


def test_an_alias_is_the_same_board(lab: Path) -> None:
    """The lock is that of the place, whichever name was used; the client gets the name of the place."""
    place = KeptPlace("first", label="desk", timeout_s=60)
    with pytest.raises(BoardError, match="rack: this run already uses the board under a different name"):
        KeptPlace("board0", label="rack", timeout_s=60)
    place.close()
    words = (lab / "calls").read_text(encoding="ascii").splitlines()
    assert words[:3] == ["--place=first show", "--place=board0 show", "--place=board0 acquire"]


def test_a_release_that_fails(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning has the command that releases the place."""
    (lab / "release-from").write_text("echo 'Server error: Error: gone away'; exit 1", encoding="ascii")
    KeptPlace("board0", label="desk", timeout_s=60).close()
    assert capsys.readouterr().err == (
        "tls-harness: desk: place board0 could not be released (gone away); run `labgrid-client -p board0 release`\n"
    )


def test_a_release_that_takes_long(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run goes on; the place is released later, and its lock is held until then."""
    os.mkfifo(lab / "go")
    (lab / "release-from").write_text('read word <"$folder/go"', encoding="ascii")
    KeptPlace("board0", label="desk", timeout_s=60, release_s=0.2).close()
    assert capsys.readouterr().err == (
        "tls-harness: desk: place board0 is not released after 0.2 s; a process in the background will release it\n"
    )
    assert holder_of(identity("board0", os.environ)) is not None
    (lab / "go").write_text("on\n", encoding="ascii")
    assert labgrid._left_running.pop().wait(60) == 0
    assert holder_of(identity("board0", os.environ)) is None
    assert calls(lab)[-1] == "release-from"
    folder = lock_folder()
    assert folder is not None
    lock_path(identity("board0", os.environ), folder=folder).unlink()


def test_ctrl_c_while_it_is_acquired(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run ends at once, and the place is released."""
    (lab / "acquire").write_text(f"kill -INT {os.getpid()}; exec sleep 600", encoding="ascii")
    with pytest.raises(KeyboardInterrupt):
        KeptPlace("board0", label="desk", timeout_s=60)
    assert calls(lab) == ["show", "acquire", "release-from"]
    assert holder_of(identity("board0", os.environ)) is None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("word", "script", "kind", "message"),
    [
        ("acquire", "echo 'Error: no'; exit 1", "missing", r"desk: place board0 cannot be acquired \(no\)"),
        ("acquire", "kill -9 $PPID", "lost", r"desk: the process that holds place board0 was killed"),
        ("export", "echo 'Error: no'; exit 1", "missing", r"desk: the serial port of place board0 cannot be resolved \(no\)"),
        (
            "export",
            STAYS.replace('"1"', '"None"'),
            "missing",
            r"desk: the exporter of place board0 has no host and port for its serial port; is the board plugged in there\?",
        ),
    ],
)  # fmt: skip
def test_a_step_that_fails(lab: Path, word: str, script: str, kind: str, message: str) -> None:
    """The error is one line; a place that was acquired is released, and the lock is freed."""
    (lab / word).write_text(script, encoding="ascii")
    with pytest.raises(BoardError, match=message) as caught:
        KeptPlace("board0", label="desk", timeout_s=60)
    assert caught.value.kind == kind
    assert "\n" not in caught.value.message
    assert holder_of(identity("board0", os.environ)) is None
    assert ("release-from" in calls(lab)) == (word == "export")


def test_a_step_that_hangs(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is ended, and a place that it may have acquired is released."""
    show = LabgridClient.show

    def then_impatient(self: LabgridClient, word: str) -> Place:
        place = show(self, word)
        self.timeout_s = 0.2
        return place

    monkeypatch.setattr(LabgridClient, "show", then_impatient)
    (lab / "acquire").write_text("exec sleep 600", encoding="ascii")
    with pytest.raises(
        BoardError, match=r"^desk: `labgrid-client acquire` did not end within 0.2 s; the coordinator is "
    ):
        KeptPlace("board0", label="desk", timeout_s=60)
    assert calls(lab)[-1] == "release-from"


def test_a_place_that_was_taken_meanwhile(lab: Path) -> None:
    """If another user acquires the place first, that user is named and keeps the place."""
    taken = PLACE.replace("acquired: None", "acquired: ci/alice")
    (lab / "acquire").write_text(f"cat >\"$folder/place\" <<'END'\n{taken}END\nexit 1", encoding="ascii")
    with pytest.raises(BoardError, match="desk: place board0 is acquired by alice on ci") as caught:
        KeptPlace("board0", label="desk", timeout_s=60)
    assert caught.value.kind == "busy"
    assert calls(lab) == ["show", "acquire", "show"]


def test_no_process_can_be_started(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a keeper nothing is acquired."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(BoardError, match=r"desk: cannot start a process \(No such file or directory\)"):
        KeptPlace("board0", label="desk", timeout_s=60)
    assert calls(lab) == ["show"]
