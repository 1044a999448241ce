"""The page of a cause and the index."""

import pytest

from harness.explain.catalogue.causes import Cause, all_causes, find_cause
from harness.explain.catalogue.page import file_name, index, page


def test_page():
    """What each side shows, how to tell, what helps; the special and general causes; what programs print; evidence; reports."""
    assert page(find_cause("ciphers/no-certificate"), evidence="No key.").splitlines() == [
        "# The server has no certificate: load_cert_chain() was never called on this context",
        "",
        "`ciphers/no-certificate`",
        "",
        "| | |",
        "|---|---|",
        "| on the board | fatal alert (-30592) |",
        "| on the other side | NO_SHARED_CIPHER with every client |",
        "| how to tell | another client fails, too |",
        "| what helps | context.load_cert_chain('cert.pem', 'key.pem') |",
        "| what diagnose proves | nothing: the cause is in the program on the other side, and `diagnose` cannot change that |",
        "",
        "It looks like one of these:",
        "",
        "* [The server found no cipher suite (set of algorithms) that both sides can use, so it refused](ciphers-nothing-in-common.md) "
        "`ciphers/nothing-in-common`",
        "",
        "Evidence: No key. (`harness/explain/ciphers.py`). `tls-harness diagnose` finds it in a handshake.",
    ]


def test_a_cause_of_texts_only():
    """Without a rule the page says that only texts show it."""
    text = page(find_cause("link/wifi-lost"), evidence=None)
    assert "\n`tls-harness explain` recognises it in a text; no rule looks for it in a handshake.\n" in text
    assert text.endswith("Reports: <https://github.com/micropython/micropython-esp32/issues/181>\n")


def test_special_causes_are_listed():
    """A general cause lists its special ones, the likeliest first."""
    text = page(find_cause("peer/alert-only"), evidence=None)
    listed = [line for line in text.splitlines() if line.startswith("* ")]
    assert [line.rpartition("`")[0].rpartition("`")[2] for line in listed] == list(
        find_cause("peer/alert-only").reasons
    )


def test_a_bar_does_not_end_a_cell():
    """Text of the catalogue cannot break the table."""
    cause = Cause(id="x/y", sentence="X.", board="a | b", server="b", tell="c", fix="d")
    assert "| on the board | a \\| b |" in page(cause, evidence=None)


def test_recipes():
    """The kinds of recipes stand in the words of their one table; a general cause leaves them to its special ones."""
    starttls = page(find_cause("plain-peer/starttls"), evidence=None)
    assert "| what diagnose proves | the server's TLS port; STARTTLS on the board |" in starttls
    assert "what diagnose proves" not in page(find_cause("peer/alert-only"), evidence=None)


def test_index():
    """The index has every page once, under its topic."""
    text = index()
    assert [cause.id for cause in all_causes() if text.count(f"]({file_name(cause.id)})") != 1] == []
    assert (
        text.index("## Cipher suites") < text.index("(ciphers-key-type.md)") < text.index("## The board's certificate")
    )


@pytest.mark.parametrize(("name", "file"), [("a/b", "a-b.md"), ("plain-peer/no-tls", "plain-peer-no-tls.md")])
def test_file_name(name, file):
    """An id is a file name with a dash for the slash."""
    assert file_name(name) == file
