"""What is different on a board during one attempt: set before, put back after, and noticed if a fault came between."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.boards.agent import deployment
from harness.boards.agent.altered import Altered
from harness.boards.agent.console import Console
from harness.boards.agent.memory import read_memory
from harness.boards.agent.protocol import Answer, AnswerKind, RunRequest
from harness.boards.session import BoardSession
from harness.errors import BoardError, FaultKind

AT_2031_S = 1924992000
# An RTC as boards have one, in the place of the module `machine` of the unix port, and a clock that shows it.
RTC = """
import sys
th_real = th_time
class th_Rtc:
 off = 0
 lost = False
 def datetime(self, when):
  if when[0] == 2099: raise ValueError('year')
  y, m, d = when[:3]
  y -= m <= 2
  era = y // 400
  of_era = y - era * 400
  days = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * (m + (-3 if m > 2 else 9)) + 2) // 5 + d - 1 - 719468
  th_Rtc.off = days * 86400 + when[4] * 3600 + when[5] * 60 + when[6] - int(th_real.time())
class th_Machine:
 RTC = th_Rtc
sys.modules['machine'] = th_Machine
class th_Time:
 def time(self): return int(th_real.time()) + (0 if th_Rtc.lost else th_Rtc.off)
 def gmtime(self, when): return th_real.gmtime(when)
 localtime = gmtime
th_time = th_Time()
"""
DONE = Answer(kind=AnswerKind.RESULT)


@pytest.fixture
def agent(console: Console) -> Console:
    """Return a console with the agent in RAM."""
    deployment.load_part(console, filesystem=None)
    return console


@pytest.fixture
def with_rtc(agent: Console) -> Console:
    """Return it with an RTC."""
    agent.must(RTC, "load the stand-in")
    return agent


def shown_s(console: Console) -> int:
    """Return what the board's clock shows."""
    return int(console.run("print(th_time.time())", timeout_s=60).stdout)


def free_bytes(console: Console) -> tuple[int, int]:
    """Return the free heap and its largest piece."""
    memory = read_memory(console.run("th_memory(1)", timeout_s=60).stdout)
    assert memory is not None
    assert memory.free is not None
    assert memory.largest is not None
    return memory.free, memory.largest


def needs_a_plain_heap(free: int | None, largest: int | None) -> None:
    """Skip with an interpreter whose raw REPL is a script, as before 1.27: its buffers share the heap, and cut it up."""
    if largest is None or free is None or largest < free / 2:
        pytest.skip("the raw REPL of this interpreter is a script, which uses the same heap")


def test_nothing_is_changed_unless_it_is_asked_for(agent: Console) -> None:
    """An ordinary request costs nothing on the line."""
    sent = agent.link.log.sent_bytes
    altered = Altered(agent)
    assert altered.during(RunRequest(), lambda: DONE) is DONE
    assert (agent.link.log.sent_bytes, altered.pending) == (sent, False)


def test_the_clock_for_one_attempt(with_rtc: Console) -> None:
    """The clock shows the requested time during the attempt, and the host's after it."""
    altered, seen, began = Altered(with_rtc), [], time.monotonic()

    def attempt() -> Answer:
        seen.append(shown_s(with_rtc))
        return DONE

    answer = altered.during(RunRequest(clock_unix_s=AT_2031_S), attempt)
    assert (answer.clock_off_s, altered.pending) == (0, False)
    assert AT_2031_S - 1 <= seen[0] <= AT_2031_S + time.monotonic() - began + 1
    assert abs(shown_s(with_rtc) - time.time()) <= time.monotonic() - began + 1


@pytest.mark.parametrize("moved_s", [-3600, 3600])
def test_a_clock_that_is_moved_during_the_attempt(with_rtc: Console, moved_s: int) -> None:
    """A time server that sets the clock meanwhile is noticed: by how much it is off, to the second."""

    def attempt() -> Answer:
        with_rtc.must(f"th_Rtc.off += {moved_s}", "move the clock")
        return DONE

    began = time.monotonic()
    answer = Altered(with_rtc).during(RunRequest(clock_unix_s=AT_2031_S), attempt)
    slack_s = 2 * (time.monotonic() - began) + 4
    assert answer.clock_off_s is not None
    assert abs(answer.clock_off_s - moved_s) <= slack_s


def test_a_clock_that_refuses_the_time(with_rtc: Console) -> None:
    """The board's own error is named, with the time in UTC."""
    altered = Altered(with_rtc)
    message = r"^lab-1: the board could not set its clock to 2099-01-01 00:00:00 UTC: ValueError: year$"
    with pytest.raises(BoardError, match=message) as refused:
        altered.during(RunRequest(clock_unix_s=4070908800), lambda: DONE)
    assert (refused.value.kind, altered.pending) == (FaultKind.PLAN, True)


def test_whether_the_clock_can_be_set(agent: Console) -> None:
    """It cannot on the unix port; it can where there is an RTC, which then shows the host's time."""
    assert not Altered(agent).can_set_clock()
    agent.must(RTC + "th_Rtc.off = -1000000", "load the stand-in")
    began = time.monotonic()
    assert Altered(agent).can_set_clock()
    assert abs(shown_s(agent) - time.time()) <= time.monotonic() - began + 1


@pytest.mark.parametrize("size", [16384, 40000, 120000])
def test_the_heap_for_one_attempt(agent: Console, size: int) -> None:
    """At most so many bytes are free during the attempt, most of them in one piece; afterwards all is free again."""
    altered, seen = Altered(agent), []
    before, largest = free_bytes(agent)
    needs_a_plain_heap(before, largest)

    def attempt() -> Answer:
        seen.append(free_bytes(agent))
        return DONE

    assert altered.during(RunRequest(heap_bytes=size), attempt) == DONE
    free, largest = seen[0]
    assert size - 6000 < free <= size
    assert largest > free / 2
    assert free_bytes(agent)[0] > before - 8000
    assert not altered.pending


def test_a_fault_during_the_attempt(new_session: Callable[..., BoardSession]) -> None:
    """What a fault left changed is put back by the recovery: the heap is freed, the agent loaded anew, the clock compared."""
    session = new_session()
    session.start()
    usual = session.memory()
    assert usual.free is not None
    needs_a_plain_heap(usual.free, usual.largest)

    def attempt() -> Answer:
        raise BoardError("lab-1: silent", kind=FaultKind.SILENT)

    with pytest.raises(BoardError, match="silent"):
        session.altered.during(RunRequest(heap_bytes=16384), attempt)
    held = session.memory().free
    assert held is not None
    assert held <= 16384
    assert session.altered.pending
    assert session.recover()[-1].result == "helped"
    freed = session.memory().free
    assert freed is not None
    assert freed > usual.free - 20000
    assert not session.altered.pending
