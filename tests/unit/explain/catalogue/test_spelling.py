"""Typing errors in words and numbers."""

import pytest

from harness.explain.catalogue.spelling import Speller, near, near_number

SPELLER = Speller(["cipher", "shared", "OSError"])


@pytest.mark.parametrize("wrong", ["chiper", "ciphre", "ciper", "ciphher", "cypher", "icpher"])
def test_one_letter(wrong):
    """A letter that is missing, extra, wrong or elsewhere."""
    assert near(wrong, "cipher")
    assert SPELLER.word(wrong) == "cipher"


@pytest.mark.parametrize("other", ["cipher", "cipherss", "reader", "ciphre2", "xypher", "rehpic"])
def test_not_near(other):
    """The word itself, and words with two errors, are not near."""
    assert not near(other, "cipher")


@pytest.mark.parametrize("word", ["cipher", "ciphers", "cip", "x" * 40, "client"])
def test_left_alone(word):
    """Known words, their plurals, short and very long words, and plain words are not corrected."""
    assert SPELLER.word(word) is None


def test_text():
    """Words are corrected where they are, capitals stay, and the corrections are listed."""
    assert SPELLER.text("NO_SHRAED_CIPHER osErrro: 1") == (
        "NO_SHARED_CIPHER OSError: 1",
        {"SHRAED": "SHARED", "osErrro": "OSError"},
    )


@pytest.mark.parametrize(
    ("value", "meant"),
    [(-30952, -30592), (-30593, -30592), (-29185, -29184), (-11111, None), (-3059, None), (-10050, None)],
)
def test_numbers(value, meant):
    """Two exchanged digits, else one other digit; None if nothing, or more than one number, is near."""
    assert near_number(value, (-30592, -29184, -10000, -10010, -10040)) == meant


def test_exchanged_digits_come_first():
    """Exchanged digits are the likelier error: another number that differs in one digit does not make the answer uncertain."""
    assert near_number(-30952, (-30592, -30953)) == -30592
    assert near_number(-30952, (-30953, -30951)) is None
