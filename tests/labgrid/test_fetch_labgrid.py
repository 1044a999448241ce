"""tools/fetch_labgrid.py: labgrid's own environment. `.ci/run` makes a real one; here it is what is there, and what goes wrong."""

import importlib.util
import sys
from pathlib import Path

import pytest

from harness.boards.labgrid.client import fetched_folder

pytest.importorskip("fcntl", reason="labgrid is for Linux")
PROGRAM = Path(__file__).parents[2] / "tools" / "fetch_labgrid.py"


@pytest.fixture
def tool():
    """The program, as a module."""
    spec = importlib.util.spec_from_file_location("fetch_labgrid", PROGRAM)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def made(tmp_path, tool):
    """A folder as it is when an environment was made to its end."""
    (tmp_path / "bin").mkdir()
    for name in ("labgrid-client", "python"):
        (tmp_path / "bin" / name).touch()
    (tmp_path / tool.DONE).write_text(f"{tool.REQUIREMENT}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "environment", [{}, {"XDG_CACHE_HOME": "/cache"}, {"TLS_HARNESS_LABGRID": "~/lab", "XDG_CACHE_HOME": "/cache"}]
)
def test_the_harness_looks_where_the_tool_puts_it(tool, monkeypatch, environment):
    """Two programs, one place."""
    for name in ("XDG_CACHE_HOME", "TLS_HARNESS_LABGRID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert tool.default_folder() == fetched_folder()


def test_what_is_there_is_not_fetched_again(tool, made, capsys):
    """The client's path on standard output, and nothing else; nothing in the folder is touched."""
    before = sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*"))
    assert tool.main(["--folder", str(made)]) == 0
    assert capsys.readouterr() == (f"{made}/bin/labgrid-client\n", "")
    assert sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*")) == before


@pytest.mark.parametrize("missing", ["bin/labgrid-client", "bin/python", "tls-harness-labgrid.txt"])
def test_what_is_not_complete_is_not_there(tool, made, missing):
    """An environment that was broken off, or whose Python was removed, is made again; so is one of another version."""
    assert tool.present(made) == made / "bin" / "labgrid-client"
    (made / missing).unlink()
    assert tool.present(made) is None
    (made / tool.DONE).write_text("labgrid==25.0\n", encoding="utf-8")
    assert tool.present(made) is None


def test_what_pip_says_is_the_reason(tool):
    """The error line of the program, or that it said nothing."""
    code = "print('ERROR: No matching distribution'); print('[notice] a new pip'); raise SystemExit(1)"
    with pytest.raises(tool.FetchError, match=r"^cannot install it: ERROR: No matching distribution$"):
        tool._run([sys.executable, "-c", code], what="install it")
    with pytest.raises(tool.FetchError, match=r"^cannot install it: it failed$"):
        tool._run([sys.executable, "-c", "raise SystemExit(1)"], what="install it")
    with pytest.raises(tool.FetchError, match=r"^cannot install it: FileNotFoundError$"):
        tool._run(["/nowhere/python"], what="install it")


def test_an_environment_that_cannot_be_made(tool, tmp_path, monkeypatch, capsys):
    """One line on standard error, exit code 1; nothing that could be taken for an environment is left."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert tool.main(["--folder", str(tmp_path / "lab")]) == 1
    assert capsys.readouterr() == ("", "fetch_labgrid: cannot make an environment: FileNotFoundError\n")
    assert tool.present(tmp_path / "lab") is None
    (tmp_path / "file").touch()
    assert tool.main(["--folder", str(tmp_path / "file" / "lab")]) == 1
    assert capsys.readouterr().err == f"fetch_labgrid: {tmp_path}/file/lab: File exists\n"
