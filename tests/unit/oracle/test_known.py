"""Tests of the list of known deviations: an entry covers exactly what it names."""

from __future__ import annotations

import fnmatch
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cases import all_cases
from harness.errors import UsageError
from harness.model import (
    Alert,
    BoardInfo,
    CaseResult,
    ClientFailure,
    Observation,
    Outcome,
    ServerFailure,
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.oracle import known
from harness.oracle.known import Deviation, apply_known, known_programs, read_known

CASES = ["suites/one", "suites/two", "keys/one"]
GOOD = """
[[deviation]]
case = "suites/*"
firmware = "1.25.*"
observed = {client_number = -26112}
reason = "offers what it refuses"
link = "https://example.org/issue/1"
"""
INFO = BoardInfo(version=(1, 25, 0), tls_version="Mbed TLS 3.6.3")


def read(tmp_path: Path, text: str) -> tuple[Deviation, ...]:
    """Read a list from a new file."""
    file = tmp_path / "known.toml"
    file.write_text(text, encoding="utf-8")
    return read_known(str(file), folder=tmp_path, case_ids=CASES)


def result(word: VerdictWord, *, case: str = "suites/one", number: int = -26112) -> CaseResult:
    """Return a judged refusal by the client."""
    failure = ClientFailure(type="OSError", args=(number,), number=number, flags=None, name=None, stage=Stage.HANDSHAKE)
    alert = Alert(sender=Side.CLIENT, level="fatal", code=47, name="illegal_parameter")
    seen = Observation(
        outcome=Outcome.REFUSED,
        stage=Stage.HANDSHAKE,
        ended_by=Side.CLIENT,
        server=None,
        client=failure,
        alerts=(alert,),
    )
    return CaseResult(
        board="unix",
        server="in-process",
        case=case,
        attempt=1,
        verdict=Verdict(word=word),
        expected=None,
        observation=seen,
    )


@pytest.mark.parametrize("word", [VerdictWord.FAIL, VerdictWord.INSECURE])
def test_a_listed_failure_is_known(tmp_path: Path, word: VerdictWord) -> None:
    """A failing result that matches an entry exactly becomes `known`, with reason and link."""
    judged = apply_known(result(word), INFO, read(tmp_path, GOOD))
    assert judged.verdict.word is VerdictWord.KNOWN
    assert judged.verdict.reason == "offers what it refuses (https://example.org/issue/1)"


@pytest.mark.parametrize(
    ("case", "number", "info"),
    [
        ("suites/one", -30592, INFO),
        ("keys/one", -26112, INFO),
        ("suites/one", -26112, BoardInfo(version=(1, 26, 0))),
    ],
    ids=["other error", "other case", "other firmware"],
)
def test_anything_else_stays_a_failure(tmp_path: Path, case: str, number: int, info: BoardInfo) -> None:
    """Another error, case or firmware is not covered."""
    judged = apply_known(result(VerdictWord.FAIL, case=case, number=number), info, read(tmp_path, GOOD))
    assert judged.verdict.word is VerdictWord.FAIL


def test_the_first_covering_entry_counts(tmp_path: Path) -> None:
    """Of two entries for one cell the first in the file decides, both for a match and for an entry that no longer matches."""
    second = GOOD.replace("offers what it refuses", "second")
    both = read(tmp_path, GOOD + second)
    assert apply_known(result(VerdictWord.FAIL), INFO, both).verdict.reason == (
        "offers what it refuses (https://example.org/issue/1)"
    )
    other = read(tmp_path, GOOD.replace("-26112", "-1") + second)
    assert apply_known(result(VerdictWord.FAIL), INFO, other).verdict.word is VerdictWord.FAIL


@pytest.mark.parametrize(
    ("narrow", "info", "covered"),
    [
        ('board = "unix"', INFO, True),
        ('board = "pico"', INFO, False),
        ('tls = "Mbed TLS 3.*"', INFO, True),
        ('tls = "axTLS"', INFO, False),
        ('tls = "axTLS"', BoardInfo(version=(1, 25, 0), tls_library="axTLS"), True),
        ('tls = "mbedTLS"', BoardInfo(version=(1, 25, 0), tls_library="mbedTLS", tls_version="Mbed TLS 3.6.3"), False),
        ('tls = "axTLS"', BoardInfo(version=(1, 25, 0)), False),
    ],
)
def test_board_and_library_narrow_an_entry(tmp_path: Path, narrow: str, info: BoardInfo, covered: bool) -> None:
    """`board` is the board's name; `tls` the version that the library gives, else the library."""
    (entry,) = read(tmp_path, GOOD + narrow)
    assert entry.covers(result(VerdictWord.FAIL), info) is covered


SEEN = result(VerdictWord.FAIL).observation
assert SEEN is not None
NOTHING = Observation(outcome=Outcome.NOT_RUN, stage=None, ended_by=None, server=None, client=None)
FAILED_AT_SERVER = replace(SEEN, server=ServerFailure(type="SSLError", reason="NO_SHARED_CIPHER", errno=1))
WARNED = Alert(sender=Side.SERVER, level="warning", code=90, name="user_canceled")


@pytest.mark.parametrize(
    ("observed", "seen", "matches"),
    [
        ({"outcome": "refused"}, SEEN, True),
        ({"outcome": "hung"}, SEEN, False),
        ({"stage": "handshake"}, SEEN, True),
        ({"stage": "handshake"}, NOTHING, False),
        ({"ended_by": "client"}, SEEN, True),
        ({"ended_by": "client"}, NOTHING, False),
        ({"server_reason": "NO_SHARED_CIPHER"}, FAILED_AT_SERVER, True),
        ({"server_reason": "NO_SHARED_CIPHER"}, SEEN, False),
        ({"client_number": -26112}, SEEN, True),
        ({"client_number": -26112}, NOTHING, False),
        ({"alert": 47}, SEEN, True),
        ({"alert": 47}, NOTHING, False),
        ({"alert": 47}, replace(SEEN, alerts=(WARNED, *SEEN.alerts, replace(WARNED, level="fatal"))), True),
        ({"alert": 90}, replace(SEEN, alerts=(WARNED,)), False),
        ({"outcome": "refused", "alert": 47}, SEEN, True),
        ({"outcome": "refused", "alert": 48}, SEEN, False),
    ],
)
def test_what_an_entry_matches(observed: dict[str, Any], seen: Observation, matches: bool) -> None:
    """Every field of the entry must match; of several alerts the first fatal one counts."""
    entry = Deviation(case="*", firmware="*", observed=observed, reason="r", link="l")
    assert entry.matches(seen) is matches


@pytest.mark.parametrize("word", [VerdictWord.UNSUPPORTED, VerdictWord.ERROR])
def test_a_result_without_a_tls_verdict_is_not_changed(tmp_path: Path, word: VerdictWord) -> None:
    """A covered result that says nothing about TLS is unchanged, with or without an observation."""
    for judged in (result(word), replace(result(word), observation=None)):
        assert apply_known(judged, INFO, read(tmp_path, GOOD)) is judged


def test_a_deviation_that_disappeared_fails(tmp_path: Path) -> None:
    """A listed case that passes is a failure: the entry must be removed."""
    judged = apply_known(result(VerdictWord.PASS), INFO, read(tmp_path, GOOD))
    assert judged.verdict.word is VerdictWord.FAIL
    assert judged.verdict.reason == (
        "a known deviation no longer happens: remove it from the list (offers what it refuses, https://example.org/issue/1)"
    )


def test_a_former_case_id_is_accepted(tmp_path: Path) -> None:
    """An entry that names a case by its former topic covers the renamed case."""
    text = GOOD.replace("suites/*", "raw/http-*")
    file = tmp_path / "known.toml"
    file.write_text(text, encoding="utf-8")
    (entry,) = read_known(str(file), folder=tmp_path, case_ids=["not-tls/http-400"])
    assert entry.covers(result(VerdictWord.FAIL, case="not-tls/http-400"), INFO)


def examples() -> set[str]:
    """The patterns for cases that the module's docstring and messages show as `case = "..."`."""
    return set(re.findall(r'case = "([^"{]+)"', Path(known.__file__).read_text(encoding="utf-8")))


def test_examples_match_a_case() -> None:
    """The file accepts every pattern that the docstring or a message recommends."""
    assert examples() == {"tampered/appdata-*", "suite/*"}
    ids = [case.id for case in all_cases()]
    assert [pattern for pattern in examples() if not fnmatch.filter(ids, pattern)] == []


def test_the_documented_entry_is_accepted(tmp_path: Path) -> None:
    """The entry in the module's docstring can be copied into a list."""
    text = textwrap.dedent((known.__doc__ or "").partition("\n\n")[2].partition("\n\n")[2])
    file = tmp_path / "known.toml"
    file.write_text(text, encoding="utf-8")
    (entry,) = read_known(str(file), folder=tmp_path, case_ids=[case.id for case in all_cases()])
    assert (entry.case, entry.observed) == ("tampered/appdata-*", {"client_number": -29056})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("firmware =", "firmwares ="),
            r"deviation 1: unknown key 'firmwares': expected one of board, case, firmware, ",
        ),
        (
            ('reason = "offers what it refuses"', ""),
            "missing key 'reason': a deviation needs case, firmware, observed, reason, link",
        ),
        (("client_number", "number"), r"unknown key 'number' in observed: expected some of outcome, stage, "),
        (('"https://', '"'), r"expected the https:// address of the upstream issue or source"),
        *[
            (('"1.25.*"', f'"{wide}"'), "covers too much: name one case, or one topic on one minor version")
            for wide in ("*", "1.*", "[0-9]*", "1.2*", "?.25.*")
        ],
        (('"suites/*"', '"*"'), "covers too much: name one case, or one topic on one minor version"),
        (('"suites/*"', '"*/one"'), "covers too much: name one case, or one topic on one minor version"),
        (('"suites/*"', "5"), "deviation 1: case = 5: expected a string"),
        (('"1.25.*"', "1.25"), "deviation 1: firmware = 1.25: expected a string"),
        (("reason =", "tls = 3\nreason ="), "deviation 1: tls = 3: expected a string"),
        (("-26112", '"x"'), "observed.client_number = 'x': expected an integer"),
        (("client_number = -26112", "alert = true"), "observed.alert = True: expected an integer"),
        (
            ("client_number = -26112", 'outcome = "hangs"'),
            "observed.outcome = 'hangs': expected one of connected, refused, ",
        ),
        (("client_number = -26112", 'ended_by = "me"'), "observed.ended_by = 'me': expected one of server, client"),
        (("client_number = -26112", "server_reason = 5"), "observed.server_reason = 5: expected a string"),
        (("suites/*", "gone/*"), r"case = 'gone/\*' matches no case; correct or remove the entry"),
        (
            ("[[deviation]]", "[[deviations]]"),
            r"unknown key 'deviations': write each entry as a \[\[deviation\]\] table",
        ),
        (("[[deviation]]", "[[deviation"), "invalid TOML"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """Every mistake in the list is one line that names the entry and what is expected; of several names the first in alphabetical order."""
    with pytest.raises(UsageError, match=message):
        read(tmp_path, GOOD.replace(*change))


def test_the_example_of_the_module_is_accepted(tmp_path: Path) -> None:
    """`--known` accepts the entry in the module's docstring, for cases that exist."""
    example = known.__doc__.partition("\n\n    [[deviation]]")[2]
    file = tmp_path / "known.toml"
    file.write_text("[[deviation]]" + example.replace('"https://..."', '"https://example.org"'), encoding="utf-8")
    (entry,) = read_known(str(file), folder=tmp_path, case_ids=[case.id for case in all_cases()])
    assert entry.observed == {"client_number": -29056}


def test_every_kind_of_observation_may_be_listed(tmp_path: Path) -> None:
    """Values of closed sets, strings and numbers are read unchanged."""
    observed = (
        'outcome = "hung", stage = "read", ended_by = "server", server_reason = "X", client_number = 0, alert = 0'
    )
    (entry,) = read(tmp_path, GOOD.replace("client_number = -26112", observed))
    assert entry.observed == {
        "outcome": "hung",
        "stage": "read",
        "ended_by": "server",
        "server_reason": "X",
        "client_number": 0,
        "alert": 0,
    }


def test_one_case_may_cover_every_firmware(tmp_path: Path) -> None:
    """A single case may be listed for all firmwares."""
    (entry,) = read(tmp_path, GOOD.replace("suites/*", "suites/one").replace('"1.25.*"', '"*"'))
    assert entry.covers(result(VerdictWord.FAIL), BoardInfo(version=(1, 30, 0)))


def test_the_default_list_may_be_absent(tmp_path: Path) -> None:
    """Without --known a missing known_deviations.toml is an empty list; a given one must exist."""
    assert read_known(None, folder=tmp_path, case_ids=CASES) == ()
    with pytest.raises(UsageError, match=r"--known .*: cannot read the file"):
        read_known(str(tmp_path / "none.toml"), folder=tmp_path, case_ids=CASES)


@pytest.mark.parametrize("text", ["a = " + "[" * 2000, "a = " + "9" * 5000])
def test_toml_that_has_no_end(tmp_path, text):
    """Nesting and numbers that the parser gives up on are one line, too."""
    (tmp_path / "known.toml").write_text(text)
    with pytest.raises(UsageError, match=r"^--known .*known\.toml: invalid TOML: "):
        read_known(str(tmp_path / "known.toml"), folder=tmp_path, case_ids=())


@pytest.mark.parametrize(
    ("word", "outcome", "expected"),
    [
        (VerdictWord.FAIL, Outcome.CONNECTED, VerdictWord.KNOWN),
        (VerdictWord.INSECURE, Outcome.CONNECTED, VerdictWord.KNOWN),
        (VerdictWord.FAIL, Outcome.REFUSED, VerdictWord.FAIL),
        (VerdictWord.PASS, Outcome.REFUSED, VerdictWord.PASS),
    ],
)
def test_a_program_that_never_verifies_is_known(word: VerdictWord, outcome: Outcome, expected: VerdictWord) -> None:
    """It connects to any server, which its issue says; a version that refuses passes, and no other failure is excused."""
    judged = result(word, case="app/requests-without-ca")
    assert judged.observation is not None
    judged = replace(judged, observation=replace(judged.observation, outcome=outcome))
    found = apply_known(judged, INFO, known_programs()).verdict
    assert found.word is expected
    if expected is VerdictWord.KNOWN:
        issue = "https://github.com/micropython/micropython-lib/issues/838"
        assert found.reason == f"requests never verifies the server ({issue})"


def test_known_programs_are_cases() -> None:
    """Each entry names a case, whose other cases are never excused."""
    ids = {case.id for case in all_cases()}
    assert {entry.case for entry in known_programs()} == {"app/requests-without-ca"} & ids
