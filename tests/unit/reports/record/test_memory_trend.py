"""harness.reports.record.memory_trend: a fall of free memory that lasts, and what is none."""

import random

import pytest

from harness.model import Outcome, RecoveryAction, RecoveryStep, StepResult, VerdictWord
from harness.reports.record.memory_trend import (
    LEAST_BYTES,
    WARM_UP_ROUNDS,
    leak_text,
    leaks_of,
)
from harness.reports.record.result_types import Memory, Result, Timing
from harness.reports.record.run_types import Leak

START, JITTER = 90_000, 6 * 1024


def session(repeat, free, *, case="seed/x", board="esp32", largest=None, idf=None, recovery=(), source=None):
    """A result with these numbers of bytes."""
    return Result(
        board=board, server="in-process", case=case, attempt=1, repeat=repeat, verdict=VerdictWord.PASS, outcome=Outcome.CONNECTED,
        stage=None, ended_by=None, reason=None, expected=None, observed=None, mismatches=(), explanation=None,
        timing_ms=Timing(case=1.0, handshake_board=1.0, handshake_server=None),
        memory_bytes=Memory(free_before=free, free_low=None, free_after=None, largest_after=largest, idf_after=idf),
        artifacts={}, recovery=recovery, source=source,
    )  # fmt: skip


def rounds(free_of, *, count=50, **more):
    """One session per round; `free_of` gives its free bytes."""
    return [session(number + 1, free_of(number), **more) for number in range(count)]


def test_a_leak_without_noise():
    """200 bytes a session are found in 50 rounds, and named."""
    (leak,) = leaks_of(rounds(lambda number: START - 200 * number))
    assert leak == Leak(board="esp32", what="free heap", bytes_per_session=200.0, sessions=50 - WARM_UP_ROUNDS)
    assert leak_text(leak) == "leak: esp32: the free heap falls by 200 bytes a session, over 48 sessions"


@pytest.mark.parametrize(
    ("per_session", "count", "found"),
    [
        (LEAST_BYTES, 50, True),
        (LEAST_BYTES - 1, 50, False),
        (-200, 50, False),  # it has more each time
        (0, 50, False),
        (200, 22, True),
        (200, 21, False),
    ],
)
def test_bounds(per_session, count, found):
    """Less than a block a session is no leak, and too few sessions show none."""
    assert bool(leaks_of(rounds(lambda number: round(START - per_session * number), count=count))) is found


@pytest.mark.parametrize("at", [1, 3, 12, 25, 38, 49])
@pytest.mark.parametrize("size", [500, 5_000, 50_000])
def test_memory_that_is_taken_once(at, size):
    """A cache or a driver that takes its memory in one session is no leak, wherever that is and however much it takes."""
    assert leaks_of(rounds(lambda number: START - size * (number >= at))) == ()


def test_jitter_is_no_leak():
    """Free memory that varies by 0 to 6 KB is never called a leak; one that also falls by 200 bytes a session is."""
    falls = []
    for seed in range(400):
        noise = random.Random(seed)
        assert leaks_of(rounds(lambda number, noise=noise: START - noise.randrange(JITTER))) == ()
        noise = random.Random(seed)
        falls += leaks_of(rounds(lambda number, noise=noise: START - noise.randrange(JITTER) - 200 * number))
    assert len(falls) >= 370  # as good as none is missed
    assert all(100 < leak.bytes_per_session < 300 for leak in falls)


def test_a_fall_within_the_noise():
    """A fall of 70 bytes a session under a jitter of 6 KB is about four standard errors over 50 sessions: not certain enough."""
    found = 0
    for seed in range(100):
        noise = random.Random(seed)
        found += bool(leaks_of(rounds(lambda number, noise=noise: START - noise.randrange(JITTER) - 70 * number)))
    assert found <= 5


def test_jitter_over_a_whole_set_is_no_leak():
    """Neither is it over 40 cases of 50 rounds, where the smallest fall would be significant."""
    for seed in range(20):
        noise = random.Random(seed)
        ran = [
            session(number, START - 100 * case - noise.randrange(JITTER), case=f"seed/{case}")
            for number in range(1, 51)
            for case in range(40)
        ]
        assert leaks_of(ran) == ()


def test_cases_have_levels_of_their_own():
    """Cases load different certificates: a set whose later cases load more is no leak, and a leak shows in spite of them."""
    load = {"seed/a": 0, "seed/b": 9_000, "seed/c": 30_000}
    flat = [session(number, START - load[case], case=case) for number in range(1, 21) for case in load]
    assert leaks_of(flat) == ()
    numbered = enumerate((number, case) for number in range(1, 21) for case in load)
    leaking = [session(number, START - load[case] - 200 * at, case=case) for at, (number, case) in numbered]
    (leak,) = leaks_of(leaking)
    assert (leak.bytes_per_session, leak.sessions) == (200.0, 54)


def test_each_kind_of_memory_and_each_board():
    """The largest piece and ESP-IDF's heap are followed too; each board is judged alone, and a board without a number leaks nothing."""
    ran = [
        *rounds(lambda number: START, board="a"),
        *(session(n + 1, START, board="b", largest=50_000 - 300 * n, idf=80_000 - 100 * n) for n in range(50)),
        *rounds(lambda number: None, board="c"),
        *rounds(lambda number: START - 64 * number, board="d"),
    ]
    found = [(leak.board, leak.what, leak.bytes_per_session) for leak in leaks_of(ran)]
    assert found == [
        ("b", "largest free piece", 300.0),
        ("b", "ESP-IDF's free heap", 100.0),
        ("d", "free heap", 64.0),
    ]


def test_a_reset_begins_anew():
    """Sessions before a recovery are not compared with those after it, nor those of two merged runs; the worse leak is named once."""
    reset = (
        RecoveryStep(step=RecoveryAction.RESET, result=StepResult.HELPED, reason=None, deadline_s=1.0, took_s=1.0),
    )
    steps = [
        session(number + 1, START - (20_000 if number >= 25 else 0), recovery=reset if number == 25 else ())
        for number in range(50)
    ]
    assert leaks_of(steps) == ()
    leaking = [
        session(number + 1, START - 200 * (number % 25), recovery=reset if number == 25 else ()) for number in range(50)
    ]
    (leak,) = leaks_of(leaking)
    assert (leak.bytes_per_session, leak.sessions) == (200.0, 23)
    for falls in ((200, 300), (300, 200)):
        both = [session(n + 1, START - falls[n // 25] * (n % 25), recovery=reset if n == 25 else ()) for n in range(50)]
        assert [leak.bytes_per_session for leak in leaks_of(both)] == [300.0]
    merged = [session(number + 1, START - 200 * (number % 25), source="ab"[number // 25]) for number in range(50)]
    assert [leak.bytes_per_session for leak in leaks_of(merged)] == [200.0]
    short = [session(number + 1, START - 200 * (number % 10), source="abcde"[number // 10]) for number in range(50)]
    assert leaks_of(short) == ()
