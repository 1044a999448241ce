"""set_clock.py and tcp_try.py: under CPython with a stand-in machine module, and for real."""

from __future__ import annotations

import sys
import time
import types
from collections.abc import Callable

import pytest

from harness.boards.agent.protocol import clock_code, read_objects, script, tcp_code


def test_clock_is_set_in_utc(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The RTC gets the fields with 0 as the port-dependent last one; the clock before is reported (stand-in machine)."""
    given: list[tuple[int, ...]] = []
    machine = types.ModuleType("machine")
    vars(machine).update(RTC=lambda: types.SimpleNamespace(datetime=given.append))
    monkeypatch.setitem(sys.modules, "machine", machine)
    exec(script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12)), {})
    (answer,) = read_objects(capsys.readouterr().out.encode())
    assert given == [(2026, 8, 9, 7, 10, 11, 12, 0)]
    assert (answer["kind"], answer["set"]) == ("result", True)
    assert abs(time.time() - time.mktime((*answer["before"], 0, 0, 0)) + time.timezone) < 60


def test_unix_has_no_clock_to_set(run_on: Callable[[str], bytes]) -> None:
    """The unix port reads its host's clock: said, not an error."""
    (answer,) = read_objects(run_on(script("set_clock") + clock_code((2026, 8, 9, 7, 10, 11, 12))))
    assert (answer["kind"], answer["set"]) == ("result", False)


def test_plain_tcp(run_on: Callable[[str], bytes], plain_server: int, closed_port: int) -> None:
    """A listener is reached; a closed port gives its errno, a name that does not resolve its own error."""
    source = script("tcp_try")
    calls = [tcp_code("127.0.0.1", port=port, timeout_ms=60_000) for port in (plain_server, closed_port)]
    reached, refused = read_objects(run_on("\n".join([source, *calls])))
    assert (reached["kind"], refused["kind"]) == ("result", "exception")
    assert (refused["type"], refused["args"]) == ("OSError", [111])
    assert 0 <= refused["ms"] < 60_000
