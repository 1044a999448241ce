"""Reading boards.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.boards.lab_file import read_lab
from harness.errors import UsageError


def test_default(tmp_path: Path) -> None:
    """boards.toml of the folder is taken if it is there; without one there are no names."""
    assert read_lab(None, folder=tmp_path) == {}
    (tmp_path / "boards.toml").write_text("[board.desk]\nspec = 'unix'\n")
    assert list(read_lab(None, folder=tmp_path)) == ["desk"]


def test_told(tmp_path: Path) -> None:
    """--boards names the file, and it must exist."""
    file = tmp_path / "lab.toml"
    with pytest.raises(UsageError, match=r"--boards .*lab\.toml: cannot be read \(No such file or directory\)"):
        read_lab(str(file), folder=tmp_path)
    with pytest.raises(UsageError, match=r"--boards .*: cannot be read \(Is a directory\)"):
        read_lab(str(tmp_path), folder=tmp_path)
    file.write_text("[board.desk]\nspec = 'u0'\n")
    assert read_lab(str(file), folder=tmp_path)["desk"].target == "u0"


@pytest.mark.parametrize("content", [b"[board.desk\n", b"board = \n", b"\xff\xfe"])
def test_no_toml(tmp_path: Path, content: bytes) -> None:
    """A file that is no TOML is said to be none, in one line with the place."""
    file = tmp_path / "boards.toml"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=r"--boards .*boards\.toml: no valid TOML: ") as raised:
        read_lab(None, folder=tmp_path)
    assert "\n" not in str(raised.value)
