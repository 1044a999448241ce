"""Each defect of docs/defects.md has a row there and a test that carries its number."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "defects.md").read_text(encoding="utf-8")
NUMBERS = (
    *(f"f{number}" for number in range(1, 21)),
    *(f"d{number}" for number in range(1, 7)),
    *(f"rb{number:02}" for number in range(1, 17)),
)
#: The numbers at the start of a test's name, each followed by an underscore.
NUMBERED = re.compile(r"test_((?:(?:f|d|rb)\d+_)+)")


def numbers_of(name: str) -> list[str]:
    """The numbers that a test's name carries."""
    found = NUMBERED.match(name)
    return found[1].split("_")[:-1] if found else []


def collected() -> set[str]:
    """The names of all tests: functions of the module, as pytest collects them."""
    files = (path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    return {name for text in files for name in re.findall(r"^def (test_\w+)\(", text, re.MULTILINE)}


def rows() -> dict[str, str]:
    """Number -> the test that its row names."""
    found = re.findall(r"^\| ([FDRB]+\d+) \|.*\| `(test_\w+)` \|$", PAGE, re.MULTILINE)
    assert len(found) == len(dict(found))
    return {number.lower(): test for number, test in found}


def test_numbers_of():
    """One number or several, at the start only."""
    assert numbers_of("test_f2_d5_rb04_a_bare_board") == ["f2", "d5", "rb04"]
    assert numbers_of("test_first_f2_contact") == numbers_of("test_fields") == []


def test_each_number_has_a_test():
    """No number is without a test, and no test carries a number that the page does not explain."""
    carried = {number for name in collected() for number in numbers_of(name)}
    assert carried == set(NUMBERS)


def test_each_number_has_a_row():
    """A row per number, in order; the test that it names exists and carries the number."""
    found, names = rows(), collected()
    assert tuple(found) == NUMBERS
    assert [
        (number, test) for number, test in found.items() if test not in names or number not in numbers_of(test)
    ] == []
