"""The command that builds the site: what it prints where it cannot."""

import pytest

from website import __main__ as program
from website.links import DeadLinkError
from website.page import Page
from website.readme import UnplacedSectionError


def raising(error):
    """A function that raises this error."""

    def function(*_arguments):
        raise error

    return function


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            DeadLinkError(Page(path="x.md", title="X", text=""), "y"),
            "docs/x.md: the link to y leads to no file of the repository\n",
        ),
        (UnplacedSectionError({"A"}), "README.md and website/readme.py differ in these sections: ['A']\n"),
    ],
)
def test_an_error_is_one_line(monkeypatch, capsys, tmp_path, error, message):
    """A dead link or a new section of README.md ends it with 1 and without a traceback, and leaves the former site."""
    monkeypatch.setattr(program, "find_spec", lambda name: name)
    monkeypatch.setattr(program, "write_sources", raising(error))
    (tmp_path / "sitemap.xml").touch()
    assert program.main(["--output", str(tmp_path)]) == 1
    assert capsys.readouterr().out == message
    assert (tmp_path / "sitemap.xml").exists()


def test_without_zensical(monkeypatch, capsys):
    """The message says what to install."""
    monkeypatch.setattr(program, "find_spec", lambda name: None)
    assert program.main([]) == 1
    assert capsys.readouterr().out == "zensical is not installed here: pip install -e '.[docs]'\n"


def test_other_files_are_kept(monkeypatch, capsys, tmp_path):
    """A folder is replaced only if it is empty or an earlier site."""
    monkeypatch.setattr(program, "find_spec", lambda name: name)
    monkeypatch.setattr(program, "build", lambda output: 0)
    assert program.main(["--output", str(tmp_path / "new")]) == 0
    assert program.main(["--output", str(tmp_path)]) == 0
    (tmp_path / "thesis.txt").touch()
    assert program.main(["--output", str(tmp_path)]) == 1
    assert capsys.readouterr().out == (
        f"--output {tmp_path}: this folder has other files, and would be replaced; give an empty or a new one\n"
    )
    (tmp_path / "sitemap.xml").touch()
    assert program.main(["--output", str(tmp_path)]) == 0
