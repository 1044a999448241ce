"""The matrix of server keys and the answer computed from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.model import VerdictWord
from harness.reports.record.result_types import Observed
from harness.reports.record.run_types import RunRecord
from harness.reports.text import server_keys
from harness.reports.text.server_keys import (
    Connects,
    KeyCell,
    KeyMatrix,
    answer,
    error_word,
    milliseconds,
    one_key,
    recommended,
)

# A record of which these tests replace what they need.
RECORD = json.loads((Path(__file__).parents[1] / "record" / "data" / "run-1.json").read_text(encoding="ascii"))


def key_matrix(record: dict[str, Any]) -> KeyMatrix | None:
    """Compute the matrix of a record in JSON."""
    return server_keys.key_matrix(RunRecord.of_json(record))


def tried(
    case: str, *, ms: float | None = 7.4, refused: str | None = None, verdict: str = "pass", **more: Any
) -> dict[str, Any]:
    """A result as in run.json."""
    refusal = {"type": "SSLError", "reason": refused, "errno": 1, "verify_code": None}
    return {
        **RECORD["results"][0],
        "board": "desk",
        "server": "py311",
        "case": f"key/{case}",
        "verdict": verdict,
        "outcome": "refused" if refused else "connected",
        "reason": None,
        "observed": {
            "server": refusal if refused else None,
            "client": None,
            "alerts": [],
            "negotiated": {"version": None if refused else "TLSv1.2"},
            "client_hello": None,
        },
        "timing_ms": timing(None if refused else ms),
        "memory_bytes": held(None),
        **more,
    }


def timing(ms: float | None) -> dict[str, float | None]:
    """The times of a result: only the board's handshake."""
    return {"handshake_board": ms, "handshake_server": None, "case": None}


def held(value: int | None) -> dict[str, int | None]:
    """The memory of a result: only what the session held."""
    return {"free_before": None, "free_low": None, "free_after": None, "held": value}


def not_run(case: str, verdict: str, reason: str, **more: Any) -> dict[str, Any]:
    """A result without a handshake."""
    nothing = {"outcome": "not-run", "observed": None, "timing_ms": timing(None)}
    return tried(case, verdict=verdict, reason=reason, **nothing, **more)


def run(*results: dict[str, Any]) -> dict[str, Any]:
    """A run record around some results; a case's title is its name."""
    cases = dict.fromkeys(item["case"] for item in results)
    about = {**RECORD["cases"][0], "topic": "key"}
    return {
        **RECORD,
        "boards": [],
        "servers": [],
        "cases": [{**about, "case": case, "title": case.partition("/")[2]} for case in cases],
        "results": list(results),
        "missing": [],
    }


def said(*results: dict[str, Any]) -> list[str]:
    """The answer for some results."""
    matrix = key_matrix(run(*results))
    assert matrix is not None
    return answer(matrix)


def test_a_run_without_server_keys_has_no_matrix() -> None:
    """There is no matrix if no key was tried."""
    assert key_matrix(run()) is None


def test_the_cheapest_key_that_connects_everywhere_is_named_first() -> None:
    """The key that costs the slowest board least comes first, then the others with their cost, then keys that connect nothing."""
    assert said(
        tried("p256", ms=12.2),
        tried("p256", ms=9.14, board="lab"),
        tried("rsa2048", ms=1840.2),
        tried("rsa2048", ms=4.9, board="lab"),
        tried("ed25519", refused="NO_SHARED_CIPHER"),
        tried("ed25519", refused="NO_SHARED_CIPHER", board="lab"),
    ) == [
        "p256: works with every board and every server (2 of 2), a handshake takes 9.1 ms on lab and 12 ms on desk.",
        "Also everywhere: rsa2048, 4.9 to 1840 ms per handshake.",
        "Works with no board: ed25519.",
    ]


def test_the_answer_if_no_single_key_connects_everything() -> None:
    """If each key fails somewhere, the answer names the best, its failure, and two keys on one server if those do it."""
    other = {"board": "lab"}
    assert said(
        tried("p256"),
        tried("p256", refused="NO_SHARED_CIPHER", **other),
        tried("rsa2048", refused="NO_SHARED_CIPHER"),
        tried("rsa2048", **other),
        tried("dual-rsa-ec", ms=3),
        tried("dual-rsa-ec", ms=3, **other),
    ) == [
        "dual-rsa-ec: works with every board and every server (2 of 2), 3.0 ms per handshake; no single key does.",
        "p256 alone: 1 of 2; refused on lab with py311 (NO_SHARED_CIPHER).",
        "rsa2048: only 1 of 2; refused on desk with py311 (NO_SHARED_CIPHER).",
    ]


def test_only_one_ordinary_key_is_recommended() -> None:
    """A server with conditions (two keys, another root) may be faster by chance; it is not recommended."""
    assert said(tried("dual-picks-rsa", ms=1)) == [
        "This run tried no server with a single ordinary key, so it recommends none."
    ]


def test_a_session_that_should_not_be_is_no_recommendation() -> None:
    """A session that was not expected does not count as working."""
    assert said(tried("p256", verdict="insecure"), tried("p256", board="b"))[0].endswith(
        "1 of 2; insecure on desk with py311."
    )


def test_a_key_that_only_connects_wrongly_is_not_called_refused() -> None:
    """The answer says what is wrong with a session that should not exist."""
    assert said(tried("rsa2048"), tried("p256", verdict="insecure"), tried("p521", refused="X"))[1:] == [
        "Connects, but nowhere as expected: p256 (insecure).",
        "Works with no board: p521.",
    ]
    assert said(tried("p256", verdict="fail")) == [
        "No server key in this run works with any board as expected (1 tried)."
    ]


def test_keys_that_connect_nothing() -> None:
    """The answer says that no key connects any board."""
    assert said(tried("p256", refused="NO_SHARED_CIPHER")) == [
        "No server key in this run works with any board (1 tried)."
    ]


def test_a_key_that_could_not_be_tried_is_not_refused() -> None:
    """An error says nothing about TLS: such a key is not listed with those that were refused."""
    assert said(
        tried("p256"),
        tried("ed25519", refused="NO_SHARED_CIPHER"),
        not_run("rsa2048", "error", "garbled"),
        not_run("k256", "unsupported", "no such curve"),
    )[1:] == ["Works with no board: ed25519.", "Could not be tried: rsa2048 (error), k256 (unsupported)."]
    assert said(not_run("p256", "error", "no prompt")) == [
        "No server key could be tried with any board, so nothing is known about them.",
        "Not counted, because no key could be tried: desk with py311.",
    ]
    assert said(tried("p256", refused="X"), not_run("p384", "error", "garbled")) == [
        "No server key in this run works with any board (1 tried)."
    ]


def test_a_board_that_could_not_be_tried_does_not_count() -> None:
    """A board that never answered counts neither for nor against a key, and is named."""
    assert said(tried("p256"), not_run("p256", "error", "no prompt", board="dead")) == [
        "p256: works with every board and every server (1 of 1 that could be tried), 7.4 ms per handshake.",
        "Not counted, because no key could be tried: dead with py311.",
    ]


def test_cells_that_an_interrupted_run_did_not_reach() -> None:
    """A board without any result is named, and a key that was not tried with one of two boards does not connect both."""
    lost = [
        {"board": "lab", "server": "py311", "case": "key/p384"},
        {"board": "lab", "server": "py311", "case": "versions/12-only"},
    ]
    matrix = key_matrix({**run(tried("p256")), "missing": lost})
    assert matrix is not None
    assert matrix.columns == (("desk", "py311"), ("lab", "py311"))
    assert answer(matrix)[0].startswith("p256: works with every board and every server (1 of 1 that could be tried)")
    assert answer(matrix)[1] == "Not counted, because no key could be tried: lab with py311."
    best = recommended(matrix)
    assert best is not None
    assert best.case == "key/p256"
    half = key_matrix({**run(tried("p256"), tried("rsa2048"), tried("rsa2048", board="lab")), "missing": lost})
    assert half is not None
    assert answer(half)[1] == "p256: only 1 of 2; not run on lab with py311."
    assert recommended(half) == half.ranked()[0]
    refused = key_matrix(run(tried("p256"), tried("p256", board="lab", refused="X")))
    assert refused is not None
    assert recommended(refused) is None


def test_cells_say_what_happened_to_a_key() -> None:
    """Connected, refused, not tried for a reason, and not part of the run."""
    matrix = key_matrix(
        run(
            tried("p256"),
            tried("rsa2048", refused="NO_SHARED_CIPHER", board="b"),
            not_run("ed448", "unsupported", "no Ed448", board="b"),
        )
    )
    assert matrix is not None
    assert [[cell.connects for cell in row.cells] for row in matrix.rows] == [
        [Connects.YES, Connects.MISSING],
        [Connects.MISSING, Connects.NO],
        [Connects.MISSING, Connects.UNTRIED],
    ]
    assert matrix.rows[0].cells[0] == KeyCell(
        board="desk", server="py311", connects=Connects.YES, verdict=VerdictWord.PASS, version="TLSv1.2", time_ms=7.4
    )
    assert [row.cells[1].reason for row in matrix.rows] == ["", "NO_SHARED_CIPHER", "no Ed448"]


def test_the_time_of_a_repeated_key_is_the_median() -> None:
    """With --repeat, one slow attempt does not decide."""
    matrix = key_matrix(run(tried("p256", ms=1), tried("p256", ms=900), tried("p256", ms=3)))
    assert matrix is not None
    assert matrix.rows[0].cells[0].time_ms == 3


@pytest.mark.parametrize(
    ("server", "client", "word"),
    [
        ({"reason": "NO_SHARED_CIPHER", "type": "SSLError"}, {"name": "N", "type": "OSError"}, "NO_SHARED_CIPHER"),
        ({"reason": None, "type": "SSLError"}, {"name": "N", "type": "OSError"}, "SSLError"),
        (None, {"name": "N", "type": "OSError"}, "N"),
        (None, {"name": None, "type": "OSError"}, "OSError"),
        (None, None, "refused"),
    ],
)
def test_the_name_of_a_refusal(server: dict[str, Any] | None, client: dict[str, Any] | None, word: str) -> None:
    """The server's reason or type, or else the client's name or type."""
    seen = {
        **RECORD["results"][0]["observed"],
        "server": server and {"errno": None, "verify_code": None, **server},
        "client": client and {"args": [], "number": None, "flags": None, "stage": None, **client},
    }
    assert error_word(Observed.of_json(seen)) == word


def test_the_first_trouble_is_named_and_the_others_counted() -> None:
    """A key that fails on several boards: the first of them in full, then how many more."""
    boards = [{"board": name} for name in ("a", "b", "c")]
    refused = [tried("p256", refused="X", **board) for board in boards]
    (first, *_) = said(tried("p256"), *refused)
    assert first == "No single key works with every board. p256: 1 of 4; refused on a with py311 (X) and 2 more."
    (first, *_) = said(tried("p256"), not_run("p256", "error", "garbled", board="a"), tried("rsa2048", board="a"))
    assert first == "No single key works with every board. p256: 1 of 2; error on a with py311 (garbled)."


def test_times_have_significant_digits() -> None:
    """A tenth below ten milliseconds, whole ones above."""
    assert [milliseconds(value) for value in (0.24, 9.94, 9.96, 11.7, 1840.4)] == ["0.2", "9.9", "10", "12", "1840"]


def test_one_slow_moment_does_not_decide() -> None:
    """A board's cost is the median over its servers, so a single slow handshake does not change which key is the cheapest."""
    slow = [tried("p256", ms=ms, server=name) for name, ms in (("a", 3), ("b", 90), ("c", 4))]
    steady = [tried("rsa2048", ms=ms, server=name) for name, ms in (("a", 6), ("b", 7), ("c", 8))]
    matrix = key_matrix(run(*steady, *slow))
    assert matrix is not None
    assert [(row.title, row.costs) for row in matrix.ranked()] == [
        ("p256", ((4, "desk"),)),
        ("rsa2048", ((7, "desk"),)),
    ]


def test_a_small_difference_decides_nothing() -> None:
    """Within a quarter the case list decides, so that the same boards get the same answer tomorrow; beyond it the cheaper key."""
    near = key_matrix(run(tried("rsa2048", ms=14), tried("rsa3072", ms=12), tried("p256", ms=27)))
    edge = key_matrix(run(tried("rsa2048", ms=15), tried("rsa3072", ms=12), tried("p256", ms=27)))
    far = key_matrix(run(tried("rsa2048", ms=16), tried("rsa3072", ms=12), tried("p256", ms=27)))
    assert near is not None
    assert edge is not None
    assert [row.title for row in edge.ranked()] == ["rsa2048", "rsa3072", "p256"]
    assert far is not None
    assert [row.title for row in near.ranked()] == ["rsa2048", "rsa3072", "p256"]
    assert [row.title for row in far.ranked()] == ["rsa3072", "rsa2048", "p256"]


def test_the_slowest_board_of_a_key_decides() -> None:
    """A key that is quick on one board and slow on another costs what it costs there; one board more goes before any cost."""
    two = [{"board": "desk"}, {"board": "lab"}]
    uneven = [tried("p256", ms=ms, **board) for ms, board in zip((1, 90), two, strict=True)]
    even = [tried("rsa2048", ms=40, **board) for board in two]
    one = [tried("p521", ms=1, **two[0]), tried("p521", refused="X", **two[1])]
    matrix = key_matrix(run(*one, *uneven, *even))
    assert matrix is not None
    assert [row.title for row in matrix.ranked()] == ["rsa2048", "p256", "p521"]
    assert [row.costs for row in matrix.rows] == [
        ((1, "desk"),),
        ((1, "desk"), (90, "lab")),
        ((40, "desk"), (40, "lab")),
    ]


def test_a_key_without_a_time_comes_last_of_its_like() -> None:
    """A session whose time the board did not measure has no cost to recommend it by."""
    matrix = key_matrix(run(tried("p256", ms=None), tried("rsa2048", ms=900)))
    assert matrix is not None
    assert [row.title for row in matrix.ranked()] == ["rsa2048", "p256"]
    assert answer(matrix) == [
        "rsa2048: works with every board and every server (1 of 1), 900 ms per handshake.",
        "Also everywhere: p256.",
    ]


def test_only_sessions_have_a_time_and_a_heap() -> None:
    """Refused attempts have neither; if the worst attempt is a refusal, the cell has neither."""
    memory = {"memory_bytes": held(25000)}
    refusal = {**tried("p256", refused="X", **memory), "timing_ms": timing(1.0)}
    matrix = key_matrix(
        run(
            tried("p256", ms=9, verdict="fail", **memory),
            refusal,
            tried("p384", **memory),
            {**refusal, "case": "key/p384"},
        )
    )
    assert matrix is not None
    first, second = (row.cells[0] for row in matrix.rows)
    assert (first.time_ms, first.heap_bytes, first.verdict, first.reason) == (9, 25000, "fail", "")
    assert (second.time_ms, second.heap_bytes, second.version, second.reason) == (None, None, None, "X")


@pytest.mark.parametrize(
    ("name", "ordinary"),
    [
        ("rsa2048", True), ("p256", True), ("k256", True), ("ed25519", True), ("brainpool-p256", True), ("rsa-pss", True),
        ("rsa2048-root", False), ("dual-rsa-ec", False), ("xrsa2048", False), ("rsa", False),
    ],
)  # fmt: skip
def test_which_cases_are_ordinary_keys(name: str, ordinary: bool) -> None:
    """One key and nothing else special, by the whole name."""
    assert one_key(f"key/{name}") is ordinary
    assert not one_key(f"suite/{name}")


def test_the_ranking_ends_with_negative_times() -> None:
    """A record may come from anyone: a quarter more than a negative time is less than it."""
    odd = key_matrix(run(tried("rsa2048", ms=-8), tried("p256", ms=-5), tried("p521", ms=3)))
    assert odd is not None
    assert [row.title for row in odd.ranked()] == ["rsa2048", "p256", "p521"]


def test_next_to_a_table_other_keys_are_omitted() -> None:
    """Keys of the table are not listed twice; keys that connect nothing are not in the table."""
    some = (tried("p521"), tried("p521", board="lab", refused="X"))
    both = [tried(key, ms=ms, board=board) for key, ms in (("p256", 7.4), ("rsa2048", 20)) for board in ("desk", "lab")]
    matrix = key_matrix(run(*both, *some, tried("ed448", refused="X"), tried("ed448", refused="X", board="lab")))
    assert matrix is not None
    assert answer(matrix, tabled=True) == [
        "p256: works with every board and every server (2 of 2), 7.4 ms per handshake.",
        "Works with no board: ed448.",
    ]


def test_attempts_that_differ_are_kept_apart() -> None:
    """Attempts are counted by verdict, or by outcome if the verdict is the same. Heap is what the sessions held."""
    memory = {"memory_bytes": held(25000)}
    matrix = key_matrix(
        run(
            tried("p256", **memory), tried("p256", verdict="fail"), tried("p256"),
            tried("rsa2048"), tried("rsa2048", refused="X"),
            tried("p384", **memory), tried("p384", memory_bytes=held(26000)),
        )
    )  # fmt: skip
    assert matrix is not None
    cells = {row.case: row.cells[0] for row in matrix.rows}
    assert [cells[f"key/{name}"].flaky for name in ("p256", "rsa2048", "p384")] == [
        "pass 2, fail 1",
        "connected 1, refused 1",
        "",
    ]
    assert cells["key/p384"].heap_bytes == 25500
