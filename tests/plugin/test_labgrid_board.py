"""`--board labgrid:PLACE` in a real lab on loopback: coordinator, exporter, and an RFC 2217 server in front of a virtual board."""

import contextlib
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.boards.kinds import open_board
from harness.boards.lab_file import read_lab
from harness.boards.labgrid.board import KeptPlace
from harness.boards.labgrid.client import find_client
from harness.boards.labgrid.text import identity
from harness.boards.locks.board_lock import Patience, holder_of
from harness.boards.spec import parse_board
from harness.boards.virtual.board import VirtualBoard
from harness.boards.virtual.interpreter import find_interpreter
from harness.commands import boards as boards_command
from harness.errors import BoardError, HarnessError, UsageError
from harness.system.deadline import Deadline

HOLD = """
import os
from pathlib import Path

def test_hold(board):
    assert board.info.has_tls
    Path("started-" + os.environ["LG_USERNAME"]).touch()
    Path("go-" + os.environ["LG_USERNAME"]).read_text()
"""
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="labgrid is for Linux")


def rfc2217_server(device):
    """Return the server of tests/device, which is not a package."""
    path = Path(__file__).parents[1] / "device" / "rfc2217_server.py"
    spec = importlib.util.spec_from_file_location("rfc2217_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Rfc2217Server(device)


class Lab:
    """A coordinator, an exporter and their places; each place serves one test."""

    def __init__(self, folder, client, serial_port):
        self.folder = folder
        self.client = client
        self.serial_port = serial_port
        with socket.create_server(("127.0.0.1", 0)) as coordinator, socket.create_server(("127.0.0.1", 0)) as closed:
            self.coordinator = f"127.0.0.1:{coordinator.getsockname()[1]}"
            self.closed_port = closed.getsockname()[1]
        self.environment = {
            "LG_COORDINATOR": self.coordinator,
            "LG_HOSTNAME": "desk",
            "LG_USERNAME": "bob",
            "LABGRID_CLIENT": client,
        }
        (folder / "places.yaml").write_text(json.dumps(self.places()), encoding="utf-8")
        (folder / "exporter.yaml").write_text(json.dumps(self.resources()), encoding="utf-8")
        self.programs = []
        self.start("labgrid-coordinator", "-l", self.coordinator, until="Coordinator ready")
        self.start("labgrid-exporter", "-c", self.coordinator, "-n", "exp0", "--hostname", "127.0.0.1", "exporter.yaml")
        self.wait_for(self.folder / "labgrid-coordinator.log", "set_resource closed")

    def places(self):
        """Return the places as the coordinator stores them, without who acquired them."""

        def place(*paths, **words):
            matches = [dict(zip(("exporter", "group", "cls"), path.split("/"), strict=True)) for path in paths]
            return {"matches": matches, "created": 1.0, "changed": 1.0, **words}

        return {
            "board0": place("exp0/mpy/*", tags={"chip": "esp32"}),
            "unplugged": place("exp0/closed/*"),
            "elsewhere": place("exp9/mpy/*"),
        }

    def resources(self):
        ports = {"mpy": self.serial_port, "closed": self.closed_port}
        words = {"host": "127.0.0.1", "speed": 9600, "protocol": "rfc2217"}
        return {group: {"NetworkSerialPort": {**words, "port": port}} for group, port in ports.items()}

    def start(self, name, *words, until=None):
        log = self.folder / f"{name}.log"
        with log.open("wb") as output:
            self.programs.append(
                subprocess.Popen(
                    [Path(self.client).with_name(name), *words],
                    cwd=self.folder,
                    env={**os.environ, "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            )
        if until:
            self.wait_for(log, until)

    def wait_for(self, log, text):
        deadline, pause = Deadline(60), threading.Event()
        while text not in (said := log.read_text(encoding="utf-8", errors="replace")):
            assert not deadline.expired, said
            assert all(program.poll() is None for program in self.programs), said
            pause.wait(0.05)

    def call(self, *words, user="bob"):
        """What labgrid's own client prints."""
        environment = {**os.environ, **self.environment, "LG_USERNAME": user}
        done = subprocess.run(
            [self.client, *words], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def events(self, place):
        """Return the coordinator's messages about a place."""
        said = (self.folder / "labgrid-coordinator.log").read_text(encoding="utf-8")
        return re.findall(f"(?m)^{place}: place (acquired by .*|released)$", said)

    def processes(self):
        """Return the command lines of this lab's keepers and clients."""
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"LG_COORDINATOR={self.coordinator}".encode() in (place / "environ").read_bytes().split(b"\0"):
                    found.append((place / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return [line for line in found if "labgrid" in line]

    def close(self):
        for program in reversed(self.programs):
            program.terminate()
        for program in reversed(self.programs):
            try:
                program.wait(60)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The lab of this file."""
    try:
        client, interpreter = find_client(), find_interpreter("")
    except HarnessError as error:
        pytest.skip(str(error))
    for name in ("labgrid-coordinator", "labgrid-exporter"):
        if not Path(client).with_name(name).exists():
            pytest.skip(f"{name} does not lie beside {client}")
    with contextlib.ExitStack() as closing:
        virtual = VirtualBoard(interpreter)
        closing.callback(virtual.close)
        server = rfc2217_server(virtual.port)
        closing.callback(server.close)
        lab = Lab(tmp_path_factory.mktemp("labgrid"), client, int(server.url.rpartition(":")[2]))
        closing.callback(lab.close)
        yield lab


@pytest.fixture
def bob(lab, monkeypatch):
    """This process as bob on desk."""
    for name, value in lab.environment.items():
        monkeypatch.setenv(name, value)
    return lab


@pytest.mark.slow
def test_two_runs_want_one_place(lab, suite):
    """The second run names the first and waits; the first is killed with SIGKILL: its place is released, and the second run gets it.

    The second run gets a Ctrl-C, as all processes of a terminal do, and releases the place before it ends.
    """
    suite.write("test_hold.py", HOLD)
    suite.write("boards.toml", '[board.desk]\nspec = "labgrid:board0"\n')
    for name in ("alice", "bob"):
        os.mkfifo(suite.folder / f"go-{name}")
    alice = {**lab.environment, "LG_HOSTNAME": "bench-3", "LG_USERNAME": "alice"}
    first = suite.start("test_hold.py", "--board", "labgrid:board0", environment=alice)
    suite.wait_for((suite.folder / "started-alice").exists, what="the first run has the board")
    second = suite.start("test_hold.py", "--board", "desk", "--board-wait", "100", environment=lab.environment)
    line = second.stdout.readline()
    while "waiting up to" not in line:
        assert line, "the run ended without waiting"
        line = second.stdout.readline()
    # Both runs are on one machine: our own lock answers, which has more details than the lab.
    assert f" s: desk: the board is in use by pid {first.pid} (" in line
    assert "test_hold.py --board labgrid:board0; `pytest --board-wait SECONDS` waits for it" in line
    first.send_signal(signal.SIGKILL)
    first.communicate()
    suite.running.remove(first)
    suite.wait_for((suite.folder / "started-bob").exists, what="the second run has the board")
    second.send_signal(signal.SIGINT)
    ran = suite.end(second)
    assert ran.status == 2, ran.text
    assert lab.events("board0") == [
        "acquired by bench-3/alice",
        "released",
        "acquired by desk/bob",
        "released",
    ]
    assert lab.processes() == []


def test_a_place_is_released_when_its_board_cannot_be_opened(bob):
    """If nothing listens behind the exporter, the error says so, and the place is free again."""
    with pytest.raises(BoardError, match=rf"rfc2217://127.0.0.1:{bob.closed_port}.*nothing listens there"):
        open_board(parse_board("labgrid:unplugged", {}))
    assert bob.events("unplugged") == ["acquired by desk/bob", "released"]
    assert bob.processes() == []


def test_no_such_place(bob):
    """A part of a name is not accepted: labgrid would take board0 for `oard0`, and the run would use a different board."""
    there = "board0, elsewhere, unplugged"
    with pytest.raises(UsageError) as caught:
        KeptPlace("oard0", label="desk")
    assert str(caught.value) == f"desk: labgrid has no place 'oard0' (did you mean 'board0'?); known places: {there}"


@pytest.mark.slow
def test_a_place_of_another_user(bob, tmp_path):
    """`tls-harness boards` shows who uses it, and why another place is not available; a waiting run prints that and then gets the place."""
    lab_file = tmp_path / "boards.toml"
    lab_file.write_text('[board.desk]\nspec = "labgrid:board0"\n[board.far]\nspec = "labgrid:elsewhere"\n', "utf-8")
    boards = read_lab(str(lab_file), folder=tmp_path)
    bob.call("-p", "board0", "acquire", user="alice")
    lines = boards_command.lab_lines(boards)
    gone = "place elsewhere has no board: nothing matches exp9/mpy/*; is its labgrid-exporter running?"
    assert [" ".join(line.split()) for line in lines] == [
        "boards.toml",
        "desk labgrid:board0 network none in use by alice on desk (labgrid)",
        f"far labgrid:elsewhere network none missing: far: {gone} `labgrid-client resources` lists the resources",
    ]
    told = []

    def tell(text):
        told.append(text)
        bob.call("-p", "board0", "release", user="alice")

    session = open_board(boards["desk"], deploy=False, patience=Patience(seconds=100, tell=tell))
    session.close(deadline=Deadline(60))
    assert re.sub("[0-9]+ s", "N s", "; ".join(told)) == (
        "desk: waiting up to N s: desk: place board0 is acquired by alice on desk (release it there with "
        "`labgrid-client -p board0 release`); `pytest --board-wait SECONDS` waits for it"
    )
    assert bob.events("board0")[-4:] == ["acquired by desk/alice", "released", "acquired by desk/bob", "released"]
    assert bob.processes() == []


def test_a_place_acquired_manually_is_used_and_kept(bob):
    """A place that the same user acquired before (here through a reservation) is used, and stays acquired."""
    token = re.search("LG_TOKEN=([A-Z0-9]+)", bob.call("reserve", "--wait", "--shell", "chip=esp32"))[1]
    bob.call(f"--place=+{token}", "acquire")
    place = KeptPlace(f"+{token}", label="desk")
    assert place.address.baud == 9600
    assert place.address.url == f"rfc2217://127.0.0.1:{bob.serial_port}?ign_set_control"
    assert place.notes == [
        "labgrid place board0 was already acquired by bob on desk: it is used, and will not be released at the end"
    ]
    with pytest.raises(BoardError, match="rack: this run already uses the board under a different name") as caught:
        KeptPlace("board0", label="rack")
    assert caught.value.kind == "twice"
    place.close()
    place.close()
    assert bob.processes() == []
    assert bob.events("board0")[-1] == "acquired by desk/bob"
    assert holder_of(identity("board0", os.environ)) is None
    bob.call("-p", "board0", "release")
