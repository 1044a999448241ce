"""Network, clock and first TCP connection on a real interpreter. The radio is a stand-in: a `network.py` on the board."""

from __future__ import annotations

import datetime
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.boards.agent import deployment, surroundings
from harness.boards.agent.console import Console
from harness.boards.agent.surroundings import address_of
from harness.boards.session import BoardSession
from harness.errors import BoardError
from harness.model import BoardInfo
from harness.system.deadline import Deadline

PASSWORD = 'hunter2 "quoted" \\ word'
# A stand-in for a cyw43 radio: one access point, `lab`, with the password in the file `expected`.
STAND_IN = """\
STA_IF = 0
class WLAN:
    def __init__(self, kind): self.state = 0
    def active(self, on=None): return False
    def config(self, **words): pass
    def isconnected(self): return self.state == 3
    def status(self): return self.state
    def disconnect(self): pass
    def ifconfig(self): return (ADDRESS, '255.255.255.0', '127.0.0.1', '127.0.0.1')
    def connect(self, ssid, password):
        if ssid == 'echo': raise ValueError('cannot use ' + password)
        with open('expected') as f: good = f.read()
        self.state = -2 if ssid != 'lab' else 3 if password == good else -3
    def scan(self): return [(b'lab', b'', 1, -50, 4, 1)]
ADDRESS = '127.0.0.7'
"""

NewSession = Callable[..., BoardSession]

NOW = (surroundings.now_unix_s(),) * 2


@pytest.fixture
def radio(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the stand-in radio on the board and the password in the environment."""
    (folder / "network.py").write_text(STAND_IN)
    (folder / "expected").write_text(PASSWORD)
    monkeypatch.setenv("LAB_WIFI", PASSWORD)
    return folder


def everything_shown(session: BoardSession, error: BoardError | None = None) -> str:
    """Return all text of a session that can reach the terminal or a file."""
    texts = [session.transcript(), *session.notes]
    if error is not None:
        texts += [str(error), error.transcript]
    return "\n".join(texts)


def test_joined(radio: Path, new_session: NewSession) -> None:
    """The board joins, its address is recorded, and the password appears nowhere."""
    session = new_session(network="wifi", ssid="lab", password_env="LAB_WIFI")
    session.start()
    assert session.info.address == "127.0.0.7"
    assert "bytes not recorded" in session.transcript()
    for form in ("hunter2", "quoted"):
        assert form not in everything_shown(session)


@pytest.mark.parametrize(
    ("ssid", "reason"),
    [
        ("lab", "lab-1: the board cannot join the WiFi 'lab': wrong password"),
        ("echo", "lab-1: the board cannot join the WiFi 'echo': ValueError$"),
    ],
)
def test_refused(radio: Path, new_session: NewSession, ssid: str, reason: str) -> None:
    """A wrong password is reported; even if a driver prints the password, it appears in no text."""
    (radio / "expected").write_text("another")
    session = new_session(network="wifi", ssid=ssid, password_env="LAB_WIFI")
    with pytest.raises(BoardError, match=reason) as raised:
        session.start()
    assert raised.value.kind == "no-network"
    assert "hunter2" not in everything_shown(session, raised.value)


@pytest.mark.slow
@pytest.mark.parametrize("password", ["WiFi"])
def test_a_password_that_is_part_of_a_message(
    radio: Path, new_session: NewSession, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Only the board's output is searched for it: the harness's message is unchanged."""
    monkeypatch.setenv("LAB_WIFI", password)
    session = new_session(network="wifi", ssid="lab", password_env="LAB_WIFI")
    with pytest.raises(BoardError, match=r"^lab-1: the board cannot join the WiFi 'lab': wrong password$"):
        session.start()


@pytest.mark.slow
def test_no_access_point(radio: Path, new_session: NewSession) -> None:
    """No access point has this name; the board's own wait for it follows the time multiplier."""
    session = new_session(network="wifi", ssid="cafe", password_env="LAB_WIFI", timeout_multiplier=0.1)
    with pytest.raises(
        BoardError, match=r"join the WiFi 'cafe': no access point of that name was found .*2\.4 GHz only"
    ):
        session.start()


def test_password_not_set(radio: Path, new_session: NewSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that holds the password must exist."""
    monkeypatch.delenv("LAB_WIFI")
    session = new_session(network="wifi", ssid="lab", password_env="LAB_WIFI")
    with pytest.raises(
        BoardError, match="lab-1: the WiFi password comes from the environment variable LAB_WIFI, which is not set"
    ):
        session.start()


def test_password_of_a_board_that_echoes(radio: Path, new_session: NewSession) -> None:
    """If a board prints what it received, at once or later, the password is in no transcript."""
    session = new_session(network="wifi", ssid="lab", password_env="LAB_WIFI")
    session.start()
    session.begin_case()
    output = session.link.exec(b"print(open('expected').read())", deadline=Deadline(60))
    assert b"hunter2" in output.stdout
    assert "[hidden]" in session.transcript()
    assert "hunter2" not in session.transcript()


def test_no_radio(new_session: NewSession) -> None:
    """A board without a network module is reported."""
    session = new_session(network="lan")
    with pytest.raises(BoardError, match="cannot join the LAN: this firmware has no network module"):
        session.start()


def test_correct_clock(console: Console) -> None:
    """Nothing is sent to a board whose clock was right while it was probed, however long ago and however slow that was."""
    sent = console.link.log.sent_bytes
    for clock in (1000 - surroundings.CLOCK_TOLERANCE_S, 1300 + surroundings.CLOCK_TOLERANCE_S):
        assert surroundings.set_clock(console, BoardInfo(clock_unix_s=clock), probed=(1000.0, 1300.0)) is None
    assert console.link.log.sent_bytes == sent


@pytest.mark.parametrize("off_s", [-1, 1])
def test_wrong_clock(agent: Console, off_s: int) -> None:
    """Beyond the tolerance, in either direction, the clock must be set."""
    edge = {-1: 1000 - surroundings.CLOCK_TOLERANCE_S, 1: 1300 + surroundings.CLOCK_TOLERANCE_S}[off_s]
    assert surroundings.set_clock(agent, BoardInfo(clock_unix_s=edge + off_s), probed=(1000.0, 1300.0)) is not None


def test_clock_that_cannot_be_set(agent: Console) -> None:
    """The unix port has no RTC: the note has the clock's time and its consequence."""
    told = surroundings.set_clock(agent, BoardInfo(clock_unix_s=0), probed=NOW)
    assert told is not None
    note, stands = told
    assert stands is None
    assert f"clock is at {datetime.datetime.now(datetime.UTC).year}-" in note
    assert "cannot be set: certificates may look expired or not yet valid" in note


def test_clock_that_is_set(agent: Console, folder: Path) -> None:
    """A board with an RTC (a stand-in `machine.py`) gets UTC; the note has the previous time."""
    (folder / "machine.py").write_text(
        "class RTC:\n"
        " now = (2021, 1, 1, 5, 0, 0, 1, 0)\n"
        " def datetime(self, when=None):\n"
        "  if when is None: return RTC.now\n"
        "  RTC.now = when\n"
    )
    agent.must("import sys\nsys.modules.pop('machine', None)\nsys.path.insert(0, '')", "use the stand-in")
    shown = agent.run("import machine\nprint(hasattr(machine, 'RTC'))", timeout_s=60).stdout
    if shown.strip() != b"True":
        pytest.skip("this interpreter's own machine module comes before a file")
    told = surroundings.set_clock(agent, BoardInfo(clock_unix_s=0), probed=NOW)
    assert told is not None
    note, stands = told
    assert stands == pytest.approx(datetime.datetime.now(datetime.UTC).timestamp(), abs=60)
    assert re.fullmatch(r"the board's clock was at \d{4}-\d\d-\d\d; it was set to UTC", note)
    when = agent.run("print(machine.RTC().datetime()[:3])", timeout_s=60).stdout.decode()
    now = datetime.datetime.now(datetime.UTC)
    assert when.strip() == str((now.year, now.month, now.day))


@pytest.fixture
def agent(console: Console) -> Console:
    """Return a console with the agent in RAM."""
    deployment.load_part(console, filesystem=None)
    return console


def test_tcp(agent: Console) -> None:
    """The board reaches a listener on loopback, and returns its byte."""
    back: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"x")
                while data := peer.recv(16):
                    back.append(data)

        thread = threading.Thread(target=serve)
        thread.start()
        surroundings.try_tcp(agent, host="127.0.0.1", port=listener.getsockname()[1], own_address=None)
        thread.join(20)
    assert back == [b"x"]


def test_f8_rb06_a_connect_that_never_returns(agent: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """If firmware's connect() has no timeout, the network is at fault, so the board is not recovered."""
    agent.must("def th_tcp(*words):\n while True: pass", "stand in")
    monkeypatch.setattr(agent, "load", lambda name, what: None)
    monkeypatch.setattr(surroundings, "TCP_TRY_S", 0.2)
    monkeypatch.setattr(surroundings, "ANSWER_S", 0.3)
    with pytest.raises(
        BoardError, match=r"cannot open a TCP connection to 192\.0\.2\.1:9 \(OSError no answer within 0\.5 s\)"
    ) as raised:
        surroundings.try_tcp(agent, host="192.0.2.1", port=9, own_address=None)
    assert raised.value.kind == "network"


@pytest.mark.parametrize("own", [None, "192.0.2.7"])
def test_tcp_refused(agent: Console, own: str | None) -> None:
    """The error names both addresses and the common causes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    shown = own or "no IP address known"
    with pytest.raises(
        BoardError, match=rf"the board \({shown}\) cannot open a TCP connection to 127\.0\.0\.1:{port}"
    ) as raised:
        surroundings.try_tcp(agent, host="127.0.0.1", port=port, own_address=own)
    assert raised.value.kind == "network"
    for suspect in ("firewall", "--ports", "client isolation", "--bind", "--advertise", "--peer", "2.4 GHz"):
        assert suspect in raised.value.message


@pytest.mark.parametrize(
    ("value", "address"),
    [("192.0.2.7", "192.0.2.7"), ("fe80::1", "fe80::1"), ("0.0.0.0; rm", None), (None, None), (7.5, None)],
)
def test_address_of(value: object, address: str | None) -> None:
    """A reported address is used only if it is a valid address."""
    assert address_of(value) == address


def test_address_goes_into_info(radio: Path, new_session: NewSession) -> None:
    """A board that reports no usable address keeps the one from the probe."""
    (radio / "network.py").write_text(STAND_IN.replace("'127.0.0.7'", "'no address'"))
    session = new_session(network="wifi", ssid="lab", password_env="LAB_WIFI")
    session.start()
    assert session.info == replace(session.info, address=None)
