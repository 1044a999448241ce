"""The manual page."""

import shutil
import subprocess

import pytest

from harness import cli
from harness.commands.manual_page import _escaped, manual_page


def test_every_command_and_option():
    """The page has a section for each command, and every option of it."""
    page = manual_page(cli.parser())
    for words in (".SH DIAGNOSE\n", ".SH COMPLETION\n", ".SS report diff\n", "\\-\\-client\\-ca", "exit codes: 0 done"):
        assert words in page, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a-b", "a\\-b"), ("\\r", "\\er"), (".x\n'y\nz", "\\&.x\n\\&'y\nz"), ("$ x", "$ x")],
)
def test_escapes(text, expected):
    """Nothing of a text is a request of roff."""
    assert _escaped(text) == expected


def test_a_formatter_reads_it(capsys):
    """`groff -man` finds nothing to warn about, if it is installed; the command prints the page."""
    assert cli.main(["completion", "man"]) == 0
    page = capsys.readouterr().out
    assert page.startswith(".TH TLS-HARNESS 1 ")
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
