"""Test tools/fetch_labgrid.py, which makes an environment for labgrid. `.ci/run` makes a real one; here are the checks and errors."""

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
    """A folder with a complete environment."""
    (tmp_path / "bin").mkdir()
    for name in ("labgrid-client", "python"):
        (tmp_path / "bin" / name).touch()
    (tmp_path / tool.DONE).write_text(f"{tool.REQUIREMENT}\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    "environment", [{}, {"XDG_CACHE_HOME": "/cache"}, {"TLS_HARNESS_LABGRID": "~/lab", "XDG_CACHE_HOME": "/cache"}]
)
def test_the_harness_looks_where_the_tool_puts_it(tool, monkeypatch, environment):
    """The tool and the harness use the same folder."""
    for name in ("XDG_CACHE_HOME", "TLS_HARNESS_LABGRID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert tool.default_folder() == fetched_folder()


def test_an_environment_is_not_fetched_again(tool, made, capsys):
    """The tool prints the path of the client and changes nothing in the folder."""
    before = sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*"))
    assert tool.main(["--folder", str(made)]) == 0
    assert capsys.readouterr() == (f"{made}/bin/labgrid-client\n", "")
    assert sorted((path, path.stat().st_mtime_ns) for path in made.rglob("*")) == before


@pytest.mark.parametrize("missing", ["bin/labgrid-client", "bin/python", "tls-harness-labgrid.txt"])
def test_an_incomplete_environment_is_made_again(tool, made, missing):
    """An environment that is incomplete, whose Python was removed, or of another version is made again."""
    assert tool.present(made) == made / "bin" / "labgrid-client"
    (made / missing).unlink()
    assert tool.present(made) is None
    (made / tool.DONE).write_text("labgrid==25.0\n", encoding="utf-8")
    assert tool.present(made) is None


def test_the_reason_is_from_pip(tool):
    """The reason is the program's error line, or that there is none."""
    code = "print('ERROR: No matching distribution'); print('[notice] a new pip'); raise SystemExit(1)"
    with pytest.raises(tool.FetchError, match=r"^cannot install it: ERROR: No matching distribution$"):
        tool._run([sys.executable, "-c", code], what="install it")
    with pytest.raises(tool.FetchError, match=r"^cannot install it: it failed$"):
        tool._run([sys.executable, "-c", "raise SystemExit(1)"], what="install it")
    with pytest.raises(tool.FetchError, match=r"^cannot install it: FileNotFoundError$"):
        tool._run(["/nowhere/python"], what="install it")


def test_an_environment_that_cannot_be_made(tool, tmp_path, monkeypatch, capsys):
    """One line on standard error and exit code 1; no partial environment is left."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert tool.main(["--folder", str(tmp_path / "lab")]) == 1
    assert capsys.readouterr() == ("", "fetch_labgrid: cannot make an environment: FileNotFoundError\n")
    assert tool.present(tmp_path / "lab") is None
    (tmp_path / "file").touch()
    assert tool.main(["--folder", str(tmp_path / "file" / "lab")]) == 1
    assert capsys.readouterr().err == f"fetch_labgrid: {tmp_path}/file/lab: File exists\n"
