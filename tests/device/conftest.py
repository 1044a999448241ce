"""Shared by the device-script tests: firmware stand-ins, the agent under CPython, real interpreters."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.boards.agent import protocol as agent_protocol
from harness.boards.agent import scripts
from harness.boards.agent.check_sum import check_sum

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "device_scripts"


def _load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"device_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STAND_INS = _load("firmware_stand_ins")
AGENT_SOURCE = scripts.script("line") + "".join(scripts.agent_pieces())


class CPythonBoard:
    """The agent running under CPython on stand-in TLS modules."""

    def __init__(self, firmware: Any, names: dict[str, Any], capture: Any) -> None:
        self.firmware = firmware
        self.names = names
        self._capture = capture

    def put(self, name: str, data: bytes) -> None:
        for index, piece in enumerate(agent_protocol.put_pieces(data, chunk_bytes=5)):
            eval(agent_protocol.put_code(name, piece, number=1, kind="c", more=index > 0), self.names)
        self._capture.readouterr()

    def run(self, **words: Any) -> dict[str, Any]:
        """Run th_run once and return the answer as a dict, without the request number."""
        text = json.dumps({"n": 17, **words})
        self.names["th_run"](text, check_sum(text.encode(), kind="c"))
        (answer,) = agent_protocol.read_objects(self._capture.readouterr().out.encode())
        assert answer.pop("n") == 17
        return answer


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], CPythonBoard]:
    """Make a board of a generation by name; the agent runs in its own namespace, as in a board's __main__."""

    gc.freeze()  # the agent collects garbage as on a board: not the objects of thousands of tests

    def make(generation: str) -> CPythonBoard:
        firmware = STAND_INS.GENERATIONS[generation]()
        for name, module in firmware.modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(AGENT_SOURCE, names)
        return CPythonBoard(firmware, names, capsys)

    return make


@pytest.fixture
def plain_server() -> Iterator[int]:
    """Start a TCP server that answers a request with `Hallo, Client!` and closes; return its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(60)

    def serve() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.settimeout(60)
                try:
                    if peer.recv(65536):
                        peer.sendall(b"Hallo, Client!")
                except OSError:
                    pass

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(60)


@pytest.fixture
def closed_port() -> int:
    """A port without a listener."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _packaged() -> list[str] | None:
    if importlib.util.find_spec("micropython_run") is None:
        return None
    # Its console script loses the exit status.
    return [
        sys.executable,
        "-c",
        "import micropython_run as m, sys; sys.exit(m.run_main(['micropython', *sys.argv[1:]]))",
    ]


INTERPRETERS = ("packaged", "old")


@pytest.fixture(params=INTERPRETERS)
def interpreter(request: pytest.FixtureRequest) -> list[str]:
    """Return the command line of a real interpreter: the packaged one or the one that $MICROPYTHON_OLD names."""
    if request.param == "packaged":
        command = _packaged()
        if command is None:
            pytest.skip("no packaged MicroPython for this machine")
        return command
    path = os.environ.get("MICROPYTHON_OLD")
    if not path:
        pytest.skip("$MICROPYTHON_OLD names no interpreter without a raw REPL of its own")
    return [path]


@pytest.fixture
def deployed(tmp_path: Path) -> Path:
    """A directory that looks like a board's filesystem with the agent on it."""
    (tmp_path / "tls_harness").mkdir()
    (tmp_path / agent_protocol.AGENT_FILE).write_text("".join(scripts.agent_pieces()), encoding="ascii")
    return tmp_path


@pytest.fixture(scope="session")
def agent_source() -> str:
    """Return the checksum code and the agent as one text."""
    return AGENT_SOURCE


def run_code(command: list[str], code: str, *, cwd: Path) -> bytes:
    """Run code in a fresh interpreter and return its output."""
    done = subprocess.run([*command, "-c", code], cwd=cwd, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
    return done.stdout


@pytest.fixture
def run_on(interpreter: list[str], deployed: Path) -> Callable[[str], bytes]:
    """Run code on the real interpreter, in the directory with the agent."""
    return lambda code: run_code(interpreter, code, cwd=deployed)


WLAN_STAND_INS: dict[str, Any] = {}
exec(scripts.script("wlan_stand_in"), WLAN_STAND_INS)
# The station of each family.
WLAN_FAMILIES = {
    "esp32-old": "Esp32WithoutLimit",
    "esp32-1.21": "Esp32Before122",
    "esp32": "Esp32",
    "cyw43": "Cyw43",
    "esp8266": "Esp8266",
}
JOIN_LIMIT_S = 30


class NetworkBench:
    """A board of stand-ins with network_setup.py."""

    def __init__(self, family: str, capture: Any, patch: pytest.MonkeyPatch, **air: Any) -> None:
        self.clock = WLAN_STAND_INS["Clock"]()
        self.air = WLAN_STAND_INS["Air"](**air)
        self.station = WLAN_STAND_INS[WLAN_FAMILIES[family]](self.clock, self.air)
        self.lan = WLAN_STAND_INS["Lan"]()
        self.network = WLAN_STAND_INS["Network"](self.station, self.lan)
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self._capture = capture
        patch.setitem(sys.modules, "utime", self.clock)
        patch.setitem(sys.modules, "network", self.network)

    def bring_up(self, kind: str, **words: Any) -> dict[str, Any]:
        """Return the board's answer."""
        exec(
            AGENT_SOURCE
            + scripts.script("network_setup")
            + agent_protocol.network_code({"kind": kind, "timeout": JOIN_LIMIT_S, **words}),
            self.names,
        )
        printed = self._capture.readouterr().out
        for secret in ("sesame", "letmein"):
            assert secret not in printed
        (answer,) = agent_protocol.read_objects(printed.encode())
        return answer

    def join(self, ssid: str = "lab", password: str = "sesame", **words: Any) -> dict[str, Any]:
        """Join a WiFi."""
        return self.bring_up("wifi", ssid=ssid, password=password, **words)

    def called(self, name: str) -> list[Any]:
        """Return the arguments of one call."""
        return [call[1] if len(call) > 1 else None for call in self.station.calls if call[0] == name]


@pytest.fixture
def bench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., NetworkBench]:
    """Make a board of a family in a scenario."""
    return lambda family, **air: NetworkBench(family, capsys, monkeypatch, **air)
