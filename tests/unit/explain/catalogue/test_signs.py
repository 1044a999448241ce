"""The signs: the file is complete, and phrases are compared word by word."""

from harness.explain.catalogue.signs import LogSide, Sign, all_signs, phrases, words_of


def test_the_file():
    """Ids are unique, each sign is found by something and points to causes; only `c` and `idf` are kinds of log."""
    signs = all_signs()
    assert len({sign.id for sign in signs}) == len(signs)
    assert [sign.id for sign in signs if not sign.any] == []
    found_by = {sign.id: (sign.words, sign.every, sign.mbedtls, sign.axtls, sign.errno, sign.alert) for sign in signs}
    assert [name for name, ways in found_by.items() if not any(ways)] == ["impossible-record-size"]
    assert {sign.log for sign in signs} == {"", "c", "idf"}


def test_no_alert_twice():
    """An alert has one sign."""
    codes = [sign.alert for sign in all_signs() if sign.alert is not None]
    assert len(set(codes)) == len(codes)


def test_words():
    """Case, punctuation, underscores and letters of other alphabets separate words only."""
    assert words_of("错误[SSL: NO_SHARED_CIPHER]，") == ["ssl", "no", "shared", "cipher"]


def test_longest_phrase_first():
    """Of two phrases that begin alike the longer one is tried first."""
    tried = [" ".join(phrase) for phrase, _signs in phrases()["no"]]
    assert tried.index("no cipher suites in common") < tried.index("no start line")


def test_side():
    """A side without causes of its own has the common ones."""
    sign = Sign(id="x", any=("a/a",), server=("b/b",))
    assert [sign.causes(side) for side in LogSide] == [("a/a",), ("b/b",), ("a/a",), ("a/a",)]
