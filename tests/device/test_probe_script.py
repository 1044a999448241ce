"""Test probe.py on a real interpreter and on stand-in modules."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.boards.agent.probe import parse_probe, probe_steps
from harness.boards.agent.scripts import script
from harness.model import BoardInfo


def _probe_stand_ins(stand_in: Callable[[str], Any], generation: str) -> BoardInfo:
    """Run every step under CPython; a failing step loses only its own lines, as on a board."""
    stand_in(generation)
    texts = []
    for _name, code in probe_steps():
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(Exception):
            exec(script("line") + code, {"__name__": "__main__"})
        texts.append(printed.getvalue())
    return parse_probe(texts)


@pytest.mark.parametrize(
    ("generation", "module", "library"),
    [
        ("mbedtls_1_18", "ssl", "mbedTLS"),
        ("axtls_1_18", "ssl", "axTLS"),
        ("mbedtls_1_20", "ssl", "mbedTLS"),
        ("mbedtls_1_21", "ssl", "mbedTLS"),
        ("axtls_1_21", "ssl", "axTLS"),
        ("mbedtls_1_22", "ssl", "mbedTLS"),
        ("mbedtls_1_23", "tls", "mbedTLS"),
        ("axtls_1_23", "tls", "axTLS"),
        ("debian", "tls", "mbedTLS"),
        ("mbedtls_1_29", "tls", "mbedTLS"),
        ("without_tls", None, None),
    ],
)
def test_library_is_detected_by_its_api(
    stand_in: Any, monkeypatch: pytest.MonkeyPatch, generation: str, module: str | None, library: str | None
) -> None:
    """Module and library of each generation are detected without network and without version numbers."""
    monkeypatch.setitem(sys.modules, "uio", io)
    info = _probe_stand_ins(stand_in, generation)
    assert (info.tls_module, info.tls_library) == (module, library)


@pytest.mark.parametrize(
    ("generation", "verify", "certificate", "suites"),
    [
        ("mbedtls_1_18", False, True, False),
        ("axtls_1_18", False, True, False),
        ("mbedtls_1_20", True, True, False),
        ("mbedtls_1_21", True, True, False),
        ("axtls_1_21", False, True, False),
        ("mbedtls_1_22", True, True, True),
        ("mbedtls_1_23", True, True, True),
        ("axtls_1_23", False, True, False),
        ("debian", True, True, True),
        ("without_tls", False, False, False),
    ],
)
def test_abilities_follow_from_the_probe(
    stand_in: Any, generation: str, verify: bool, certificate: bool, suites: bool
) -> None:
    """BoardInfo's abilities match what the agent can do with this generation."""
    info = _probe_stand_ins(stand_in, generation)
    assert (info.can_verify, info.can_load_certificate, info.can_set_ciphers) == (verify, certificate, suites)


def test_network_address(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of an interface that is up is reported (stand-in network module)."""

    class Station:
        def __init__(self, interface: int) -> None:
            pass

        def active(self) -> bool:
            return True

        def config(self, name: str) -> str:
            return "lab"

        def isconnected(self) -> bool:
            return True

        def ifconfig(self) -> tuple[str, ...]:
            return ("192.0.2.7", "255.255.255.0", "192.0.2.1", "192.0.2.1")

    network = types.ModuleType("network")
    network.STA_IF = 0  # type: ignore[attr-defined]
    network.WLAN = Station  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "network", network)
    assert _probe_stand_ins(stand_in, "mbedtls_1_23").address == "192.0.2.7"


def _probe_os(monkeypatch: pytest.MonkeyPatch, stand_in: Any, **functions: Any) -> str | None:
    """The filesystem that the probe finds on a firmware whose `os` has these functions only."""
    module = types.ModuleType("os")
    vars(module).update(functions)
    monkeypatch.setitem(sys.modules, "uos", module)
    return _probe_stand_ins(stand_in, "mbedtls_1_18").filesystem


def test_what_os_has(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without getcwd the working directory is "."; without statvfs too there is no filesystem; with getcwd alone, its size is unknown."""
    room = {"statvfs": lambda path: (512, 512, 100, 50, 50, 0, 0, 0, 0, 255)}
    assert _probe_os(monkeypatch, stand_in, **room) == "."
    assert _probe_os(monkeypatch, stand_in) is None
    assert _probe_os(monkeypatch, stand_in, getcwd=lambda: "/flash") == "/flash"
    assert _probe_os(monkeypatch, stand_in, getcwd=lambda: "/flash", **room) == "/flash"


def test_real_interpreter(run_on: Callable[[str], bytes], interpreter: list[str], tmp_path: Path) -> None:
    """Each step runs alone on a real interpreter; everything that this port has is reported."""
    texts = []
    for _name, code in probe_steps():
        done = subprocess.run(
            [*interpreter, "-c", script("line") + code], cwd=tmp_path, capture_output=True, timeout=60, check=False
        )
        texts.append(done.stdout)
    info = parse_probe(texts)
    assert (info.implementation, info.platform, info.word_bits, info.epoch_year) == (
        "micropython",
        sys.platform,
        64,
        1970,
    )
    assert info.version >= (1, 14)
    assert (info.tls_library, info.tls_module) == ("mbedTLS", "tls")
    assert info.tls_version is not None
    assert info.tls_version.startswith("Mbed TLS ")
    assert "TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256" in info.suites
    assert "tls.SSLContext.verify_mode" in info.api
    assert 0 < (info.heap_free_bytes or 0) < (info.heap_total_bytes or 0)
    assert info.filesystem == str(tmp_path)
    assert (info.clock_unix_s or 0) > 1_700_000_000


def test_steps_are_small() -> None:
    """Each step is smaller than a kilobyte: it fits the smallest input buffer and heap in one piece."""
    assert [(name, len(code)) for name, code in probe_steps() if len(code) > 400] == []
