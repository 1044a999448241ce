"""Names and words that a test gives."""

import pytest

from harness.errors import UsageError
from harness.model import Verify
from harness.pytest_plugin.given_words import as_tuple, check_names, word_of


def test_as_tuple():
    """One text or number is a tuple of one, several stay, None is none."""
    assert (as_tuple("h2"), as_tuple(["a", "b"]), as_tuple(7), as_tuple(None)) == (("h2",), ("a", "b"), (7,), ())


def test_an_unknown_name():
    """The first unknown name is reported with the nearest one; the list keeps its order, a set is sorted."""
    check_names(["ca"], ["verify", "ca"], where="f")
    with pytest.raises(
        UsageError, match=r"^f\(\): unknown setting 'verfy'; did you mean 'verify'\?; expected one of verify, ca$"
    ):
        check_names(["verfy", "x"], ["verify", "ca"], where="f")
    with pytest.raises(UsageError, match=r"^f\(\): unknown setting 'x'; expected one of ca, verify$"):
        check_names(["x"], {"verify", "ca"}, where="f")


def test_an_unknown_word():
    """A word outside a closed set is reported with the set and the nearest one."""
    assert word_of(Verify, "required", where="f(verify=...)") is Verify.REQUIRED
    message = r"^f\(verify=\.\.\.\): 'require' is not one of none, optional, required; did you mean 'required'\?$"
    with pytest.raises(UsageError, match=message):
        word_of(Verify, "require", where="f(verify=...)")
