"""Known deviations: listed exactly, or not at all."""

from __future__ import annotations

from pathlib import Path

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
    Side,
    Stage,
    Verdict,
    VerdictWord,
)
from harness.oracle import known
from harness.oracle.known import Deviation, apply_known, read_known

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
    """Read a list from a file of its own."""
    file = tmp_path / "known.toml"
    file.write_text(text, encoding="utf-8")
    return read_known(str(file), folder=tmp_path, case_ids=CASES)


def result(word: VerdictWord, *, case: str = "suites/one", number: int = -26112) -> CaseResult:
    """A judged refusal by the client."""
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
    """A failing result that is listed exactly so becomes `known`, with reason and link."""
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
    """Of two entries for one cell the first in the file decides, as the reason of a match and as the one that no longer fits."""
    second = GOOD.replace("offers what it refuses", "second")
    both = read(tmp_path, GOOD + second)
    assert apply_known(result(VerdictWord.FAIL), INFO, both).verdict.reason == (
        "offers what it refuses (https://example.org/issue/1)"
    )
    other = read(tmp_path, GOOD.replace("-26112", "-1") + second)
    assert apply_known(result(VerdictWord.FAIL), INFO, other).verdict.word is VerdictWord.FAIL


def test_a_deviation_that_went_away_fails(tmp_path: Path) -> None:
    """A listed case that passes is a failure of the list: it has to be removed there."""
    judged = apply_known(result(VerdictWord.PASS), INFO, read(tmp_path, GOOD))
    assert judged.verdict.word is VerdictWord.FAIL
    assert judged.verdict.reason is not None
    assert judged.verdict.reason.startswith("a known deviation has gone away: remove it from the list")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("firmware =", "firmwares ="), r"deviation 1: unknown key 'firmwares'; accepted are board, case, firmware, "),
        (('reason = "offers what it refuses"', ""), "deviation 1: the key 'reason' is missing"),
        (("client_number", "number"), r"observed does not know 'number'; accepted are outcome, stage, "),
        (('"https://', '"'), r"an https:// address of the upstream issue or source is wanted"),
        *[
            (('"1.25.*"', f'"{wide}"'), "covered only within a topic")
            for wide in ("*", "1.*", "[0-9]*", "1.2*", "?.25.*")
        ],
        (('"suites/*"', '"*"'), "covered only within a topic"),
        (('"suites/*"', '"*/one"'), "covered only within a topic"),
        (('"suites/*"', "5"), "deviation 1: case = 5: a text in quotes is wanted"),
        (('"1.25.*"', "1.25"), "deviation 1: firmware = 1.25: a text in quotes is wanted"),
        (("reason =", "tls = 3\nreason ="), "deviation 1: tls = 3: a text in quotes is wanted"),
        (("-26112", '"x"'), "observed.client_number = 'x': a whole number is wanted"),
        (("client_number = -26112", "alert = true"), "observed.alert = True: a whole number is wanted"),
        (
            ("client_number = -26112", 'outcome = "hangs"'),
            "observed.outcome = 'hangs': accepted are connected, refused, ",
        ),
        (("client_number = -26112", 'ended_by = "me"'), "observed.ended_by = 'me': accepted are server, client"),
        (("client_number = -26112", "server_reason = 5"), "observed.server_reason = 5: a text in quotes is wanted"),
        (("suites/*", "gone/*"), r"case = 'gone/\*' fits no case any more; remove the entry"),
        (("[[deviation]]", "[[deviations]]"), "unknown key 'deviations'; entries are written as"),
        (("[[deviation]]", "[[deviation"), "no valid TOML"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    """Every mistake in the list is one line that names the entry and what is accepted."""
    with pytest.raises(UsageError, match=message):
        read(tmp_path, GOOD.replace(*change))


def test_the_example_of_the_module_is_accepted(tmp_path: Path) -> None:
    """The entry that the module's docstring shows is one that `--known` takes, for cases that exist."""
    example = known.__doc__.partition("\n\n    [[deviation]]")[2]
    file = tmp_path / "known.toml"
    file.write_text("[[deviation]]" + example.replace('"https://..."', '"https://example.org"'), encoding="utf-8")
    (entry,) = read_known(str(file), folder=tmp_path, case_ids=[case.id for case in all_cases()])
    assert entry.observed == {"client_number": -29056}


def test_one_case_may_cover_every_firmware(tmp_path: Path) -> None:
    """A single case may be listed for all firmwares."""
    (entry,) = read(tmp_path, GOOD.replace("suites/*", "suites/one").replace('"1.25.*"', '"*"'))
    assert entry.covers(result(VerdictWord.FAIL), BoardInfo(version=(1, 30, 0)))


def test_the_default_list_may_be_absent(tmp_path: Path) -> None:
    """Without --known a missing known_deviations.toml is an empty list; a named one must exist."""
    assert read_known(None, folder=tmp_path, case_ids=CASES) == ()
    with pytest.raises(UsageError, match=r"--known .*: cannot be read"):
        read_known(str(tmp_path / "none.toml"), folder=tmp_path, case_ids=CASES)
