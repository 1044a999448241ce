"""Recipes run as they are printed, on the virtual board and with this Python."""

import contextlib
import shutil
import socket
import stat
from dataclasses import replace

import pytest

from harness.certificates import Unavailable
from harness.diagnose.given import GivenCertificates
from harness.diagnose.recipes import Ends
from harness.diagnose.request import Files, Request
from harness.diagnose.settings import as_given, changed
from harness.diagnose.workshop import Workshop
from harness.errors import HarnessError
from harness.model import BoardSpec, Change, Program
from harness.run.bare_board import uses_host_network
from harness.run.lab import Lab
from harness.run.options import RunOptions
from harness.server.program import RunningProgram

SPEC = BoardSpec(text="unix", kind="unix", target="", label="unix")
ISSUED = Change(server={"certificates": ("server-p256",)}, client={"verify": "required", "ca": (), "ca_format": "der"})


@pytest.fixture(scope="module")
def session():
    """An open virtual board; skip if there is none."""
    lab = Lab(RunOptions(boards=(SPEC,)))
    board = lab.open(SPEC)
    if board.error is not None:
        assert isinstance(board.error, HarnessError)
        pytest.skip(str(board.error))
    yield board.session
    lab.close()


@pytest.fixture
def shop(session, server):
    """Return `shop(change)`: a workshop for an EC server, and its settings with a change."""
    made = []

    def make(change=Change(), ports=None):  # noqa: B008 - a frozen record
        given = GivenCertificates(server("server-p256"))
        settings = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=given.files), given)
        import sys

        ends = Ends(
            listen="127.0.0.1",
            connect="127.0.0.1",
            python=sys.executable,
            shares_files=uses_host_network(session.info),
        )
        made.append(Workshop(session, given, ends=ends, ports=ports, peers=("127.0.0.1",)))
        return made[-1], changed(settings, change, given)

    yield make
    for one in made:
        one.close()


def test_the_recipe_is_what_connects(shop):
    """The certificates that the commands made are those of the proof; everything is private, and gone at the end."""
    workshop, settings = shop(ISSUED)
    prepared = workshop.prepare(settings)
    assert prepared.note is None or "cryptography" in prepared.note
    assert prepared.materials["server-p256"].chain_pem == (prepared.folder / "ec-cert.pem").read_bytes()
    assert {stat.S_IMODE(path.stat().st_mode) for path in prepared.folder.iterdir()} == {0o600}
    proof = workshop.prove(prepared)
    # Its port is another one if a process beside this one had it.
    assert (proof.connected, proof.recipe) == (True, workshop.book.recipe(prepared.settings))
    workshop.close()
    assert not prepared.folder.exists()


@pytest.mark.slow
def test_a_program_that_does_not_work_is_not_proved(shop):
    """Only what both programs print counts: a board without the CA, and a server that does not start."""
    workshop, settings = shop(ISSUED)
    prepared = workshop.prepare(settings)
    silent = replace(prepared.recipe, board=Program(name="board.py", text="print('the server answers:')\n"))
    proof = workshop.prove(replace(prepared, recipe=silent))
    assert proof.connected is False
    assert proof.note.startswith(
        "these settings connected, but the printed programs did not: board: the server answers:"
    )
    (prepared.folder / "server.py").write_text("raise SystemExit('no')\n")
    proof = workshop.prove(prepared)
    assert (proof.connected, proof.note) == (False, "the printed server did not start: no")


def test_a_server_that_is_not_ours(session, server, files):
    """Only the board's program is run; it must come to its end, and say so."""
    given = GivenCertificates(server("server-p256"))
    made = Files(ca=files / "ca-p256" / "cert.pem")
    settings = as_given(Request(board=SPEC, options=RunOptions(boards=(SPEC,)), files=made), given)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    ends = Ends(listen="", connect="127.0.0.1", port=port, shares_files=True, own_server=False)
    workshop = Workshop(session, given, ends=ends, ports=None, peers=())
    try:
        prepared = workshop.prepare(replace(settings, client=replace(settings.client, verify="none", ca=())))
        assert (prepared.recipe.server, prepared.recipe.commands) == (None, ())
        proof = workshop.prove(prepared)
        assert proof.connected is False
        assert proof.note.startswith(
            "these settings connected through the harness, but the printed program alone did not: OSError"
        )
        works = replace(prepared.recipe, board=Program(name="board.py", text="print('connected')\n"))
        assert workshop.prove(replace(prepared, recipe=works)).connected is True
    finally:
        workshop.close()


def test_a_port_that_is_taken_for_a_moment(shop, monkeypatch):
    """The printed server could not listen, although its port is free again by the time it is looked at: the proof uses another one."""
    workshop, settings = shop(ISSUED)
    port, started = workshop.book.ends.port, []

    class Started(RunningProgram):
        def __init__(self, arguments, **options):
            with contextlib.ExitStack() as taken:
                if not started:
                    taken.enter_context(socket.create_server(("127.0.0.1", port)))
                started.append(arguments)
                super().__init__(arguments, **options)
                if len(started) == 1:
                    self._process.wait(60)

    monkeypatch.setattr("harness.diagnose.workshop.RunningProgram", Started)
    proof = workshop.prove(workshop.prepare(settings))
    assert (proof.connected, len(started)) == (True, 2)
    assert workshop.book.ends.port != port


def test_without_openssl(shop, monkeypatch):
    """The files are made all the same, and the note says by what."""
    monkeypatch.setenv("PATH", "/nonexistent")
    workshop, settings = shop(ISSUED)
    prepared = workshop.prepare(settings)
    assert prepared.note == (
        "no program 'openssl' on this machine: the harness made the files of these commands with Python's `cryptography` instead"
    )
    proof = workshop.prove(prepared)
    assert (proof.connected, proof.note) == (True, prepared.note)


def test_a_command_that_fails(shop, tmp_path):
    """Neither openssl nor its stand-in can read the file: the reason is openssl's."""
    workshop, settings = shop()
    command = workshop.book.recipe(changed(settings, ISSUED, workshop.book.certificates)).commands[1]
    with pytest.raises(Unavailable) as caught:
        workshop._run(command, tmp_path)
    assert caught.value.reason.startswith("openssl failed: " if shutil.which("openssl") else "no program 'openssl'")


def test_a_port_that_is_taken_meanwhile(shop):
    """Another port is used, and the recipe says so."""
    workshop, settings = shop()
    prepared = workshop.prepare(settings)
    with socket.create_server(("127.0.0.1", workshop.book.ends.port)):
        proof = workshop.prove(prepared)
    assert proof.connected is True
    assert proof.recipe.server.text != prepared.recipe.server.text
    assert f'"127.0.0.1", {workshop.book.ends.port}' in proof.recipe.board.text


def test_no_port_is_left(shop):
    """A range whose only port is taken proves nothing, and says so."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        workshop, settings = shop(ports=(port, port))
        workshop.book.ends = replace(workshop.book.ends, port=port)
        proof = workshop.prove(workshop.prepare(settings))
    assert (proof.connected, proof.note) == (None, "not proved: no free port for the server's program")
